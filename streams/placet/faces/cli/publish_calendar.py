"""`placet publish calendar`: set a named fact of the calendar, as a change freeze."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet publish calendar freeze on --reason 'year end' --expires-in 3d --tenant acme --data run"
EXITS: dict[Exit, str] = {}


def run(
    name: Annotated[str, typer.Argument(help="The fact, as packs read it: `freeze` is `calendar.freeze`.")],
    value: Annotated[str, typer.Argument(help="Its value.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    expires_in: Annotated[str, typer.Option(help="As 3d. 0: it does not end by itself.")] = "0",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Publish a calendar fact, signed by the operator. Open grants that rest on it are decided again."""
    from placet.faces.cli.inputs import duration_ms
    from placet.faces.cli.journal import named, now_ms, opened
    from placet.model.codec import control
    from placet.model.context_keys import control_key
    from placet.model.topics import Topic

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant"), named(name, "NAME")
    lasts, at = duration_ms(expires_in, "--expires-in"), now_ms()
    with opened(place) as journal:
        by = journal.issuer("operator")
        record = control.Control(
            tenant, f"{name}-{at}", "calendar", name, value, reason, by, at, at + lasts if lasts else 0, None
        )
        written = journal.write(Topic.CONTROLS, control_key(record).decode(), control, record, "operator")
    if as_json:
        printing.emit(written)
    else:
        printing.say(written.line(f"calendar.{name} is {value}"))
    return Exit.FINE
