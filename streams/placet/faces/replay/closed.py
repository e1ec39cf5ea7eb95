"""Recorded history of one partition, batch by batch: what was to be decided, and apart from it the answers, still closed."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from placet.decision.intake import slot_in
from placet.errors import PoisonRecord
from placet.faces.cli.journal import read_all
from placet.model.codec import HEADERS, READERS, decode_known
from placet.model.codec.case import Case
from placet.model.codec.seal import Mark, Seal
from placet.model.keys import key_of
from placet.model.reasons import ReviewState
from placet.model.topics import INPUTS, Topic
from placet.ports import Log, Rec

KINDS: dict[bytes, str] = {
    header: name for name in ("verdict", "review", "repeat", "refusal", "halted") for header in HEADERS[name]
}
NEWEST = READERS["verdict"][0].HEADER
SEALS, CASES = HEADERS["seal"], HEADERS["case"]
OTHER = "other"


class Closed:
    """One recorded decision. Its kind is told by its framing; what it says is read by `open` alone.

    Only where it stands in its batch is told besides: `slot` and `goes_with`.
    """

    __slots__ = ("_value", "kind", "offset", "older")

    def __init__(self, offset: int, value: bytes) -> None:
        self._value = value
        self.offset = offset
        self.kind = KINDS.get(value[:5], OTHER)
        self.older = self.kind == "verdict" and value[:5] != NEWEST

    def open(self) -> bytes:
        """Return the record in its framing."""
        return self._value

    @property
    def slot(self) -> bytes:
        """Return the slot of the attempt that a verdict is about, empty where it cannot be read."""
        said = self.read()
        return b"" if said is None else slot_in(key_of(said.tenant, said.authority), said.id, said.attempt)

    def goes_with(self, before: "Closed") -> bool:
        """Return whether it was said with the decision before it, and answers nothing by itself.

        So a review is asked with its grant, and a grant ended with the review that finds it wrong.
        """
        if (before.kind, self.kind) == ("verdict", "review"):
            said = self.read()
            return said is not None and said.previous_seq < 0
        if (before.kind, self.kind) != ("review", "verdict"):
            return False
        reviewed, said = before.read(), self.read()
        wrong = reviewed is not None and reviewed.state == ReviewState.WRONG
        return wrong and said is not None and not said.cause_topic

    def read(self) -> Any:
        """Return the record, or None where it is none."""
        try:
            return decode_known(self._value)
        except PoisonRecord:
            return None


class Task(NamedTuple):
    """What one batch had to decide, without a word of what was said.

    `kinds` are those of its decisions, in order of seq from `seq` on, and `answers`
    which of the `inputs` each of them answers: -1 where no input asked for it, but
    the context or the clock. `tails` are those that were said with the one before.
    `inputs` is None where the records are no longer there. `cases` are what was
    known, by seq, and `ended` the slots of those that moved on by themselves
    without a case: in which order the clock comes to them is no decision.
    """

    partition: int
    seq: int
    instant: int
    marks: tuple[Mark, ...]
    kinds: tuple[str, ...]
    answers: tuple[int, ...]
    tails: frozenset[int]
    inputs: tuple[Rec, ...] | None
    cases: dict[int, Case]
    ended: dict[int, bytes]

    def input_of(self, index: int) -> Rec | None:
        """Return the record that a decision answers, None where none does or it is no longer there."""
        return None if self.inputs is None or self.answers[index] < 0 else self.inputs[self.answers[index]]


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
        yield Batch(_task(partition, seal, fitting, asked, cases.below(seal.seq_to)), tuple(fitting), rec.offset)
        closed = []


def _task(
    partition: int, seal: Seal, fitting: list[Closed], asked: tuple[Rec, ...] | None, cases: dict[int, Case]
) -> Task:
    """Return what a batch had to decide: its last decisions answer the inputs, one each, and none asked for the first."""
    seq = seal.seq_to - len(fitting)
    tails = frozenset(at for at in range(1, len(fitting)) if fitting[at].goes_with(fitting[at - 1]))
    heads = len(fitting) - len(tails)
    whole = len(fitting) == seal.seq_to - seal.seq_from and asked is not None and len(asked) <= heads
    number = -(heads - len(asked)) - 1 if whole and asked is not None else -heads - 1
    answers: list[int] = []
    for at in range(len(fitting)):
        number += at not in tails
        answers.append(max(number, -1))
    ended = {
        seq + at: one.slot
        for at, one in enumerate(fitting)
        if answers[at] < 0 and one.kind == "verdict" and at not in tails and seq + at not in cases
    }
    return Task(
        partition,
        seq,
        seal.instant,
        tuple(seal.read_cut),
        tuple([one.kind for one in fitting]),
        tuple(answers),
        tails,
        asked if whole else None,
        cases,
        ended,
    )


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
