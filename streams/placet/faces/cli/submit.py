"""`placet submit`: ask leave for an action as an agent would, and say what the answer is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placet.errors import PoisonRecord
from placet.faces.cli import printing
from placet.faces.cli.inputs import arguments_of, duration_ms, text_of
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json, usage

if TYPE_CHECKING:
    from placet.faces.sdk.models import Answer

EXAMPLE = """
placet submit payments.refund order/7 --actor agent:billing-bot --arguments '{"amount": 900, "currency": "EUR"}' --tenant acme --data run
placet submit --file intent.yaml --at-least placet.principals/0@0 --tenant acme --data run
"""
EXITS = {
    Exit.FINE: "permitted, perhaps with obligations",
    Exit.FAULTY: "the file does not load",
    Exit.REFUSED: "denied, or still waiting when time was up",
}


def run(
    action: Annotated[str | None, typer.Argument(help="As `payments.refund`.")] = None,
    resource: Annotated[str | None, typer.Argument(help="As `order/7`.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="An `intent` as in a pack's tests.yaml; `-` is stdin.")
    ] = None,
    actor: Annotated[str, typer.Option(help="Who acts.")] = "",
    authority: Annotated[str, typer.Option(help="Who answers for it. Else the actor.")] = "",
    mandate: Annotated[str, typer.Option(help="The delegation between them.")] = "",
    arguments: Annotated[str, typer.Option(help="A JSON object.")] = "{}",
    purpose: Annotated[str, typer.Option(help="The reason, in words.")] = "",
    emergency: Annotated[
        bool,
        typer.Option(
            "--emergency",
            help="Break the glass, where a rule provides for it: granted at once for a short time, and looked at by people "
            "afterwards. --purpose says why.",
        ),
    ] = False,
    audience: Annotated[str, typer.Option(help="The executor that may carry it out.")] = "",
    session: Annotated[str, typer.Option(help="The run of the agent this belongs to.")] = "",
    at_least: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOKEN",
            help="Decide only when this was read: a place that a verb printed when it wrote something, as "
            "placet.mandates/0@17. May be given often.",
        ),
    ] = None,
    deadline: Annotated[str, typer.Option(help="Nothing may begin after this, as 60s.")] = "60s",
    wait: Annotated[str, typer.Option(help="How long to wait for a final answer, as 10s.")] = "10s",
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Submit one intent, and wait for its answer.

    The intent is decided and remembered like any other. `placet decide` asks
    the packs alone and stores nothing. A refusal says what would be allowed,
    whether to ask again and whom to ask; with `--json` as `refused`, by the
    names of `schemas/refused.schema.json`.
    """
    place = resolve(url, bootstrap, data)
    asked: dict[str, Any] = {
        "action": action,
        "resource": resource,
        "actor": actor,
        "authority": authority,
        "mandate": mandate,
        "arguments": arguments_of(arguments, "--arguments"),
        "purpose": purpose,
        "emergency": emergency,
        "audience": audience,
        "session": session,
        "at_least": _positions(at_least),
    }
    if file is not None:
        if action or resource:
            raise usage("--file: the file says what is asked: expected no ACTION and no RESOURCE")
        asked |= _read(file)
    for name, option in (("action", "ACTION"), ("resource", "RESOURCE"), ("actor", "--actor")):
        if not asked[name]:
            raise usage(f"{option} is missing: expected who asks, for what, on which resource", "placet submit --help")
    answer = _ask(place, tenant, asked, duration_ms(deadline, "--deadline"), duration_ms(wait, "--wait"))
    from placet.faces.cli.answers import advise, answer_of

    if as_json:
        printing.emit(answer_of(answer))
    else:
        advise(answer)
    if answer.reason.name == "WRITER_UNPROVED":
        printing.note(
            f"next: placet keys new agent --issuer {asked['actor']} --tenant {tenant} (its desks believe it at once)"
        )
    return Exit.FINE if answer.granted else Exit.REFUSED


def _positions(tokens: list[str] | None) -> list[Any]:
    from placet.faces.sdk.tokens import position_of

    try:
        return [position_of(token) for token in tokens or ()]
    except PoisonRecord as error:
        raise usage(f"--at-least: {error}") from None


def _ask(place: Any, tenant: str, asked: dict[str, Any], deadline_ms: int, wait_ms: int) -> "Answer":
    from placet.errors import Unavailable
    from placet.faces.cli.journal import named, opened
    from placet.faces.sdk.agent import Agent

    named(tenant, "--tenant")
    with opened(place) as journal:
        try:
            signer = journal.connection.signer("agent", asked["actor"])
        except Unavailable:
            signer = None  # a pack says whether this action's intents may be unsigned
        agent = Agent(
            journal.connection,
            tenant=tenant,
            signer=signer,
            **{name: asked[name] for name in ("actor", "authority", "mandate", "session")},
        )
        return agent.ask(
            asked["action"],
            asked["resource"],
            asked["arguments"],
            purpose=asked["purpose"],
            emergency=asked["emergency"],
            audience=asked["audience"],
            at_least=asked["at_least"],
            deadline_ms=deadline_ms,
            timeout_ms=wait_ms,
        )


def _read(file: Path) -> dict[str, Any]:
    from pydantic import Field

    from placet.policy import documents
    from placet.policy.diagnostics import PackError
    from placet.policy.forms import Form
    from placet.policy.pack import validate

    class IntentFile(Form):
        action: str
        resource: str
        actor: str
        authority: str = ""
        mandate: str = ""
        arguments: dict[str, Any] = Field(default={})
        purpose: str = ""
        emergency: bool = False
        audience: str = ""
        session: str = ""

    try:
        document = documents.read(str(file), text_of(file))
        if isinstance(document.data, dict) and set(document.data) == {"intent"}:
            document.data = document.data["intent"]
        made, faults = validate(IntentFile, document)
    except PackError as error:
        made, faults = None, list(error.diagnostics)
    if made is None:
        raise Failure(Exit.FAULTY, "\n".join(str(fault) for fault in faults), "placet submit --help")
    return {name: getattr(made, name) for name in made.model_fields_set}
