"""`placet publish risk`: say how risky a subject is, by hand or from a security event."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Tenant, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json, usage

if TYPE_CHECKING:
    from placet.context.caep import Heard, StatusChange
    from placet.faces.cli.journal import Journal, Written

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

    place, at = resolve(url, bootstrap, data), now_ms()
    named(tenant, "--tenant")
    if event is not None:
        if subject is not None or score is not None:
            raise usage("--event: the event says the subject and the score: expected no SUBJECT and no SCORE")
        heard = _of_event(event, tenant, at)
    else:
        if subject is None or score is None or not 0 <= score <= 100:
            raise usage("expected a SUBJECT and a SCORE of 0 to 100, or --event FILE", "placet publish risk --help")
        named(subject, "SUBJECT"), named(source, "--source")
        heard = _of_hand(tenant, subject, score, source, half_life_s, reason, at)
    written: list[Written] = []
    unknown: list[StatusChange] = []
    if heard.signals:
        with opened(place) as journal:
            written, unknown = _publish(journal, heard)
    if as_json:
        printing.emit({"written": written, "unknown": unknown, "ignored": heard.ignored})
        return Exit.FINE
    for one in written:
        printing.say(one.line(_told(one.record)))
    for change in unknown:
        printing.say(
            f"{change.subject} is {change.status}, and no principal of that name is known: only its risk is published"
        )
    if heard.ignored:
        printing.say(f"nothing to publish: {heard.ignored}")
    return Exit.FINE


def _of_hand(tenant: str, subject: str, score: int, source: str, half_life_s: int, reason: str, at: int) -> "Heard":
    from placet.context.caep import Heard
    from placet.model.codec.risk_signal import RiskSignal

    return Heard((RiskSignal(tenant, subject, source, f"{source}-{at}", score, at, half_life_s, reason, None),))


def _of_event(file: Path, tenant: str, at: int) -> "Heard":
    from placet.context.caep import Stream, hear
    from placet.errors import PoisonRecord
    from placet.faces.cli.inputs import text_of

    try:
        claims = json.loads(text_of(file))
        if not isinstance(claims, dict):
            raise ValueError("expected a JSON object of claims")
        return hear(claims, Stream(tenant), at)
    except (ValueError, PoisonRecord) as error:
        raise Failure(Exit.FAULTY, f"{file}: {error}") from None


def _publish(journal: "Journal", heard: "Heard") -> "tuple[list[Written], list[StatusChange]]":
    """Publish the risk, and the status of principals that are known; return also the changes that found nobody."""
    from placet.faces.heard import newest_principal
    from placet.model.codec import principal, risk_signal
    from placet.model.context_keys import principal_key
    from placet.model.topics import Topic

    unknown: list[StatusChange] = []
    written = [
        journal.write(Topic.SIGNALS, f"{one.tenant}/{one.subject}", risk_signal, one, "feed") for one in heard.signals
    ]
    for change in heard.changes:
        known = newest_principal(journal.log, journal.connection.ring, change.tenant, change.subject)
        if known is None:
            unknown.append(change)
            continue
        # The newest source gives owner, groups and the rest, so a change of status repeats them.
        record = known._replace(status=change.status, source=change.source, observed_at=change.observed_at)
        key = principal_key(record).decode()
        written.append(journal.write(Topic.PRINCIPALS, key, principal, record, "directory"))
    return written, unknown


def _told(record: Any) -> str:
    if hasattr(record, "score"):
        return f"risk {record.score} of {record.subject} from {record.source}"
    return f"{record.id} is {record.status}, says {record.source}"
