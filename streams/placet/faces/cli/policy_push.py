"""`placet policy push`: publish packs, so that they can be activated."""

from typing import Any

from placet.faces.cli import printing
from placet.faces.cli.folders import pack_folders, read_pack
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.policy_check import Folders, fault_of, load
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet policy push policies/payments policies/operations --tenant acme --data run"
EXITS = {Exit.FAULTY: "a pack does not load", Exit.TEST_FAILED: "a pack fails its own tests"}


def run(
    folders: Folders,
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Publish policy packs, whole and signed by the operator, under their digests.

    All must load and pass their own tests, or none is published. They decide
    nothing until `placet policy activate` names them.
    """
    from placet.faces.cli.journal import named, opened
    from placet.policy.cases import run_tests

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant")
    packs, faults, failed = [], [], []
    for folder in pack_folders(folders):
        pack, found = load(folder)
        faults += found
        if pack is not None:
            packs.append((folder, pack))
            failed += [f"{one.file}:{one.line}:{one.column}: {one.says}" for one in run_tests(pack) if not one.passed]
    if faults or failed:
        if as_json:
            printing.emit({"pushed": [], "faults": [fault_of(fault) for fault in faults], "failed": failed})
        for line in [*map(str, faults), *(f"{one}: the test fails" for one in failed)]:
            if not as_json:
                printing.say(line)
        return Exit.FAULTY if faults else Exit.TEST_FAILED
    with opened(place) as journal:
        pushed = [
            {
                "name": pack.name,
                "digest": pack.digest,
                **push(journal, tenant, pack.name, pack.digest, read_pack(folder)),
            }
            for folder, pack in packs
        ]
    if as_json:
        printing.emit({"pushed": pushed})
    else:
        for one in pushed:
            printing.say(f"{one['name']} {one['digest'].hex()}: {one['topic']}/{one['partition']}@{one['offset']}")
    return Exit.FINE


def push(journal: Any, tenant: str, name: str, digest: bytes, files: dict[str, str]) -> dict[str, Any]:
    """Publish one pack for a tenant, unless it is there already; return where it lies."""
    from placet.faces.cli.journal import now_ms
    from placet.faces.pushed import find_pushed
    from placet.model.codec import pack
    from placet.model.context_keys import pack_key
    from placet.model.topics import Topic

    record = pack.Pack(
        tenant, name, digest, tuple(pack.File(file, text) for file, text in sorted(files.items())), now_ms(), None
    )
    known = find_pushed(journal.log, journal.connection.ring, record)
    if known is not None:
        return {"topic": Topic.POLICIES.title, "partition": known.partition, "offset": known.offset}
    written = journal.write(Topic.POLICIES, pack_key(record).decode(), pack, record, "operator")
    return {"topic": written.topic, "partition": written.partition, "offset": written.offset}
