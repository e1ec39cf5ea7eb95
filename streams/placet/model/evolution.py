"""Say whether a changed schema still reads, and is still read by, what others hold.

The rules are those of the Avro 1.12 specification, "Schema Resolution"; the
table `MODES` says which of them each record keeps. Schemas are parsed JSON.
"""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from hashlib import sha256
from typing import Any, NamedTuple

Schema = Any  # parsed JSON: a name, a list (union) or an object
_PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
# What a reader of the one may find written as the other.
_PROMOTED = {
    "long": {"int"},
    "float": {"int", "long"},
    "double": {"int", "long", "float"},
    "string": {"bytes"},
    "bytes": {"string"},
}


class Mode(Enum):
    """Who must read whom, over all released versions of a record."""

    BACKWARD_TRANSITIVE = "the new schema reads all that was written"
    FORWARD_TRANSITIVE = "all older readers read what is written now"
    FULL_TRANSITIVE = "both"

    @property
    def reads_old(self) -> bool:
        """Say whether the new schema must read what older ones wrote."""
        return self is not Mode.FORWARD_TRANSITIVE

    @property
    def is_read(self) -> bool:
        """Say whether older schemas must read what the new one writes."""
        return self is not Mode.BACKWARD_TRANSITIVE


# Decisions, and what executors write and read, meet readers older and newer than their writer.
MODES: Mapping[str, Mode] = dict.fromkeys(
    ("verdict", "repeat", "refusal", "seal", "outcome", "claim"), Mode.FULL_TRANSITIVE
)


HEAD = ("intent", "verdict", 9)
"""The fields that a verdict begins with are the first of its intent in their bytes, in whichever version that came."""
LAST = frozenset({"proof", "signature"})
"""What is signed is the payload before it, so it ends every version of a record or none."""


def mode_of(record: str) -> Mode:
    """Return what a record keeps: `MODES`, else BACKWARD_TRANSITIVE."""
    return MODES.get(record, Mode.BACKWARD_TRANSITIVE)


class Problem(NamedTuple):
    """One rule that a schema breaks. `against` is the id of the older schema, or None."""

    record: str
    against: int | None
    field: str
    rule: str

    def __str__(self) -> str:
        """Return one line: schema, the id it was compared with, field, rule."""
        against = "" if self.against is None else f" against id {self.against}"
        return f"schemas/{self.record}.avsc{against}: `{self.field}`: {self.rule}"


def check_all(current: Mapping[str, Schema], history: Mapping[str, Mapping[int, Schema]]) -> list[Problem]:
    """Return every rule broken by the `current` schemas, by record, against every released one, by record and id.

    A record that was released and is gone is a problem, one that was never released is none.
    """
    found = []
    for record in sorted(current.keys() | history.keys()):
        if record not in current:
            found.append(Problem(record, None, record, "was released, and has no schema any more"))
            continue
        for number, old in sorted(history.get(record, {}).items()):
            try:
                found += check(record, number, current[record], old, mode_of(record))
            except (KeyError, TypeError, AttributeError) as fault:
                found.append(Problem(record, number, record, f"one of the two is no Avro schema: {fault!r}"))
    return found + _head(current, history)


def _head(current: Mapping[str, Schema], history: Mapping[str, Mapping[int, Schema]]) -> list[Problem]:
    """Return what keeps a version of an intent from being spliced into a verdict; what is no schema is said elsewhere."""
    record, into, count = HEAD
    versions: list[tuple[int | None, Schema]] = [*history.get(record, {}).items(), (None, current.get(record))]
    found = []
    for number, schema in versions:
        try:
            pairs = list(zip(_forms(schema, count), _forms(current[into], count), strict=True))
        except (KeyError, TypeError, AttributeError, ValueError):
            continue
        rule = f"is not what `{into}` has in its place: the first {count} fields of both stay as they are"
        found += [Problem(record, number, has[0], rule) for has, expected in pairs if has != expected]
    return found


def _forms(schema: Schema, count: int) -> list[tuple[str, str]]:
    """Return the first `count` fields by name and canonical form."""
    space = schema.get("namespace", "")
    return [(field["name"], canonical_form(field["type"], space)) for field in schema["fields"][:count]]


def check(record: str, against: int, new: Schema, old: Schema, mode: Mode) -> list[Problem]:
    """Return what keeps `new` from standing beside `old`, which has the id `against`."""
    found = []
    if mode.reads_old:
        found += [Problem(record, against, where, f"new reads old: {rule}") for where, rule in unreadable(new, old)]
    for name in sorted(LAST & ({_end(new)} ^ {_end(old)})):
        found.append(Problem(record, against, name, "ends the one and not the other: what is signed is all before it"))
    if mode.is_read:
        found += [Problem(record, against, where, f"old reads new: {rule}") for where, rule in unreadable(old, new)]
    return found


def _end(schema: Schema) -> str:
    return str(schema["fields"][-1]["name"]) if schema["fields"] else ""


def unreadable(reader: Schema, writer: Schema) -> list[tuple[str, str]]:
    """Return the field and the rule of everything that keeps `reader` from reading what `writer` wrote."""
    comparison = _Comparison(_named(reader), _named(writer))
    return list(comparison.unreadable(reader, writer, _title(reader)))


class _Comparison:
    """One reader against one writer. A pair of records met again inside itself is taken as readable there."""

    def __init__(self, reads: Mapping[str, Schema], writes: Mapping[str, Schema]) -> None:
        self.reads = reads
        self.writes = writes
        self.met: set[tuple[str, str]] = set()

    def unreadable(self, reader: Schema, writer: Schema, where: str) -> Iterator[tuple[str, str]]:
        """Yield what is wrong at `where` and below."""
        reader, writer = _resolved(reader, self.reads), _resolved(writer, self.writes)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.unreadable(reader, branch, where)
        elif isinstance(reader, list):
            if all(self._tried(branch, writer) for branch in reader):
                yield where, f"no branch of the reader's union reads {_title(writer)}"
        else:
            yield from self._single(reader, writer, where)

    def _tried(self, reader: Schema, writer: Schema) -> list[tuple[str, str]]:
        met = set(self.met)
        found = list(self.unreadable(reader, writer, ""))
        self.met = met if found else self.met
        return found

    def _single(self, reader: Schema, writer: Schema, where: str) -> Iterator[tuple[str, str]]:
        reads, writes = _kind(reader), _kind(writer)
        if reads != writes:
            if writes not in _PROMOTED.get(reads, ()):
                yield where, f"{_title(reader)} does not read {_title(writer)}"
        elif reads == "array":
            yield from self.unreadable(reader["items"], writer["items"], f"{where}[]")
        elif reads == "map":
            yield from self.unreadable(reader["values"], writer["values"], f"{where}{{}}")
        elif reads in ("record", "enum", "fixed"):
            if _last(writer["name"]) not in (_last(name) for name in (reader["name"], *reader.get("aliases", ()))):
                yield where, f"the name `{reader['name']}` is not that of the writer, `{writer['name']}`"
            elif reads == "fixed" and reader["size"] != writer["size"]:
                yield where, f"a fixed of {reader['size']} bytes does not read one of {writer['size']}"
            elif reads == "enum" and "default" not in reader:
                for symbol in writer["symbols"]:
                    if symbol not in reader["symbols"]:
                        yield where, f"the writer's symbol `{symbol}` is not the reader's, which has no default"
            elif reads == "record" and (reader["name"], writer["name"]) not in self.met:
                self.met.add((reader["name"], writer["name"]))
                yield from self._fields(reader, writer, where)

    def _fields(self, reader: Schema, writer: Schema, where: str) -> Iterator[tuple[str, str]]:
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            place = f"{where}.{field['name']}"
            names = [name for name in (field["name"], *field.get("aliases", ())) if name in written]
            if names:
                yield from self.unreadable(field["type"], written[names[0]]["type"], place)
            elif "default" not in field:
                yield place, "the writer has no such field, and the reader no default for it"


def _kind(schema: Schema) -> str:
    return schema["type"] if isinstance(schema, dict) else str(schema)


def _title(schema: Schema) -> str:
    if isinstance(schema, list):
        return " or ".join(_title(branch) for branch in schema)
    if isinstance(schema, dict):
        return str(schema["name"] if "name" in schema else schema["type"])
    return str(schema)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _resolved(schema: Schema, named: Mapping[str, Schema]) -> Schema:
    # {"type": "string", "doc": ...} is a string with remarks; a name stands for its definition.
    while isinstance(schema, dict) and not isinstance(schema["type"], str):
        schema = schema["type"]
    if isinstance(schema, dict) and schema["type"] in _PRIMITIVES:
        return schema["type"]
    if isinstance(schema, str) and schema not in _PRIMITIVES:
        return named[_last(schema)]
    return schema


def _named(schema: Schema) -> dict[str, Schema]:
    """Return every named type in `schema` by its last name."""
    found: dict[str, Schema] = {}
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            if "name" in node and node["type"] in ("record", "enum", "fixed"):
                found[_last(node["name"])] = node
            waiting += [node[inside] for inside in ("type", "items", "values") if inside in node]
            waiting += [field["type"] for field in node.get("fields", ())]
    return found


def canonical_form(schema: Schema, namespace: str = "") -> str:
    """Return the Parsing Canonical Form of a schema (Avro 1.12, "Transforming into Parsing Canonical Form")."""
    if isinstance(schema, str):
        return _quoted(_full(schema, namespace))
    if isinstance(schema, list):
        return f"[{','.join(canonical_form(branch, namespace) for branch in schema)}]"
    kind = schema["type"]
    if kind in ("array", "map"):
        inside = "items" if kind == "array" else "values"
        return f'{{"type":"{kind}","{inside}":{canonical_form(schema[inside], namespace)}}}'
    if kind not in ("record", "fixed", "enum"):
        return canonical_form(kind, namespace)
    name = _full(schema["name"], schema.get("namespace", namespace))
    head = f'{{"name":{_quoted(name)},"type":"{kind}"'
    if kind == "fixed":
        return f'{head},"size":{int(schema["size"])}}}'
    if kind == "enum":
        return f'{head},"symbols":[{",".join(map(_quoted, schema["symbols"]))}]}}'
    below = name.rpartition(".")[0]
    fields = (
        f'{{"name":{_quoted(field["name"])},"type":{canonical_form(field["type"], below)}}}'
        for field in schema["fields"]
    )
    return f'{head},"fields":[{",".join(fields)}]}}'


def fingerprint(schema: Schema) -> bytes:
    """Return the SHA-256 of the Parsing Canonical Form: what digests and proofs cover of a schema."""
    return sha256(canonical_form(schema).encode()).digest()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _full(name: str, namespace: str) -> str:
    return name if name in _PRIMITIVES or "." in name or not namespace else f"{namespace}.{name}"
