"""Where a condition turns: for each integer it compares, the values on both sides of each turning point."""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache

import msgspec

from placet.model.case import LABELS, LEVEL_HIGH, LEVEL_MEDIUM, Case
from placet.policy.checked import Node
from placet.policy.expressions import Expression
from placet.policy.quantities import SCORE_MAX, reach, value_at
from placet.policy.reading import path_of
from placet.policy.shape import RISKS, Path

ORDER = ("_<_", "_<=_", "_>_", "_>=_")
LEVELS = {"low": (0, LEVEL_MEDIUM - 1), "medium": (LEVEL_MEDIUM, LEVEL_HIGH - 1), "high": (LEVEL_HIGH, SCORE_MAX)}
"""The scores each level is the name of."""
Number = int | Fraction
Line = tuple[Number, Number]
Known = Callable[[Path], int | None]


class Comparison(msgspec.Struct, frozen=True):
    """One order in a condition and the integers it turns on; or the range a level or a label is the name of."""

    node: Node
    paths: tuple[Path, ...]
    low: int = 0
    high: int = -1


@lru_cache(maxsize=4096)
def comparisons(condition: Expression) -> tuple[Comparison, ...]:
    """Return every comparison of a condition that has turning points.

    Only orders give them (`<`, `<=`, `>`, `>=`, of anything linear in an integer), and the name of
    a risk level or of a sensitivity, which is a range of an order. Equality, `in` and patterns never do:
    a bound would then tell what is in a set.
    """
    found = []
    for node in walk(condition.tree):
        if node.kind == "call" and node.name in ORDER:
            paths = {path for part in walk(node) if (path := path_of(part)) and reach(path)}
            found += [Comparison(node, tuple(sorted(paths)))] if paths else []
        elif node.kind == "call" and node.name in ("_==_", "_!=_") and (named := named_range(node)):
            found.append(Comparison(node, named[:1], *named[1:]))
    return tuple(found)


def turns(condition: Expression, case: Case, root: str = "") -> Iterator[tuple[Path, int]]:
    """Yield (path, value) for each integer of `case` that a comparison turns on, all else as it is; of `root` alone if given."""
    for one in comparisons(condition):
        for path in one.paths:
            if root and path[0] != root:
                continue
            if one.low <= one.high:
                yield from ((path, value) for value in (one.low - 1, one.low, one.high, one.high + 1))
            else:
                yield from ((path, value) for value in _order(one.node, path, case))


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and every node below it."""
    yield node
    for part in node.parts:
        yield from walk(part)


def named_range(node: Node) -> tuple[Path, int, int] | None:
    """Return (path, least, greatest) of an equality with a level's or a label's name, or None."""
    left, right = node.parts
    path, name = (path_of(left), right) if right.kind == "const" else (path_of(right), left)
    if path is None:
        return None
    if path[0] in RISKS and path[1:] == ("risk", "level") and name.value in LEVELS:
        return ((path[0], "risk", "score"), *LEVELS[name.value])
    if path in (("resource", "sensitivity"), ("session", "sensitivity")) and name.value in LABELS:
        rank = LABELS.index(name.value)
        return ((path[0], "rank"), rank, rank)
    return None


def _order(node: Node, path: Path, case: Case) -> Iterator[int]:
    """Yield the values on both sides of where an order turns on the integer at `path`."""
    return around(node, path, lambda read: value_at(case, read))


def around(node: Node, path: Path, known: Known) -> Iterator[int]:
    """Yield the integers on both sides of where an order turns on the one at `path`; nothing where the rest is not known."""
    a, b = (line(part, path, known) for part in node.parts)
    if a is None or b is None or a[0] == b[0]:
        return
    rise, over = b[1] - a[1], a[0] - b[0]
    low, high = rise // over, -(-rise // over)
    if low == high:
        # It turns before the point itself where that lies with what is above it: `x < 5` and `x >= 5` between 4 and 5.
        turns_before = (node.name in ("_<_", "_>=_")) is (a[0] > b[0])
        low, high = low - turns_before, low - turns_before + 1
    yield from (low, high)


def line(node: Node, path: Path, known: Known) -> Line | None:
    """Return (a, b) where `node` is a·x + b of the integer x at `path`, or None where it is not or is not known."""
    if node.kind == "const":
        finite = node.type in ("int", "double") and math.isfinite(node.value)
        return (0, node.value if node.type == "int" else Fraction(node.value)) if finite else None
    read = path_of(node)
    if read is not None:
        if read == path:
            return (1, 0)
        value = known(read)
        return None if value is None else (0, value)
    if node.kind != "call" or node.name not in ("_+_", "_-_", "_*_", "-_"):
        return None
    lines = [line(part, path, known) for part in node.parts]
    if any(one is None for one in lines):
        return None
    return _combined(node.name, [one for one in lines if one is not None])


def _combined(name: str, lines: list[Line]) -> Line | None:
    a, b = lines[0]
    if name == "-_":
        return (-a, -b)
    c, d = lines[1]
    if name == "_+_":
        return (a + c, b + d)
    if name == "_-_":
        return (a - c, b - d)
    return None if a and c else (a * d + b * c, b * d)
