"""`placet resume`: one operator's word that a halt may end; the second ends it."""

from typing import Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.halt import Operator, Wait
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json, usage

EXAMPLE = "placet resume incident-7 agent/agent:billing-bot --reason 'key replaced' --tenant acme --data run"
EXITS = {Exit.REFUSED: "the halt still stands: a second operator is needed, or not every desk has said so in time"}


def run(
    halt_id: Annotated[str, typer.Argument(help="The halt, as `placet halt` named it.")],
    scope: Annotated[str, typer.Argument(help="What it halted.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    operator: Operator = None,
    wait: Wait = "3s",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Say, as one operator, that a halt may end. It ends when two different operators have said so."""
    from placet.faces.cli.halting import publish, standing, told_by
    from placet.faces.cli.inputs import duration_ms
    from placet.faces.cli.journal import named, opened

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant"), named(halt_id, "HALT_ID")
    wait_ms = duration_ms(wait, "--wait")
    with opened(place) as journal:
        if standing(journal, tenant, halt_id, scope) is None:
            raise usage(f"`{halt_id}` of {scope} is no halt that stands", "`placet halt` printed its id and scope")
        said = publish(journal, "resume", tenant, halt_id, scope, reason, 0, operator)
        left = standing(journal, tenant, halt_id, scope)
        partitions, took_ms = (0, 0) if left else told_by(journal, said, wait_ms, resumed=True)
    ended = left is None and partitions == said.partitions
    if as_json:
        printing.emit({"id": halt_id, "scope": scope, "missing": left or 0, "resumed": partitions, **said.where})
    elif left:
        printing.say(f"{halt_id}: {said.by} says it may end; {left} other operator must say so too")
    else:
        printing.say(
            f"{halt_id}: {scope} is resumed in {partitions} of {said.partitions} partitions after {took_ms} ms"
        )
    return Exit.FINE if ended else Exit.REFUSED
