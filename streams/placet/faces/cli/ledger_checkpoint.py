"""`placet ledger checkpoint`: the newest checkpoint of a provenance log, or the key that verifies it."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Data
from placet.faces.cli.verb import Exit, Failure, Json

EXAMPLE = "placet ledger checkpoint --data run --vkey"
EXITS = {Exit.FAULTY: "it is not signed by a key of the log"}


def run(
    vkey: Annotated[bool, typer.Option("--vkey", help="Print the verifier key alone.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Print the newest checkpoint as it is published: a signed note of the log's name, its size and its root.

    The key that lies beside a log proves nothing to a stranger: hand it out by
    another way than the log.
    """
    from placet.drivers.ledger.folder import FolderReader
    from placet.drivers.ledger.keys import known_keys
    from placet.provenance.checkpoint import open_checkpoint
    from placet.provenance.notes import Ed25519Verifier
    from placet.provenance.tiles import CHECKPOINT

    settings = settings_with(data=data)
    reader = FolderReader(settings.ledger_dir)
    keys = known_keys(reader)
    if vkey:
        printing.emit({"vkey": keys[-1], "all": keys}) if as_json else printing.say(keys[-1])
        return Exit.FINE
    note = reader.get(CHECKPOINT)
    if note is None:
        raise Failure(Exit.NOT_RUN, f"{settings.ledger_dir}/{CHECKPOINT}: nothing published yet")
    try:
        head, _ = open_checkpoint(note, settings.origin, [Ed25519Verifier.read(key) for key in keys])
    except ValueError as fault:
        raise Failure(Exit.FAULTY, f"{settings.ledger_dir}/{CHECKPOINT}: {fault}") from None
    if as_json:
        said = {"origin": head.origin, "size": head.size, "root": head.root.hex(), "note": note.decode()}
        printing.emit(said)
    else:
        typer.echo(note.decode(), nl=False)
    return Exit.FINE
