"""`placet publish risk`: say how risky a subject is, by hand or from a security event."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Json, usage

EXAMPLE = """
placet publish risk agent:billing-bot 85 --reason 'impossible travel' --tenant acme --data run
placet publish risk --event session-revoked.json --tenant acme --data run
"""
EXITS = {Exit.FAULTY: "the security event is malformed"}


def run(
    subject: Annotated[str | None, typer.Argument(help="A principal, or `session:` and a session.")] = None,
    score: Annotated[int | None, typer.Argument(help="0 to 100.")] = None,
    event: Annotated[
        Path | None, typer.Option("--event", help="Claims of a CAEP or RISC event, JSON; `-` is stdin.")
    ] = None,
    reason: Annotated[str, typer.Option(help="What was noticed, in words.")] = "",
    source: Annotated[str, typer.Option(help="The feed that says so. One word per source counts.")] = "cli",
    half_life_s: Annotated[int, typer.Option(min=0, help="Seconds in which the risk halves; 0: it does not fade.")] = 0,
    tenant: Tenant = "default",
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Publish how risky a subject is.

    The newest word of each source stands and the gravest source counts. Open
    grants that rest on this risk are decided again at once.
    """
    from placet.faces.cli.journal import named, now_ms, opened
    from placet.model.codec import risk_signal
    from placet.model.topics import Topic

    place = resolve(url, bootstrap, data)
    named(tenant, "--tenant")
    if event is not None:
        if subject is not None or score is not None:
            raise usage("--event: the event says the subject and the score: expected no SUBJECT and no SCORE")
        signals, changes, ignored = _heard(event, tenant, now_ms())
    else:
        if subject is None or score is None or not 0 <= score <= 100:
            raise usage("expected a SUBJECT and a SCORE of 0 to 100, or --event FILE", "placet publish risk --help")
        at = now_ms()
        named(subject, "SUBJECT"), named(source, "--source")
        signals = [
            risk_signal.RiskSignal(tenant, subject, source, f"{source}-{at}", score, at, half_life_s, reason, None)
        ]
        changes, ignored = [], ""
    written = []
    if signals:
        with opened(place) as journal:
            written = [
                journal.write(Topic.SIGNALS, f"{one.tenant}/{one.subject}", risk_signal, one, "feed") for one in signals
            ]
    if as_json:
        printing.emit({"written": written, "status": changes, "ignored": ignored})
        return Exit.FINE
    for one in written:
        printing.say(one.line(f"risk {one.record.score} of {one.record.subject} from {one.record.source}"))
    for change in changes:
        printing.say(f"{change.subject} is {change.status}: `placet publish principal` makes it so")
    if ignored:
        printing.say(f"nothing to publish: {ignored}")
    return Exit.FINE


def _heard(file: Path, tenant: str, at: int) -> tuple[Any, Any, str]:
    from placet.context.caep import Stream, hear
    from placet.errors import PoisonRecord
    from placet.faces.cli.inputs import text_of
    from placet.faces.cli.verb import Failure

    try:
        claims = json.loads(text_of(file))
        if not isinstance(claims, dict):
            raise ValueError("expected a JSON object of claims")
        heard = hear(claims, Stream(tenant), at)
    except (ValueError, PoisonRecord) as error:
        raise Failure(Exit.FAULTY, f"{file}: {error}") from None
    return heard.signals, heard.changes, heard.ignored
