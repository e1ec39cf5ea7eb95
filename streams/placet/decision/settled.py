"""What is remembered of every attempt until its deadline: enough to hear a repeat, and to refuse another content."""

import struct
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from placet.decision.shard import ROW_SIZE, SLOT_SIZE, WHOLE, Shard

IDENTITY = struct.Struct(">x16sH")
"""What an attempt is remembered under, behind its key."""
REST = struct.Struct(">QQHH20s20s")
"""A row (ROW) without its slot."""
DEADLINES, TAG = struct.Struct(">24xQ44x"), struct.Struct(">BQ")
"""Of a row its deadline alone; of a slot the number of its shard, and where to look there."""
TRANSIENT_FLAG = 1
"""The attempt ended in a transient refusal: attempt + 1 may be asked."""
CUT = 20

TIERS: tuple[int, ...] = (7 * 60_000 + 30_000, 84 * 3_600_000)
"""Widths of the buckets, ms: half of 15 minutes, and half of 7 days. A lookup probes three of each at most."""

SHARDS = 16
"""Parts of a bucket: one is laid out anew in 10 ms where a million rows are remembered, and no batch waits longer."""


class Settled(NamedTuple):
    """The newest attempt heard under one slot."""

    seq: int
    deadline: int
    attempt: int
    flags: int
    intent_digest: bytes
    action_digest: bytes


class _Bucket:
    """Rows whose deadlines lie near each other."""

    __slots__ = ("shards",)

    def __init__(self) -> None:
        self.shards = [Shard() for _ in range(SHARDS)]

    def __len__(self) -> int:
        for shard in self.shards:
            shard.lay_out()
        return sum(len(shard.rows) for shard in self.shards) // ROW_SIZE

    def fill(self, rows: bytes) -> None:
        """Hold many packed rows (ROW)."""
        parts: list[list[bytes]] = [[] for _ in range(SHARDS)]
        for (row,) in WHOLE.iter_unpack(rows):
            parts[row[0] & SHARDS - 1].append(row)
        for shard, part in zip(self.shards, parts, strict=True):
            if part:
                shard.fill(b"".join(part))

    def rows(self) -> Iterator[bytes]:
        """Yield every row (ROW)."""
        for shard in self.shards:
            shard.lay_out()
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
        self._undo: list[tuple[Shard, bytes, int, bytes | None]] = []

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
            shard = bucket.shards[first & SHARDS - 1]
            start = shard.find(slot, tag)
            if start >= 0:
                row = bytes(shard.rows[start + SLOT_SIZE : start + ROW_SIZE])
                # A row begins with its seq, big-endian.
                if newest is None or row > newest:
                    newest = row
        return newest

    def put(self, slot: bytes, row: bytes, deadline: int, instant: int) -> None:
        """Remember a packed row (REST) until `deadline`, in place of what was under `slot`."""
        first, tag = TAG.unpack_from(slot)
        shard = self._bucket(deadline, instant).shards[first & SHARDS - 1]
        self._undo.append((shard, slot, tag, shard.put(slot, row, tag)))

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
        parts: dict[int, list[bytes]] = {}
        for (row,), deadline in zip(WHOLE.iter_unpack(rows), deadlines, strict=True):
            if deadline > now:
                parts.setdefault(deadline, []).append(row)
        for deadline, part in parts.items():
            self._bucket(deadline, instant).fill(b"".join(part))
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
        for shard, slot, tag, row in reversed(self._undo):
            if row is None:
                shard.take_back(tag)
            else:
                shard.put(slot, row, tag)
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
    return sha256(key + IDENTITY.pack(intent_id, attempt)).digest()[:16]
