"""The transaction coordinator: ids, epochs, fencing, prepared ends whose markers come later, and timeouts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from confluent_kafka import KafkaError

from tests.sim.refusals import Refused
from tests.sim.timeline import Timeline

Marked = tuple[str, int]
"""A topic and a partition that a transaction has written to; a group's positions lie at (group, -1)."""


class State(Enum):
    """Where a transactional id stands, as the broker's own log has it."""

    EMPTY = "empty"
    ONGOING = "ongoing"
    PREPARE_COMMIT = "prepare commit"
    PREPARE_ABORT = "prepare abort"
    COMPLETE_COMMIT = "complete commit"
    COMPLETE_ABORT = "complete abort"


PREPARED = {True: State.PREPARE_COMMIT, False: State.PREPARE_ABORT}
COMPLETE = {True: State.COMPLETE_COMMIT, False: State.COMPLETE_ABORT}


@dataclass
class Id:
    """A transactional id. `serial` is its owner's count of transactions: it tells one from the next of an epoch."""

    producer: int
    timeout_ms: int
    epoch: int = -1
    serial: int = 0
    opened: int = 0
    state: State = State.EMPTY
    marked: list[Marked] = field(default_factory=list)


@dataclass(frozen=True)
class Stamp:
    """Which transaction a request belongs to; before KIP-890 the broker looks at the id and the epoch only."""

    name: str
    epoch: int
    serial: int


class Transactions:
    """Answers a broker's transaction requests. `mark` writes one marker; `delay` says how many ms one takes.

    `old` is the protocol before KIP-890: a request that comes late is taken for
    one of the transaction that is open now.
    """

    def __init__(
        self,
        timeline: Timeline,
        mark: Callable[[Marked, int, int, bool], None],
        delay: Callable[[], float],
        *,
        old: bool,
    ) -> None:
        self._timeline = timeline
        self._mark = mark
        self._delay = delay
        self.old = old
        self.ids: dict[str, Id] = {}
        self.cleanup_ms = 1_000.0
        self.fenced = 0
        self.timed_out = 0
        self.late = 0

    def init(self, name: str, timeout_ms: int) -> tuple[int, int]:
        """Return producer and epoch; what is open is aborted first, and whoever opened it fenced."""
        one = self.ids.setdefault(name, Id(len(self.ids) + 1, timeout_ms))
        one.timeout_ms = timeout_ms
        if one.state is State.ONGOING:
            one.epoch += 1
            self._end(one, commit=False)
        if one.state in PREPARED.values():
            raise Refused(KafkaError.CONCURRENT_TRANSACTIONS)
        one.epoch += 1
        one.state, one.marked, one.serial = State.EMPTY, [], 0
        return one.producer, one.epoch

    def add(self, stamp: Stamp, wanted: Marked) -> None:
        """Take a partition, or a group, into the open transaction, or open one with it."""
        one = self._of(stamp)
        if one.state in PREPARED.values():
            raise Refused(KafkaError.CONCURRENT_TRANSACTIONS)
        if one.state is not State.ONGOING:
            self._late(stamp.serial <= one.serial)
            one.serial, one.opened = max(stamp.serial, one.serial), one.opened + 1
            one.state, one.marked = State.ONGOING, []
            self._watch(one)
        if wanted not in one.marked:
            one.marked.append(wanted)

    def check(self, stamp: Stamp, wanted: Marked) -> None:
        """Raise unless `wanted` is part of the open transaction; before KIP-890 nobody asked."""
        if self.old:
            return
        one = self._of(stamp)
        if one.state is not State.ONGOING or wanted not in one.marked:
            raise Refused(KafkaError.INVALID_TXN_STATE)

    def end(self, stamp: Stamp, *, commit: bool) -> None:
        """Prepare the end; the answer is final, the markers follow."""
        one = self._of(stamp)
        if one.state is State.ONGOING:
            self._end(one, commit=commit)
        elif one.state is PREPARED[commit]:
            raise Refused(KafkaError.CONCURRENT_TRANSACTIONS)
        elif one.state is not COMPLETE[commit]:
            raise Refused(KafkaError.INVALID_TXN_STATE)

    def _of(self, stamp: Stamp) -> Id:
        one = self.ids[stamp.name]
        if stamp.epoch != one.epoch:
            self.fenced += 1
            raise Refused(KafkaError.PRODUCER_FENCED if stamp.epoch < one.epoch else KafkaError.INVALID_PRODUCER_EPOCH)
        self._late(stamp.serial < one.serial)
        return one

    def _late(self, late: bool) -> None:
        self.late += late
        if late and not self.old:
            raise Refused(KafkaError.INVALID_PRODUCER_EPOCH, "of a transaction that has ended")

    def _end(self, one: Id, *, commit: bool) -> None:
        one.state = PREPARED[commit]
        epoch, left = one.epoch, len(one.marked)

        def finish(marked: Marked) -> None:
            nonlocal left
            self._mark(marked, one.producer, epoch, commit)
            left -= 1
            if not left:
                one.state = COMPLETE[commit]

        for marked in one.marked:
            self._timeline.later(self._delay(), partial(finish, marked))

    def _watch(self, one: Id) -> None:
        opened = one.opened

        def expire() -> None:
            if one.state is State.ONGOING and one.opened == opened:
                self.timed_out += 1
                one.epoch += 1
                self._end(one, commit=False)

        self._timeline.later(one.timeout_ms + self.cleanup_ms, expire)

    def settled(self) -> bool:
        """Return whether no transaction is open or about to end."""
        return all(one.state is not State.ONGOING and one.state not in PREPARED.values() for one in self.ids.values())
