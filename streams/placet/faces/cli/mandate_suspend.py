"""`placet mandate suspend`: stop a mandate, and all below it, until that is lifted."""

from pathlib import Path
from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.mandate_narrow import Mandate
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json

EXAMPLE = """
placet mandate suspend refunds --tenant acme --data run
placet mandate suspend refunds --lift --tenant acme --data run
"""
EXITS = {Exit.REFUSED: "it was revoked"}


def run(
    mandate: Mandate,
    lift: Annotated[bool, typer.Option("--lift", help="Let a suspended one grant again.")] = False,
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Suspend a mandate, or with `--lift` let it grant again.

    While it is suspended nothing is granted under it or below it: waiting
    intents are denied, open grants revoked, claimed actions told to stop.
    """
    return change(mandate, "active" if lift else "suspended", tenant, (url, bootstrap, data), as_json=as_json)


def change(
    name: str, status: str, tenant: str, where: tuple[str | None, str | None, Path | None], *, as_json: bool
) -> Exit:
    """Give a mandate another status and say what stops with it; raise Failure where it was revoked for good."""
    from placet.faces.cli import delegation
    from placet.faces.cli.journal import named, opened

    place = resolve(*where)
    named(tenant, "--tenant"), named(name, "ID")
    with opened(place) as journal:
        tables = delegation.read_tables(journal.log, journal.connection.ring)
        known = delegation.record_of(delegation.row_of(tables, tenant, name))
        if known.status == "revoked" and status != "revoked":
            raise Failure(
                Exit.REFUSED,
                f"{name}: is revoked: expected one that is active or suspended",
                "`placet mandate grant --replace` grants it anew",
            )
        written = delegation.write(journal, known._replace(status=status), known)
    stopped = [] if status == "active" else delegation.below(tables, tenant, name)
    if as_json:
        printing.emit(delegation.told(written, below=stopped))
        return Exit.FINE
    printing.say(written.line(f"mandate {name} is {status}"))
    for line in delegation.stops(stopped):
        printing.say(f"  {line}")
    return Exit.FINE
