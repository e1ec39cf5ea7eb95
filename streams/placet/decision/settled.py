"""What is remembered of every attempt until its deadline: enough to hear a repeat, and to refuse another content."""

import struct
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

ROW = struct.Struct(">16sQQHH20s20s")
"""A row of `desk_change.settled`, big-endian: slot, seq of the first answer, deadline in ms, attempt, flags,
first 20 bytes of the intent digest, first 20 bytes of the action digest. 76 bytes."""
REST = struct.Struct(">QQHH20s20s")
TRANSIENT_FLAG = 1
"""The attempt ended in a transient refusal: attempt + 1 may be asked."""
CUT = 20

TIERS: tuple[int, ...] = (7 * 60_000 + 30_000, 84 * 3_600_000)
"""Widths of the buckets, ms: half of 15 minutes, and half of 7 days. A lookup probes three of each at most."""


class Settled(NamedTuple):
    """The newest attempt heard under one slot."""

    seq: int
    deadline: int
    attempt: int
    flags: int
    intent_digest: bytes
    action_digest: bytes


class SettledTable:
    """Slots by the deadline of their attempt, in few coarse buckets, so that a whole bucket is forgotten at once.

    An id may come again with another deadline and then lies in another
    bucket, so a lookup probes every open one.
    """

    def __init__(self) -> None:
        self._buckets: dict[tuple[int, int], dict[bytes, bytes]] = {}
        self._undo: list[tuple[dict[bytes, bytes], bytes, bytes | None]] = []

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets.values())

    def find(self, slot: bytes) -> Settled | None:
        """Return the newest attempt under `slot`, or None where nothing is remembered."""
        row = self.row(slot)
        return None if row is None else Settled._make(REST.unpack(row))

    def row(self, slot: bytes) -> bytes | None:
        """Return the packed row (REST) under `slot`, or None."""
        for bucket in self._buckets.values():
            row = bucket.get(slot)
            if row is not None:
                return row
        return None

    def put(self, slot: bytes, row: bytes, deadline: int, instant: int) -> None:
        """Remember a packed row (REST) until `deadline`, in place of what was under `slot`."""
        width = TIERS[0] if deadline - instant <= 2 * TIERS[0] else TIERS[1]
        place = (width, deadline // width)
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = self._buckets[place] = {}
        undo = self._undo
        if len(self._buckets) > 1:
            for other in self._buckets.values():
                if other is not bucket and slot in other:
                    undo.append((other, slot, other.pop(slot)))
        undo.append((bucket, slot, bucket.get(slot)))
        bucket[slot] = row

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
                bucket.pop(slot, None)
            else:
                bucket[slot] = row
        self._undo.clear()

    def rows(self) -> Iterator[bytes]:
        """Yield every remembered row, packed as ROW, in order of slots."""
        everything = {slot: row for bucket in self._buckets.values() for slot, row in bucket.items()}
        for slot in sorted(everything):
            yield slot + everything[slot]


def slot_of(key: bytes, intent_id: bytes, attempt: int) -> bytes:
    """Return the 16 bytes an attempt is remembered under: SHA-256 of its identity, cut.

    The identity is (key, id, attempt), spelled `tenant/authority`, 0x00, the
    16 bytes of the id, and the attempt as two bytes, big-endian.
    """
    return sha256(b"%b\0%b%b" % (key, intent_id, attempt.to_bytes(2, "big"))).digest()[:16]
