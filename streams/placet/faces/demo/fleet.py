"""The demo's agents: each does its job round after round, and hears the answers it is given."""

import random
import threading
from collections.abc import Callable
from typing import Any

from placet.errors import PlacetError
from placet.faces.cli.journal import Journal, now_ms
from placet.faces.demo import cast
from placet.faces.demo.board import Board
from placet.faces.demo.clockwork import Clockwork
from placet.faces.demo.executors import Crew
from placet.faces.demo.feeds import Feeds
from placet.faces.demo.finance import Finance
from placet.faces.sdk.agent import Agent
from placet.faces.sdk.errors import NotBegun, NotGranted
from placet.faces.sdk.models import Answer
from placet.model.reasons import State

HEAR_S = 1.0
"""The longest wait at one go, so that everybody notices the end."""
LOOK_S = 0.02
IBAN = "DE02120300000000202051"


class Fleet:
    """One function for each job; each runs in a thread of its own until the clockwork ends."""

    def __init__(self, journal: Journal, crew: Crew, feeds: Feeds, clock: Clockwork, board: Board) -> None:
        self._journal = journal
        self._crew = crew
        self._feeds = feeds
        self._clock = clock
        self._board = board
        self._note = board.note
        self._alarm = threading.Event()
        self.jobs: tuple[Callable[[], None], ...] = (
            self.refunds,
            self.large,
            self.trainee,
            self.treasury,
            self.analyst,
            self.releases,
            self.world,
            Finance(journal, clock, board).work,
        )

    def refunds(self) -> None:
        """Give money back all day: mostly small amounts, now and then one that is too large, or with a note."""
        chance, me = random.Random(1), self._agent(cast.REFUNDS)  # noqa: S311  variety, not secrets
        while self._clock.pause(0.15 + chance.random() * 0.3):
            order, amount = f"order/{chance.randint(1, 40)}", chance.randint(300, 4_900)
            kind = chance.random()
            if kind < 0.08:
                answer = self._ask(me, "payments.refund", order, _money(90_000), "service:cashier", wait_s=0.6)
                if answer is not None and answer.waiting:
                    self._withdraw(me, answer)
            elif kind < 0.2:
                note = _money(amount) | {"note": "she was very cross"}
                self._ask(me, "payments.refund", "order/40", note, "service:cashier")
            elif kind < 0.35:
                self._ask(me, "payments.quote", order, _money(amount), "service:cashier")
            else:
                self._ask(me, "payments.refund", order, _money(amount), "service:cashier")

    def large(self) -> None:
        """Settle one large claim a round: it waits for two people of finance."""
        me, round_ = self._agent(cast.LARGE), 0
        while self._clock.cue(round_, 0.12):
            wait_s = self._clock.round_s
            self._ask(me, "payments.refund", cast.LARGE_ORDER, _money(60_000), "service:cashier", wait_s=wait_s)
            round_ += 1

    def trainee(self) -> None:
        """Learn refunds: whatever is asked, 20.00 is what may be given back."""
        chance, me = random.Random(2), self._agent(cast.NEWCOMER)  # noqa: S311
        while self._clock.pause(0.4 + chance.random() * 0.4):
            order = f"order/{chance.randint(1, 39)}"
            self._ask(me, "payments.refund", order, _money(chance.randint(500, 4_900)), "service:cashier")

    def treasury(self) -> None:
        """Pay a supplier: the bank takes payments at its cut-off, so the grant stands open until then."""
        me, payee, round_ = self._agent(cast.TREASURY), "account/payee/9", 0
        while self._clock.cue(round_, 0.05):
            first = self._ask(me, "payments.transfer", payee, _transfer(125_000), "service:bank")
            if not self._clock.cue(round_, 0.42) or not self._until(self._alarm.is_set):
                return
            self._cut_off(first)
            self._ask(me, "payments.transfer", payee, _transfer(9_900), "service:bank")
            if not self._clock.cue(round_, 0.62):
                return
            again = self._ask(me, "payments.transfer", payee, _transfer(125_000), "service:bank")
            if not self._clock.cue(round_, 0.8):
                return
            self._cut_off(again)
            self._ask(
                me, "payments.transfer", "account/payee/77", _transfer(700, "US02120300000000202051"), "service:bank"
            )
            round_ += 1

    def analyst(self) -> None:
        """Study churn in a new run each round: wide queries are narrowed, an unlabelled table is waited for."""
        round_, house = 0, "service:warehouse"
        while self._clock.cue(round_, 0.08):
            me = self._agent(cast.ANALYST, f"churn-study-{round_}")
            self._ask(me, "data.read", "page/forum", {"rows": 20}, house)
            self._ask(me, "data.export", "warehouse/events", _export("s3://ours-reports/churn"), house)
            wide = {"statement": "select * from customers", "mode": "read_write", "rows": 50_000}
            self._ask(me, "data.query", "warehouse/customers", wide, house)
            survey = {"statement": "select reason, count(*) from survey", "mode": "read_only", "rows": 500}
            late = f"{cast.LATE}-{round_}"
            self._ask(me, "data.query", late, survey, house, wait_s=self._clock.round_s)
            self._ask(me, "data.export", "warehouse/events", _export("s3://ours-reports/churn"), house)
            self._ask(me, "data.export", "warehouse/customers", _export("https://paste.example/x"), house)
            round_ += 1

    def releases(self) -> None:
        """Bring releases out in small steps, wait out a freeze, and stop in the middle when told to."""
        me, round_, crew = self._agent(cast.RELEASES), 0, "service:deployer"
        while self._clock.cue(round_, 0.1):
            self._ask(me, "logs.read", "service/shop", {"minutes": 15}, crew)
            self._ask(me, "service.restart", "service/shop", {"environment": "production", "instances": 3}, crew)
            if not self._clock.cue(round_, 0.25):
                return
            self._ask(
                me, "deploy.release", "service/shop", _release(f"v2.{round_}.0", 50), crew, wait_s=self._clock.round_s
            )
            self._ask(me, "service.scale", "service/shop", {"environment": "production", "to": 1}, crew)
            if not self._clock.cue(round_, 0.75):
                return
            self._ask(me, "deploy.release", "service/ledger", _release(f"v7.{round_}.0", 40), crew)
            round_ += 1

    def world(self) -> None:
        """Let the world go on around them: risk rises and falls, calendars change, labels arrive."""
        round_ = 0
        while True:
            for part, happens in self._script(round_):
                if not self._clock.cue(round_, part):
                    return
                happens()
            round_ += 1

    def _script(self, round_: int) -> tuple[tuple[float, Callable[[], None]], ...]:
        feeds = self._feeds
        return (
            (0.0, lambda: feeds.publish([cast.risk(f"session:churn-study-{round_}", 5, now_ms())])),
            (0.18, lambda: feeds.set_calendar("freeze", "on")),
            (0.28, self._raise_alarm),
            (0.4, lambda: feeds.set_calendar("freeze", "off")),
            (0.45, lambda: self._classify(f"{cast.LATE}-{round_}")),
            (0.5, lambda: feeds.disabled(cast.NEWCOMER)),
            (0.56, self._all_clear),
            (0.66, lambda: feeds.enabled(cast.NEWCOMER)),
            (0.72, lambda: feeds.mandate(cast.NEWCOMER, "suspended")),
            (0.85, lambda: feeds.compliance(cast.RELEASES, compliant=False)),
            (0.9, lambda: feeds.mandate(cast.NEWCOMER, "active")),
            (0.95, lambda: feeds.compliance(cast.RELEASES, compliant=True)),
        )

    def _raise_alarm(self) -> None:
        """Rate the treasury's agent HIGH while a payment of its stands open."""
        self._until(lambda: self._open(State.GRANTED, cast.TREASURY.name))
        self._feeds.risk_level(cast.TREASURY, "HIGH", "password found in a data breach")
        self._alarm.set()

    def _all_clear(self) -> None:
        self._alarm.clear()
        self._feeds.risk_level(cast.TREASURY, "LOW", "password changed")

    def _classify(self, resource: str) -> None:
        """Label a table while somebody waits for its label."""
        self._until(lambda: self._open(State.DEFERRED, resource))
        self._feeds.classify(resource, "internal")

    def _open(self, state: State, whose: str) -> bool:
        return any(one.state == state and whose in (one.actor, one.resource) for one in self._board.open())

    def _until(self, so: Callable[[], bool]) -> bool:
        """Wait until something is so, for a round at most; return false when the demo ends before."""
        until = self._clock.elapsed_s + self._clock.round_s
        while not so() and self._clock.elapsed_s < until:
            if not self._clock.pause(LOOK_S):
                return False
        return True

    def _agent(self, who: cast.Agent, session: str = "") -> Agent:
        connection = self._journal.connection
        return Agent(
            connection,
            tenant=cast.TENANT,
            actor=who.name,
            authority=who.authority,
            mandate=who.mandate,
            session=session or who.session,
            signer=connection.signer("agent", who.name),
        )

    def _ask(
        self, me: Agent, action: str, resource: str, arguments: dict[str, Any], audience: str, *, wait_s: float = 5.0
    ) -> Answer | None:
        if self._clock.ending.is_set():
            return None
        until = self._clock.elapsed_s + wait_s
        try:
            answer = me.ask(action, resource, arguments, audience=audience, timeout_ms=int(min(wait_s, HEAR_S) * 1000))
            while answer.waiting and self._clock.elapsed_s < until and not self._clock.ending.is_set():
                answer = me.hear(answer, timeout_ms=int(HEAR_S * 1000))
            return answer
        except PlacetError as error:
            self._note(me.actor, f"no answer: {error}")
            return None

    def _withdraw(self, me: Agent, answer: Answer) -> None:
        try:
            me.withdraw(answer, "nobody of finance is in", timeout_ms=2_000)
        except PlacetError as error:
            self._note(me.actor, f"not withdrawn: {error}")

    def _cut_off(self, answer: Answer | None) -> None:
        """Let the bank carry out a payment whose grant is still open."""
        if answer is None or answer.state is not State.GRANTED:
            return
        try:
            self._crew.bank.perform(answer, self._crew.transfer, seconds=5.0)
        except (NotGranted, NotBegun) as error:
            self._note("service:bank", f"nothing moves: {error}")


def _money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def _transfer(amount: int, iban: str = IBAN) -> dict[str, Any]:
    return {**_money(amount), "iban": iban, "reference": "autumn delivery"}


def _export(destination: str) -> dict[str, Any]:
    return {"destination": destination, "rows": 20_000}


def _release(version: str, share: int) -> dict[str, Any]:
    return {"environment": "production", "version": version, "share": share, "checks": {"tests": "passed"}}
