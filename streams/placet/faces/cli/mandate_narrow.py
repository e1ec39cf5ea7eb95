"""`placet mandate narrow`: take back a part of what a mandate grants."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = (
    "placet mandate narrow refunds --action payments.refund --limit amount=5000/3600 --expires-in 2h"
    " --tenant acme --data run"
)
EXITS = {Exit.REFUSED: "it would widen the mandate, or that was revoked"}

Mandate = Annotated[str, typer.Argument(metavar="ID", help="The mandate.")]


def run(
    mandate: Mandate,
    action: Annotated[
        list[str] | None, typer.Option(help="All the actions it still covers. May be given often.")
    ] = None,
    resource: Annotated[
        list[str] | None, typer.Option(help="All the resources it still covers. May be given often.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEASURE=MAX/WINDOW_S",
            help="A limit more, or a lower one in place of that of the same measure, window and actions. "
            "May be given often.",
        ),
    ] = None,
    expires_in: Annotated[
        str, typer.Option(help="As 2h: it ends so long from now. 0: it does not end by itself.")
    ] = "",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Narrow a mandate: fewer actions or resources, tighter limits, a sooner end. Nothing else of it changes.

    What would widen it is refused and named. Open grants that it no longer
    covers are revoked, below it as well.
    """
    from placet.context.attenuation import excess
    from placet.faces.cli import delegation
    from placet.faces.cli.inputs import duration_ms
    from placet.faces.cli.journal import named, now_ms, opened

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant"), named(mandate, "ID")
    if not (action or resource or limit or expires_in):
        raise usage("expected --action, --resource, --limit or --expires-in: what of it is left")
    limits = delegation.limits_from(limit)
    lasts = duration_ms(expires_in, "--expires-in") if expires_in else 0
    with opened(place) as journal:
        known = delegation.record_of(
            delegation.row_of(delegation.read_tables(journal.log, journal.connection.ring), tenant, mandate)
        )
        if known.status == "revoked":
            raise Failure(Exit.REFUSED, f"{mandate}: is revoked: expected one that grants something")
        replaced = {(one.measure, one.window_s, one.actions) for one in limits}
        kept = [one for one in known.limits if (one.measure, one.window_s, one.actions) not in replaced]
        narrowed = known._replace(
            actions=tuple(action or known.actions),
            resources=tuple(resource or known.resources),
            limits=(*kept, *limits),
            expires_at=(now_ms() + lasts if lasts else 0) if expires_in else known.expires_at,
        )
        wider = excess(narrowed, known)
        if wider:
            hint = "`placet mandate grant --replace` grants it anew"
            raise Failure(Exit.REFUSED, f"{mandate}: would be wider: {'; '.join(one.line() for one in wider)}", hint)
        written = delegation.write(journal, narrowed, known)
    if as_json:
        printing.emit(written)
    else:
        printing.say(written.line(f"mandate {mandate} is narrowed"))
    return Exit.FINE
