"""The checked tree of a condition, read from the bytes the CEL library gives.

The bytes are a `google.protobuf.Any` around a `cel.expr.CheckedExpr`
(cel-spec, proto/cel/expr/checked.proto and syntax.proto). Varints and
length-delimited fields are all that is in them, so the reader is its own.
"""

import struct
from typing import Any

import msgspec

_Fields = dict[int, list[Any]]


class Node(msgspec.Struct):
    """One node: what it is, its type as the checker sees it, and its parts.

    `kind` is const, ident, select, has, call, list, map or fold. `name` is the
    identifier, the field, the function or the fold's variable; `value` a constant.
    `parts` are operand and arguments, elements, or of a fold: range, start, condition, step, result.
    """

    id: int
    kind: str
    type: str = "dyn"
    name: str = ""
    value: Any = None
    parts: tuple["Node", ...] = ()
    second: str = ""  # a fold's accumulator
    offset: int = 0  # code points from the start of the text


def read(serialized: bytes) -> Node:
    """Return the root of the checked tree in `serialized`; ValueError when it is not one."""
    envelope = _fields(serialized)
    if not envelope.get(1, [b""])[0].endswith(b"/cel.expr.CheckedExpr"):
        raise ValueError("not a cel.expr.CheckedExpr in a google.protobuf.Any")
    checked = _fields(envelope[2][0])
    types = {}
    for entry in checked.get(3, ()):
        pair = _fields(entry)
        types[_first(pair, 1, 0)] = _type(pair.get(2, [b""])[0])
    offsets = {}
    for entry in _fields(_first(checked, 5, b"")).get(4, ()):
        pair = _fields(entry)
        offsets[_first(pair, 1, 0)] = _first(pair, 2, 0)
    return _node(checked[4][0], types, offsets)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _fields(data: bytes) -> _Fields:
    fields: _Fields = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        value: Any
        if kind == 0:
            value, at = _varint(data, at)
        elif kind == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        elif kind == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _first(fields: _Fields, number: int, otherwise: Any) -> Any:
    return fields[number][0] if number in fields else otherwise


_PRIMITIVE = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}


def _type(data: bytes) -> str:
    fields = _fields(data)
    if 3 in fields:
        return _PRIMITIVE.get(fields[3][0], "other")
    if 6 in fields:
        return f"list<{_type(_first(_fields(fields[6][0]), 1, b''))}>"
    if 7 in fields:
        pair = _fields(fields[7][0])
        return f"map<{_type(_first(pair, 1, b''))}, {_type(_first(pair, 2, b''))}>"
    if 9 in fields:
        return str(fields[9][0].decode())
    if 2 in fields:
        return "null"
    return "dyn" if 1 in fields or not fields else "other"


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _constant(data: bytes) -> tuple[str, Any]:
    fields = _fields(data)
    if 1 in fields:
        return "null", None
    if 2 in fields:
        return "bool", bool(fields[2][0])
    if 3 in fields:
        return "int", _signed(fields[3][0])
    if 4 in fields:
        return "uint", fields[4][0]
    if 5 in fields:
        return "double", fields[5][0]
    if 6 in fields:
        return "string", fields[6][0].decode()
    if 7 in fields:
        return "bytes", fields[7][0]
    return "other", None


def _node(data: bytes, types: dict[int, str], offsets: dict[int, int]) -> Node:
    fields = _fields(data)
    number = _first(fields, 2, 0)
    node = Node(number, "other", types.get(number, "dyn"), offset=offsets.get(number, 0))

    def child(part: bytes) -> Node:
        return _node(part, types, offsets)

    if 3 in fields:
        node.kind = "const"
        node.type, node.value = _constant(fields[3][0])
    elif 4 in fields:
        node.kind, node.name = "ident", _first(_fields(fields[4][0]), 1, b"").decode()
    elif 5 in fields:
        select = _fields(fields[5][0])
        node.kind = "has" if _first(select, 3, 0) else "select"
        node.name, node.parts = select[2][0].decode(), (child(select[1][0]),)
    elif 6 in fields:
        call = _fields(fields[6][0])
        node.kind, node.name = "call", call[2][0].decode()
        node.parts = tuple(child(part) for part in call.get(1, []) + call.get(3, []))
    elif 7 in fields:
        made = _fields(fields[7][0])
        node.kind = "other" if 2 in made else "list"
        node.parts = tuple(child(part) for part in made.get(1, ()))
    elif 8 in fields:
        node.kind = "map"
        for entry in _fields(fields[8][0]).get(2, ()):
            pair = _fields(entry)
            node.parts += tuple(child(pair[n][0]) for n in (3, 4) if n in pair)
    elif 9 in fields:
        fold = _fields(fields[9][0])
        node.kind = "other" if 8 in fold else "fold"
        node.name, node.second = _first(fold, 1, b"").decode(), _first(fold, 3, b"").decode()
        node.parts = tuple(child(fold[n][0]) for n in (2, 4, 5, 6, 7))
    return node
