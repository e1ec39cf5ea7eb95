"""Recorded history of one partition, batch by batch: what was to be decided, and apart from it the answers, still closed."""

from collections.abc import Iterator
from typing import NamedTuple

from placet.errors import PoisonRecord
from placet.faces.cli.journal import read_all
from placet.model.codec import HEADERS, READERS, decode_known
from placet.model.codec.case import Case
from placet.model.codec.seal import Mark, Seal
from placet.model.topics import INPUTS, Topic
from placet.ports import Log, Rec

KINDS: dict[bytes, str] = {
    header: name for name in ("verdict", "repeat", "refusal", "halted") for header in HEADERS[name]
}
NEWEST = READERS["verdict"][0].HEADER
SEALS, CASES = HEADERS["seal"], HEADERS["case"]
OTHER = "other"


class Closed:
    """One recorded decision. Its kind is told by its framing; what it says is read by `open` alone."""

    __slots__ = ("_value", "kind", "offset", "older")

    def __init__(self, offset: int, value: bytes) -> None:
        self._value = value
        self.offset = offset
        self.kind = KINDS.get(value[:5], OTHER)
        self.older = self.kind == "verdict" and value[:5] != NEWEST

    def open(self) -> bytes:
        """Return the record in its framing."""
        return self._value


class Task(NamedTuple):
    """What one batch had to decide, without a word of what was said.

    `kinds` are those of its decisions, in order of seq from `seq` on; the first
    `front` of them no input asked for: the context or the clock did. `inputs`
    are the records that the rest answers, None where they are no longer there.
    `cases` are what was known, by seq.
    """

    partition: int
    seq: int
    instant: int
    marks: tuple[Mark, ...]
    kinds: tuple[str, ...]
    front: int
    inputs: tuple[Rec, ...] | None
    cases: dict[int, Case]


class Batch(NamedTuple):
    """One sealed batch: its task, and the recorded answers to it, one for each of its kinds."""

    task: Task
    closed: tuple[Closed, ...]
    offset: int


class Cursor:
    """One topic of one partition, read once and in order."""

    def __init__(self, log: Log, topic: Topic, partition: int) -> None:
        self._records = read_all(log, topic, partition)
        self._next: Rec | None = next(self._records, None)

    def upto(self, offset: int) -> Iterator[Rec]:
        """Yield the records not yet read that lie below `offset`."""
        while self._next is not None and self._next.offset < offset:
            yield self._next
            self._next = next(self._records, None)

    @property
    def first(self) -> int | None:
        """Return the offset of the next record, or None at the end."""
        return None if self._next is None else self._next.offset


class Cases:
    """The cases of one partition, read beside its decisions."""

    def __init__(self, log: Log, partition: int) -> None:
        self._records = read_all(log, Topic.CASES, partition)
        self._held: Case | None = None
        self._advance()

    def below(self, seq: int) -> dict[int, Case]:
        """Return the cases not yet read with a seq below `seq`, by seq."""
        found: dict[int, Case] = {}
        while self._held is not None and self._held.seq < seq:
            found[self._held.seq] = self._held
            self._advance()
        return found

    def _advance(self) -> None:
        self._held = None
        for rec in self._records:
            if rec.value is not None and rec.value[:5] in CASES:
                try:
                    self._held = decode_known(rec.value)
                except PoisonRecord:
                    continue  # a verdict that commits to it says that there is none
                return


def batches(log: Log, partition: int) -> Iterator[Batch]:
    """Yield every sealed batch of a partition, in order. What no Seal closes is not history yet."""
    cases = Cases(log, partition)
    inputs = {topic: Cursor(log, topic, partition) for topic in INPUTS}
    at: dict[int, int] | None = None
    closed: list[Closed] = []
    for rec in read_all(log, Topic.DECISIONS, partition):
        value = rec.value or b""
        if value[:5] not in SEALS:
            closed.append(Closed(rec.offset, value))
            continue
        seal: Seal = decode_known(value)
        ends = {position.topic: position.offset for position in seal.inputs}
        if at is None:
            # Before the first Seal that is there nothing was decided, or what was is no longer there.
            at = dict.fromkeys(ends, 0) if seal.seq_from == 0 else ends
        asked = _between(inputs, at, ends)
        at = ends
        fitting = closed[-(seal.seq_to - seal.seq_from) :] if seal.seq_to > seal.seq_from else []
        kinds = tuple([one.kind for one in fitting])
        whole = len(fitting) == seal.seq_to - seal.seq_from and asked is not None and len(asked) <= len(fitting)
        task = Task(
            partition,
            seal.seq_to - len(fitting),
            seal.instant,
            tuple(seal.read_cut),
            kinds,
            len(fitting) - len(asked) if whole and asked is not None else len(fitting),
            asked if whole else None,
            cases.below(seal.seq_to),
        )
        yield Batch(task, tuple(fitting), rec.offset)
        closed = []


def _between(cursors: dict[Topic, Cursor], start: dict[int, int], ends: dict[int, int]) -> tuple[Rec, ...] | None:
    """Return what a batch decided: outcomes, votes, intents, each by offset; None where some of it is no longer there."""
    found: list[Rec] = []
    gone = False
    for topic, cursor in cursors.items():
        first, end = start.get(topic, 0), ends.get(topic, 0)
        for _ in cursor.upto(first):
            pass
        gone = gone or (first < end and cursor.first is not None and cursor.first >= end)
        gone = gone or (first < end and cursor.first is None)
        found += cursor.upto(end)
    return None if gone else tuple(found)
