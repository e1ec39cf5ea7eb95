"""`placet witness`: cosign the heads of logs of others, each only where it goes on from the last one."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.up import wait_for_end
from placet.faces.cli.verb import Exit, Failure, Json, usage

if TYPE_CHECKING:
    from placet.drivers.witness.identity import WitnessIdentity

EXAMPLE = "placet witness --data witness --name witness.example/w1 --log placet.local/log+1f2e3d4c+AbCd...="
EXITS = {Exit.FAULTY: "what it has kept is not what it cosigned"}


def run(
    data: Annotated[Path | None, typer.Option(help="Its own folder. Else PLACET_WITNESS_DATA, else witness.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Its name in cosignatures, a URL without a scheme. Else PLACET_WITNESS_NAME.")
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(help="Verifier key of a log; may be given again, twice for one log at a rotation."),
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="A tlog-policy file whose logs are witnessed as well.")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free one.")] = 7440,
    metrics_port: Annotated[int, typer.Option(min=0, max=65_535, help="Of /metrics, /livez and /readyz.")] = 7441,
    vkey: Annotated[bool, typer.Option("--vkey", help="Print its verifier key, for a policy, and end.")] = False,
    as_json: Json = False,
) -> Exit:
    """Run a witness (C2SP tlog-witness) until Ctrl-C or SIGTERM; its key is made on the first start.

    What it cosigns it keeps first. A head that contradicts one it has cosigned is refused, and kept beside it under
    `against/` in the folder of that log: two signatures of the log under two different pasts.
    """
    folder = data or Path(os.environ.get("PLACET_WITNESS_DATA") or "witness")
    named = name or os.environ.get("PLACET_WITNESS_NAME") or ""
    if not named:
        raise usage("--name is missing: expected a name such as witness.example/w1")
    identity = _identity(folder, named, log or [], policy, expect_logs=not vkey)
    if vkey:
        printing.emit({"vkey": identity.vkey}) if as_json else printing.say(identity.vkey)
        return Exit.FINE
    return _serve(identity, folder, host, port, metrics_port, as_json=as_json)


def _identity(folder: Path, name: str, logs: list[str], policy: Path | None, *, expect_logs: bool) -> "WitnessIdentity":
    from placet.drivers.witness.identity import WitnessIdentity
    from placet.faces.cli.trusting import policy_in
    from placet.provenance.notes import Ed25519Verifier

    try:
        keys = [Ed25519Verifier.read(vkey) for vkey in logs]
        identity = WitnessIdentity.of(folder, name)
    except ValueError as fault:
        raise usage(str(fault), "`placet ledger checkpoint --vkey` prints the key of a log") from None
    if policy is not None:
        keys += policy_in(policy).logs
    if expect_logs and not keys:
        raise usage(
            "no log is named: expected --log KEY or --policy FILE", "`placet ledger checkpoint --vkey` prints one"
        )
    for key in keys:
        identity.logs.setdefault(key.name, []).append(key)
    return identity


def _serve(
    identity: "WitnessIdentity", folder: Path, host: str, port: int, metrics_port: int, *, as_json: bool
) -> Exit:
    from placet.drivers.clock import SystemClock
    from placet.drivers.ledger.folder import FolderStore
    from placet.drivers.logs import log_to
    from placet.drivers.metrics import Watch
    from placet.drivers.witness.witness import Witness
    from placet.faces.cli.probes import Probes
    from placet.faces.witness import WitnessServer

    log_to(form="auto", level="info")
    store, watch = FolderStore(folder / "seen"), Watch()
    try:
        server = WitnessServer(
            Witness(store, identity.cosigner, identity.logs, SystemClock(), watch), watch, host, port
        )
        try:
            probes = Probes(server, host, metrics_port)
            said = {"url": server.url, "vkey": identity.vkey, "metrics": probes.url, "logs": sorted(identity.logs)}
            if as_json:
                printing.emit(said, lines=True)
            else:
                printing.say(f"witness url={server.url} metrics={probes.url} vkey={identity.vkey}")
            try:
                wait_for_end(server.ended.wait)
            finally:
                probes.stop()
        finally:
            server.stop()
    finally:
        store.close()
    if server.failure is not None:
        raise Failure(Exit.NOT_RUN, f"{server.failure}", "start it again: it goes on from what is in its folder")
    return Exit.FINE
