"""`placet keys list`: every key that is pinned or on record, and what it may do now."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Url, resolve
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet keys list --tenant acme --data run"
EXITS: dict[Exit, str] = {}


def run(
    tenant: Annotated[str | None, typer.Option(help="Only keys that sign records of this tenant.")] = None,
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """List keys, pinned ones first: whose, for what, of which tenant, from when to when, and whether it is believed now."""
    from placet.drivers.keyfile import read_keys
    from placet.faces.cli.journal import now_ms
    from placet.faces.cli.keyed import folded, standing
    from placet.faces.cli.reading import reading, settings_of

    place = resolve(url, bootstrap, data)
    ring = read_keys(settings_of(place).keys_file).ring()
    with reading(place) as log:
        found = [one for one in standing(folded(log, ring)) if tenant is None or one.tenant in ("", tenant)]
    now = now_ms()
    if as_json:
        printing.emit([{**one._asdict(), "state": one.state(now)} for one in found])
        return Exit.FINE
    rows = [
        (
            one.kid,
            one.purpose,
            one.issuer,
            one.tenant or "all",
            "pinned" if one.pinned else "record",
            one.not_before or "-",
            one.not_after or "-",
            one.state(now),
        )
        for one in found
    ]
    printing.console().print(
        printing.table(("kid", "purpose", "issuer", "tenant", "from", "begins", "ends", "state"), rows)
    )
    return Exit.FINE
