"""`placet keys init`: make the first keys of an installation, once."""

from pathlib import Path
from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.configured import settings_with
from placet.faces.cli.place import Data
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet keys init --data run"
EXITS = {Exit.FAULTY: "the key file contradicts itself"}


def run(
    data: Data = None,
    demo: Annotated[bool, typer.Option("--demo", help="Also the keys of the demo's company.")] = False,
    desks: Annotated[
        Path | None, typer.Option("--desks", help="Where what only desks may hold goes: the seal key and the kek.")
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Make the keys that desks, an operator, a feed and an executor begin with; `placet up` does so by itself.

    Private halves go to DATA/secrets, or PLACET_SECRETS, public ones to
    DATA/keys.json, or PLACET_KEYS. Keys that are there stay. Workers on other
    hosts need both: they make none. With `--desks` no folder holds all of them:
    that one is for workers, the other for whoever asks, acts and publishes.
    """
    from placet.drivers.entropy import SystemEntropy
    from placet.drivers.keyfile import FIRST_KEYS, add_key, ensure_keys

    settings, entropy = settings_with(data=data), SystemEntropy()
    known = ensure_keys(settings.keys_file, settings.secrets_dir, entropy, desks=desks).file.keys
    wanted = list(FIRST_KEYS)
    if demo:
        from placet.faces.demo import cast

        wanted += cast.key_holders()
    pinned = {(entry.purpose, entry.issuer) for entry in known}
    added = [
        add_key(settings.keys_file, settings.secrets_dir, purpose, issuer, entropy)
        for purpose, issuer in dict.fromkeys(wanted)
        if (purpose, issuer) not in pinned
    ]
    entries = [*known, *added]
    if as_json:
        printing.emit({"pinned": settings.keys_file, "secrets": settings.secrets_dir, "keys": len(entries)})
    else:
        printing.say(f"{len(entries)} keys pinned in {settings.keys_file}, private halves in {settings.secrets_dir}")
    return Exit.FINE
