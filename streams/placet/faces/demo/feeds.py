"""The demo's feeds: an identity provider that sends CAEP and RISC events, and a classifier that comes late."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from placet.context.caep import CAEP, RISC, Stream, hear
from placet.errors import Unavailable, Unsure
from placet.faces.cli.journal import Journal, now_ms
from placet.faces.demo import cast
from placet.faces.demo.board import Board
from placet.faces.demo.cast import IDP, TENANT, Line
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.feed import Feed


@contextmanager
def alive(connection: Connection) -> Iterator[None]:
    """Mark all feeds of the company as alive, and in the end as ended: nobody who comes tomorrow waits for them."""
    feeds = [Feed(connection, topic, source) for topic, source in cast.FEEDS]
    try:
        with ExitStack() as speaking:
            for feed in feeds:
                speaking.enter_context(feed)
            yield
    finally:
        for feed in feeds:
            with suppress(Unavailable, Unsure):
                feed.retire()


class Feeds:
    """Publishes what the world says, and tells the board. Security events come in the shape transmitters send them."""

    def __init__(self, journal: Journal, board: Board) -> None:
        self._journal = journal
        self._told = board.note
        self._rated = board.rate
        self._sent = 0
        # A directory that knows which of ours an identity of the provider is.
        known = {f"iss_sub:{IDP} {agent.name.partition(':')[2]}": agent.name for agent in cast.FLEET}
        self._stream = Stream(TENANT, issuer=IDP, audience="placet-demo", known=known)

    def publish(self, lines: Iterable[Line]) -> None:
        """Publish records as they are."""
        for line in lines:
            self._journal.write(line.topic, line.key, line.codec, line.record, line.purpose)

    def risk_level(self, agent: cast.Agent, level: str, why: str) -> None:
        """The provider now rates an agent LOW, MEDIUM or HIGH (CAEP risk-level-change)."""
        fields = {"principal": "USER", "current_level": level, "risk_reason": why}
        self._event(CAEP + "risk-level-change", agent, fields)

    def compliance(self, agent: cast.Agent, *, compliant: bool) -> None:
        """The machine an agent runs on meets its rules again, or no longer (CAEP device-compliance-change)."""
        now, before = ("compliant", "not-compliant") if compliant else ("not-compliant", "compliant")
        fields = {"current_status": now, "previous_status": before, "initiating_entity": "policy"}
        runner = {"format": "opaque", "id": f"runner-of-{agent.name.partition(':')[2]}"}
        self._event(CAEP + "device-compliance-change", agent, fields, {"device": runner})

    def disabled(self, agent: cast.Agent) -> None:
        """An agent's account is disabled (RISC account-disabled)."""
        self._event(RISC + "account-disabled", agent, {"reason": "bulk-account"})

    def enabled(self, agent: cast.Agent) -> None:
        """An agent's account is enabled again (RISC account-enabled)."""
        self._event(RISC + "account-enabled", agent, {})

    def mandate(self, agent: cast.Agent, status: str) -> None:
        """The operator suspends what an agent acts under, or lets it stand again."""
        self._told("operator", f"mandate {agent.mandate} of {agent.name} is {status}")
        self.publish([cast.mandate_of(agent, now_ms(), status)])

    def classify(self, resource: str, label: str) -> None:
        """The classifier has looked at a resource."""
        self._told("classifier", f"{resource} is {label}")
        self.publish([cast.classified(resource, label, (), now_ms())])

    def set_calendar(self, name: str, value: str) -> None:
        """The operator sets a fact of the calendar."""
        self._told("operator", f"calendar.{name} is {value}")
        self.publish([cast.calendar(name, value, now_ms())])

    def _event(
        self, kind: str, agent: cast.Agent, fields: Mapping[str, Any], also: Mapping[str, Any] | None = None
    ) -> None:
        at = now_ms()
        self._sent += 1
        whom: dict[str, Any] = {"format": "iss_sub", "iss": IDP, "sub": agent.name.partition(":")[2]}
        claims = {
            "iss": IDP,
            "jti": f"demo-{at}-{self._sent}",
            "iat": at // 1000,
            "aud": "placet-demo",
            "sub_id": {"format": "complex", "user": whom, **also} if also else whom,
            "events": {kind: {"event_timestamp": at / 1000, **fields}},
        }
        heard = hear(claims, self._stream, at)
        for one in heard.signals:
            self._told("identity provider", f"risk of {one.subject} is {one.score} ({one.reason})")
            self._rated(one.subject, one.score)
        for change in heard.changes:
            self._told("identity provider", f"{change.subject} is {change.status}")
        self.publish(cast.signal(one) for one in heard.signals)
        self.publish(self._status(agent, change.status, change.source, change.observed_at) for change in heard.changes)

    def _status(self, agent: cast.Agent, status: str, source: str, at: int) -> Line:
        # The newest source gives owner, groups and attributes, so a change of status repeats them.
        record = cast.agent_of(agent, at)._replace(status=status, source=source)
        return cast.known(record)
