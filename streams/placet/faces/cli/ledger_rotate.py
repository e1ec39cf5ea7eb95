"""`placet ledger rotate`: a new key for a provenance log, and an end to the old one."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Data
from placet.faces.cli.verb import Exit, Failure, Json

EXAMPLE = "placet ledger rotate --data run"
EXITS = {Exit.REFUSED: "a rotation is under way already, or none is"}


def run(
    retire: Annotated[bool, typer.Option("--retire", help="End the rotation: the oldest key signs no more.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Make the next key of the log; from its next start on the notary signs with the old and the new one.

    Who verifies by the old key goes on, and has time to take the new one from
    `placet ledger checkpoint --vkey`. Then `--retire` ends the old one: it
    signs no more, and what it signed stays good.
    """
    from placet.drivers.entropy import SystemEntropy
    from placet.drivers.keyfile import read_secret
    from placet.drivers.ledger.keys import make_private_key, private_keys, retire_private_key, vkey_in

    settings = settings_with(data=data)
    keys = private_keys(settings.secrets_dir)
    if not keys:
        hint = "the notary makes the first one on its first start"
        raise Failure(Exit.NOT_RUN, f"{settings.secrets_dir}: no private key of a provenance log", hint)
    if retire:
        if len(keys) < 2:
            raise Failure(Exit.REFUSED, f"`{keys[0].stem}` is the only key of the log", "`placet ledger rotate` first")
        retire_private_key(keys[0])
        said = {"retired": keys[0].stem, "vkey": vkey_in(keys[-1], settings.origin)}
    else:
        if len(keys) > 1:
            raise Failure(
                Exit.REFUSED, f"`{keys[0].stem}` and `{keys[-1].stem}` sign both already", "end it with --retire"
            )
        read_secret(keys[0])
        made = make_private_key(settings.secrets_dir, SystemEntropy())
        said = {"made": made.stem, "vkey": vkey_in(made, settings.origin)}
    if as_json:
        printing.emit(said)
    else:
        word, stem = ("retired", keys[0].stem) if retire else ("made", said["made"])
        printing.say(f"{word} {stem}; from the notary's next start on verify with {said['vkey']}")
    return Exit.FINE
