"""`placet approvals show`: everything an approver needs to know of one intent that waits."""

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json
from placet.faces.cli.withdraw import Intent, Whose, id_of

EXAMPLE = "placet approvals show 0190f3c2a4b87c3e9d1f5a6b7c8d9e0f --tenant acme --data run"
EXITS = {Exit.NOT_RUN: "could not run, or it does not wait"}


def run(
    intent: Intent,
    authority: Whose = None,
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Show one intent that waits: what it asks and why, which rules want people, of whom, who has said yes, until when.

    Of an emergency that is to be looked at: why it was one, whom its review asks and whom not, and when it is overdue.
    """
    from placet.faces.cli import records
    from placet.faces.cli.reading import reading
    from placet.faces.cli.waiting import asking_in, one_of

    wanted = id_of(intent)
    with reading(resolve(url, bootstrap, data)) as log:
        asking = asking_in(log, tenant)
    alike = one_of(asking, wanted, like=True, authority=authority)
    told = next(each for each in alike if each.name[2] == wanted).told()
    if as_json:
        printing.emit({**told, "alike": [each.name[2] for each in alike if each.name[2] != wanted]})
        return Exit.FINE
    for name, value in told.items():
        if name in ("asked_at", "expires_at"):
            value = f"{records.day(value)} {records.clock(value)}"
        if value not in ("", [], None):
            told_as = ", ".join(value) if isinstance(value, list) else str(value)
            printing.say(f"{name:<14} {printing.shown(told_as)}")
    if len(alike) > 1:
        printing.say(
            f"{'identical':<14} {len(alike) - 1} more: `placet approvals approve --all-like {intent}` says yes to all"
        )
    return Exit.FINE
