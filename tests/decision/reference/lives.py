"""The life of an attempt in the model: the table of DESIGN §3 copied by hand, and what is remembered of what is open."""

from dataclasses import dataclass, field

from placet.model.reasons import Effect, Reason, State
from tests.decision.reference.budget import Limit, Name
from tests.decision.reference.people import Tally
from tests.decision.reference.scene import Ask, Vote

HOLD, SPEND, RELEASE, BEYOND = 1, 2, 3, 4
NEVER = 1 << 62
S = State
AFTER = {
    S.ASKED: {S.DENIED, S.DEFERRED, S.PENDING, S.GRANTED, S.CLAIMED},
    S.DEFERRED: {S.DENIED, S.PENDING, S.GRANTED, S.CLAIMED, S.WITHDRAWN},
    S.PENDING: {S.PENDING, S.DENIED, S.DEFERRED, S.GRANTED, S.CLAIMED, S.EXPIRED, S.WITHDRAWN},
    S.GRANTED: {S.CLAIMED, S.REVOKED, S.LAPSED, S.WITHDRAWN},
    S.CLAIMED: {S.DONE, S.FAILED, S.REFUSED, S.UNKNOWN},
    S.UNKNOWN: {S.DONE, S.FAILED},
}
WAITING, RUNS = {S.DEFERRED, S.PENDING}, {S.GRANTED, S.CLAIMED}
SILENCE = {
    S.DEFERRED: (S.DENIED, Reason.DEFER_ENDED),
    S.PENDING: (S.EXPIRED, Reason.APPROVAL_ENDED),
    S.GRANTED: (S.LAPSED, Reason.LEASE_ENDED),
    S.CLAIMED: (S.UNKNOWN, Reason.SILENT_AFTER_CLAIM),
}
Hold = tuple[Limit, int, int]
"""A limit, an amount, and whether it is held within the limit (HOLD) or goes beyond it by people's leave (BEYOND)."""


@dataclass
class Answer:
    """What would be said of an intent now."""

    state: State
    effect: Effect
    reason: Reason
    amount: int | None = None
    until: int = 0
    holds: list[Hold] = field(default_factory=list)
    waits: list[Name] = field(default_factory=list)
    missing: bool = False
    tally: Tally | None = None
    wakes: int = NEVER


@dataclass
class Open:
    """An attempt that something can still happen to, asked at an instant (ms)."""

    ask: Ask
    asked_at: int
    first: int
    seq: int
    state: State
    effect: Effect
    amount: int | None
    until: int
    holds: list[Hold]
    waits: list[Name]
    missing: bool
    executor: str = ""
    nonce: int = 0
    stopped: bool = False
    votes: dict[str, Vote] = field(default_factory=dict)
    tally: Tally | None = None
    wakes: int = NEVER

    @property
    def moves(self) -> int:
        """When the clock looks at it (ms): at its end, or before that when windows that pass leave enough for it."""
        return min(self.until, self.wakes)
