"""The auditor's own tools, each against what others published or what is worked out by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from cel_expr_python import cel  # type: ignore[import-untyped]

from placet.faces.auditor.fading import FACTORS, faded
from placet.faces.auditor.grants import widening
from placet.faces.auditor.hashes import canonical, is_canonical, murmur2, partition_of, root_by_path, root_of
from placet.faces.auditor.packs import Action, Argument
from placet.faces.auditor.reading import needs_of
from placet.faces.auditor.shape import Shape
from placet.faces.auditor.table import FOLLOWS, NAMES, state_of
from tests.faces.auditor.hand import merkle, sha256

VECTORS = Path(__file__).parents[2] / "vectors"


# Kafka's own UtilsTest.testMurmur2.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_is_that_of_kafka(text: str, expected: int) -> None:
    assert murmur2(text.encode()) == expected % 2**32


def test_a_key_lies_where_kafka_puts_it() -> None:
    # murmur2("abc") is 479470107, and 479470107 % 12 is 3; here the key is `tenant/authority`.
    key = murmur2(b"acme/user:grace") & 0x7FFFFFFF
    assert partition_of("acme", "user:grace", 12) == key % 12


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 7, 8, 13, 100])
def test_a_root_built_from_the_left_is_that_of_the_rfc(size: int) -> None:
    leaves = [bytes([i]) for i in range(size)]
    assert root_of([sha256(b"\x00", leaf) for leaf in leaves]) == merkle(leaves)


def test_a_path_leads_to_its_root_and_no_other_does() -> None:
    hashes = [sha256(b"\x00", bytes([i])) for i in range(3)]
    pair = sha256(b"\x01", hashes[0], hashes[1])
    root = sha256(b"\x01", pair, hashes[2])
    assert root_by_path(hashes[0], 0, 3, hashes[1] + hashes[2]) == root
    assert root_by_path(hashes[1], 1, 3, hashes[0] + hashes[2]) == root
    assert root_by_path(hashes[2], 2, 3, pair) == root
    assert root_by_path(hashes[2], 2, 3, hashes[0] + pair) is None
    assert root_by_path(hashes[0], 0, 3, hashes[1]) is None
    assert root_by_path(hashes[0], 3, 3, pair) is None
    assert root_by_path(hashes[0], 0, 1, b"") == hashes[0]
    assert root_by_path(hashes[0], 0, 1, hashes[1]) is None


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (b'{"a":1,"b":[true,null,"x"]}', True),
        (b'{"b":1,"a":2}', False),
        (b'{"a": 1}', False),
        (b'{"a":1,"a":1}', False),
        (b'{"a":1.0}', False),
        (b'{"a":1.5}', True),
        (b'{"a":1e3}', False),
        (b'{"a":"\xc3\xa4"}', True),
        (b'{"a":"\\u00e4"}', False),
        (b'{"a":"\\u000f\\n"}', True),
        (b"[1]", False),
        (b'{"a":9007199254740993.0}', False),
        (b"{", False),
        (b'{"a":' + b"[" * 100_000, False),
    ],
)
def test_canonical_json_is_told_from_other_json(text: bytes, good: bool) -> None:
    assert is_canonical(text) is good


def test_the_short_way_to_canonical_json_is_the_long_one() -> None:
    for value in ({"b": 1, "a": [True, None, 'é\n"\\/'], "": {}}, {"z": -5, "Z": "~ \x7f"}):
        assert canonical(value, floats=False) == canonical(value)


# 84 with a half life of an hour: 42 after one, 21 after two; between, the table's steps of 1/64.
@pytest.mark.parametrize(
    ("score", "elapsed_ms", "half_life_s", "expected"),
    [
        (84, 0, 3600, 84),
        (84, -5, 3600, 84),
        (84, 3_600_000, 3600, 42),
        (84, 7_200_000, 3600, 21),
        (84, 3_599_999, 3600, 42),  # step 63: 84 * 33125 / 65536 = 42.45
        (100, 1_800_000, 3600, 70),  # step 32: 100 * 46341 / 65536 = 70.71
        (100, 56_249, 3600, 100),  # a part is 56,250 ms
        (100, 56_250, 3600, 98),  # step 1: 100 * 64830 / 65536 = 98.92
        (100, 10**12, 3600, 0),
        (100, 10**12, 0, 100),
    ],
)
def test_risk_fades_by_the_rule(score: int, elapsed_ms: int, half_life_s: int, expected: int) -> None:
    assert faded(score, 10**12, half_life_s, 10**12 + elapsed_ms) == expected


def test_a_factor_is_a_power_of_two_cut_to_sixteen_bits() -> None:
    assert (FACTORS[0], FACTORS[32], len(FACTORS)) == (65536, 46341, 64)
    assert all(abs(factor - 65536 * 2 ** (-i / 64)) <= 0.5000001 for i, factor in enumerate(FACTORS))


def test_the_table_is_that_of_the_design() -> None:
    told = {NAMES[before]: {NAMES[after] for after in follow} for before, follow in FOLLOWS.items()}
    assert told == {
        "asked": {"denied", "deferred", "pending", "granted", "claimed"},
        "deferred": {"denied", "pending", "granted", "claimed", "withdrawn"},
        "pending": {"denied", "deferred", "granted", "claimed", "expired", "withdrawn"},
        "granted": {"claimed", "revoked", "lapsed", "withdrawn"},
        "claimed": {"done", "failed", "refused", "unknown"},
        "unknown": {"done", "failed"},
    }
    assert [state_of(effect, claim_required=True) for effect in (1, 2, 3, 4, 5, 6)] == [4, 4, 3, 2, 1, None]
    assert state_of(1, claim_required=False) == 5


def _row(kind: str, argument: str, value: str = "") -> dict[str, str]:
    return {"kind": kind, "argument": argument, "value": value}


LIMIT, REDACT, FIXED = _row("limit", "n", "5"), _row("redact", "s"), _row("read_only", "dry", "true")


@pytest.mark.parametrize(
    ("asked", "granted", "obligations", "wide"),
    [
        ({"n": 9}, {"n": 5}, [LIMIT], False),
        ({"n": 3}, None, [LIMIT], False),
        ({}, None, [LIMIT], False),
        ({"n": 9}, None, [LIMIT], True),
        ({"n": 9}, {"n": 4}, [LIMIT], True),  # not its limit: somebody else's idea
        ({"n": 3}, {"n": 5}, [LIMIT], True),
        ({"n": 9}, {"n": True}, [LIMIT], True),
        ({"s": "x", "n": 1}, {"n": 1}, [REDACT], False),
        ({"s": "x"}, None, [REDACT], True),
        ({"s": "x", "n": 1}, {"s": "x"}, [REDACT], True),
        ({"dry": False}, {"dry": True}, [FIXED], False),
        ({}, {"dry": True}, [FIXED], False),
        ({"dry": False}, {"dry": 1}, [FIXED], True),
        ({}, None, [FIXED], True),
        ({"n": 1}, {"n": 1, "m": 2}, [LIMIT], True),
        ({"n": 1, "m": 1}, {"n": 1, "m": 1.5}, [LIMIT], True),
    ],
)
def test_what_is_granted_is_held_to_what_was_asked(
    asked: dict[str, Any], granted: dict[str, Any] | None, obligations: list[dict[str, str]], wide: bool
) -> None:
    said = {
        "effect": 2,
        "obligations": obligations,
        "granted_arguments": None if granted is None else json.dumps(granted).encode(),
    }
    assert bool(widening(said, json.dumps(asked).encode())) is wide


def _argument(name: str, type_: str, required: bool = True) -> Argument:
    return Argument(name, type_, required, None, None, None, None, ())


DECLARED = Action(
    (_argument("n", "int"), _argument("s", "string", False), _argument("l", "list<int>", False)), None, 1, 1
)


@pytest.mark.parametrize(
    ("text", "facts", "asked", "parts"),
    [
        ("actor.risk.score >= 40", {"actor.risk"}, set(), set()),
        ("actor.id == 'a' && resource.rank > 1", {"actor", "resource"}, set(), set()),
        ("has(actor.risk.score) && actor.risk.score >= 40", set(), {"actor.risk"}, set()),
        ("!has(actor.risk.score) || actor.risk.score >= 40", set(), {"actor.risk"}, set()),
        ("has(resource.id) || actor.risk.score >= 40", {"actor.risk"}, {"resource"}, set()),
        ("has(resource.owner) && resource.owner == actor.id", {"resource", "actor"}, set(), set()),
        ("resource.owner == actor.id", {"resource", "actor"}, set(), {("resource", "owner")}),
        ("actor.attributes.region == 'eu'", {"actor"}, set(), {("actor", "attributes", "region")}),
        ("'region' in actor.attributes && actor.attributes['region'] == 'eu'", {"actor"}, set(), set()),
        ("actor.groups.exists(g, g.startsWith('ops-') && intent.purpose != g)", {"actor"}, set(), set()),
        ("has(calendar.freeze) ? calendar.freeze == 'on' : false", set(), {"calendar.freeze"}, set()),
        ("calendar.freeze == 'on'", {"calendar.freeze"}, set(), set()),
        ("arguments.n > 5 && session.rank == 0", set(), set(), set()),
        ("arguments.s == 'x'", set(), set(), {("arguments", "s")}),
        ("has(arguments.s) && arguments.s == 'x'", set(), set(), set()),
        ("arguments.l.all(x, x < arguments.n)", set(), set(), set()),
        ("session.risk.level == 'high' || intent.emergency", {"session.risk"}, set(), set()),
        ("[resource.id, actor.id].exists(x, x == mandate.id)", {"resource", "actor", "mandate"}, set(), set()),
    ],
)
def test_what_a_condition_needs_is_read_from_its_tree(
    text: str, facts: set[str], asked: set[str], parts: set[tuple[str, ...]]
) -> None:
    shape = Shape(DECLARED)
    program = shape.env.compile(text)
    assert program.return_type() == cel.Type.BOOL
    needs = needs_of(program, DECLARED)
    assert (set(needs.facts), set(needs.asked), set(needs.parts)) == (facts, asked, parts)
