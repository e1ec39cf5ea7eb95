"""What is remembered of every attempt until its deadline: enough to hear a repeat, and to refuse another content."""

import struct
from array import array
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

ROW = struct.Struct(">16sQQHH20s20s")
"""A row of `desk_change.settled`, big-endian: slot, seq of the first answer, deadline in ms, attempt, flags,
first 20 bytes of the intent digest, first 20 bytes of the action digest. 76 bytes."""
REST = struct.Struct(">QQHH20s20s")
WHOLE, DEADLINES = struct.Struct("76s"), struct.Struct(">24xQ44x")
TAG, TAGS = struct.Struct(">BQ"), struct.Struct(">BQ67x")
"""A row whole, and its deadline alone; of a slot, and of a row, the number of its shard and where to look there."""
TRANSIENT_FLAG = 1
"""The attempt ended in a transient refusal: attempt + 1 may be asked."""
CUT = 20

TIERS: tuple[int, ...] = (7 * 60_000 + 30_000, 84 * 3_600_000)
"""Widths of the buckets, ms: half of 15 minutes, and half of 7 days. A lookup probes three of each at most."""


SLOT_SIZE = 16
SHARDS = 16
"""Parts of a bucket: one is laid out anew in 10 ms where a million rows are remembered, and no batch waits longer."""
ENTRIES_LEAST = 16
NUMBER_BITS = 24
NUMBER = (1 << NUMBER_BITS) - 1


class Settled(NamedTuple):
    """The newest attempt heard under one slot."""

    seq: int
    deadline: int
    attempt: int
    flags: int
    intent_digest: bytes
    action_digest: bytes


class _Shard:
    """Rows (ROW) end to end, and an open-addressed table of where each lies: some 20 bytes a row beside its 76.

    An entry is 40 bits of the slot, which say where in the table to look, and
    the row's number in the low 24 bits, counted from 1.
    """

    __slots__ = ("_entries", "_mask", "_most", "rows")

    def __init__(self) -> None:
        self.rows = bytearray()
        self._spread(ENTRIES_LEAST)

    def find(self, slot: bytes, tag: int) -> int:
        """Return where in `rows` the row under `slot` begins, or -1. `tag` is what `TAG` reads of the slot."""
        entries, mask = self._entries, self._mask
        at = tag >> NUMBER_BITS & mask
        while entry := entries[at]:
            if (entry ^ tag) <= NUMBER:
                start = ((entry & NUMBER) - 1) * ROW.size
                if self.rows.startswith(slot, start):
                    return start
            at = at + 1 & mask
        return -1

    def add(self, row: bytes, tag: int) -> None:
        """Add a row (ROW) whose slot is not here."""
        entries, mask = self._entries, self._mask
        self.rows += row
        number = len(self.rows) // ROW.size
        at = tag >> NUMBER_BITS & mask
        while entries[at]:
            at = at + 1 & mask
        entries[at] = tag & ~NUMBER | number
        if number > self._most:
            self._spread(2 * len(entries), entries)

    def take_back(self, tag: int) -> None:
        """Let go of the row that was added last."""
        entries, mask = self._entries, self._mask
        last = len(self.rows) // ROW.size
        at = tag >> NUMBER_BITS & mask
        while entries[at] & NUMBER != last:
            at = at + 1 & mask
        entries[at] = 0
        # What stood behind it may have been kept from its own place by it.
        while entry := entries[at := at + 1 & mask]:
            entries[at] = 0
            self._place(entry)
        del self.rows[(last - 1) * ROW.size :]

    def _spread(self, size: int, entries: Iterable[int] = ()) -> None:
        """Lay the entries out over `size` places, a power of 2, of which half may be taken."""
        self._entries = array("Q", bytes(8 * size))
        self._mask, self._most = size - 1, size // 2
        for entry in entries:
            if entry:
                self._place(entry)

    def _place(self, entry: int) -> None:
        entries, mask = self._entries, self._mask
        at = entry >> NUMBER_BITS & mask
        while entries[at]:
            at = at + 1 & mask
        entries[at] = entry


class _Bucket:
    """Rows whose deadlines lie near each other."""

    __slots__ = ("_shards",)

    def __init__(self) -> None:
        self._shards = [_Shard() for _ in range(SHARDS)]

    def __len__(self) -> int:
        return sum(len(shard.rows) for shard in self._shards) // ROW.size

    def find(self, slot: bytes, first: int, tag: int) -> bytes | None:
        """Return the packed row (REST) under `slot`, of which `TAG` reads `first` and `tag`, or None."""
        shard = self._shards[first & SHARDS - 1]
        start = shard.find(slot, tag)
        return None if start < 0 else bytes(shard.rows[start + SLOT_SIZE : start + ROW.size])

    def put(self, slot: bytes, row: bytes) -> bytes | None:
        """Hold a row (REST) under `slot`; return the one that it takes the place of, if any."""
        first, tag = TAG.unpack_from(slot)
        shard = self._shards[first & SHARDS - 1]
        start = shard.find(slot, tag)
        if start < 0:
            shard.add(slot + row, tag)
            return None
        before = bytes(shard.rows[start + SLOT_SIZE : start + ROW.size])
        shard.rows[start + SLOT_SIZE : start + ROW.size] = row
        return before

    def fill(self, rows: bytes) -> None:
        """Hold many packed rows (ROW)."""
        shards = self._shards
        for (first, tag), (row,) in zip(TAGS.iter_unpack(rows), WHOLE.iter_unpack(rows), strict=True):
            shard = shards[first & SHARDS - 1]
            if shard.find(row[:SLOT_SIZE], tag) < 0:
                shard.add(row, tag)
            else:
                self.put(row[:SLOT_SIZE], row[SLOT_SIZE:])

    def take_back(self, slot: bytes) -> None:
        """Let go of the row under `slot`, which was put last."""
        first, tag = TAG.unpack_from(slot)
        self._shards[first & SHARDS - 1].take_back(tag)

    def rows(self) -> Iterator[bytes]:
        """Yield every row (ROW)."""
        for shard in self._shards:
            for (row,) in WHOLE.iter_unpack(shard.rows):
                yield row


class SettledTable:
    """Slots by the deadline of their attempt, in few coarse buckets, so that a whole bucket is forgotten at once.

    An id may come again with another deadline, once the first has passed, and
    may lie in another bucket then: so a lookup probes every open one, and of
    several rows the one of the greatest seq stands. About 100 bytes a row.
    """

    def __init__(self) -> None:
        self._buckets: dict[tuple[int, int], _Bucket] = {}
        self._undo: list[tuple[_Bucket, bytes, bytes | None]] = []

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets.values())

    def find(self, slot: bytes) -> Settled | None:
        """Return the newest attempt under `slot`, or None where nothing is remembered."""
        row = self.row(slot)
        return None if row is None else Settled._make(REST.unpack(row))

    def row(self, slot: bytes) -> bytes | None:
        """Return the packed row (REST) under `slot`, or None."""
        newest: bytes | None = None
        first, tag = TAG.unpack_from(slot)
        for bucket in self._buckets.values():
            row = bucket.find(slot, first, tag)
            # A row begins with its seq, big-endian.
            if row is not None and (newest is None or row > newest):
                newest = row
        return newest

    def put(self, slot: bytes, row: bytes, deadline: int, instant: int) -> None:
        """Remember a packed row (REST) until `deadline`, in place of what was under `slot`."""
        bucket = self._bucket(deadline, instant)
        self._undo.append((bucket, slot, bucket.put(slot, row)))

    def fill(self, rows: bytes, instant: int, now: int) -> int:
        """Remember packed rows (ROW) that were put at `instant`, but for those whose deadline has passed by `now`.

        Return the latest deadline among them, 0 without any. What is filled in stands: `drop` does not take it back.
        """
        deadlines: list[int] = [deadline for (deadline,) in DEADLINES.iter_unpack(rows)]
        if not deadlines:
            return 0
        least, most = min(deadlines), max(deadlines)
        if least > now and self._bucket(least, instant) is self._bucket(most, instant):
            self._bucket(least, instant).fill(rows)
            return most
        for (row,), deadline in zip(WHOLE.iter_unpack(rows), deadlines, strict=True):
            if deadline > now:
                self._bucket(deadline, instant).put(row[:SLOT_SIZE], row[SLOT_SIZE:])
        return most

    def _bucket(self, deadline: int, instant: int) -> _Bucket:
        width = TIERS[0] if deadline - instant <= 2 * TIERS[0] else TIERS[1]
        place = (width, deadline // width)
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = self._buckets[place] = _Bucket()
        return bucket

    def forget(self, instant: int) -> None:
        """Drop the buckets whose deadlines have all passed."""
        for width, number in [p for p in self._buckets if (p[1] + 1) * p[0] <= instant]:
            del self._buckets[width, number]

    def keep(self) -> None:
        """Make what was put since the last `keep` or `drop` stand."""
        self._undo.clear()

    def drop(self) -> None:
        """Take back what was put since the last `keep` or `drop`."""
        for bucket, slot, row in reversed(self._undo):
            if row is None:
                bucket.take_back(slot)
            else:
                bucket.put(slot, row)
        self._undo.clear()

    def rows(self) -> Iterator[bytes]:
        """Yield every remembered row, packed as ROW, in order of slots."""
        newest: dict[bytes, bytes] = {}
        for bucket in self._buckets.values():
            for row in bucket.rows():
                newest[row[:SLOT_SIZE]] = max(row, newest.get(row[:SLOT_SIZE], b""))
        yield from (newest[slot] for slot in sorted(newest))


def slot_of(key: bytes, intent_id: bytes, attempt: int) -> bytes:
    """Return the 16 bytes an attempt is remembered under: SHA-256 of its identity, cut.

    The identity is (key, id, attempt), spelled `tenant/authority`, 0x00, the
    16 bytes of the id, and the attempt as two bytes, big-endian.
    """
    return sha256(b"%b\0%b%b" % (key, intent_id, attempt.to_bytes(2, "big"))).digest()[:16]
