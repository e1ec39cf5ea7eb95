"""The seams to the world, on one page: what a driver promises, in prose. One contract suite holds each promise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Rec(NamedTuple):
    """One committed record of a journal. `at` is its append time in ms since 1970, given by the journal.

    `trace` is the W3C `traceparent` that travels beside it, where the journal carries one.
    """

    topic: int
    partition: int
    offset: int
    at: int
    key: bytes | None
    value: bytes | None
    trace: bytes | None = None


class Message(NamedTuple):
    """A record on its way into a journal. A `value` of None is a tombstone; `trace` is told where the journal can."""

    key: bytes | None
    value: bytes | None
    trace: bytes | None = None


@dataclass(slots=True)
class Emits:
    """What one desk says about one batch, in order; all of it is committed together or not at all."""

    decisions: list[Message] = field(default_factory=list)
    cases: list[Message] = field(default_factory=list)
    desk: list[Message] = field(default_factory=list)
    quarantine: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class Restored:
    """What a journal holds of one partition.

    `changes` are the live records of `placet.desk` in order of their ordinal,
    to be read once, and all that may be read after `restore` has returned;
    `tail` the decisions from the last batch on that is closed by a Seal, that
    Seal included as the last record; empty in a partition never served.
    `inputs` are the committed positions, topic number to one past the last.
    """

    changes: Iterable[Rec]
    tail: list[Rec]
    inputs: dict[int, int]


class Journal(Protocol):
    """An ordered record of what was asked and answered, as the loop that decides sees it.

    Records become visible to readers in whole batches: `commit` makes the
    emits and the positions of a batch durable together or not at all. A driver
    raises `Unavailable` only when it knows that nothing was committed, `Unsure`
    when it cannot know, `Corrupted` when what it holds contradicts itself.
    """

    @property
    def cluster(self) -> str:
        """Return the name under which this journal's Seals are signed."""
        ...

    def assigned(self) -> frozenset[int]:
        """Return the partitions this process decides now; serve rebalances first."""
        ...

    def restore(self, partition: int) -> Restored:
        """Return all that was committed for `partition`, having read past everything that was or may yet be."""
        ...

    def take(self, most: int, wait_ms: int) -> dict[int, list[Rec]]:
        """Return up to `most` new input records by partition, outcomes first, then votes, then intents, each by offset.

        Return as soon as there is any; after `wait_ms` return an empty dict.
        """
        ...

    def commit(self, emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:
        """Commit a batch: emits by partition, and per partition topic number to one past the last record decided."""
        ...

    def rewind(self) -> None:
        """After `Unavailable`: the next `take` begins again at the committed positions."""
        ...

    def close(self) -> None:
        """Give everything back. Nothing that was not committed is kept."""
        ...


class Feed(Protocol):
    """All context topics, read whole by one reader that belongs to no group."""

    def catch_up(self) -> list[Rec]:
        """Return everything up to the ends as they were at the call. Raise `Unavailable` when that takes too long."""
        ...

    def again(self) -> list[Rec]:
        """Return everything from the beginning once more, as `catch_up` does at first; `take` goes on behind it."""
        ...

    def take(self) -> list[Rec]:
        """Return what came since, without waiting."""
        ...

    def close(self) -> None: ...


class Log(Protocol):
    """Topics as writers and followers see them: append, and read what is committed."""

    def partitions(self, topic: int) -> int: ...

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        """Make the messages durable in order and return the offset of the first. Raise `Unavailable` or `Unsure`."""
        ...

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        """Return committed records from `offset` on, as soon as there is one; none after `wait_ms`."""
        ...

    def end(self, topic: int, partition: int) -> int:
        """Return one past the last committed record."""
        ...

    def close(self) -> None: ...


class TileStore(Protocol):
    """The files of one provenance log by path, in a folder or in an object store that can put on a condition.

    What a call has returned from is durable. A driver raises `Unavailable` only
    when it knows that nothing was changed, `Unsure` when it cannot know; after
    `Unsure` it refuses all work until it is opened anew.
    """

    def get(self, path: str) -> bytes | None:
        """Return what lies at `path`, None where nothing does."""
        ...

    def put(self, files: Sequence[tuple[str, bytes]]) -> Sequence[str]:
        """Put each file where nothing or the same lies, in order; return the paths at which something else lies, left as it is."""
        ...

    def swap(self, path: str, before: bytes | None, after: bytes) -> bool:
        """Put `after` where exactly `before` lies, None for nothing, readers seeing one or the other; say whether it did lie there."""
        ...

    def list(self, prefix: str) -> Sequence[str]:
        """Return the paths that begin with `prefix`, in order."""
        ...

    def remove(self, paths: Sequence[str]) -> None:
        """Take files away that nobody needs any more; a crash may leave some."""
        ...

    def expect_room(self, size: int) -> None:
        """Raise `Unavailable` where it is known that `size` bytes more will not fit."""
        ...

    def close(self) -> None: ...


class Clock(Protocol):
    """The one wall-clock reading of a batch."""

    def now_ms(self) -> int: ...


class Entropy(Protocol):
    """Unpredictable bytes for nonces and data keys."""

    def draw(self, size: int) -> bytes: ...
