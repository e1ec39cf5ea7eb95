"""What an onlooker has heard so far: sealed decisions as they come, what is open, and the counts of all."""

import threading
from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

from placet.errors import PlacetError
from placet.faces.cli.journal import now_ms
from placet.faces.sdk.sealed import Sealed
from placet.model.codec.verdict import Verdict
from placet.model.reasons import Effect, Reason, State

OPEN = frozenset({State.DEFERRED, State.PENDING, State.GRANTED, State.CLAIMED, State.UNKNOWN})
LINES_KEPT = 400


class Happening(NamedTuple):
    """One line of the demo: when (ms), who says it, a word that has a colour, and the rest.

    `loud` is what an onlooker should not miss: the world's news, and what it did to open grants and waits.
    """

    at: int
    source: str
    word: str
    text: str
    loud: bool = False


class Tally(NamedTuple):
    """Everything counted, at one moment."""

    intents: int
    effects: dict[str, int]
    states: dict[str, int]
    revoked: int
    resolved: int
    stopped: int
    refused: int


class Board:
    """A `Listener` of all partitions. Any thread may read it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fresh: deque[Happening] = deque()
        self._effects: Counter[str] = Counter()
        self._states: Counter[str] = Counter()
        self._open: dict[tuple[bytes, int], Verdict] = {}
        self._risks: dict[str, int] = {}
        self._resolved = self._stopped = self._refused = 0
        self.lines: deque[Happening] = deque(maxlen=LINES_KEPT)
        self.news: deque[Happening] = deque(maxlen=LINES_KEPT)
        self.failure: PlacetError | None = None

    def heard(self, partition: int, batch: Sequence[Sealed]) -> None:  # noqa: ARG002  as listeners are told
        """Take a sealed batch; see `follow.Listener`."""
        with self._lock:
            for one in batch:
                if one.name == "verdict":
                    self._verdict(one.record)
                elif one.name == "refusal":
                    self._refused += 1
                    self._say("desk", "refused", f"{Reason(one.record.reason).name.lower()}: {one.record.detail}")

    def failed(self, error: PlacetError) -> None:
        """Hear that nothing more can be believed; see `follow.Listener`."""
        self.failure = error

    def note(self, source: str, text: str) -> None:
        """Hear what a feed, an agent or an executor says of itself."""
        with self._lock:
            self._say(source, "", text, loud=True)

    def rate(self, subject: str, score: int) -> None:
        """Hear how risky a subject is now."""
        with self._lock:
            self._risks[subject] = score

    def fresh(self) -> list[Happening]:
        """Return what happened since the last call, in order."""
        with self._lock:
            told = list(self._fresh)
            self._fresh.clear()
        return told

    def open(self) -> list[Verdict]:
        """Return what is open now, the newest first."""
        with self._lock:
            return sorted(self._open.values(), key=lambda verdict: -verdict.instant)

    def risks(self) -> dict[str, int]:
        """Return how risky each subject is, as the feeds said last."""
        with self._lock:
            return dict(self._risks)

    def tally(self) -> Tally:
        """Return the counts of everything heard."""
        with self._lock:
            return Tally(
                sum(self._effects.values()),
                dict(self._effects),
                dict(self._states),
                self._states["revoked"],
                self._resolved,
                self._stopped,
                self._refused,
            )

    def _verdict(self, verdict: Verdict) -> None:
        attempt = (verdict.id, verdict.attempt)
        before = self._open.pop(attempt, None)
        state, effect = State(verdict.state), Effect(verdict.effect).name.lower() if verdict.effect else ""
        if verdict.previous_seq < 0:
            self._effects[effect] += 1
        if verdict.stop:
            self._stopped += 1
        else:
            self._states[state.name.lower()] += 1
        if state in OPEN:
            self._open[attempt] = verdict
        resolved = before is not None and before.state == State.DEFERRED and state in (State.GRANTED, State.CLAIMED)
        self._resolved += resolved
        word = "stop" if verdict.stop else state.name.lower()
        self._say("desk", word, _told(verdict, effect), loud=resolved or verdict.stop or state is State.REVOKED)

    def _say(self, source: str, word: str, text: str, *, loud: bool = False) -> None:
        happening = Happening(now_ms(), source, word, text, loud)
        self.lines.append(happening)
        self._fresh.append(happening)
        if loud:
            self.news.append(happening)


def _told(verdict: Verdict, effect: str) -> str:
    parts = [f"{verdict.actor} {verdict.action} {verdict.resource}"]
    if verdict.previous_seq < 0:
        parts.append(effect)
    parts.append(Reason(verdict.reason).name.lower())
    if verdict.rules:
        parts.append(" ".join(verdict.rules))
    if verdict.missing:
        parts.append(
            f"waits for {' '.join(verdict.missing)}" if verdict.state == State.DEFERRED else " ".join(verdict.missing)
        )
    if verdict.granted_arguments is not None and verdict.previous_seq < 0:
        parts.append(f"may run with {verdict.granted_arguments.decode()}")
    if verdict.executor:
        parts.append(f"by {verdict.executor}")
    return ", ".join(parts)
