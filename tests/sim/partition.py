"""One partition as a leader keeps it: records, control markers that take offsets, what is stable, and what was aborted."""

from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

PLAIN, DATA, COMMIT, ABORT = range(4)
"""Kinds of entries: without a transaction, of one, and the two markers."""
NOBODY = -1


class Entry(NamedTuple):
    """What lies at one offset."""

    offset: int
    at: int
    key: bytes | None
    value: bytes | None
    producer: int
    kind: int


class Partition:
    """Entries in order of their offsets, with gaps where compaction was. Times are the broker's and never go back."""

    def __init__(self, title: str, number: int, *, compacted: bool, largest: int) -> None:
        self.title = title
        self.number = number
        self.compacted = compacted
        self.largest = largest
        self.low = 0
        self.next = 0
        self.entries: list[Entry] = []
        self.listeners: dict[int, Callable[[], None]] = {}
        """Called when something may have become visible to readers of what is committed, by who listens."""
        self._at = 0
        self._open: dict[int, list[int]] = {}
        self._dead: set[int] = set()
        self._epochs: dict[int, int] = {}
        self._batches: dict[int, dict[int, int]] = {}

    @property
    def stable(self) -> int:
        """The last stable offset: before it every transaction has ended."""
        return min((offsets[0] for offsets in self._open.values()), default=self.next)

    def open_producers(self) -> list[int]:
        return list(self._open)

    def epoch(self, producer: int) -> int:
        """Return the newest epoch of `producer` that this partition has seen."""
        return self._epochs.get(producer, -1)

    def known(self, producer: int, batch: int) -> int | None:
        """Return where a batch of an idempotent producer lies, if it came before."""
        return self._batches.get(producer, {}).get(batch)

    def append(
        self, now: int, messages: list[tuple[bytes | None, bytes | None]], producer: int, epoch: int, batch: int
    ) -> int:
        """Write a batch and return its first offset. `epoch` is -1 outside of transactions."""
        self._at = max(self._at, now)
        first, kind = self.next, PLAIN if epoch < 0 else DATA
        if kind == DATA:
            self._epochs[producer] = epoch
            self._open.setdefault(producer, []).extend(range(first, first + len(messages)))
        for key, value in messages:
            self.entries.append(Entry(self.next, self._at, key, value, producer, kind))
            self.next += 1
        if producer != NOBODY:
            self._batches.setdefault(producer, {})[batch] = first
        if kind == PLAIN:
            self._tell()
        return first

    def mark(self, now: int, producer: int, epoch: int, *, commit: bool) -> None:
        """Write the marker that ends what `producer` has open here; it takes an offset also when there is nothing."""
        self._at = max(self._at, now)
        self.entries.append(Entry(self.next, self._at, None, None, producer, COMMIT if commit else ABORT))
        self.next += 1
        self._epochs[producer] = max(epoch, self.epoch(producer))
        offsets = self._open.pop(producer, [])
        if not commit:
            self._dead.update(offsets)
        self._tell()

    def fetch(self, offset: int, most: int, *, committed: bool) -> tuple[list[Entry], int]:
        """Return up to `most` records from `offset` on, and the offset to go on from; markers are never seen."""
        end = self.stable if committed else self.next
        found: list[Entry] = []
        at = bisect_left(self.entries, offset, key=lambda entry: entry.offset)
        for entry in self.entries[at:]:
            if entry.offset >= end:
                break
            if entry.kind < COMMIT and not (committed and entry.offset in self._dead):
                if len(found) == most:
                    return found, entry.offset
                found.append(entry)
        return found, max(end, offset)

    def compact(self) -> int:
        """Drop what a later record of the same key replaces, below the newest and what is stable; return how many."""
        newest: dict[bytes | None, int] = {}
        stable = self.stable
        for entry in self.entries:
            if entry.kind < COMMIT and entry.offset < stable and entry.offset not in self._dead:
                newest[entry.key] = entry.offset
        kept = [
            entry
            for entry in self.entries
            if entry.offset >= stable - 1
            or entry.kind >= COMMIT
            or (entry.offset not in self._dead and newest[entry.key] == entry.offset)
        ]
        dropped = len(self.entries) - len(kept)
        self.entries = kept
        return dropped

    def delete_before(self, offset: int) -> None:
        """Forget the records below `offset`, as retention does."""
        self.low = max(self.low, min(offset, self.next))
        self.entries = [entry for entry in self.entries if entry.offset >= self.low]

    def _tell(self) -> None:
        for wake in list(self.listeners.values()):
            wake()
