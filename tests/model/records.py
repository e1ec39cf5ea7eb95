"""Random records of any schema, in the plain form of fastavro and as the tuples of the codecs."""

import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import fastavro
from hypothesis import strategies as st

from placet.model.codec import BY_NAME

SCHEMAS = Path(__file__).parents[2] / "schemas"
SOURCES: dict[str, Any] = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.avsc"))}
PARSED = {name: fastavro.parse_schema(source) for name, source in SOURCES.items()}
NAMES = sorted(SOURCES)


def codec(name: str) -> Any:
    return BY_NAME[name]


def avro_bytes(name: str, plain: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    fastavro.schemaless_writer(sink, PARSED[name], plain)
    return sink.getvalue()


def avro_value(name: str, payload: bytes) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(payload), PARSED[name], None)


def plain_of(value: Any) -> Any:
    """Return a codec's tuple as fastavro has it: dicts for records, lists for arrays."""
    if hasattr(value, "_fields"):
        return {name: plain_of(getattr(value, name)) for name in value._fields}
    if isinstance(value, tuple):
        return [plain_of(item) for item in value]
    if isinstance(value, dict):
        return {name: plain_of(item) for name, item in value.items()}
    return value


def tuple_of(name: str, plain: dict[str, Any]) -> Any:
    """Return fastavro's plain record as the tuple of its codec."""
    named: dict[str, Any] = {}
    return _tuple(codec(name), SOURCES[name], plain, named)


def _tuple(module: ModuleType, schema: Any, value: Any, named: dict[str, Any]) -> Any:
    schema = _known(schema, named)
    if isinstance(schema, list):
        return None if value is None else _tuple(module, schema[1], value, named)
    if not isinstance(schema, dict):
        return value
    if schema["type"] == "array":
        return tuple(_tuple(module, schema["items"], item, named) for item in value)
    if schema["type"] != "record":
        return value
    # The schemas of nested types are met in order, also where an array of them is empty.
    fields = {each["name"]: each["type"] for each in schema["fields"]}
    _gather(schema, named)
    return getattr(module, schema["name"])(**{key: _tuple(module, fields[key], value[key], named) for key in fields})


def records(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return random plain records of one schema."""
    named: dict[str, Any] = {}
    _gather(SOURCES[name], named)
    return _values(SOURCES[name], named)


def _values(schema: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    schema = _known(schema, named)
    if isinstance(schema, list):
        return st.none() | _values(schema[1], named)
    if isinstance(schema, str):
        return PRIMITIVES[schema]
    if schema["type"] == "record":
        return st.fixed_dictionaries({each["name"]: _values(each["type"], named) for each in schema["fields"]})
    if schema["type"] == "array":
        return st.lists(_values(schema["items"], named), max_size=3)
    if schema["type"] == "map":
        return st.dictionaries(st.text(max_size=5), _values(schema["values"], named), max_size=3)
    assert schema["type"] == "fixed", schema
    return st.binary(min_size=schema["size"], max_size=schema["size"])


def _known(schema: Any, named: dict[str, Any]) -> Any:
    return named[schema] if isinstance(schema, str) and schema in named else schema


def _gather(schema: Any, named: dict[str, Any]) -> None:
    if isinstance(schema, list):
        for branch in schema:
            _gather(branch, named)
    elif isinstance(schema, dict):
        if "name" in schema:
            named[schema["name"]] = schema
        for inside in ("items", "values"):
            _gather(schema.get(inside), named)
        for each in schema.get("fields", ()):
            _gather(each["type"], named)


def _integers(bits: int) -> st.SearchStrategy[int]:
    # Every length of encoding, both sides of each border.
    borders = [sign * (1 << place) + step for place in range(5, bits - 1) for sign in (-1, 1) for step in (-1, 0, 1)]
    ends = [-(1 << bits - 1), (1 << bits - 1) - 1]
    return st.integers(-70, 70) | st.sampled_from(borders + ends) | st.integers(*ends)


PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "int": _integers(32),
    "long": _integers(64),
    "boolean": st.booleans(),
    "string": st.text(max_size=8) | st.sampled_from(["x" * 63, "x" * 64, "é" * 5000]),
    "bytes": st.binary(max_size=8) | st.sampled_from([bytes(63), bytes(64), bytes(8191), bytes(8192)]),
}
