"""`placet ledger fsck`: read a provenance log whole, and say what in it does not agree."""

from pathlib import Path
from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Data
from placet.faces.cli.verb import Exit, Failure, Json

EXAMPLE = "placet ledger fsck --data run"
EXITS = {Exit.FAULTY: "something in the log does not agree"}


def run(
    vkey: Annotated[
        list[str] | None, typer.Option(help="A key by which the log is signed. Else those beside it.")
    ] = None,
    since: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A checkpoint kept from earlier, which the log must extend."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Hash every leaf again, and compare every tile, the root, the checkpoint and the cuts.

    The code shares nothing with what wrote the log. Whether the leaves are
    those of the topics is what `placet audit` says.
    """
    from placet.drivers.ledger.folder import FolderReader
    from placet.drivers.ledger.keys import known_keys
    from placet.faces.auditor.fsck import check

    reader = FolderReader(settings_with(data=data).ledger_dir)
    kept = {str(path): path.read_bytes() for path in since or ()}
    report = check(reader.get, vkey or known_keys(reader), kept)
    if report is None:
        raise Failure(Exit.NOT_RUN, f"{reader.folder}/checkpoint: nothing published yet")
    if as_json:
        printing.emit(report.to_dict())
    else:
        for flaw in report.flaws:
            printing.say(f"{flaw.path}: {flaw.text}")
        if report.flawed > len(report.flaws):
            printing.say(f"and {report.flawed - len(report.flaws)} more")
        word = "FAULTY" if report.flawed else "sound"
        printing.say(f"{word}: {report.size} leaves in {report.cuts} cuts, {report.bytes_read} bytes read")
    return Exit.FAULTY if report.flawed else Exit.FINE
