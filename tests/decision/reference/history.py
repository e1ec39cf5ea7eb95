"""Histories drawn from a seed, with weights of their own (swarm), played on the desk and on the model side by side."""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.decision.reference.model import Model
from tests.decision.reference.scene import (
    ADA,
    ALAN,
    BOB,
    BOSS,
    EXPORT,
    FINANCE,
    FIRST,
    GIVE,
    GRACE,
    LEE,
    LOOK,
    NOWHERE,
    OTHER,
    PAY,
    SECOND,
    SHOP,
    SUE,
    Ask,
    Back,
    Begin,
    Deed,
    Given,
    Label,
    Packs,
    Resume,
    Said,
    Score,
    Status,
    Stop,
    Told,
    Vote,
)
from tests.decision.reference.stage import Stage

TURNS_MOST = 30
ASKERS = ((ADA, GRACE, "m1"), (BOB, GRACE, "m2"), (ADA, ALAN, "m9"), (GRACE, GRACE, ""), (BOB, GRACE, "m1"))
AMOUNTS = (0, 10, 40, 70, 150, 600, 900, 1000, 1000, 1200, 1600, 1601, 5000, -5)
LIKELY = ("claim", "report", "settle", "next", "vote")
"""What is mostly drawn for something that it can move: histories that only miss prove little."""
DEADLINES = (0, 15_000, 25_000, 500_000, 899_000, 920_000)
SCOPES = ("tenant", f"agent/{ADA}", f"agent/{BOB}", f"action/{PAY}", f"tool/{SHOP}", f"tool/{OTHER}")
WAITS = (0, 0, 100, 1_000, 9_000, 20_000, 29_000, 61_000, 130_000, 310_000)
WEIGHTS = {
    "ask": 12, "again": 1, "reuse": 1, "next": 2, "claim": 8, "report": 6, "settle": 1, "withdraw": 1, "vote": 14, "suspend": 1,
    "wake": 3, "mandate": 1, "score": 1, "label": 3, "halt": 1, "resume": 4, "packs": 1, "lag": 1,
}  # fmt: skip


class Turn(NamedTuple):
    """What comes between two turns of the loop, each after so many ms, how long it lies there, and the fault of the commit."""

    deeds: tuple[tuple[int, Deed], ...]
    lag_ms: int
    fault: str


class Writer:
    """Draws what happens next. It knows what was asked, and what became of it."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        kept = [name for name in WEIGHTS if name == "ask" or self.draw.random() < 0.7]
        self._names = kept
        self._weights = [WEIGHTS[name] * self.draw.choice((1, 1, 3)) for name in kept]
        self._amounts = self.draw.choice((AMOUNTS, AMOUNTS, (1600, 1700, 600), (150, 600, 900)))
        self._crashes = self.draw.choice((0.0, 0.05, 0.2))
        self._hurry = self.draw.choice((0.03, 0.1, 0.3))
        self._waits = self.draw.sample(WAITS, 4)
        self._askers = [*self.draw.sample(ASKERS, 2), ASKERS[0]]
        self._actions = [*self.draw.sample((PAY, GIVE, LOOK, EXPORT), 2), PAY]
        self.asked: list[Ask] = []
        self.granted: dict[tuple[int, int], int | None] = {}
        self.begun: dict[tuple[int, int], tuple[str, int]] = {}
        self.waiting: dict[tuple[int, int], None] = {}
        self.votes: list[Vote] = []
        self.lost: dict[tuple[int, int], None] = {}
        self.shed: list[tuple[int, int]] = []
        self.halted: list[tuple[str, str]] = [("h1", SCOPES[0])]

    def turn(self, now: int) -> Turn:
        draw, deeds = self.draw, []
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            wait = draw.choice(self._waits) if draw.random() < self._hurry else draw.randint(1, 20)
            now += wait + 1
            deed = self._deed(draw.choices(self._names, self._weights)[0], now)
            deeds.append((wait + 1, deed))
        lag = draw.choice((12_000, 3_000)) if "lag" in self._names and draw.random() < 0.05 else 0
        fault = draw.choice(("failed", "crashed before", "crashed after", "unsure"))
        return Turn(tuple(deeds), lag, fault if draw.random() < self._crashes else "")

    def learn(self, said: list[Said]) -> None:
        """Remember what was granted, begun, and refused for now."""
        for kind, _, *rest in said:
            if kind == "halted":
                self.halted.append((str(rest[0]), str(rest[1])))
            elif kind == "verdict":
                number, attempt, state, _, reason, amount, stop, _ = rest
                place: Any = number, attempt
                for open_ in (self.granted, self.waiting, self.lost, self.begun):
                    if state not in ("UNKNOWN", "CLAIMED") or open_ is not self.begun:
                        open_.pop(place, None)
                if state in ("GRANTED", "CLAIMED") and not stop:
                    self.granted[place] = amount
                elif state == "PENDING":
                    self.waiting[place] = None
                elif state == "UNKNOWN":
                    self.lost[place] = None
                elif reason in ("LAGGING", "OVERLOADED"):
                    self.shed.append(place)

    def _deed(self, name: str, now: int) -> Deed:
        draw, old = self.draw, self._old(name)
        if name in ("suspend", "wake"):
            status = draw.choice(("suspended", "revoked")) if name == "suspend" else "active"
            return Status(
                draw.choice((ADA, ADA, BOB, GRACE, ALAN, SHOP, OTHER, *FINANCE, *FINANCE)),
                draw.choice(("idp", "hr")),
                status,
            )
        if name == "mandate":
            ends = draw.choice((0, 0, now + 15_000))
            return Given(draw.choice(("m1", "m2", "m9")), draw.choice(("active", "active", "active", "revoked")), ends)
        if name == "score":
            return Score(draw.choice((ADA, BOB)), draw.choice(("siem", "edr")), draw.choice((0, 30, 69, 70, 95)))
        if name == "label":
            return Label(draw.choice(("order/7", "order/8")), draw.choice(("internal", "internal", "restricted")))
        if name == "halt":
            return Stop(draw.choice(("h1", "h2")), draw.choice(SCOPES))
        if name == "resume":
            return Resume(*draw.choice(self.halted[-2:]), draw.choice((FIRST, SECOND)))
        if name == "packs":
            return Packs(draw.random() < 0.5)
        return self._ask(now) if old is None or name in ("ask", "lag") else self._on(name, old, now)

    def _old(self, name: str) -> Ask | None:
        """Return what was asked before and is spoken of now: mostly what that can still move."""
        draw = self.draw
        if not self.asked:
            return None
        likely: Any = {
            "claim": self.granted,
            "report": self.begun,
            "settle": self.lost,
            "next": self.shed,
            "vote": self.waiting,
        }.get(name, ())
        if name in LIKELY and draw.random() < 0.9:
            place = draw.choice(list(likely)[-4:]) if likely else None
            return next((ask for ask in self.asked if (ask.id, ask.attempt) == place), None)
        return draw.choice(self.asked[-6:])

    def _ask(self, now: int) -> Ask:
        draw = self.draw
        actor, authority, mandate = draw.choice(self._askers)
        action = NOWHERE if draw.random() < 0.02 else draw.choice(self._actions)
        amount = draw.choice(self._amounts) if action in (PAY, GIVE) else None
        deadline = now + (120_000 if draw.random() < 0.7 else draw.choice(DEADLINES))
        resource, session = draw.choice(("order/7", "order/8")), draw.choice(("", "s1", "s2"))
        audience = draw.choice((SHOP, SHOP, ""))
        number = len(self.asked) + 1
        ask = Ask(number, 1, actor, authority, mandate, action, resource, amount, session, audience, deadline)
        self.asked.append(ask)
        return ask

    def _on(self, name: str, old: Ask, now: int) -> Deed:
        draw, place = self.draw, (old.id, old.attempt)
        if name == "again":
            return old
        if name == "reuse":
            return old._replace(purpose="another", deadline=old.deadline + draw.choice((0, 200_000)))
        if name == "next":
            other = draw.random() < 0.2
            ask = old._replace(
                attempt=old.attempt + 1, deadline=now + 120_000, resource="order/9" if other else old.resource
            )
            self.asked.append(ask)
            return ask
        if name == "withdraw":
            return Back(old, draw.choice((old.actor, old.actor, BOB)))
        if name == "vote":
            return self._vote(old, now)
        if name == "settle":
            return Told(old, draw.choice(("DONE", "FAILED", "REFUSED")), "", 0, old.amount, settles=True)
        amount = self.granted.get(place, old.amount) if draw.random() < 0.9 else old.amount
        if name == "claim":
            executor = OTHER if draw.random() < (0.5 if not old.audience else 0.1) else SHOP
            nonce = draw.choice((1, 1, 1, 2))
            self.begun.setdefault(place, (executor, nonce))
            return Begin(old, amount, executor, nonce)
        executor, nonce = self.begun.pop(place, (SHOP, 1))
        executor, nonce = (
            (executor, nonce) if draw.random() < 0.9 else (draw.choice((SHOP, OTHER)), draw.choice((1, 2)))
        )
        result = draw.choice(("DONE", "DONE", "FAILED", "REFUSED"))
        origin = draw.choice(("", "", "internal", "external"))
        return Told(old, result, executor, nonce, amount, origin)

    def _vote(self, old: Ask, now: int) -> Vote:
        draw = self.draw
        if self.votes and draw.random() < 0.1:
            return draw.choice(self.votes[-4:])
        ask = old._replace(purpose="a twin") if draw.random() < 0.03 else old
        voter = draw.choice((*FINANCE * 4, LEE, LEE, SUE, BOSS, ADA, GRACE))
        offered = (
            None
            if old.amount is None or draw.random() < 0.75
            else draw.choice((old.amount - 1, 900, 100, old.amount + 1))
        )
        acr, age_ms = draw.choice(("phr",) * 9 + ("pwd",)), draw.choice((0, 0, 0, 1_000, 20_000, 40_000, 40_001))
        vote = Vote(ask, voter, draw.random() < 0.9, offered, now, acr, now - age_ms)
        self.votes.append(vote)
        return vote


class Difference(NamedTuple):
    """Where desk and model part: after how many turns of which history, and what each said."""

    seed: int
    turns: int
    desk: list[Said]
    model: list[Said]
    story: tuple[Turn, ...]


def play(seed: int, stage_of: Callable[[], Stage] = Stage) -> Difference | int:
    """Play one history on both; return how many decisions they agree on, or where they part."""
    stage, model, writer = stage_of(), Model(), Writer(seed)
    story: list[Turn] = []
    count = 0
    for _ in range(writer.draw.randint(5, TURNS_MOST)):
        turn = writer.turn(stage.clock.now)
        story.append(turn)
        desk, reference = _both(stage, model, turn)
        if desk != reference:
            return Difference(seed, len(story), desk, reference, tuple(story))
        count += len(desk)
        writer.learn(desk)
    return count


def _both(stage: Stage, model: Model, turn: Turn) -> tuple[list[Said], list[Said]]:
    """Play one turn on desk and model; return what each said."""
    clock = stage.clock
    for wait, deed in turn.deeds:
        clock.now += wait
        stage.put(deed)
        model.put(deed, clock.now)
    clock.now += turn.lag_ms
    lost, first, then = stage.turn(turn.fault)
    if lost == "before":
        model.crash()
    mine = model.turn(clock.now)
    if lost == "after":
        model.crash()
        mine += model.turn(clock.now)
    return first + then, mine
