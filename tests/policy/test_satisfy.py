"""Whether a condition can be true: a No is certain. Each clause is asked alone, without what lint makes of it."""

import pytest

from placet.policy.expressions import compile_condition
from placet.policy.ranges import ANY_TEXT, Ints, texts
from placet.policy.satisfy import WAYS_MAX, can_hold, domain_of, shape_of
from placet.policy.shape import INT_MAX, Argument

ARGUMENTS = (
    Argument("amount", "int", min=1, max=12),
    Argument("count", "int"),
    Argument("note", "string"),
    Argument("unit", "string", one_of=("eur", "usd")),
    Argument("flag", "bool"),
)
DOMAIN = domain_of("pay.refund", ARGUMENTS)


def possible(text: str, wanted: bool = True) -> bool:
    return can_hold([(compile_condition(text, ARGUMENTS).tree, wanted)], DOMAIN)


def test_the_domain_is_what_is_declared_of_an_action_and_what_a_case_can_be() -> None:
    whole = domain_of(
        "a.b", (Argument("low", "int", min=3), Argument("high", "int", max=4), Argument("any", "int"), *ARGUMENTS)
    )
    assert whole["intent", "action"] == texts(["a.b"])
    assert whole["arguments", "low"] == Ints(((3, INT_MAX),))
    assert whole["arguments", "high"] == Ints(((-INT_MAX, 4),))
    assert whole["arguments", "any"] == Ints(((-INT_MAX, INT_MAX),))
    assert whole["arguments", "amount"] == Ints(((1, 12),))
    assert whole["arguments", "unit"] == texts(["eur", "usd"])
    assert ("arguments", "note") not in whole
    assert {path for path in domain_of("a.b", None) if path[0] == "arguments"} == set()
    assert whole["session", "origin"] == texts(["none", "internal", "external"])
    assert whole["resource", "origin"] == texts(["internal", "external"])
    kinds = texts(["user", "agent", "service", "connector", "workflow", "tool"])
    statuses = texts(["active", "suspended", "revoked"])
    levels = texts(["low", "medium", "high"])
    labels = texts(["public", "internal", "confidential", "restricted"])
    for root in ("actor", "authority"):
        assert (whole[root, "kind"], whole[root, "status"]) == (kinds, statuses)
    for root in ("actor", "authority", "session"):
        assert whole[root, "risk", "level"] == levels
    for root in ("resource", "session"):
        assert whole[root, "sensitivity"] == labels


NEVER = [
    # orders, at and beside their turning points
    "arguments.amount < 1",
    "arguments.amount <= 0",
    "arguments.amount > 12",
    "arguments.amount >= 13",
    "12 < arguments.amount",
    "1 > arguments.amount",
    "13 <= arguments.amount",
    "0 >= arguments.amount",
    "2 * arguments.amount < 2",
    "2 * arguments.amount <= 1",
    "2 * arguments.amount > 24",
    "2 * arguments.amount >= 25",
    "3 * arguments.amount > 6 && 3 * arguments.amount < 9",
    "3 * arguments.amount >= 7 && 3 * arguments.amount <= 8",
    "-arguments.amount > -1",
    "-arguments.amount >= 0",
    "-arguments.amount < -12",
    "10 - arguments.amount < -2",
    "arguments.amount + 5 < 6",
    "arguments.amount * 3 < arguments.amount + 2",
    "arguments.count > 9007199254740992",
    "intent.attempt > 9223372036854775807",
    "intent.attempt < -9223372036854775808",
    "actor.kind == 'robot' && actor.risk.score == 50",
    "arguments.count < -9007199254740992",
    # equality and sets of integers
    "arguments.amount == 13",
    "13 == arguments.amount",
    "arguments.amount == 5 && arguments.amount != 5",
    "arguments.amount in [0, 13]",
    "arguments.amount in [3, 4] && arguments.amount in [5, 6]",
    "arguments.amount in [3, 4] && arguments.amount != 3 && arguments.amount != 4",
    "!(arguments.amount in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])",
    # names that stand for a range
    "actor.risk.level == 'low' && actor.risk.score == 40",
    "actor.risk.level == 'medium' && actor.risk.score < 40",
    "actor.risk.level == 'medium' && actor.risk.score > 69",
    "actor.risk.level == 'high' && actor.risk.score == 69",
    "actor.risk.level != 'high' && actor.risk.score == 70",
    "actor.risk.level in ['low', 'high'] && actor.risk.score == 40",
    "actor.risk.level in ['low', 'other'] && actor.risk.score == 40",
    "actor.risk.score > 100",
    "actor.risk.score < 0",
    "resource.sensitivity == 'internal' && resource.rank != 1",
    "resource.sensitivity in ['public', 'restricted'] && resource.rank in [1, 2]",
    "session.sensitivity != 'restricted' && session.rank == 3",
    "session.rank > 3",
    "mandate.depth > 16",
    "mandate.depth < 1",
    # texts
    "arguments.unit == 'gbp'",
    "arguments.unit != 'eur' && arguments.unit != 'usd'",
    "arguments.unit in ['gbp', 'chf']",
    "arguments.unit.startsWith('g')",
    "arguments.unit.endsWith('x')",
    "arguments.unit.contains('z')",
    "arguments.unit.matches('^g')",
    "!arguments.unit.matches('^(eur|usd)$')",
    "arguments.unit == 'eur' && !arguments.unit.startsWith('e')",
    "arguments.unit.startsWith('e') && arguments.unit.endsWith('d')",
    "arguments.note == 'a' && arguments.note == 'b'",
    "arguments.note == 'a' && arguments.note != 'a'",
    "arguments.note in ['a', 'b'] && arguments.note in ['c']",
    "arguments.note.startsWith('ab') && arguments.note.startsWith('b')",
    "actor.kind == 'robot'",
    "intent.action != 'pay.refund'",
    "session.origin == 'outside'",
    # how clauses hang together
    "arguments.flag && !arguments.flag",
    "!(arguments.flag || !arguments.flag)",
    "arguments.flag ? arguments.amount > 12 : !(arguments.amount > 0)",
    "arguments.flag ? !arguments.flag : arguments.flag",
    "(arguments.amount < 3 || arguments.amount > 9) && arguments.amount == 5",
    "!(arguments.amount < 3 || arguments.amount > 9) && arguments.amount == 2",
    "!(arguments.amount >= 1 && arguments.amount <= 12)",
    "true ? false : true",
    "false || false",
    "has(resource.owner) && !has(resource.owner)",
    "'a' in actor.attributes && !('a' in actor.attributes)",
]
SOMETIMES = [
    "arguments.amount < 2",
    "arguments.amount <= 1",
    "arguments.amount > 11",
    "arguments.amount >= 12",
    "11 < arguments.amount",
    "2 > arguments.amount",
    "12 <= arguments.amount",
    "1 >= arguments.amount",
    "2 * arguments.amount < 3",
    "2 * arguments.amount <= 2",
    "2 * arguments.amount > 23",
    "2 * arguments.amount >= 24",
    "3 * arguments.amount > 5 && 3 * arguments.amount < 7",
    "3 * arguments.amount >= 6 && 3 * arguments.amount <= 6",
    "-arguments.amount > -2",
    "-arguments.amount >= -1",
    "-arguments.amount < -11",
    "10 - arguments.amount < -1",
    "arguments.count >= 9007199254740992",
    "intent.attempt >= 9223372036854775807",
    "intent.attempt <= -9223372036854775808",
    "actor.kind == 'agent' && actor.risk.score == 50",
    "arguments.count <= -9007199254740992",
    "arguments.amount > arguments.count",
    "arguments.amount * arguments.amount < 0",
    "arguments.amount == 12",
    "1 == arguments.amount",
    "arguments.amount != 5",
    "arguments.amount in [0, 1]",
    "arguments.amount in [3, 4] && arguments.amount in [4, 5]",
    "!(arguments.amount in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])",
    "arguments.amount in [arguments.count, 13]",
    "actor.risk.level == 'low' && actor.risk.score == 39",
    "actor.risk.level == 'medium' && actor.risk.score == 40",
    "actor.risk.level == 'medium' && actor.risk.score == 69",
    "actor.risk.level == 'high' && actor.risk.score == 70",
    "actor.risk.level in ['low', 'high'] && actor.risk.score == 70",
    "actor.risk.level == 'low' && session.risk.score == 40",
    "actor.risk.score >= 100",
    "actor.risk.score <= 0",
    "resource.sensitivity == 'internal' && resource.rank == 1",
    "resource.sensitivity == 'public' && session.sensitivity == 'restricted'",
    "session.rank >= 3",
    "mandate.depth == 16",
    "mandate.depth == 1",
    "arguments.unit == 'usd'",
    "'usd' == arguments.unit",
    "arguments.unit != 'eur'",
    "arguments.unit in ['gbp', 'eur']",
    "arguments.unit.startsWith('e')",
    "arguments.unit.endsWith('d')",
    "arguments.unit.contains('s')",
    "arguments.unit.matches('s')",
    "!arguments.unit.matches('^eur$')",
    "arguments.note != 'a'",
    "arguments.note == 'a' && arguments.unit != 'a'",
    "arguments.note in ['a', 'b'] && arguments.note in ['b', 'c']",
    "arguments.note.startsWith('ab') && arguments.note.startsWith('a')",
    "arguments.note.startsWith('a') && arguments.note.startsWith('ab')",
    "arguments.note.startsWith('ab') && !arguments.note.startsWith('b')",
    "arguments.note.startsWith('ab') && arguments.note.endsWith('b')",
    "arguments.note.startsWith('ab') && actor.id.startsWith('b')",
    "arguments.note.startsWith(actor.id) && arguments.note == 'a'",
    "arguments.flag || !arguments.flag",
    "arguments.flag ? arguments.amount > 12 : arguments.amount > 0",
    "arguments.flag ? arguments.amount > 0 : arguments.amount > 12",
    "(arguments.amount < 3 || arguments.amount > 9) && arguments.amount == 10",
    "!(arguments.amount < 3 || arguments.amount > 9) && arguments.amount == 3",
    "!(arguments.amount >= 1 && arguments.amount <= 11)",
    "true ? true : false",
    "false || true",
    "has(resource.owner) && !has(resource.origin)",
    "actor.groups.exists(g, g == 'a') && !actor.groups.exists(g, g == 'b')",
    "calendar.books == 'open' && calendar.freeze != 'open'",
    "!(actor.id in {'a': 'b'}) && actor.id == 'b'",
    "arguments.amount > size(arguments.note)",
    "size(arguments.note) > arguments.amount",
    "arguments.amount < arguments.amount + 1",
]


@pytest.mark.parametrize("text", NEVER)
def test_what_is_called_impossible_is(text: str) -> None:
    assert not possible(text)
    assert not possible(f"!({text})", False)
    assert possible(text, False)


@pytest.mark.parametrize("text", SOMETIMES)
def test_what_can_be_is_left_possible(text: str) -> None:
    assert possible(text)
    assert possible(f"!({text})", False)


def test_several_conditions_hold_together_or_not_at_all() -> None:
    small = compile_condition("arguments.amount < 5", ARGUMENTS).tree
    large = compile_condition("arguments.amount > 3", ARGUMENTS).tree
    assert can_hold([], DOMAIN)
    assert can_hold([(small, True), (large, True)], DOMAIN)
    assert can_hold([(small, True), (large, False)], DOMAIN)
    assert not can_hold([(small, False), (large, False)], DOMAIN)


@pytest.mark.parametrize(
    "text",
    [
        "arguments.body == 1 && arguments.body == 2",
        "arguments.body == 'a' && arguments.body == 'b'",
        "actor.risk.score < arguments.body",
        "arguments.body > actor.risk.score",
    ],
)
def test_of_what_may_be_anything_nothing_is_claimed(text: str) -> None:
    assert can_hold([(compile_condition(text, None).tree, True)], domain_of("pay.refund", None))


def test_where_two_packs_take_an_argument_for_different_things_the_other_clauses_still_speak() -> None:
    text = compile_condition("arguments.note == 'a'", ARGUMENTS).tree
    number = compile_condition("arguments.note > 3", (Argument("note", "int"),)).tree
    beyond = compile_condition("arguments.amount > 12", ARGUMENTS).tree
    assert can_hold([(text, True), (number, True)], DOMAIN)
    assert not can_hold([(text, True), (number, True), (beyond, True)], DOMAIN)


def either(n: int) -> str:
    """Return a condition that has `n` ways to be true, none of which can be."""
    return " || ".join(f"arguments.amount > {12 + at}" for at in range(n))


def test_beyond_so_many_ways_nothing_is_claimed() -> None:
    ways = f"({either(40)}) && ({either(50)})"
    assert WAYS_MAX == 40 * 50
    assert not possible(ways)
    assert possible(f"({ways}) || arguments.amount > 99")


def test_nodes_share_a_shape_exactly_when_they_read_the_same() -> None:
    def shape(text: str) -> object:
        return shape_of(compile_condition(text, ARGUMENTS).tree)

    assert shape("arguments.amount > 1 && arguments.flag") == shape("arguments.amount  >  1 && arguments.flag")
    others = [
        "arguments.amount > 1",
        "arguments.amount > 2",
        "arguments.amount >= 1",
        "arguments.count > 1",
        "arguments.note == '1'",
        "arguments.note != '1'",
        "has(arguments.note)",
        "actor.groups.exists(a, a == 'x')",
        "actor.groups.exists(b, b == 'x')",
        "actor.groups.all(a, a == 'x')",
    ]
    assert len({shape(text) for text in others}) == len(others)


def test_any_text_is_not_searched_for_one_that_passes() -> None:
    assert ANY_TEXT.others
    assert possible("arguments.note.startsWith('a') && !arguments.note.contains('a')")
