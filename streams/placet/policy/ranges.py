"""Sets of integers as ranges, and sets of texts by what is or is not in them: what a clause leaves possible."""

from collections.abc import Iterable

import msgspec

Range = tuple[int, int]


class Ints(msgspec.Struct, frozen=True):
    """A set of integers: disjoint inclusive ranges, ascending."""

    ranges: tuple[Range, ...]

    def meet(self, other: "Ints") -> "Ints":
        """Return what is in both."""
        found = ((max(a, c), min(b, d)) for a, b in self.ranges for c, d in other.ranges)
        return Ints(tuple(sorted(one for one in found if one[0] <= one[1])))

    def without(self, other: "Ints") -> "Ints":
        """Return what is in this and not in `other`."""
        left = self
        for low, high in other.ranges:
            pieces = ((a, b) for r in left.ranges for a, b in ((r[0], min(r[1], low - 1)), (max(r[0], high + 1), r[1])))
            left = Ints(tuple(sorted(one for one in pieces if one[0] <= one[1])))
        return left

    def __bool__(self) -> bool:
        return bool(self.ranges)


class Texts(msgspec.Struct, frozen=True):
    """A set of texts: those named, or with `others` all but those named."""

    named: frozenset[str]
    others: bool = False

    def meet(self, other: "Texts") -> "Texts":
        """Return what is in both."""
        if self.others and other.others:
            return Texts(self.named | other.named, True)
        if self.others:
            return Texts(other.named - self.named)
        return Texts(self.named - other.named if other.others else self.named & other.named)

    def without(self, other: "Texts") -> "Texts":
        """Return what is in this and not in `other`."""
        return self.meet(Texts(other.named, not other.others))

    def __bool__(self) -> bool:
        return self.others or bool(self.named)


ANY_TEXT = Texts(frozenset(), True)


def ints(values: Iterable[int]) -> Ints:
    """Return a set of single integers."""
    return Ints(tuple((value, value) for value in sorted(set(values))))


def texts(values: Iterable[str]) -> Texts:
    """Return a set of the texts named."""
    return Texts(frozenset(values))
