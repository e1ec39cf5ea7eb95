"""The cases a condition is tried on: drawn the same everywhere, at its own constants, holding only what it reads."""

from typing import Any

import pytest

from placet.model.case import Case
from placet.policy.expressions import Expression, compile_condition
from placet.policy.samples import INSTANT, Constants, Draw, generate
from placet.policy.shape import INT_MAX, Argument

DECLARED = (
    Argument("amount", "int"),
    Argument("rate", "number"),
    Argument("note", "string", one_of=("red", "blue")),
    Argument("sure", "bool"),
    Argument("body", "json"),
    Argument("tags", "list<string>"),
    Argument("sizes", "map<string, int>"),
    Argument("maybe", "int", required=False),
)


def test_draws_are_those_of_the_published_generator() -> None:
    # xorshift64* (Vigna 2016): from 1 the shifts give 1 ^ 1 << 25 = 33554433, and that times the constant is said.
    draw = Draw("x")
    draw._state = 1
    assert draw.below(1 << 32) == 33554433 * 2685821657736338717 % 2**64 >> 32
    # Then: 33554433 ^ 33554433 >> 12 = 33562625; shifted left by 25 and folded in; then its own >> 27.
    x = 33562625 ^ 33562625 << 25
    x ^= x >> 27
    assert draw.below(1 << 32) == x * 2685821657736338717 % 2**64 >> 32


def test_a_draw_stays_in_64_bits_and_below_its_bound() -> None:
    draw = Draw("seed")
    drawn = [draw.below(7) for _ in range(500)]
    assert set(drawn) == set(range(7))
    assert 0 < draw._state < 1 << 64


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    draws = [[Draw(seed).below(1 << 32), Draw(seed + "2").below(1 << 32)] for seed in ("a", "a", "b")]
    assert draws[0] == draws[1] != draws[2]
    assert draws[0][0] != draws[0][1]


def test_some_of_a_few_are_none_to_three_of_them() -> None:
    draw = Draw("some")
    drawn = [draw.some("ab") for _ in range(300)]
    assert {len(each) for each in drawn} == {0, 1, 2, 3}
    assert {member for each in drawn for member in each} == {"a", "b"}
    assert {len(draw.some("ab", 1)) for _ in range(100)} == {0, 1}


def constants(text: str) -> Constants:
    return Constants(compile_condition(text, DECLARED).tree)


def test_a_number_brings_its_neighbours() -> None:
    known = constants("arguments.amount > 500 || arguments.amount == -3")
    # 0 and 1, and the borders of risk, are always among them.
    assert known.ints == [-4, -3, -2, 0, 1, 40, 70, 499, 500, 501]
    assert constants("arguments.rate > 2.5").ints == [0, 1, 2, 3, 40, 70]


def test_a_number_that_no_argument_can_be_is_left_out() -> None:
    known = constants(f"arguments.amount < {INT_MAX} && arguments.amount > -{INT_MAX}")
    assert known.ints == [-INT_MAX, 1 - INT_MAX, 0, 1, 40, 70, INT_MAX - 1, INT_MAX]


def test_a_text_brings_one_a_letter_longer_and_one_a_letter_shorter() -> None:
    known = constants("arguments.note == 'bl'")
    assert known.texts == ["", "a", "b", "bl", "blx", "é"]
    assert known.values == [*known.ints, *known.texts, True, False, None, 0.5]


def drawn(text: str, count: int = 200, arguments: tuple[Argument, ...] | None = DECLARED) -> list[Case]:
    return generate(compile_condition(text, arguments), count)


def of(cases: list[Case], read: Any) -> set[Any]:
    return {read(case) for case in cases}


def test_a_condition_is_given_the_same_cases_each_time() -> None:
    def first(text: str) -> list[Any]:
        return [(case.attempt, case.arguments, case.purpose) for case in drawn(text, 20)]

    assert first("arguments.amount > 1") == first("arguments.amount > 1")
    assert first("arguments.amount > 1") != first("arguments.amount > 2")
    assert len({str(row) for row in first("arguments.amount > 1")}) > 10


def test_what_a_condition_does_not_read_is_not_there() -> None:
    for case in drawn("arguments.amount > 1", 20):
        assert (case.actor, case.authority, case.mandate, case.resource) == (None,) * 4
        assert (case.actor_risk, case.authority_risk, case.session_risk) == (None,) * 3
        assert case.calendar == {}
        assert case.observed_at.get("actor", -1) == case.heard_at.get("actor", -1) == -1
        assert (case.instant, case.tenant, case.id) == (INSTANT, "sample", bytes(16))
        assert case.chain == (case.authority_id, case.actor_id)


def test_every_word_of_an_intent_is_one_of_the_condition_s_texts() -> None:
    cases = drawn("intent.purpose == 'why'")
    texts = {"", "a", "é", "why", "whyx", "wh"}
    for name in ("action", "purpose", "audience", "session_id", "resource_id", "actor_id", "authority_id"):
        assert of(cases, lambda case, name=name: getattr(case, name)) == texts
    assert of(cases, lambda case: case.attempt) == {1, 2, 3}
    assert of(cases, lambda case: case.emergency) == {True, False}
    assert of(cases, lambda case: case.session_origin) == {"none", "internal", "external"}
    assert of(cases, lambda case: case.session_rank) == {0, 1, 2, 3}


@pytest.mark.parametrize("role", ["actor", "authority"])
def test_a_principal_that_is_read_is_drawn_whole_and_is_sometimes_not_there(role: str) -> None:
    cases = drawn(f"{role}.kind == 'bot' && {role}.attributes.team == 'x'", 400)
    rows = [getattr(case, role) for case in cases]
    there = [row for row in rows if row is not None]
    assert 0 < len(rows) - len(there) < 100
    texts = {"", "a", "é", "bot", "botx", "bo", "x", "xx"}
    assert {row.id for row in there} == texts
    assert {row.kind for row in there} == texts | {"agent"}
    assert {row.status for row in there} == texts | {"active"}
    assert {row.owner for row in there} == texts | {None}
    assert {group for row in there for group in row.groups} == texts
    assert {name for row in there for name in row.capabilities} == texts
    assert {tuple(row.attributes) for row in there} == {(), ("team",)}
    assert {value for row in there for value in row.attributes.values()} == texts
    assert {(row.key, row.active, row.observed_at, row.partition, row.facts) for row in there} == {
        ("", True, INSTANT, 0, ())
    }


def test_a_mandate_that_is_read_is_drawn_whole_and_is_sometimes_not_there() -> None:
    cases = drawn("mandate.task == 'bot' && mandate.depth > 8", 400)
    rows = [case.mandate for case in cases if case.mandate is not None]
    assert 0 < len(cases) - len(rows) < 100
    texts = {"", "a", "é", "bot", "botx", "bo"}
    for name in ("id", "delegator", "delegate", "task"):
        assert {getattr(row, name) for row in rows} == texts
    assert {row.depth for row in rows} == {0, 1, 40, 70, 7, 8, 9}
    assert {name for row in rows for name in row.actions} == {name for row in rows for name in row.resources} == texts
    assert {(r.key, r.parent, r.expires_at, r.active, r.observed_at, r.partition, r.fact) for r in rows} == {
        ("", "", 0, True, INSTANT, 0, b"")
    }


def test_a_resource_that_is_read_is_drawn_whole_and_is_sometimes_not_there() -> None:
    cases = drawn("resource.owner == 'bot'", 400)
    rows = [case.resource for case in cases if case.resource is not None]
    assert 0 < len(cases) - len(rows) < 100
    texts = {"", "a", "é", "bot", "botx", "bo"}
    assert {(row.sensitivity, row.rank) for row in rows} == {
        ("public", 0),
        ("internal", 1),
        ("confidential", 2),
        ("restricted", 3),
    }
    assert {row.id for row in rows} == texts
    assert {row.owner for row in rows} == {row.origin for row in rows} == texts | {None}
    assert {name for row in rows for name in row.categories} == texts
    assert {(row.key, row.observed_at, row.partition, row.facts) for row in rows} == {("", INSTANT, 0, ())}


@pytest.mark.parametrize("whose", ["actor", "authority", "session"])
def test_a_risk_that_is_read_is_a_score_at_a_border_or_unknown(whose: str) -> None:
    cases = drawn(f"{whose}.risk.score > 55 || {whose}.risk.score < -5 || {whose}.risk.score > 200", 600)
    scores = of(cases, lambda case: getattr(case, f"{whose}_risk"))
    assert scores == {None, 0, 1, 39, 40, 54, 55, 56, 69, 70, 100}
    unknown = sum(getattr(case, f"{whose}_risk") is None for case in cases)
    assert 0 < unknown < 200


def test_days_of_the_calendar_that_are_read_are_mostly_there() -> None:
    cases = drawn("calendar.freeze == 'on' || calendar.books == 'shut'", 300)
    assert of(cases, lambda case: tuple(sorted(case.calendar))) == {(), ("books",), ("freeze",), ("books", "freeze")}
    assert sum("freeze" in case.calendar for case in cases) > 150


def test_declared_arguments_are_of_their_types() -> None:
    cases = drawn("arguments.amount > 5", 400)
    arguments = [case.arguments for case in cases]
    ints, texts = {0, 1, 4, 5, 6, 40, 70}, {"", "a", "é"}
    assert {each["amount"] for each in arguments} == ints
    assert {each["rate"] for each in arguments} == ints | {0.5, -1.5}
    assert {each["note"] for each in arguments} == texts | {"red", "blue"}
    assert {each["sure"] for each in arguments} == {True, False}
    assert {tag for each in arguments for tag in each["tags"]} == texts  # type: ignore[attr-defined]
    assert {key for each in arguments for key in each["sizes"]} == texts  # type: ignore[attr-defined]
    assert {size for each in arguments for size in each["sizes"].values()} == ints  # type: ignore[attr-defined]
    assert {repr(each["body"]) for each in arguments} == {
        repr(value) for value in (*ints, *texts, True, False, None, 0.5)
    }
    held = sum("maybe" in each for each in arguments)
    assert 100 < held < 300


def test_undeclared_arguments_lead_where_a_condition_reads() -> None:
    cases = drawn("arguments.a.b == 'x' && arguments.c == 1", 400, None)
    arguments = [case.arguments for case in cases]
    assert {name for each in arguments for name in each} == {"a", "c"}
    assert all(isinstance(each["a"], dict) and set(each["a"]) == {"b"} for each in arguments if "a" in each)
    values = {repr(each["c"]) for each in arguments if "c" in each}
    assert {"0", "1", "2", "'x'", "True", "None", "0.5"} <= values
    assert {type(each["c"]) for each in arguments if "c" in each} >= {list, dict, int, str}
    missing = sum("c" not in each for each in arguments)
    assert 0 < missing < 150


def test_a_path_inside_a_value_makes_room_for_itself() -> None:
    cases = drawn("arguments.a == 1 || arguments.a.b == 2", 200, None)
    assert any(isinstance(case.arguments.get("a"), dict) and "b" in case.arguments["a"] for case in cases)  # type: ignore[operator]


def test_as_many_cases_as_asked() -> None:
    condition: Expression = compile_condition("true", DECLARED)
    assert [len(generate(condition, count)) for count in (0, 1, 48)] == [0, 1, 48]
