"""`placet approvals inbox`: what waits for people, live."""

import time
from typing import Annotated

import typer
from rich.live import Live

from placet.faces.cli import printing
from placet.faces.cli.inputs import duration_ms
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet approvals inbox --for 1s --tenant acme --data run"
EXITS: dict[Exit, str] = {}
POLL_MS = 200


def run(
    for_: Annotated[str, typer.Option("--for", help="End after this long, as 20s. Else Ctrl-C ends it.")] = "",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Show what waits for people as it comes, gains votes and goes; `placet approvals approve ID` answers it elsewhere.

    In a terminal one table that stays in its place; else one line for each
    change. With `--json` one line for each change: all that waits then.
    """
    from placet.faces.cli.reading import reading
    from placet.faces.cli.waiting import Told
    from placet.faces.pending import Inbox

    place = resolve(url, bootstrap, data)
    until = time.monotonic() + duration_ms(for_, "--for") / 1000 if for_ else None
    out = printing.console()
    with reading(place) as log:
        inbox, told = Inbox(log, tenant), Told(as_json=as_json)
        inbox.read()
        if out.is_terminal and not as_json:
            with Live(told.table(inbox), console=out, auto_refresh=False) as live:
                while until is None or time.monotonic() < until:
                    inbox.read(POLL_MS)
                    live.update(told.table(inbox), refresh=True)
        else:
            told.changes(inbox)
            while until is None or time.monotonic() < until:
                inbox.read(POLL_MS)
                told.changes(inbox)
    return Exit.FINE
