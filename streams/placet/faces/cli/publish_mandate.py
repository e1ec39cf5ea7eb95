"""`placet publish mandate`: say what a directory of mandates says; `placet mandate` is for people."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json, usage

EXAMPLE = """
placet publish mandate reminders --from user:ada --to agent:billing-bot --task 'remind of late orders' \\
    --action 'payments.*' --resource 'order/*' --expires-in 8h --tenant acme --data run
"""
EXITS: dict[Exit, str] = {}
STATUSES = ("active", "suspended", "revoked")


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
        list[str] | None, typer.Option(metavar="MEASURE=MAX/WINDOW_S", help="As amount=50000/3600. May be given often.")
    ] = None,
    parent: Annotated[str, typer.Option(help="The mandate it was handed on from; empty at the root.")] = "",
    expires_in: Annotated[str, typer.Option(help="As 8h. 0: it does not end by itself.")] = "0",
    status: Annotated[str, typer.Option(help="active, suspended or revoked.")] = "active",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Publish one link of delegated authority as it is known elsewhere, signed by the operator; the newest word stands.

    A child never exceeds its parent. Suspending or revoking a link stops
    everything below it, open grants included. `placet mandate grant` looks
    first at what is there.
    """
    from placet.faces.cli import delegation
    from placet.faces.cli.inputs import duration_ms
    from placet.faces.cli.journal import named, now_ms, one_of, opened
    from placet.model.codec import mandate as codec
    from placet.model.topics import Topic

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant"), named(mandate, "ID"), named(delegator, "--from"), named(delegate, "--to")
    one_of(status, "--status", STATUSES)
    if not action or not resource:
        raise usage("expected at least one --action and one --resource: a mandate that covers nothing grants nothing")
    lasts, at = duration_ms(expires_in, "--expires-in"), now_ms()
    record = codec.Mandate(
        tenant=tenant,
        id=mandate,
        delegator=delegator,
        delegate=delegate,
        task=task,
        actions=tuple(action),
        resources=tuple(resource),
        limits=delegation.limits_from(limit),
        parent=parent,
        expires_at=at + lasts if lasts else 0,
        status=status,
        observed_at=at,
        proof=None,
    )
    with opened(place) as journal:
        written = journal.write(Topic.MANDATES, f"{tenant}/{mandate}", codec, record, "operator")
    if as_json:
        printing.emit(written)
    else:
        printing.say(written.line(f"mandate {mandate} from {delegator} to {delegate} is {status}"))
    return Exit.FINE
