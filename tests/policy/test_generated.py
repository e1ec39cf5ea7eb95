"""Conditions as Python, and what that Python calls: CEL's meaning at each place where Python's differs."""

from collections.abc import Callable
from typing import Any

import pytest

from placet.policy.expressions import compile_condition
from placet.policy.fused import UNFIT, UNREADY, fit_source, single, who_source
from placet.policy.patterns import fault_of, matches, meet, source
from placet.policy.runtime import INT64_MAX, INT64_MIN, NAMES, Errs, matcher
from placet.policy.shape import Argument
from tests.policy.packs import case

DECLARED = (
    Argument("amount", "int"),
    Argument("rate", "number"),
    Argument("note", "string"),
    Argument("tags", "list<string>"),
    Argument("sizes", "list<int>"),
    Argument("more", "map<string, string>"),
)


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("true", "True"),
        ("arguments.amount == 5", "(arguments['amount'] == 5)"),
        ("arguments.note != 'x'", "(arguments['note'] != 'x')"),
        ("!(arguments.amount < 5)", "(not (arguments['amount'] < 5))"),
        ("arguments.amount <= 5 && arguments.amount >= 1", "((arguments['amount'] <= 5) and (arguments['amount'] >= 1))"),
        ("arguments.amount > 5 || intent.emergency", "((arguments['amount'] > 5) or case.emergency)"),
        ("arguments.amount + 1 == 5", "(_i(arguments['amount'] + 1) == 5)"),
        ("arguments.amount - 1 == 5", "(_i(arguments['amount'] - 1) == 5)"),
        ("arguments.amount * 2 == 5", "(_i(arguments['amount'] * 2) == 5)"),
        ("arguments.amount / 2 == 5", "(_div(arguments['amount'], 2) == 5)"),
        ("arguments.amount % 2 == 1", "(_mod(arguments['amount'], 2) == 1)"),
        ("-arguments.amount == 5", "(_i(-arguments['amount']) == 5)"),
        ("arguments.note + 'y' == 'xy'", "((arguments['note'] + 'y') == 'xy')"),
        ("arguments.note.startsWith('x')", "arguments['note'].startswith('x')"),
        ("arguments.note.endsWith('x')", "arguments['note'].endswith('x')"),
        ("arguments.note.contains('x')", "('x' in arguments['note'])"),
        ("arguments.note.matches('^x')", "matcher('^x')(arguments['note'])"),
        ("size(arguments.note) > 1", "(_size(arguments['note']) > 1)"),
        ("arguments.tags.size() > 1", "(_size(arguments.get('tags', ())) > 1)"),
        ("arguments.tags[0] == 'x'", "(_at(arguments.get('tags', ()), 0) == 'x')"),
        ("'x' in arguments.tags", "('x' in arguments.get('tags', ()))"),
        ("3 in arguments.sizes", "(3 in arguments.get('sizes', ()))"),
        ("'x' in ['x', 'y']", "('x' in ('x', 'y',))"),
        ("arguments.amount > 1 ? true : false", "(True if (arguments['amount'] > 1) else False)"),
        ("arguments.tags.all(t, t == 'x')", "all((v1_t == 'x') for v1_t in arguments.get('tags', ()))"),
        ("arguments.tags.exists(t, t == 'x')", "any((v1_t == 'x') for v1_t in arguments.get('tags', ()))"),
        (
            "arguments.tags.exists_one(t, t == 'x')",
            "(sum(1 for v1_t in arguments.get('tags', ()) if (v1_t == 'x')) == 1)",
        ),
        (
            "size(arguments.tags.map(t, t + 'x')) > 1",
            "(_size([(v1_t + 'x') for v1_t in arguments.get('tags', ())]) > 1)",
        ),
        (
            "size(arguments.tags.filter(t, t == 'x')) > 1",
            "(_size([v1_t for v1_t in arguments.get('tags', ()) if (v1_t == 'x')]) > 1)",
        ),
        (
            "size(arguments.tags.map(t, t != 'y', t + 'x')) > 1",
            "(_size([(v1_t + 'x') for v1_t in arguments.get('tags', ()) if (v1_t != 'y')]) > 1)",
        ),
        ("arguments.tags == ['x']", "_eq(arguments.get('tags', ()), ('x',))"),
        ("arguments.tags != ['x']", "(not _eq(arguments.get('tags', ()), ('x',)))"),
        ("arguments.rate < 2.5", "(arguments['rate'] < 2.5)"),
        ("has(resource.owner)", "(resource.owner is not None)"),
        ("actor.attributes.team == 'x'", "(actor.attributes['team'] == 'x')"),
        ("'team' in actor.attributes", "('team' in actor.attributes)"),
    ],
)  # fmt: skip
def test_a_condition_reads_as_this_python(text: str, python: str) -> None:
    assert compile_condition(text, DECLARED).source == python


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("arguments.a == 1", "_eq(arguments['a'], 1)"),
        ("arguments.a != 1", "(not _eq(arguments['a'], 1))"),
        ("arguments.a < 1", "_lt(arguments['a'], 1)"),
        ("arguments.a <= 1", "_le(arguments['a'], 1)"),
        ("arguments.a > 1", "_lt(1, arguments['a'])"),
        ("arguments.a >= 1", "_le(1, arguments['a'])"),
        ("arguments.a && true", "(_b(arguments['a']) and True)"),
        ("arguments.a.startsWith('x')", "_s(arguments['a']).startswith('x')"),
        ("arguments.a.b == 1", "_eq(_at(arguments['a'], 'b'), 1)"),
        ("has(arguments.a.b)", "_has(arguments['a'], 'b')"),
        ("'x' in arguments.a", "_in('x', arguments['a'])"),
        ("arguments.a.exists(t, t == 1)", "any(_eq(v1_t, 1) for v1_t in _l(arguments['a']))"),
    ],
)
def test_a_condition_on_undeclared_arguments_reads_as_this_python(text: str, python: str) -> None:
    assert compile_condition(text, None).source == python


@pytest.mark.parametrize(
    "text",
    ["uint(3) == 3u", "b'x' == b'x'", "duration('1s') == duration('2s')", "1.0 / 2.0 == 0.5", "{'a': 1}['a'] == 1"],
)
def test_what_has_no_python_form_stays_with_the_library(text: str) -> None:
    condition = compile_condition(text, DECLARED)
    assert condition.source is None
    assert condition.unknown != ""
    with pytest.raises(ValueError, match=r".+"):
        single(condition)


F: dict[str, Callable[..., Any]] = {name: value for name, value in NAMES.items() if callable(value)}


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("_i", (INT64_MAX,), INT64_MAX),
        ("_i", (INT64_MIN,), INT64_MIN),
        ("_div", (7, 2), 3),
        ("_div", (-7, 2), -3),
        ("_div", (7, -2), -3),
        ("_div", (-7, -2), 3),
        ("_div", (0, 5), 0),
        ("_mod", (7, 3), 1),
        ("_mod", (-7, 3), -1),
        ("_mod", (7, -3), 1),
        ("_mod", (INT64_MIN, 2), 0),
        ("_mod", (-3, -1), 0),
        ("_eq", (1, 1.0), True),
        ("_eq", (1, True), False),
        ("_eq", (True, 1), False),
        ("_eq", (0, False), False),
        ("_eq", (False, 0), False),
        ("_eq", (True, True), True),
        ("_eq", (None, None), True),
        ("_eq", (None, 0), False),
        ("_eq", (0, None), False),
        ("_eq", ("a", "a"), True),
        ("_eq", ("a", 1), False),
        ("_eq", (1, "a"), False),
        ("_eq", ([1, 2], (1, 2)), True),
        ("_eq", ([1], [1, 1]), False),
        ("_eq", ([1], [True]), False),
        ("_eq", ([1], "x"), False),
        ("_eq", ({"a": 1}, {"a": 1.0}), True),
        ("_eq", ({"a": 1}, {"b": 1}), False),
        ("_eq", ({"a": 1}, {"a": 2}), False),
        ("_eq", ({"a": 1}, [1]), False),
        ("_lt", (1, 2), True),
        ("_lt", (1, 1), False),
        ("_lt", (1, 1.5), True),
        ("_lt", (1.5, 1), False),
        ("_lt", ("a", "b"), True),
        ("_lt", (False, True), True),
        ("_le", (1, 1), True),
        ("_le", (2, 1), False),
        ("_le", (1, 2), True),
        ("_le", ("a", "a"), True),
        ("_b", (True,), True),
        ("_b", (False,), False),
        ("_at", ([5, 6], 1), 6),
        ("_at", ([5, 6], 0), 5),
        ("_at", ({"a": 1}, "a"), 1),
        ("_has", ({"a": None}, "a"), True),
        ("_has", ({}, "a"), False),
        ("_in", (1, [1.0]), True),
        ("_in", (1, [True]), False),
        ("_in", ("a", {"a": 1}), True),
        ("_in", ("b", {"a": 1}), False),
        ("_size", ("é",), 1),
        ("_size", ([1, 2],), 2),
        ("_size", ({"a": 1},), 1),
        ("_s", ("x",), "x"),
        ("_l", ([1],), [1]),
        ("_l", ({"a": 1},), {"a": 1}),
    ],
)
def test_what_a_condition_calls_has_this_value(name: str, given: tuple[Any, ...], value: Any) -> None:
    found = F[name](*given)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("_i", (INT64_MAX + 1,)),
        ("_i", (INT64_MIN - 1,)),
        ("_div", (INT64_MIN, -1)),
        ("_mod", (INT64_MIN, -1)),
        ("_lt", (1, "a")),
        ("_lt", ("a", 1)),
        ("_lt", (True, 1)),
        ("_lt", (1, True)),
        ("_lt", (None, None)),
        ("_lt", ([1], [2])),
        ("_le", (1, "a")),
        ("_b", (1,)),
        ("_b", (None,)),
        ("_at", ([1], "a")),
        ("_at", ([1], True)),
        ("_at", ([1], -1)),
        ("_at", ({"a": 1}, 1)),
        ("_at", ("text", 0)),
        ("_has", ([1], "a")),
        ("_has", ("a", "a")),
        ("_in", (1, {"a": 1})),
        ("_in", ("a", "abc")),
        ("_size", (5,)),
        ("_size", (None,)),
        ("_s", (5,)),
        ("_l", ("abc",)),
    ],
)
def test_what_a_condition_calls_errs_where_cel_errs(name: str, given: tuple[Any, ...]) -> None:
    with pytest.raises(Errs):
        F[name](*given)


def test_a_pattern_is_found_anywhere_in_a_text_unless_it_is_tied() -> None:
    assert [matcher("b")(text) for text in ("abc", "ac")] == [True, False]
    assert [matcher("^b$")(text) for text in ("abc", "b")] == [False, True]


AMOUNT = Argument("amount", "int", min=1, max=9)


@pytest.mark.parametrize(
    ("argument", "fit", "unfit"),
    [
        (AMOUNT, [1, 9], [0, 10, True, 1.0, "1", None]),
        (Argument("x", "int"), [2**53, -(2**53)], [2**53 + 1, -(2**53) - 1]),
        (Argument("x", "number", min=0), [0, 0.5, 7], [-0.5, True, "1", float("nan")]),
        (Argument("x", "number", max=3), [3, -(2**53)], [3.5, 4]),
        (Argument("x", "string", max_length=2), ["", "éé"], ["abc", 1, None]),
        (Argument("x", "string", one_of=("a", "b")), ["a", "b"], ["c", ""]),
        (Argument("x", "string", pattern="a|bc"), ["a", "bc"], ["ab", "abc", "xa", ""]),
        (Argument("x", "bool"), [True, False], [0, 1, "true", None]),
        (Argument("x", "list<string>", max_length=2), [[], ["a", "b"]], [["a", "b", "c"], [1], ("a",), "a"]),
        (Argument("x", "list<int>"), [[1, -(2**53)], [0] * 1000], [[True], [2**53 + 1], [0] * 1001, ["1"]]),
        (Argument("x", "list<bool>"), [[True]], [[1]]),
        (Argument("x", "map<string, string>", max_length=1), [{}, {"a": "b"}], [{"a": "b", "c": "d"}, {"a": 1}, []]),
        (Argument("x", "map<string, int>"), [{"a": 1}], [{"a": True}, {"a": 2**53 + 1}]),
        (Argument("x", "json"), [None, 1, {"a": []}], []),
    ],
)
def test_an_argument_fits_its_declaration_or_does_not(argument: Argument, fit: list[Any], unfit: list[Any]) -> None:
    condition = compile_condition("true", (argument,))
    run = single(condition, fitting=True)

    def said(value: Any) -> int:
        return run(case(arguments={argument.name: value}))

    assert [said(value) for value in fit] == [1] * len(fit)
    assert [said(value) for value in unfit] == [UNFIT] * len(unfit)
    assert run(case(arguments={})) == UNFIT
    assert run(case(arguments={argument.name: fit[0], "other": 1})) == UNFIT


def test_an_optional_argument_may_be_left_out_and_an_unknown_one_may_not_take_its_place() -> None:
    run = single(compile_condition("true", (AMOUNT, Argument("note", "string", required=False))), fitting=True)
    said = [{"amount": 1}, {"amount": 1, "note": "x"}, {"amount": 1, "other": 1}, {"note": "x"}, {}]
    assert [run(case(arguments=arguments)) for arguments in said] == [1, 1, UNFIT, UNFIT, UNFIT]


def test_where_no_argument_is_declared_none_fits() -> None:
    assert fit_source(()) == ["if arguments: return -1"]


def test_a_single_condition_is_not_ready_where_what_it_reads_is_absent() -> None:
    run = single(compile_condition("resource.owner == 'x' && actor.risk.score < 5", DECLARED))
    assert run(case({"resource": {"owner": "x"}})) == 1
    assert run(case({"resource": {"owner": "y"}})) == 0
    for given in ({}, {"absent": ["resource"]}, {"resource": {"owner": "x"}, "absent": ["actor.risk"]}):
        assert run(case(given)) == UNREADY == 2


@pytest.mark.parametrize(
    ("wanted", "python"),
    [
        (["agent:ada"], "((case.actor_id == 'agent:ada'))"),
        (["agent:ada", "agent:b*"], "((case.actor_id == 'agent:ada' or case.actor_id.startswith(('agent:b',))))"),
        (["group:night"], "(absent & 12 or 'night' in actor.groups)"),
        (
            ["agent:ada", "group:night", "group:day"],
            "((case.actor_id == 'agent:ada') or absent & 12 or 'night' in actor.groups or 'day' in actor.groups)",
        ),
        (["*", "group:night"], "True"),
    ],
)
def test_whom_a_rule_is_about_reads_as_this_python(wanted: list[str], python: str) -> None:
    assert who_source("actor", wanted, 12) == python


@pytest.mark.parametrize(
    ("patterns", "python"),
    [
        (["a"], "(x == 'a')"),
        (["b", "a", "a"], "(x in ('a', 'b'))"),
        (["a*"], "(x.startswith(('a',)))"),
        (["b*", "a*", "c"], "(x == 'c' or x.startswith(('a', 'b')))"),
        (["a", "*"], "True"),
        ([], "False"),
    ],
)
def test_a_list_of_patterns_reads_as_this_python(patterns: list[str], python: str) -> None:
    assert source(patterns, "x") == python


@pytest.mark.parametrize(
    ("patterns", "name", "covered"),
    [
        (["a"], "a", True),
        (["a"], "ab", False),
        (["a*"], "ab", True),
        (["a*"], "a", True),
        (["b*", "a"], "a", True),
        (["*"], "", True),
        ([], "a", False),
        (["ab*"], "a", False),
    ],
)
def test_a_pattern_covers_a_name(patterns: list[str], name: str, covered: bool) -> None:
    assert matches(patterns, name) is covered
    assert eval(source(patterns, "x"), {"x": name}) is covered


@pytest.mark.parametrize(
    ("pattern", "groups", "says"),
    [
        ("a", False, ""),
        ("a*", False, ""),
        ("*", False, ""),
        ("x" * 256, False, ""),
        ("x" * 257, False, "is not a pattern: 1 to 256 characters without white space"),
        ("", False, "is not a pattern"),
        ("a b", False, "is not a pattern"),
        ("a\tb", False, "is not a pattern"),
        ("a*b", False, "`a*b`: `*` stands only at the end of a pattern"),
        ("**", False, "`*` stands only at the end"),
        ("group:x", True, ""),
        ("group:x", False, "`group:x`: groups are not known here, only ids"),
        ("group:x*", True, "`group:x*`: a group is named exactly"),
    ],
)
def test_what_is_no_pattern_is_said(pattern: str, groups: bool, says: str) -> None:
    found = fault_of(pattern, groups=groups)
    assert (found == "") is (says == "")
    assert says in found


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        (["user:a"], ["user:*"], ("user:a",)),
        (["user:*"], ["user:a*"], ("user:a*",)),
        (["user:*"], ["*"], ("user:*",)),
        (["group:x"], ["group:x"], ("group:x",)),
        (["group:x"], ["*"], ()),
        (["user:a"], ["user:b"], ()),
        (["user:a", "group:x"], ["user:a", "group:y"], ("user:a",)),
        (["group:xy"], ["group:x", "g*"], ()),
    ],
)
def test_two_lists_meet_in_what_both_cover_whichever_is_first(
    a: list[str], b: list[str], both: tuple[str, ...]
) -> None:
    assert meet(a, b) == meet(b, a) == both
