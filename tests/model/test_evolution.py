"""Which changes of a schema are taken: the rules of Avro's schema resolution, both ways, over all history."""

import io
import json
from collections.abc import Callable
from typing import Any

import fastavro
import fastavro.schema
import pytest

from placet.model import evolution
from placet.model.evolution import Mode, check, check_all, mode_of, unreadable
from tests.model.records import NAMES, SCHEMAS, SOURCES

HISTORY = {
    name: {int(path.stem): json.loads(path.read_text("utf-8")) for path in (SCHEMAS / "history" / name).glob("*.avsc")}
    for name in NAMES
}


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "placet", "fields": list(fields)}


def field(name: str, kind: Any = "long", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def fixed(size: int, name: str = "F", **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size, **more}


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def array(kind: Any) -> dict[str, Any]:
    return {"type": "array", "items": kind}


def values(kind: Any) -> dict[str, Any]:
    return {"type": "map", "values": kind}


A, B = field("a"), field("b")
OLD_TREE = record(A, field("next", ["null", "R"]))

# reader, writer, what is said of it (field, part of the rule), or None where it is readable
TABLE: dict[str, tuple[Any, Any, tuple[str, str] | None]] = {
    "the same": (record(A, B), record(A, B), None),
    "another order": (record(B, A), record(A, B), None),
    "a field less": (record(A), record(A, B), None),
    "a field more": (record(A, B), record(A), ("R.b", "no default")),
    "a field more with a default": (record(A, field("b", default=0)), record(A), None),
    "a field renamed": (record(field("c")), record(A), ("R.c", "no default")),
    "a field renamed, the old name an alias": (record(field("c", aliases=["a"])), record(A), None),
    "int to long": (record(field("a", "long")), record(field("a", "int")), None),
    "long to int": (record(field("a", "int")), record(field("a", "long")), ("R.a", "int does not read long")),
    "long to double": (record(field("a", "double")), record(field("a", "long")), None),
    "double to float": (record(field("a", "float")), record(field("a", "double")), ("R.a", "does not read double")),
    "bytes to string": (record(field("a", "string")), record(field("a", "bytes")), None),
    "string to bytes": (record(field("a", "bytes")), record(field("a", "string")), None),
    "string to long": (record(field("a", "long")), record(field("a", "string")), ("R.a", "long does not read string")),
    "bytes to fixed": (record(field("a", fixed(16))), record(field("a", "bytes")), ("R.a", "F does not read bytes")),
    "a primitive with remarks": (record(field("a", {"type": "long", "doc": "ms"})), record(A), None),
    "a fixed of another size": (record(field("a", fixed(16))), record(field("a", fixed(32))), ("R.a", "16 bytes does not read one of 32")),
    "a fixed of another name": (record(field("a", fixed(16, "G"))), record(field("a", fixed(16))), ("R.a", "the name `G` is not")),
    "a fixed of another name, the old one an alias": (
        record(field("a", fixed(16, "G", aliases=["F"]))),
        record(field("a", fixed(16))),
        None,
    ),
    "the same fixed defined elsewhere": (
        record(field("a", fixed(16)), field("b", "F")),
        record(field("b", fixed(16)), field("a", "F")),
        None,
    ),
    "null added": (record(field("a", ["null", "long"])), record(A), None),
    "null taken away": (record(A), record(field("a", ["null", "long"])), ("R.a", "long does not read null")),
    "a union in another order": (record(field("a", ["long", "null"])), record(field("a", ["null", "long"])), None),
    "a union without the writer's branch": (
        record(field("a", ["null", "string"])),
        record(field("a", ["null", "long"])),
        ("R.a", "no branch of the reader's union reads long"),
    ),
    "a branch that is promoted": (record(field("a", ["null", "long"])), record(field("a", ["null", "int"])), None),
    "inside an array": (record(field("a", array("int"))), record(field("a", array("long"))), ("R.a[]", "int does not read long")),
    "inside a map": (record(field("a", values("int"))), record(field("a", values("long"))), ("R.a{}", "int does not read long")),
    "array to map": (record(field("a", values("int"))), record(field("a", array("int"))), ("R.a", "map does not read array")),
    "a field more in a record inside an array": (
        record(field("a", array(record(A, B, name="S")))),
        record(field("a", array(record(A, name="S")))),
        ("R.a[].b", "no default"),
    ),
    "a record of another name": (record(A, name="S"), record(A), ("S", "the name `S` is not")),
    "a symbol more": (record(field("a", enum("X", "Y"))), record(field("a", enum("X"))), None),
    "a symbol less": (record(field("a", enum("X"))), record(field("a", enum("X", "Y"))), ("R.a", "symbol `Y`")),
    "a symbol less and a default": (record(field("a", enum("X", default="X"))), record(field("a", enum("X", "Y"))), None),
    "a record inside itself": (record(field("b", default=0), *OLD_TREE["fields"]), OLD_TREE, None),
    "a record inside itself, changed": (
        record(field("a", "int"), field("next", ["null", "R"])),
        OLD_TREE,
        ("R.a", "int does not read long"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reader", "writer", "expected"), TABLE.values(), ids=TABLE.keys())
def test_a_reader_reads_a_writer_or_the_rule_is_named(
    reader: Any, writer: Any, expected: tuple[str, str] | None
) -> None:
    found = unreadable(reader, writer)
    if expected is None:
        assert found == []
        return
    assert len(found) == 1
    assert found[0][0] == expected[0]
    assert expected[1] in found[0][1]


SAMPLES = {"long": 7, "int": 7, "double": 1.5, "float": 1.5, "string": "x", "bytes": b"x", "null": None}


def sample(schema: Any) -> Any:
    """Return a value of a schema that shows its last branch, its last symbol, one element."""
    if isinstance(schema, list):
        return sample(schema[-1]) if schema[-1] in SAMPLES else sample(schema[0])
    if isinstance(schema, str):
        return SAMPLES.get(schema, bytes(16))
    if schema["type"] == "record":
        return {each["name"]: sample(each["type"]) for each in schema["fields"]}
    made: dict[str, Callable[[], Any]] = {
        "array": lambda: [sample(schema["items"])],
        "map": lambda: {"k": sample(schema["values"])},
        "fixed": lambda: bytes(schema["size"]),
        "enum": lambda: schema["symbols"][-1],
    }
    return made[schema["type"]]() if schema["type"] in made else sample(schema["type"])


# fastavro does not look at the names of records at the top, and finds a null only where one is written.
APART = {"a record of another name", "null taken away"}


@pytest.mark.parametrize("says", sorted(TABLE.keys() - APART))
def test_fastavro_reads_where_the_table_says_so(says: str) -> None:
    reader, writer, expected = TABLE[says]
    sink = io.BytesIO()
    fastavro.schemaless_writer(sink, fastavro.parse_schema(writer), sample(writer))
    sink.seek(0)
    try:
        fastavro.schemaless_reader(sink, fastavro.parse_schema(writer), fastavro.parse_schema(reader))
        readable = True
    except Exception:  # noqa: BLE001 - fastavro raises what it likes
        readable = False
    assert readable is (expected is None)


MORE = record(A, field("b", default=0))
LESS = record(A)
BARE = record(A, B)


@pytest.mark.parametrize(
    ("mode", "new", "old", "rules"),
    [
        (Mode.BACKWARD_TRANSITIVE, BARE, LESS, ["new reads old"]),
        (Mode.BACKWARD_TRANSITIVE, LESS, BARE, []),
        (Mode.FORWARD_TRANSITIVE, BARE, LESS, []),
        (Mode.FORWARD_TRANSITIVE, LESS, BARE, ["old reads new"]),
        (Mode.FULL_TRANSITIVE, BARE, LESS, ["new reads old"]),
        (Mode.FULL_TRANSITIVE, LESS, BARE, ["old reads new"]),
        (Mode.FULL_TRANSITIVE, MORE, LESS, []),
        (Mode.FULL_TRANSITIVE, LESS, MORE, []),
    ],
)
def test_a_mode_says_who_must_read_whom(mode: Mode, new: Any, old: Any, rules: list[str]) -> None:
    assert [problem.rule.partition(":")[0] for problem in check("verdict", 6, new, old, mode)] == rules


def test_decisions_outcomes_and_claims_are_full_and_the_rest_backward() -> None:
    full = {name for name in NAMES if mode_of(name) is Mode.FULL_TRANSITIVE}
    assert full == {"verdict", "repeat", "refusal", "seal", "outcome", "claim"}
    assert {mode_of(name) for name in set(NAMES) - full} == {Mode.BACKWARD_TRANSITIVE}


def test_every_released_version_is_looked_at() -> None:
    first, second, third = record(A), record(A, field("b", default=0)), record(A, field("b", "string", default=""))
    found = check_all({"intent": third}, {"intent": {1: first, 23: second}})
    assert [str(problem) for problem in found] == [
        "schemas/intent.avsc against id 23: `R.b`: new reads old: string does not read long"
    ]
    skipping = check_all({"intent": record(A, B)}, {"intent": {1: first, 23: second}})
    assert [(problem.against, problem.field) for problem in skipping] == [(1, "R.b")]


def test_a_released_record_does_not_go_away_and_a_new_one_may_come() -> None:
    found = check_all({"new": record(A)}, {"vote": {3: record(A)}})
    assert [str(problem) for problem in found] == [
        "schemas/vote.avsc: `vote`: was released, and has no schema any more"
    ]


@pytest.mark.parametrize(
    "broken", [{}, 3, None, {"type": "record", "name": "R"}, record(field("a", "S")), record({"name": "a"})]
)
def test_what_is_no_schema_is_a_problem(broken: Any) -> None:
    found = check_all({"intent": broken}, {"intent": {1: record(A)}})
    assert [problem.against for problem in found] == [1]


def test_the_schemas_stand_beside_all_that_were_released() -> None:
    assert all(HISTORY.values())
    assert check_all(SOURCES, HISTORY) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_canonical_form_is_fastavros(name: str) -> None:
    form = fastavro.schema.to_parsing_canonical_form(SOURCES[name])
    assert evolution.canonical_form(SOURCES[name]) == form
    assert evolution.fingerprint(SOURCES[name]).hex() == fastavro.schema.fingerprint(form, "SHA-256")


@pytest.mark.parametrize(
    "schema",
    [
        record(field("e", enum("X", "Y", namespace="other")), field("f", "other.E")),
        record(field("m", values(["null", fixed(3)]), doc="d", default={}), field("n", array("F"))),
        record(field("p", {"type": "long"}), field("é", "string")),
        {"type": "record", "name": "a.b.C", "fields": [field("d", fixed(1, "D"))]},
    ],
)
def test_the_canonical_form_of_what_our_schemas_do_not_have_is_fastavros_too(schema: Any) -> None:
    assert evolution.canonical_form(schema) == fastavro.schema.to_parsing_canonical_form(schema)


HEAD = [field("id", fixed(16, "Id")), *(field(name, "string") for name in "abcdefgh")]
PROOF = field("proof", ["null", "string"], default=None)


def versions(*fields: Any, verdict: list[Any] = HEAD) -> list[str]:
    current = {"intent": record(*fields, name="Intent"), "verdict": record(*verdict, name="Verdict")}
    return [str(problem) for problem in check_all(current, {"intent": {1: record(*HEAD, PROOF, name="Intent")}})]


def test_an_intent_may_grow_between_its_first_nine_fields_and_its_proof() -> None:
    assert versions(*HEAD, field("more", default=0), PROOF) == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ([HEAD[0], field("new", "string", default=""), *HEAD[1:]], "new a b c d e f g"),
        ([*HEAD[:7], HEAD[8], HEAD[7]], "h g"),
        ([*HEAD[:8], field("h", ["null", "string"])], "h"),
        ([*HEAD[:8], field("i", "string", aliases=["h"])], "i"),
    ],
)
def test_the_first_nine_fields_of_an_intent_stay_where_they_are(fields: list[Any], named: str) -> None:
    rule = "is not what `verdict` has in its place: the first 9 fields of both stay as they are"
    assert versions(*fields, PROOF) == [f"schemas/intent.avsc: `{name}`: {rule}" for name in named.split()]


def test_a_verdict_begins_with_the_fields_of_every_released_intent() -> None:
    changed = [*HEAD[:8], field("h", "bytes")]
    assert [line.partition(": `")[0] for line in versions(*changed, PROOF, verdict=changed)] == [
        "schemas/intent.avsc against id 1"
    ]


@pytest.mark.parametrize(
    ("new", "name"),
    [
        ([*HEAD, PROOF, field("more", default=0)], "proof"),
        ([*HEAD], "proof"),
        ([*HEAD, PROOF, field("signature", "bytes", default="")], "proof signature"),
    ],
)
def test_what_a_record_is_signed_with_stays_its_end(new: list[Any], name: str) -> None:
    rule = "ends the one and not the other: what is signed is all before it"
    assert versions(*new) == [f"schemas/intent.avsc against id 1: `{each}`: {rule}" for each in name.split()]
