"""`placet approvals list`: what waits for people."""

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet approvals list --tenant acme --data run"
EXITS: dict[Exit, str] = {}


def run(
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """List what waits for people, the first to expire first; identical intents of one agent are one line.

    Below it the emergencies that were granted and that people have to look at: one nobody answered in time stays, OVERDUE.
    With `--json` each by itself, told apart by `kind`; intents with the same `group` are identical.
    """
    from placet.faces.cli.reading import reading
    from placet.faces.cli.waiting import HEADINGS, asking_in, rows

    with reading(resolve(url, bootstrap, data)) as log:
        asking = asking_in(log, tenant)
    if as_json:
        printing.emit([each.told() for each in asking])
    elif asking:
        printing.console().print(printing.table(HEADINGS, rows(asking)))
    else:
        printing.say("nothing waits for people")
    return Exit.FINE
