"""`placet halt`: nothing of a kind may begin any more."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet halt agent/agent:billing-bot --id incident-7 --reason 'pays twice' --tenant acme --data run"
EXITS = {Exit.REFUSED: "not every desk has said so in time"}

Operator = Annotated[
    str | None, typer.Option("--as", help="The operator who signs. Else the newest key that lies here.")
]
Wait = Annotated[str, typer.Option(help="How long to wait for every desk to say so, as 10s.")]


def run(
    scope: Annotated[
        str, typer.Argument(help="all, tenant, authority/ID, agent/ID, action/NAME (a last * stands for any), tool/ID.")
    ],
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    halt_id: Annotated[str, typer.Option("--id", help="What it is called. Else drawn from the clock.")] = "",
    expires_in: Annotated[str, typer.Option(help="As 3d. 0: until two operators resume it.")] = "0",
    operator: Operator = None,
    wait: Wait = "10s",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Halt, signed by the operator, and wait until every desk has said so in its decisions.

    Waiting intents that it covers are denied, open grants revoked, claimed
    actions told to stop. `placet resume` takes it back.
    """
    from placet.faces.cli.halting import publish, told_by
    from placet.faces.cli.inputs import duration_ms
    from placet.faces.cli.journal import named, now_ms, opened

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant")
    lasts, wait_ms, at = duration_ms(expires_in, "--expires-in"), duration_ms(wait, "--wait"), now_ms()
    name = named(halt_id, "--id") if halt_id else f"halt-{at}"
    with opened(place) as journal:
        said = publish(journal, "halt", tenant, name, scope, reason, at + lasts if lasts else 0, operator)
        partitions, took_ms = told_by(journal, said, wait_ms, resumed=False)
    whole = partitions == said.partitions
    if as_json:
        printing.emit(
            {
                "id": name,
                "scope": scope,
                "partitions": said.partitions,
                "halted": partitions,
                "took_ms": took_ms,
                **said.where,
            }
        )
    else:
        printing.say(f"{name}: {scope} is halted in {partitions} of {said.partitions} partitions after {took_ms} ms")
        if not whole:
            printing.say("next: the other desks halt when they run; `placet tail` shows their `halted`")
    return Exit.FINE if whole else Exit.REFUSED
