"""What a condition reads: its paths, and which of them a `has()` guards."""

from collections.abc import Iterator

import msgspec

from placet.policy.checked import Node
from placet.policy.shape import Path, guard_of

_Known = frozenset[Path]
_NONE: _Known = frozenset()


class Read(msgspec.Struct, frozen=True):
    """One read of a path. `tested`: inside `has()`; `known`: what is promised to be there at this place."""

    path: Path
    tested: bool
    known: frozenset[Path]
    offset: int


def path_of(node: Node, bound: frozenset[str] = frozenset()) -> Path | None:
    """Return the path a chain of selections spells, or None when it does not start at a variable of a case."""
    if node.kind == "ident":
        return None if node.name in bound else (node.name,)
    if node.kind in ("select", "has"):
        below = path_of(node.parts[0], bound)
        return below and (*below, node.name)
    if node.kind == "call" and node.name == "_[_]" and node.parts[1].kind == "const":
        below = path_of(node.parts[0], bound)
        key = node.parts[1].value
        return (*below, key) if below and isinstance(key, str) else None
    return None


def tested_path(node: Node, bound: frozenset[str]) -> Path | None:
    """Return the path whose presence this node asks for: `has(a.b)` or `'b' in a`."""
    if node.kind == "has":
        return path_of(node, bound)
    if node.kind == "call" and node.name == "@in" and node.parts[0].kind == "const":
        holder = node.parts[1]
        below = path_of(holder, bound)
        key = node.parts[0].value
        if below and isinstance(key, str) and (holder.type.startswith("map") or below == ("arguments",)):
            return (*below, key)
    return None


def reads(node: Node, bound: frozenset[str] = frozenset(), known: _Known = _NONE) -> Iterator[Read]:
    """Yield every read below `node`, each with what is known to be present where it stands.

    In `a && b` the value of `b` matters only when `a` is true, and the other
    way round, since CEL's `&&` commutes; so each side knows what the other promises.
    """
    tested = tested_path(node, bound)
    path = tested or path_of(node, bound)
    if path is not None:
        yield Read(path, tested is not None, known, node.offset)
    elif node.kind == "call" and node.name == "_&&_":
        left, right = node.parts
        yield from reads(left, bound, known | _promise(right, True, bound))
        yield from reads(right, bound, known | _promise(left, True, bound))
    elif node.kind == "call" and node.name == "_||_":
        left, right = node.parts
        yield from reads(left, bound, known | _promise(right, False, bound))
        yield from reads(right, bound, known | _promise(left, False, bound))
    elif node.kind == "call" and node.name == "_?_:_":
        asked, then, otherwise = node.parts
        yield from reads(asked, bound, known)
        yield from reads(then, bound, known | _promise(asked, True, bound))
        yield from reads(otherwise, bound, known | _promise(asked, False, bound))
    elif node.kind == "fold":
        inner = bound | {node.name, node.second}
        yield from reads(node.parts[0], bound, known)
        for part in node.parts[1:]:
            yield from reads(part, inner, known)
    else:
        for part in node.parts:
            yield from reads(part, bound, known)


def _promise(node: Node, value: bool, bound: frozenset[str]) -> _Known:
    """Return what is present whenever `node` comes out as `value`."""
    path = tested_path(node, bound)
    if path is not None:
        return frozenset({guard_of(path)}) if value else _NONE
    if node.kind != "call":
        return _NONE
    if node.name == "!_":
        return _promise(node.parts[0], not value, bound)
    if node.name in ("_&&_", "_||_"):
        left, right = (_promise(part, value, bound) for part in node.parts)
        return left | right if (node.name == "_&&_") is value else left & right
    return _NONE
