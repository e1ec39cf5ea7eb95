"""Rows of one part of a bucket, end to end, found through a table of numbers beside them."""

import struct
from array import array
from collections.abc import Iterable

ROW = struct.Struct(">16sQQHH20s20s")
"""A row of `desk_change.settled`, big-endian: slot, seq of the first answer, deadline in ms, attempt, flags,
first 20 bytes of the intent digest, first 20 bytes of the action digest. 76 bytes."""
WHOLE, TAGS = struct.Struct("76s"), struct.Struct(">BQ67x")
"""A row whole; of a row, the first byte of its slot and where to look for it."""
SLOT_SIZE, ROW_SIZE = 16, ROW.size
ENTRIES_LEAST = 16
NUMBER_BITS = 24
NUMBER = (1 << NUMBER_BITS) - 1
NO_ENTRIES = array("Q")


class Shard:
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
        try:
            while entry := entries[at]:
                if (entry ^ tag) <= NUMBER:
                    start = ((entry & NUMBER) - 1) * ROW_SIZE
                    if self.rows.startswith(slot, start):
                        return start
                at = at + 1 & mask
        except IndexError:  # no table: rows were filled in since
            self.lay_out()
            return self.find(slot, tag)
        return -1

    def fill(self, rows: bytes) -> None:
        """Add many rows (ROW), whatever slots are here. The table is laid out again when it is next asked."""
        self.rows += rows
        self._entries = NO_ENTRIES

    def lay_out(self) -> None:
        """Lay out the table of rows that were filled in; of those under one slot the one of the greatest seq stands."""
        if self._entries:
            return
        replaced = self._enter()
        if replaced:
            rows = enumerate(WHOLE.iter_unpack(self.rows), 1)
            self.rows = bytearray().join(row for number, (row,) in rows if number not in replaced)
            self._enter()

    def _enter(self) -> set[int]:
        """Enter every row into a table made for as many, and return the numbers of those that stand elsewhere now."""
        rows, replaced = self.rows, set[int]()
        self._spread(max(ENTRIES_LEAST, 1 << (2 * (len(rows) // ROW.size) - 1).bit_length()))
        entries, mask = self._entries, self._mask
        for number, (_, tag) in enumerate(TAGS.iter_unpack(rows), 1):
            at = tag >> NUMBER_BITS & mask
            while entry := entries[at]:
                if (entry ^ tag) <= NUMBER:
                    before, here = ((entry & NUMBER) - 1) * ROW.size, (number - 1) * ROW.size
                    if rows.startswith(rows[here : here + SLOT_SIZE], before):
                        # A row goes on with its seq, big-endian.
                        newest = max(rows[before : before + ROW.size], rows[here : here + ROW.size])
                        rows[before : before + ROW.size] = newest
                        replaced.add(number)
                        break
                at = at + 1 & mask
            else:
                entries[at] = tag & ~NUMBER | number
        return replaced

    def put(self, slot: bytes, rest: bytes, tag: int) -> bytes | None:
        """Hold a row (ROW) of `slot` and the rest; return the rest that it takes the place of, if any."""
        entries, mask, rows = self._entries, self._mask, self.rows
        at = tag >> NUMBER_BITS & mask
        try:
            while entry := entries[at]:
                if (entry ^ tag) <= NUMBER:
                    end = (entry & NUMBER) * ROW_SIZE
                    if rows.startswith(slot, end - ROW_SIZE):
                        before = bytes(rows[end - ROW_SIZE + SLOT_SIZE : end])
                        rows[end - ROW_SIZE + SLOT_SIZE : end] = rest
                        return before
                at = at + 1 & mask
        except IndexError:  # no table, as in `find`
            self.lay_out()
            return self.put(slot, rest, tag)
        rows += slot + rest
        number = len(rows) // ROW_SIZE
        entries[at] = tag & ~NUMBER | number
        if number > self._most:
            self._spread(2 * len(entries), entries)
        return None

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
        entries_, mask = self._entries, self._mask
        for entry in entries:
            if entry:
                at = entry >> NUMBER_BITS & mask
                while entries_[at]:
                    at = at + 1 & mask
                entries_[at] = entry

    def _place(self, entry: int) -> None:
        entries, mask = self._entries, self._mask
        at = entry >> NUMBER_BITS & mask
        while entries[at]:
            at = at + 1 & mask
        entries[at] = entry
