"""What goes wrong, and where: each port of a worker wrapped, so that a named call of it fails once in a named way."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, TypeVar

from placet.errors import Unavailable, Unsure
from placet.ports import Clock, Emits, Entropy, Feed, Journal, Log, Message, Rec, Restored

T = TypeVar("T")


class Died(BaseException):
    """The process is gone. Nothing in the product may catch it: it is no `Exception`."""


class Way(Enum):
    """How a call goes wrong. Only a call that writes can be lost or kept without anybody knowing."""

    BEFORE = "the process dies before the call"
    AFTER = "the process dies after the call, its answer unread"
    LOST = "nothing is done, and that is said"
    KEPT = "it is done, and reported as failed"


class Fault(NamedTuple):
    """The `call`th call of a point from now on, counted from 1, goes wrong."""

    point: str
    way: Way
    call: int = 1


POINTS: tuple[str, ...] = (
    "assigned",
    "restore",
    "take",
    "commit",
    "rewind",
    "catch_up",
    "feed",
    "clock",
    "entropy",
)
"""The calls of a worker into its ports, by name."""
APPEND = "append"
"""The one call of everybody else: an agent, an executor, a feed that writes."""


class Script:
    """The faults still to come; `around` makes a call, or what has become of it."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self.struck: Counter[tuple[str, Way]] = Counter()

    def arm(self, *faults: Fault) -> None:
        """Let these go wrong besides those that wait."""
        self._waiting += faults

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._waiting.clear()

    def around(self, point: str, call: Callable[[], T]) -> T:
        way = self._due(point)
        if way is Way.BEFORE:
            raise Died(point)
        if way is Way.LOST:
            raise Unavailable(f"{point}: lost on purpose")
        answer = call()
        if way is Way.AFTER:
            raise Died(point)
        if way is Way.KEPT:
            raise Unsure(f"{point}: done, and reported as failed on purpose")
        return answer

    def _due(self, point: str) -> Way | None:
        found = None
        for at, fault in enumerate(self._waiting):
            if fault.point != point:
                continue
            self._waiting[at] = fault._replace(call=fault.call - 1)
            if fault.call <= 1 and found is None:
                found = fault
        if found is None:
            return None
        self._waiting = [fault for fault in self._waiting if fault.call > 0]
        self.struck[point, found.way] += 1
        return found.way


class FaultyJournal:
    """`ports.Journal` with a script in the way of each call."""

    def __init__(self, journal: Journal, script: Script) -> None:
        self._journal = journal
        self._around = script.around

    @property
    def cluster(self) -> str:
        return self._journal.cluster

    def assigned(self) -> frozenset[int]:
        return self._around("assigned", self._journal.assigned)

    def restore(self, partition: int) -> Restored:
        return self._around("restore", lambda: self._journal.restore(partition))

    def take(self, most: int, wait_ms: int) -> dict[int, list[Rec]]:
        return self._around("take", lambda: self._journal.take(most, wait_ms))

    def commit(self, emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:
        self._around("commit", lambda: self._journal.commit(emits, inputs))

    def rewind(self) -> None:
        self._around("rewind", self._journal.rewind)

    def close(self) -> None:
        self._journal.close()


class FaultyFeed:
    """`ports.Feed` with a script in the way of each call."""

    def __init__(self, feed: Feed, script: Script) -> None:
        self._feed = feed
        self._around = script.around

    def catch_up(self) -> list[Rec]:
        return self._around("catch_up", self._feed.catch_up)

    def again(self) -> list[Rec]:
        return self._around("again", self._feed.again)

    def take(self) -> list[Rec]:
        return self._around("feed", self._feed.take)

    def close(self) -> None:
        self._feed.close()


class FaultyLog:
    """`ports.Log` whose appends go wrong as the script says; reading is the test's own business."""

    def __init__(self, log: Log, script: Script) -> None:
        self._log = log
        self._around = script.around

    def partitions(self, topic: int) -> int:
        return self._log.partitions(topic)

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        return self._around(APPEND, lambda: self._log.append(topic, partition, messages))

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        return self._log.read(topic, partition, offset, most, wait_ms)

    def end(self, topic: int, partition: int) -> int:
        return self._log.end(topic, partition)

    def close(self) -> None:
        self._log.close()


class FaultyClock:
    """`ports.Clock` with a script in the way."""

    def __init__(self, clock: Clock, script: Script) -> None:
        self._clock = clock
        self._around = script.around

    def now_ms(self) -> int:
        return self._around("clock", self._clock.now_ms)


class FaultyEntropy:
    """`ports.Entropy` with a script in the way: the one port that is called in the middle of a batch."""

    def __init__(self, entropy: Entropy, script: Script) -> None:
        self._entropy = entropy
        self._around = script.around

    def draw(self, size: int) -> bytes:
        return self._around("entropy", lambda: self._entropy.draw(size))
