"""What goes wrong between processes and brokers: each seed draws which kinds of faults there are at all, and how many."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from random import Random
from typing import TypeVar

from confluent_kafka import KafkaError

from tests.faults.script import Died
from tests.sim.link import Link, Lost
from tests.sim.refusals import Refused
from tests.sim.timeline import Timeline

T = TypeVar("T")


class Kind(Enum):
    """A kind of fault. The first ones strike a request, the others the town as a whole, now and then."""

    CRASH_BEFORE = "a process dies before a request"
    CRASH_AFTER = "a process dies after a request, its answer unread"
    CUT_BEFORE = "a request is lost, and the connection for a while"
    CUT_AFTER = "an answer is lost, and the connection for a while"
    STOPPED = "a process stands still in the middle of a request, and goes on as if nothing had been"
    SLOW = "a request takes long"
    LATE = "a request is repeated, and its first copy arrives late"
    ABORTABLE = "a request is refused, and the transaction must be aborted"
    FATAL = "a request is refused, and the producer cannot go on"
    PORT = "a process dies before or after a call of its clock or its entropy"
    MARKERS = "markers are slow"
    HANGING = "a stranger's transaction hangs above what is stable"
    TWIN = "a second process runs under the same slot"
    REBALANCE = "another slot comes, and goes"
    DISK_EMPTY = "a process begins anew with an empty disk"
    DISK_OLD = "a process begins anew with an old copy of its disk"
    DISK_FULL = "a disk takes no writes"
    CLOCK = "a process's clock stands still, or is ahead or behind"
    COMPACTION = "the changelog is compacted"
    WRITERS = "a writer hears nothing of what it wrote"


REQUESTS = (
    Kind.CRASH_BEFORE,
    Kind.CRASH_AFTER,
    Kind.CUT_BEFORE,
    Kind.CUT_AFTER,
    Kind.STOPPED,
    Kind.SLOW,
    Kind.LATE,
    Kind.ABORTABLE,
    Kind.FATAL,
)
TRANSACTIONAL = frozenset({"Produce", "AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn"})
OFTEN = 4
"""How much more often a request that writes is struck than one that only reads."""


class Swarm:
    """The weather of one seed. `heal` ends it. Under the `old` protocol requests are late in every seed, and often."""

    def __init__(self, random: Random, timeline: Timeline, *, old: bool = False) -> None:
        self._random = random
        self._timeline = timeline
        kinds = list(Kind)
        drawn = random.sample(kinds, random.randint(2, len(kinds)))
        self.kinds = frozenset([*drawn, Kind.LATE] if old else drawn)
        self._requests = [kind for kind in REQUESTS if kind in self.kinds]
        self._rate = random.choice((0.001, 0.004, 0.012)) if self._requests else 0.0
        self._late_rate = random.choice((0.005, 0.03)) if old else 0.0
        self._latency_ms = random.choice((0.2, 2.0, 10.0))
        self._held: list[tuple[Link, Callable[[], object]]] = []
        self.struck: Counter[Kind] = Counter()
        self.healed = False

    def has(self, kind: Kind) -> bool:
        """Return whether this kind may strike, now."""
        return kind in self.kinds and not self.healed

    def heal(self) -> None:
        self.healed = True

    def strike(self, kind: Kind) -> None:
        """Count a fault that the town itself makes."""
        self.struck[kind] += 1

    def delay(self, what: str) -> float:
        """Return how long something takes inside the cluster, ms."""
        if what == "marker" and self.has(Kind.MARKERS) and self._random.random() < 0.1:
            self.strike(Kind.MARKERS)
            return self._random.choice((50.0, 500.0, 3_000.0))
        return self._random.random() * (200.0 if what == "heartbeat" else self._latency_ms)

    def around(self, link: Link, api: str, call: Callable[[], T]) -> T:
        """Bring a request to the cluster and its answer back, or not."""
        self._timeline.pause(self._random.random() * self._latency_ms)
        self._cut(link)
        if self._held and api in TRANSACTIONAL:
            self._let_go(link)
        kind = self._draw(api)
        if kind is None:
            return call()
        self.struck[kind] += 1
        match kind:
            case Kind.CRASH_BEFORE:
                self._kill(link)
            case Kind.CRASH_AFTER:
                with suppress(Refused):
                    call()
                self._kill(link)
            case Kind.CUT_BEFORE:
                self._begin_cut(link)
            case Kind.CUT_AFTER:
                call()
                self._begin_cut(link)
            case Kind.STOPPED:
                link.fall_silent()
                self._timeline.pause(self._random.choice((500, 4_000, 8_000, 15_000)))
                link.check()
                link.speak()
            case Kind.SLOW:
                self._timeline.pause(self._random.choice((20, 300, 3_000)))
            case Kind.LATE:
                self._delay(link, call)
                raise Lost
            case Kind.ABORTABLE:
                raise Refused(KafkaError.GROUP_AUTHORIZATION_FAILED)
            case Kind.FATAL:
                raise Refused(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
            case _:
                raise AssertionError(kind)
        return call()

    def _delay(self, link: Link, call: Callable[[], object]) -> None:
        """Keep the first copy of a request back: for a while, or until its sender is some requests further."""
        if self._random.random() < 0.5:
            self._timeline.later(self._random.choice((1, 10, 60, 400, 3_000)), lambda: _deaf(call))
        else:
            self._held.append((link, call))

    def _let_go(self, link: Link) -> None:
        for held in [held for held in self._held if held[0] is link]:
            if self._random.random() < 0.15:
                self._held.remove(held)
                _deaf(held[1])

    def _draw(self, api: str) -> Kind | None:
        if not self.healed and api in TRANSACTIONAL and self._random.random() < self._late_rate:
            return Kind.LATE
        if self.healed or self._random.random() >= self._rate * (OFTEN if api in TRANSACTIONAL else 1):
            return None
        kind = self._random.choice(self._requests)
        needs = kind in {Kind.LATE, Kind.ABORTABLE, Kind.FATAL}
        return None if needs and api not in TRANSACTIONAL else kind

    def _kill(self, link: Link) -> None:
        link.die()
        raise Died(link.name)

    def _begin_cut(self, link: Link) -> None:
        ms = self._random.choice((10, 200, 2_500, 7_000, 12_000))
        link.fall_silent()
        link.cut_until = self._timeline.now + ms
        self._timeline.later(ms, link.speak)
        raise Lost

    def _cut(self, link: Link) -> None:
        left = link.cut_until - self._timeline.now
        if left > 0:
            self._timeline.pause(min(left, self._random.choice((100, 700, 2_000))))
            if self._timeline.now < link.cut_until:
                raise Lost


def _deaf(call: Callable[[], object]) -> None:
    """Make a call whose answer nobody waits for."""
    with suppress(Refused):
        call()
