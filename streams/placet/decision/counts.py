"""What was spent of one limit in one scope, added up: each amount counts for the window that its grant was given under."""

from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

import msgspec

from placet.decision.arrow import NEVER
from placet.model.codec.desk_change import Bucket, Meter


class Part(NamedTuple):
    """What was spent over one window: as it is written, and for adding up, the ends of its buckets and the sums up to each."""

    row: Meter
    ends: tuple[int, ...]
    sums: tuple[int, ...]

    def spent(self, instant: int) -> int:
        """Return what still counts at `instant`; a window of 0 is one without an end."""
        window_ms, total = self.row.window_ms, self.sums[-1]
        if not window_ms or self.ends[0] + window_ms > instant:
            return total
        gone = bisect_right(self.ends, instant - window_ms)
        return total - self.sums[gone - 1] if gone else total

    def is_over(self, instant: int) -> bool:
        """Return whether nothing of it counts any more."""
        return bool(self.row.window_ms) and self.ends[-1] + self.row.window_ms <= instant


class Count(msgspec.Struct, frozen=True, gc=False):
    """What was spent of one limit in one scope and measure, over each window that it was spent under.

    An amount counts for the window that its grant was given under, whatever the limit says later. Up to `until`, ms,
    all of it counts.
    """

    parts: tuple[Part, ...]
    total: int
    until: int

    def spent(self, instant: int) -> int:
        """Return what still counts at `instant`."""
        return self.total if instant < self.until else sum([part.spent(instant) for part in self.parts])

    def falls_to(self, most: int, instant: int) -> int | None:
        """Return the first ms after `instant` at which no more than `most` counts by the clock alone, or None."""
        left = self.spent(instant)
        for at, amount in sorted(
            (bucket.last + part.row.window_ms, bucket.amount)
            for part in self.parts
            if part.row.window_ms
            for bucket in part.row.buckets
        ):
            if at > instant:
                left -= amount
                if left <= most:
                    return at
        return None

    def over(self, window_ms: int) -> Part | None:
        """Return what was spent over one window, or None."""
        for part in self.parts:
            if part.row.window_ms == window_ms:
                return part
        return None

    def with_(self, row: Meter) -> "Count":
        """Return the count with one row in place of what there was over its window."""
        return count_of([*(part for part in self.parts if part.row.window_ms != row.window_ms), part_of(row)])

    def plus(self, part: Part, amount: int, seq: int) -> "Count":
        """Return the count with so much more in the newest bucket of a part of it."""
        key, limit, scope, _, window_ms, buckets, measure = part.row
        last, before = buckets[-1]
        newest = tuple.__new__(Bucket, (last, before + amount))
        row = tuple.__new__(Meter, (key, limit, scope, seq, window_ms, (*buckets[:-1], newest), measure))
        more = tuple.__new__(Part, (row, part.ends, (*part.sums[:-1], part.sums[-1] + amount)))
        if len(self.parts) == 1:
            return Count((more,), self.total + amount, self.until)
        return Count(tuple([more if one is part else one for one in self.parts]), self.total + amount, self.until)

    def without(self, row: Meter) -> "Count | None":
        """Return the count without a row, None where nothing is left."""
        rest = [part for part in self.parts if part.row is not row]
        return count_of(rest) if rest else None


def part_of(row: Meter) -> Part:
    """Return what is written of one window, added up."""
    ends = tuple([bucket.last for bucket in row.buckets])
    return Part(row, ends, tuple(accumulate([bucket.amount for bucket in row.buckets])))


def first_of(row: Meter) -> Count:
    """Return what was spent first: one amount in one bucket of one window."""
    last, amount = row.buckets[0]
    part = tuple.__new__(Part, (row, (last,), (amount,)))
    return Count((part,), amount, last + row.window_ms if row.window_ms else NEVER)


def count_of(parts: list[Part]) -> Count:
    """Return what was spent over several windows; at least one."""
    parts = sorted(parts, key=lambda part: part.row.window_ms)
    until = min(part.ends[0] + part.row.window_ms if part.row.window_ms else NEVER for part in parts)
    return Count(tuple(parts), sum([part.sums[-1] for part in parts]), until)
