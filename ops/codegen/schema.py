"""Read the Avro schemas of `schemas/` into a small tree."""

from __future__ import annotations

import json
import keyword
from dataclasses import dataclass
from pathlib import Path

from placet.model import evolution

PRIMITIVES = frozenset({"int", "long", "boolean", "string", "bytes"})
KINDS = ("record", "fixed", "array", "map")
REQUIRED = object()
"""The default of a field that has none."""


@dataclass(frozen=True, slots=True)
class Type:
    """One type: `kind` is a primitive, `record`, `fixed`, `array`, `map` or `maybe` (a union of null and `item`).

    `built` says of a record that is read in another version than it was written
    how each field of its class comes about: by the written field of that name,
    or, where that is empty, as this Python expression.
    """

    kind: str
    name: str = ""
    doc: str = ""
    size: int = 0
    item: Type | None = None
    fields: tuple[Field, ...] = ()
    built: tuple[tuple[str, str], ...] | None = None

    @property
    def inner(self) -> Type:
        """Return the type of an element, of a map's value, or of what may be null."""
        assert self.item is not None, f"{self.kind} has no inner type"
        return self.item

    def least(self) -> int:
        """Return the fewest bytes a value of this type takes, by which a count is bounded."""
        if self.kind == "fixed":
            return self.size
        if self.kind == "record":
            return sum(field.type.least() for field in self.fields)
        return 1


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    name: str
    type: Type
    doc: str
    default: object = REQUIRED
    aliases: tuple[str, ...] = ()


def read(path: Path) -> Type:
    """Return the record in the schema file `path`; raise ValueError naming what the generator does not cover."""
    found = _read(json.loads(path.read_text("utf-8")), {}, path.stem)
    if found.kind != "record":
        raise ValueError(f"{path.name}: a {found.kind}, expected a record")
    return found


def _read(node: object, known: dict[str, Type], where: str) -> Type:
    if isinstance(node, str):
        if node in PRIMITIVES:
            return Type(node)
        if node in known:
            return known[node]
        raise ValueError(f"{where}: no type `{node}`; expected a primitive or a name defined before it")
    if isinstance(node, list):
        if len(node) != 2 or node[0] != "null":
            raise ValueError(f"{where}: a union of {node}, expected null and one other type, null first")
        return Type("maybe", item=_read(node[1], known, where))
    if not isinstance(node, dict):
        raise ValueError(f"{where}: {node!r} is not a type")
    kind = node["type"]
    if kind in PRIMITIVES:
        return Type(kind)
    if kind not in KINDS:
        raise ValueError(f"{where}: type `{kind}` is not one of {', '.join(sorted(PRIMITIVES))}, {', '.join(KINDS)}")
    if kind == "array":
        return Type("array", item=_read(node["items"], known, where))
    if kind == "map":
        return Type("map", item=_read(node["values"], known, where))
    if kind == "fixed":
        made = Type("fixed", node["name"], size=node["size"])
    else:
        fields = tuple(_field(each, known, where) for each in node["fields"])
        made = Type("record", node["name"], node.get("doc", ""), fields=fields)
    known[made.name] = made
    return made


def _field(node: dict[str, object], known: dict[str, Type], where: str) -> Field:
    name = str(node["name"])
    if keyword.iskeyword(name) or name.startswith("_"):
        raise ValueError(f"{where}: a field cannot be called `{name}` in Python")
    kind = _read(node["type"], known, f"{where}.{name}")
    aliases = node.get("aliases", ())
    assert isinstance(aliases, list | tuple)
    return Field(name, kind, str(node.get("doc", "")), node.get("default", REQUIRED), tuple(map(str, aliases)))


def fingerprint(path: Path) -> bytes:
    """Return the SHA-256 of the Parsing Canonical Form of the schema in `path`."""
    return evolution.fingerprint(json.loads(path.read_text("utf-8")))
