"""`placet mandate grant`: hand authority on."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = """
placet mandate grant refunds --from user:ada --to agent:billing-bot --task 'refund late orders' \\
    --action 'payments.*' --resource 'order/*' --limit amount=50000/3600 --expires-in 8h --tenant acme --data run
"""
EXITS = {Exit.REFUSED: "there is a mandate of this name already"}


def run(
    mandate: Annotated[str, typer.Argument(metavar="ID", help="The name of this link.")],
    delegator: Annotated[str, typer.Option("--from", help="Who hands authority on.")],
    delegate: Annotated[str, typer.Option("--to", help="Who may act under it.")],
    task: Annotated[str, typer.Option(help="What it is for, in words.")] = "",
    action: Annotated[
        list[str] | None, typer.Option(help="Actions it covers, as `payments.*`. May be given often.")
    ] = None,
    resource: Annotated[
        list[str] | None, typer.Option(help="Resources it covers, as `order/*`. May be given often.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEASURE=MAX/WINDOW_S",
            help="As amount=50000/3600, or count=9/0@payments.* for some actions only; 0: the mandate's life. "
            "May be given often.",
        ),
    ] = None,
    parent: Annotated[str, typer.Option(help="The mandate it is handed on from; empty at the root.")] = "",
    expires_in: Annotated[str, typer.Option(help="As 8h. 0: it does not end by itself.")] = "0",
    replace: Annotated[
        bool, typer.Option("--replace", help="In place of one of this name, also where it is wider or was revoked.")
    ] = False,
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Grant one link of delegated authority, signed by the operator, and say where it lies.

    A child that claims more than its parent grants only what both do; what of
    it that leaves out is said. With the place it prints, `placet submit
    --at-least` asks under no older context.
    """
    from placet.context.attenuation import excess, granted
    from placet.context.tables import MANDATE
    from placet.faces.cli import chains, delegation
    from placet.faces.cli.inputs import duration_ms
    from placet.faces.cli.journal import named, now_ms, opened
    from placet.model.codec.mandate import Mandate

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant"), named(mandate, "ID"), named(delegator, "--from"), named(delegate, "--to")
    if parent:
        named(parent, "--parent")
    if not action or not resource:
        raise usage("expected at least one --action and one --resource: a mandate that covers nothing grants nothing")
    limits, lasts = delegation.limits_from(limit), duration_ms(expires_in, "--expires-in")
    ends = now_ms() + lasts if lasts else 0
    covers = (tuple(action), tuple(resource), limits, parent, ends)
    record = Mandate(tenant, mandate, delegator, delegate, task, *covers, "active", 0, None)
    with opened(place) as journal:
        tables = delegation.read_tables(journal.log, journal.connection.ring)
        row = tables.mandates.get(f"{MANDATE}{tenant}/{mandate}")
        if row is not None and not replace:
            said = delegation.record_of(row)
            hint = "`placet mandate narrow` narrows it; --replace grants it anew"
            raise Failure(Exit.REFUSED, f"{mandate}: is there already, {said.status}, for {said.delegate}", hint)
        written = delegation.write(journal, record, None if row is None else delegation.record_of(row))
        above = chains.upwards(tables, tenant, parent)
    beyond = excess(record, granted(reversed(above))) if above else ()
    if as_json:
        printing.emit(delegation.told(written, ineffective=[one.line() for one in beyond]))
        return Exit.FINE
    printing.say(written.line(f"mandate {mandate} from {delegator} to {delegate} is active"))
    for one in beyond:
        printing.say(f"  beyond its parent: {one.line()}")
    if parent and not above:
        printing.say(f"  grants nothing: mandate `{parent}` is not known")
    return Exit.FINE
