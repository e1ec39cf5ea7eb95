"""`placet policy activate`: name the packs that decide for a tenant from now on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json

if TYPE_CHECKING:
    from placet.faces.cli.journal import Journal, Written
    from placet.model.codec.active_set import ActiveSet
    from placet.ports import Log

EXAMPLE = "placet policy activate payments operations --reason 'raise the refund limit' --tenant acme --data run"
EXITS = {Exit.FAULTY: "a pack that is named was never pushed"}
HEX_LEAST = 8


class Shelf(NamedTuple):
    """The packs and active sets of a tenant, each in the order they were published."""

    packs: dict[bytes, str]
    sets: "list[ActiveSet]"


def run(
    packs: Annotated[
        list[str],
        typer.Argument(metavar="PACK...", help="Names (the one pushed last) or digests in hex, at least 8 digits."),
    ],
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Make the named packs the active set of a tenant: they decide from now on, and no others.

    Open grants are decided again under the new set. A pack that does not load
    is refused by the desks and the last good set goes on deciding. Of a limit
    that measures something else by then, or over another window, it is said
    what becomes of what was counted.
    """
    from placet.faces.cli.journal import named, opened

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant")
    with opened(place) as journal:
        shelf = read_shelf(journal.log, tenant)
        digests = tuple(dict.fromkeys(_digest(text, shelf, tenant) for text in packs))
        before = shelf.sets[-1].digests if shelf.sets else ()
        notes = recounted_by(journal.log, tenant, before, digests)
        written = activate(journal, tenant, shelf, digests, reason)
    tell(written, shelf, as_json=as_json, notes=notes)
    return Exit.FINE


def read_shelf(log: "Log", tenant: str) -> Shelf:
    """Return what was published on `placet.policies` for a tenant."""
    from placet.faces.cli.journal import read_all
    from placet.model.codec import decode_as
    from placet.model.topics import Topic

    shelf = Shelf({}, [])
    for partition in range(log.partitions(Topic.POLICIES)):
        for rec in read_all(log, Topic.POLICIES, partition):
            pushed, pointer = decode_as("pack", rec.value), decode_as("active_set", rec.value)
            if pushed is not None and pushed.tenant == tenant:
                shelf.packs.pop(pushed.digest, None)
                shelf.packs[pushed.digest] = pushed.name
            elif pointer is not None and pointer.tenant == tenant:
                shelf.sets.append(pointer)
    shelf.sets.sort(key=lambda pointer: pointer.revision)
    return shelf


def recounted_by(log: "Log", tenant: str, before: tuple[bytes, ...], after: tuple[bytes, ...]) -> list[str]:
    """Return what becomes of what is counted in limits that one set of packs and the next count differently."""
    from placet.faces.cli.journal import read_all
    from placet.model.codec import decode_as
    from placet.model.topics import Topic
    from placet.policy.diagnostics import PackError
    from placet.policy.limits import Limit, recounted
    from placet.policy.pack import load_pack

    limits: dict[bytes, tuple[Limit, ...]] = {}
    for partition in range(log.partitions(Topic.POLICIES)):
        for rec in read_all(log, Topic.POLICIES, partition):
            pushed = decode_as("pack", rec.value)
            if pushed is not None and pushed.tenant == tenant and pushed.digest in before + after:
                try:
                    limits[pushed.digest] = load_pack({file.name: file.text for file in pushed.files}).limits
                except PackError:
                    continue  # no desk takes it either
    return list(recounted(*([one for digest in said for one in limits.get(digest, ())] for said in (before, after))))


def activate(journal: "Journal", tenant: str, shelf: Shelf, digests: tuple[bytes, ...], reason: str) -> "Written":
    """Publish the next active set. Each has a key of its own, so that compaction keeps what a rollback goes back to."""
    from placet.faces.cli.journal import now_ms
    from placet.model.codec import active_set
    from placet.model.context_keys import active_set_key
    from placet.model.topics import Topic

    revision = shelf.sets[-1].revision + 1 if shelf.sets else 1
    record = active_set.ActiveSet(tenant, revision, digests, reason, now_ms(), None)
    return journal.write(Topic.POLICIES, active_set_key(record).decode(), active_set, record, "operator")


def tell(written: "Written", shelf: Shelf, *, as_json: bool, notes: Sequence[str] = ()) -> None:
    """Print what is active now, and what is to be noted of it."""
    record: Any = written.record
    if as_json:
        names = [shelf.packs.get(digest) for digest in record.digests]
        printing.emit({**written._asdict(), "names": names, "recounted": list(notes)})
        return
    printing.say(written.line(f"revision {record.revision} of {record.tenant}"))
    for digest in record.digests:
        printing.say(f"  {shelf.packs.get(digest, '(not here)')} {digest.hex()}")
    for note in notes:
        printing.say(note)


def _digest(text: str, shelf: Shelf, tenant: str) -> bytes:
    named = [digest for digest, name in shelf.packs.items() if name == text]
    if named:
        return named[-1]
    found = [digest for digest in shelf.packs if len(text) >= HEX_LEAST and digest.hex().startswith(text.lower())]
    if len(found) == 1:
        return found[0]
    known = ", ".join(sorted(set(shelf.packs.values()))) or "none"
    what = "two packs begin so" if found else f"no such pack was pushed for tenant `{tenant}`"
    raise Failure(Exit.FAULTY, f"{text}: {what}: expected one of {known}, or a digest", "placet policy push DIR")
