"""What a condition reads and asks for, worked out from the library's checked tree (cel-spec, checked.proto)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from placet.faces.auditor.packs import Action
from placet.faces.auditor.shape import FIELDS, RECORDS

Path = tuple[str, ...]
_Wire = dict[int, list[Any]]
_AND, _OR, _NOT, _IF, _IN, _AT = "_&&_", "_||_", "!_", "_?_:_", "@in", "_[_]"


class Needs(NamedTuple):
    """What must be known before a condition may run: facts, those it asks for itself, and optional parts."""

    facts: frozenset[str]
    asked: frozenset[str]
    parts: frozenset[Path]


class _Seen(NamedTuple):
    path: Path
    tested: bool
    promised: frozenset[Path]


def needs_of(program: Any, declared: Action | None) -> Needs:
    """Return what a compiled condition needs.

    A read needs its fact, unless where it stands `has()` has promised that it
    is there; then the condition settles its absence itself.
    """
    facts: set[str] = set()
    asked: set[str] = set()
    parts: set[Path] = set()
    checked = _wire(_wire(program.serialize())[2][0])
    maps = _map_types(checked)
    for seen in _reads(_wire(checked[4][0]), frozenset(), frozenset(), maps):
        fact, part = _rests_on(seen.path, declared)
        if fact:
            own = tuple(fact.split("."))
            promised = own in seen.promised or (seen.tested and _promise(seen.path) == own)
            (asked if promised else facts).add(fact)
        if part and not seen.tested and part not in seen.promised:
            parts.add(part)
    return Needs(frozenset(facts), frozenset(asked - facts), frozenset(parts))


def _rests_on(path: Path, declared: Action | None) -> tuple[str, Path]:
    """Return the fact a path comes from, and the optional part of it that must be set; each may be empty."""
    root, field = path[0], path[1] if len(path) > 1 else ""
    if root == "calendar":
        return (f"calendar.{field}" if field else ""), ()
    if root == "arguments":
        loose = declared is None or any(
            one.name == field and not one.required and not one.type.startswith(("list", "map"))
            for one in declared.arguments
        )
        return "", path[:2] if field and loose else ()
    if field == "risk" and FIELDS.get(root, {}).get("risk"):
        return f"{root}.risk", ()
    if root not in RECORDS:
        return "", ()
    if field == "attributes":
        return root, path[:3] if len(path) > 2 else ()
    return root, path[:2] if FIELDS[root].get(field, "").endswith("?") else ()


def _promise(path: Path) -> Path:
    """Return what is known to be there when `has(path)` is true."""
    root, field = path[0], path[1] if len(path) > 1 else ""
    if field == "risk" and FIELDS.get(root, {}).get("risk"):
        return path[:2]
    if root in RECORDS and field:
        if field == "attributes":
            return path[:3]
        kind = FIELDS[root].get(field, "")
        return path[:2] if kind.startswith("[") or kind.endswith("?") else path[:1]
    return path[:2]


def _reads(node: _Wire, bound: frozenset[str], promised: frozenset[Path], maps: frozenset[int]) -> Iterator[_Seen]:
    asks = _asks(node, bound, maps)
    path = asks or _path(node, bound)
    if path:
        yield _Seen(path, bool(asks), promised)
        return
    name, operands = _call(node)
    if name in (_AND, _OR):
        left, right = operands
        for one, other in ((left, right), (right, left)):
            yield from _reads(one, bound, promised | _true_when(other, name == _AND, bound, maps), maps)
    elif name == _IF:
        asked, then, otherwise = operands
        yield from _reads(asked, bound, promised, maps)
        yield from _reads(then, bound, promised | _true_when(asked, True, bound, maps), maps)
        yield from _reads(otherwise, bound, promised | _true_when(asked, False, bound, maps), maps)
    elif 9 in node:
        fold = _wire(node[9][0])
        inner = bound | {_text(fold, 1), _text(fold, 3)}
        yield from _reads(_wire(fold[2][0]), bound, promised, maps)
        for number in (4, 5, 6, 7):
            yield from _reads(_wire(fold[number][0]), inner, promised, maps)
    else:
        for part in (*operands, *_members(node)):
            yield from _reads(part, bound, promised, maps)


def _true_when(node: _Wire, value: bool, bound: frozenset[str], maps: frozenset[int]) -> frozenset[Path]:
    """Return what is there whenever `node` comes out as `value`."""
    if asks := _asks(node, bound, maps):
        return frozenset({_promise(asks)}) if value else frozenset()
    name, operands = _call(node)
    if name == _NOT:
        return _true_when(operands[0], not value, bound, maps)
    if name in (_AND, _OR):
        left, right = (_true_when(part, value, bound, maps) for part in operands)
        return left | right if (name == _AND) is value else left & right
    return frozenset()


def _asks(node: _Wire, bound: frozenset[str], maps: frozenset[int]) -> Path:
    """Return the path whose presence `has(a.b)` or `'b' in a` asks for, or nothing."""
    if 5 in node and _wire(node[5][0]).get(3, [0])[0]:
        return _path(node, bound)
    name, operands = _call(node)
    if name == _IN:
        key, holder = operands
        below = _path(holder, bound)
        if (
            below
            and (below == ("arguments",) or holder.get(2, [0])[0] in maps)
            and (text := _constant(key)) is not None
        ):
            return (*below, text)
    return ()


def _path(node: _Wire, bound: frozenset[str]) -> Path:
    """Return the path that selections and constant keys spell from a variable of the case, or nothing."""
    if 4 in node:
        name = _text(_wire(node[4][0]), 1)
        return () if name in bound else (name,)
    if 5 in node:
        select = _wire(node[5][0])
        below = _path(_wire(select[1][0]), bound)
        return (*below, _text(select, 2)) if below else ()
    name, operands = _call(node)
    if name == _AT and (key := _constant(operands[1])) is not None:
        below = _path(operands[0], bound)
        return (*below, key) if below else ()
    return ()


def _call(node: _Wire) -> tuple[str, list[_Wire]]:
    if 6 not in node:
        return "", []
    call = _wire(node[6][0])
    return _text(call, 2), [_wire(part) for part in (*call.get(1, ()), *call.get(3, ()))]


def _members(node: _Wire) -> Iterator[_Wire]:
    """Yield the parts of a list, a map, or a selection whose operand spells no path."""
    if 5 in node:
        yield _wire(_wire(node[5][0])[1][0])
    if 7 in node:
        yield from (_wire(part) for part in _wire(node[7][0]).get(1, ()))
    if 8 in node:
        for entry in _wire(node[8][0]).get(2, ()):
            pair = _wire(entry)
            yield from (_wire(pair[number][0]) for number in (3, 4) if number in pair)


def _constant(node: _Wire) -> str | None:
    held = _wire(node[3][0]) if 3 in node else {}
    return held[6][0].decode() if 6 in held else None


def _map_types(checked: _Wire) -> frozenset[int]:
    """Return the ids of nodes whose type is a map."""
    found = set()
    for entry in checked.get(3, ()):
        pair = _wire(entry)
        if 7 in _wire(pair.get(2, [b""])[0]):
            found.add(pair.get(1, [0])[0])
    return frozenset(found)


def _text(fields: _Wire, number: int) -> str:
    return str(fields[number][0].decode()) if number in fields else ""


def _wire(data: bytes) -> _Wire:
    """Return a protobuf message as field numbers to raw values: integers, or bytes not looked into."""
    fields: _Wire = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value: Any
        if tag & 7 == 0:
            value, at = _varint(data, at)
        elif tag & 7 == 1:
            value, at = data[at : at + 8], at + 8
        else:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
