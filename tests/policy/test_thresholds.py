"""Where an order turns, and what an integer of a case is: each path, each operator and each edge by itself."""

from fractions import Fraction

import pytest

from placet.model.case import MandateRow, ResourceRow
from placet.policy.expressions import Expression, compile_condition
from placet.policy.quantities import AGE_MAX, changed, reach, value_at
from placet.policy.shape import INT_MAX, Argument, Path
from placet.policy.thresholds import around, comparisons, line, named_range, turns, walk
from tests.policy.packs import case

ARGUMENTS = (
    Argument("amount", "int"),
    Argument("other", "int"),
    Argument("rate", "number"),
    Argument("note", "string"),
    Argument("body", "json"),
)
AMOUNT, OTHER = ("arguments", "amount"), ("arguments", "other")
RISK, HEARD, OBSERVED = ("actor", "risk", "score"), ("actor", "risk", "heard_ms"), ("resource", "observed_ms")


def condition(text: str) -> Expression:
    return compile_condition(text, ARGUMENTS)


@pytest.mark.parametrize(
    ("path", "span"),
    [
        (AMOUNT, (-INT_MAX, INT_MAX)),
        (("arguments", "a", "b"), None),
        (("arguments",), None),
        (RISK, (0, 100)),
        (("authority", "risk", "score"), (0, 100)),
        (("session", "risk", "score"), (0, 100)),
        (("resource", "risk", "score"), None),
        (("actor", "risk", "level"), None),
        (("resource", "rank"), (0, 3)),
        (("session", "rank"), (0, 3)),
        (("mandate", "depth"), (1, 16)),
        (("mandate", "task"), None),
        (HEARD, (0, AGE_MAX)),
        (OBSERVED, (0, AGE_MAX)),
        (("intent", "attempt"), None),
        (("actor", "id"), None),
    ],
)
def test_an_integer_that_can_be_changed_has_a_least_and_a_greatest_value(path: Path, span: tuple[int, int]) -> None:
    assert reach(path) == span
    assert AGE_MAX == 2**53


KNOWN = case(
    {
        "risk": 12,
        "authority": {"risk": 34},
        "session": {"risk": 56, "sensitivity": "confidential"},
        "sensitivity": "restricted",
        "mandate": {"depth": 4},
        "ages": {"actor.risk": {"heard_ms": 70}, "resource": {"observed_ms": 80}},
    },
    arguments={"amount": 90, "note": "n", "sure": True},
)
SPARSE = case({"absent": ["actor.risk", "resource", "mandate"]}, arguments={})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (AMOUNT, 90),
        (("arguments", "note"), None),
        (("arguments", "sure"), None),
        (("arguments", "none"), None),
        (("arguments", "amount", "x"), None),
        (RISK, 12),
        (("authority", "risk", "score"), 34),
        (("session", "risk", "score"), 56),
        (("resource", "rank"), 3),
        (("session", "rank"), 2),
        (("mandate", "depth"), 4),
        (HEARD, 70),
        (OBSERVED, 80),
        (("calendar", "books", "heard_ms"), None),
        (("intent", "attempt"), 1),
        (("mandate", "task"), None),
        (("actor", "kind"), None),
    ],
)
def test_the_integer_at_a_path_is_read_where_there_is_one(path: Path, value: int | None) -> None:
    assert value_at(KNOWN, path) == value


@pytest.mark.parametrize("path", [AMOUNT, RISK, ("resource", "rank"), ("mandate", "depth"), HEARD, OBSERVED])
def test_what_is_not_known_is_no_integer(path: Path) -> None:
    assert value_at(SPARSE, path) is None


@pytest.mark.parametrize(
    "path",
    [
        AMOUNT,
        ("arguments", "new"),
        RISK,
        ("authority", "risk", "score"),
        ("session", "risk", "score"),
        ("resource", "rank"),
        ("session", "rank"),
        ("mandate", "depth"),
        HEARD,
        OBSERVED,
    ],
)
def test_a_changed_case_is_another_at_that_path_and_nowhere_else(path: Path) -> None:
    paths = [AMOUNT, RISK, ("authority", "risk", "score"), ("session", "risk", "score"), ("resource", "rank"),
             ("session", "rank"), ("mandate", "depth"), HEARD, OBSERVED, ("resource", "heard_ms")]  # fmt: skip
    before = {each: value_at(KNOWN, each) for each in paths}
    made = changed(KNOWN, {path: 1})
    assert value_at(made, path) == 1
    assert {each: value_at(made, each) for each in paths} == before | ({path: 1} if path in before else {})
    assert {each: value_at(KNOWN, each) for each in paths} == before
    assert (made.action, made.actor_id, made.instant) == (KNOWN.action, KNOWN.actor_id, KNOWN.instant)


def test_a_rank_takes_its_label_along_and_what_is_not_there_cannot_be_changed() -> None:
    resource = changed(KNOWN, {("resource", "rank"): 1}).resource
    assert isinstance(resource, ResourceRow)
    assert (resource.rank, resource.sensitivity, resource.id) == (1, "internal", KNOWN.resource_id)
    mandate = changed(KNOWN, {("mandate", "depth"): 9}).mandate
    assert isinstance(mandate, MandateRow)
    assert (mandate.depth, mandate.id) == (9, KNOWN.mandate.id if KNOWN.mandate else "")
    still = changed(SPARSE, {("resource", "rank"): 1, ("mandate", "depth"): 2})
    assert (still.resource, still.mandate) == (None, None)


def test_what_is_not_known_stays_so_beside_an_age_that_is_changed() -> None:
    made = changed(SPARSE, {("actor", "heard_ms"): 5})
    assert [value_at(made, path) for path in (("actor", "heard_ms"), ("resource", "heard_ms"))] == [5, None]


def test_several_changes_are_made_at_once() -> None:
    made = changed(KNOWN, {AMOUNT: 1, OTHER: 2, HEARD: 3, ("actor", "risk", "observed_ms"): 4, RISK: 5})
    assert (made.arguments["amount"], made.arguments["other"], made.arguments["note"]) == (1, 2, "n")
    assert [value_at(made, path) for path in (HEARD, ("actor", "risk", "observed_ms"), RISK)] == [3, 4, 5]


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        # The last integer on one side, the first on the other.
        ("arguments.amount < 5", [4, 5]),
        ("arguments.amount >= 5", [4, 5]),
        ("arguments.amount <= 5", [5, 6]),
        ("arguments.amount > 5", [5, 6]),
        ("5 < arguments.amount", [5, 6]),
        ("5 >= arguments.amount", [5, 6]),
        ("5 <= arguments.amount", [4, 5]),
        ("5 > arguments.amount", [4, 5]),
        ("-arguments.amount < 5", [-5, -4]),
        ("-arguments.amount <= 5", [-6, -5]),
        ("2 * arguments.amount < 10", [4, 5]),
        ("2 * arguments.amount <= 10", [5, 6]),
        # Between two integers there is nothing to turn at but these.
        ("2 * arguments.amount < 11", [5, 6]),
        ("2 * arguments.amount >= 11", [5, 6]),
        ("-2 * arguments.amount < 11", [-6, -5]),
        ("3 * arguments.amount + 1 <= arguments.amount + 8", [3, 4]),
        ("10 - arguments.amount > 3", [6, 7]),
        ("arguments.amount - arguments.other > 3", [33, 34]),
        ("arguments.amount > arguments.other", [30, 31]),
        ("arguments.rate > 2.5 || true", None),
        ("arguments.amount * arguments.amount < 5", []),
        ("arguments.amount > arguments.amount + 1", []),
        ("arguments.other > 5", []),
        ("arguments.amount > actor.risk.score", []),
        ("arguments.amount / 2 > 5", []),
    ],
)
def test_an_order_turns_between_two_integers(text: str, sides: list[int] | None) -> None:
    tree = condition(text).tree
    node = tree.parts[0] if sides is None else tree
    assert list(around(node, AMOUNT, lambda path: 30 if path == OTHER else None)) == (sides or [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arguments.amount > 0", (1, 0)),
        ("7 > arguments.amount", (0, 7)),
        ("2.5 > arguments.rate", (0, Fraction(5, 2))),
        ("arguments.other > 0", (0, 30)),
        ("arguments.amount + 4 > 0", (1, 4)),
        ("4 + arguments.amount > 0", (1, 4)),
        ("arguments.amount - 4 > 0", (1, -4)),
        ("4 - arguments.amount > 0", (-1, 4)),
        ("arguments.amount * 4 > 0", (4, 0)),
        ("4 * arguments.amount > 0", (4, 0)),
        ("(arguments.amount + 2) * 4 > 0", (4, 8)),
        ("4 * (2 - arguments.amount) > 0", (-4, 8)),
        ("-(arguments.amount - 3) > 0", (-1, 3)),
        ("arguments.other * arguments.other > 0", (0, 900)),
        ("(arguments.amount - arguments.amount) * arguments.amount > 0", (0, 0)),
        ("arguments.amount * arguments.amount > 0", None),
        ("actor.risk.score > 0", None),
        ("actor.risk.score + arguments.amount > 0", None),
        ("size(arguments.note) > 0", None),
        ("'a' > arguments.note", None),
        ("1e999 > arguments.rate", None),
        ("arguments.amount % 2 > 0", None),
        ("-actor.risk.score > 0", None),
    ],
)
def test_what_is_linear_in_one_integer_is_a_line(text: str, expected: object) -> None:
    node = condition(text).tree.parts[0]
    assert line(node, AMOUNT, lambda path: 30 if path == OTHER else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("actor.risk.level == 'low'", (RISK, 0, 39)),
        ("actor.risk.level != 'medium'", (RISK, 40, 69)),
        ("'high' == session.risk.level", (("session", "risk", "score"), 70, 100)),
        ("authority.risk.level == 'grave'", None),
        ("resource.sensitivity == 'public'", (("resource", "rank"), 0, 0)),
        ("session.sensitivity == 'restricted'", (("session", "rank"), 3, 3)),
        ("resource.sensitivity == 'secret'", None),
        ("actor.id == 'low'", None),
        ("resource.id == 'public'", None),
        ("actor.id == authority.id", None),
        ("arguments.amount == 3", None),
    ],
)
def test_the_name_of_a_level_or_a_label_is_a_range(text: str, expected: object) -> None:
    assert named_range(condition(text).tree) == expected


def test_a_condition_has_the_comparisons_that_turn_on_something() -> None:
    found = comparisons(
        condition(
            "arguments.amount > 5 && (actor.risk.level == 'low' || actor.risk.score < arguments.other)"
            " && arguments.amount != 3 && size(actor.id) > 2 && resource.sensitivity != 'internal'"
        )
    )
    assert [(one.node.name, one.paths, one.low, one.high) for one in found] == [
        ("_>_", (AMOUNT,), 0, -1),
        ("_==_", (RISK,), 0, 39),
        ("_<_", (RISK, OTHER), 0, -1),
        ("_!=_", (("resource", "rank"),), 1, 1),
    ]
    assert [one.node.name for one in comparisons(condition("!(1 <= arguments.amount) || 2 >= arguments.amount"))] == [
        "_<=_",
        "_>=_",
    ]


def test_a_case_turns_on_each_side_of_an_order_and_around_a_range() -> None:
    asked = case({"risk": 12}, arguments={"amount": 90, "other": 30})
    both = condition("arguments.amount > arguments.other && actor.risk.level == 'medium'")
    assert list(turns(both, asked)) == [
        (AMOUNT, 30),
        (AMOUNT, 31),
        (OTHER, 89),
        (OTHER, 90),
        (RISK, 39),
        (RISK, 40),
        (RISK, 69),
        (RISK, 70),
    ]
    assert list(turns(both, asked, "actor")) == [(RISK, 39), (RISK, 40), (RISK, 69), (RISK, 70)]
    mixed = condition("actor.risk.score < arguments.other")
    assert list(turns(mixed, asked, "arguments")) == [(OTHER, 12), (OTHER, 13)]
    label = condition("resource.sensitivity == 'internal'")
    assert list(turns(label, asked)) == [(("resource", "rank"), n) for n in (0, 1, 1, 2)]


def test_every_node_of_a_condition_is_walked_from_the_top() -> None:
    tree = condition("arguments.amount > 5").tree
    assert [(node.kind, node.name) for node in walk(tree)] == [
        ("call", "_>_"),
        ("select", "amount"),
        ("ident", "arguments"),
        ("const", ""),
    ]
