"""*Same*: every verdict of a partition decided again from its case, and only then held against the one on record.

So is every review of an emergency: as it is asked, and where nobody has answered it in time.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from placet.faces.replay.adopting import Adopter, Recorded, decoded
from placet.faces.replay.closed import Batch, Closed, Task, batches
from placet.faces.replay.maker import DECIDED, Made, Maker
from placet.faces.replay.settled import Settled
from placet.model.codec import decode_known, verdict
from placet.model.codec.review import Review
from placet.model.codec.verdict import Verdict
from placet.model.topics import CONTEXT
from placet.ports import Log

SHOWN_MOST = 1_000
CAUSE = ("cause_topic", "cause_partition", "cause_offset")
UNREADABLE = "the recorded verdict cannot be read"
OLDER = "recorded in an older form of verdict"
BY_DESIGN = ("erased", "no case was kept", "not in the range")
"""How reasons begin for which nothing can be decided again, and nothing is wrong."""


class Difference(NamedTuple):
    """One field of one decision that comes out otherwise. A fault: of the record, or of the engine."""

    partition: int
    offset: int
    seq: int
    tenant: str
    intent: str
    attempt: int
    field: str
    recorded: str
    decided: str


@dataclass(slots=True)
class Same:
    """What came of a partition, or of several. `unmade` counts what could not be decided, by why, with one example each.

    `reviews` are records of reviews, of which `reviews_same` came out the same; `differing` counts both kinds.
    """

    verdicts: int = 0
    same: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)
    unmade: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    before_range: int = 0
    instants: tuple[int, int] = (0, 0)
    reviews: int = 0
    reviews_same: int = 0

    def add(self, other: "Same") -> None:
        """Take in what came of other partitions."""
        self.verdicts += other.verdicts
        self.same += other.same
        self.differing += other.differing
        self.differences += other.differences[: SHOWN_MOST - len(self.differences)]
        self.unmade += other.unmade
        self.examples = {**other.examples, **self.examples}
        self.passed_over += other.passed_over
        self.before_range += other.before_range
        self.reviews += other.reviews
        self.reviews_same += other.reviews_same
        known = [at for at in (*self.instants, *other.instants) if at]
        self.instants = (min(known), max(known)) if known else (0, 0)

    @property
    def faulty(self) -> bool:
        """Whether anything differs, or could not be decided that should have been."""
        return self.differing > 0 or any(not why.startswith(BY_DESIGN) for why in self.unmade)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {
            "verdicts": self.verdicts,
            "same": self.same,
            "differing": self.differing,
            "reviews": self.reviews,
            "reviews_same": self.reviews_same,
            "not_decided": dict(self.unmade),
            "examples": self.examples,
            "passed_over": dict(self.passed_over),
            "before_range": self.before_range,
            "from_ms": self.instants[0],
            "to_ms": self.instants[1],
            "differences": [one._asdict() for one in self.differences],
            "clean": not self.faulty,
        }


class Replay:
    """One partition decided again, batch by batch."""

    def __init__(self, partition: int, settled: Settled) -> None:
        self.partition = partition
        self.maker = Maker(partition, settled)
        self.adopter = Adopter(self.maker.book, settled.shelf, self.maker.lost)
        self.found = Same()

    def batch(self, batch: Batch) -> None:
        """Decide a batch again. The maker has the task alone; what was recorded is opened here, after each answer."""
        closed, task, found = batch.closed, batch.task, self.found
        for made in self.maker.make(task):
            recorded = closed[made.seq - task.seq]
            value = recorded.open()
            if recorded.kind == "review":
                found.reviews += 1
                found.reviews_same += made.value == value
            else:
                found.verdicts += 1
                found.same += made.value == value
            if made.value != value:
                self._other(made, recorded, value, task)
        found.passed_over.update(one.kind for one in closed if one.kind not in DECIDED)
        found.instants = (found.instants[0] or task.instant, task.instant)

    def follow(self, batch: Batch, *, counted: bool = False) -> None:
        """Go past a batch that is before the range, or was `counted` before: what follows goes on from what it said."""
        task = batch.task
        self.maker.enter(task)
        for index, closed in enumerate(batch.closed):
            said = decoded(closed.open()) if closed.kind in DECIDED else None
            if isinstance(said, Review):
                self.adopter.review(said)
            elif said is not None:
                self.found.before_range += not counted
                lease = self.maker.book.leases.open.get(self.maker.slot_of(said))
                self.adopter.count(said, lease)
                self.adopter.adopt(Recorded(said, task.input_of(index)), lease)
        self.maker.book.close_batch()

    def _other(self, made: Made, closed: Closed, value: bytes, task: Task) -> None:
        """Count a decision that did not come out byte for byte, and go on from what is recorded."""
        said = decoded(value)
        if said is None:
            self._unmade(made, closed, UNREADABLE, None)
            return
        if not made.why and closed.older:
            made = made._replace(why=OLDER)
        if made.why:
            self._unmade(made, closed, made.why, said)
        elif made.swept and made.value is not None and isinstance(said, Verdict) and _is_change(said, task):
            again: Verdict = verdict.decode(made.value)
            again = again._replace(**{name: getattr(said, name) for name in CAUSE})
            if verdict.frame(again) == value:
                self.found.same += 1
                return
            self._differ(closed, said, again)
        else:
            self._differ(closed, said, made.told if made.value is None else decode_known(made.value))
        if isinstance(said, Review):
            self.adopter.review(said)
            return
        before = None
        if said.previous_seq >= 0:
            # Where nothing was put before the desk, how it stood before is how it stands.
            before = self.maker.before or self.maker.book.leases.open.get(self.maker.slot_of(said))
        if made.value is None:
            self.adopter.count(said, before)
        self.adopter.adopt(Recorded(said, task.input_of(made.seq - task.seq)), before)

    def _unmade(self, made: Made, closed: Closed, why: str, said: Verdict | Review | None) -> None:
        self.found.unmade[why] += 1
        whose = f" intent {said.id.hex()}" if said is not None else ""
        place = f"placet.decisions/{self.partition}@{closed.offset}: seq {made.seq}{whose}"
        self.found.examples.setdefault(why, place)

    def _differ(self, closed: Closed, said: Verdict | Review, decided: Any) -> None:
        self.found.differing += 1
        if len(self.found.differences) >= SHOWN_MOST:
            return
        place = (self.partition, closed.offset, said.seq, said.tenant, said.id.hex(), said.attempt)
        self.found.differences += [Difference(*place, *pair) for pair in differing(said, decided)]


def differing(said: Verdict | Review, decided: Any) -> Iterator[tuple[str, str, str]]:
    """Yield each field in which two decisions differ: its name, what is recorded, and what was decided."""
    if isinstance(decided, str):
        yield "kind", "a review" if isinstance(said, Review) else "a verdict", decided
        return
    for name, was, now in zip(said._fields, said, decided, strict=True):
        if was != now:
            yield name, _text(was), _text(now)


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _is_change(said: Verdict, task: Task) -> bool:
    """Return whether the cause of what was swept is the clock, or a record of the context that had been read."""
    if not said.cause_topic:
        return not said.cause_partition and not said.cause_offset
    read = {(mark.topic, mark.partition): mark.offset for mark in task.marks}
    place = (said.cause_topic, said.cause_partition)
    return said.cause_topic in CONTEXT and said.cause_offset < read.get(place, 0)


class Range(NamedTuple):
    """Which instants are asked about, ms: from `since` on, up to and with `until`; 0 is without that bound."""

    since: int = 0
    until: int = 0


def replay(
    log: Log,
    partition: int,
    settled: Settled,
    asked: Range,
    progress: Callable[[int, Same], None] = lambda *_: None,
    begun: tuple[Same, int] | None = None,
) -> Same:
    """Return what came of a partition; `progress` hears after each batch how far in its decisions it is.

    `begun` is what was found up to an offset before: it goes on behind that, from what is recorded up to there.
    """
    one = Replay(partition, settled)
    after = 0
    if begun is not None:
        one.found, after = begun
    for batch in batches(log, partition):
        if asked.until and batch.task.instant > asked.until:
            break
        if batch.offset < after:
            one.follow(batch, counted=True)
        elif batch.task.instant < asked.since:
            one.follow(batch)
        else:
            one.batch(batch)
        progress(batch.offset + 1, one.found)
    return one.found
