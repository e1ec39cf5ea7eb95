"""Sets of integers and of texts hold exactly what a plain set would, also where they are endless."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.policy.ranges import ANY_TEXT, Ints, Texts, ints, texts

WORLD = range(-6, 7)
NAMES = ("a", "b", "c", "d")
some_ints = st.frozensets(st.sampled_from(WORLD)).map(ints)
some_texts = st.builds(Texts, st.frozensets(st.sampled_from(NAMES)), st.booleans())


def inside(values: Ints) -> set[int]:
    return {n for n in WORLD if any(low <= n <= high for low, high in values.ranges)}


def named(values: Texts) -> set[str]:
    """Return which of four names are in a set, and `other` where a name nobody thought of is."""
    return {name for name in (*NAMES, "other") if (name in values.named) is not values.others}


@given(some_ints, some_ints)
def test_sets_of_integers_are_cut_and_subtracted_like_sets(one: Ints, other: Ints) -> None:
    assert inside(one.meet(other)) == inside(one) & inside(other)
    assert inside(one.without(other)) == inside(one) - inside(other)
    assert bool(one) is bool(inside(one))


@given(some_texts, some_texts)
def test_sets_of_texts_are_cut_and_subtracted_like_sets(one: Texts, other: Texts) -> None:
    assert named(one.meet(other)) == named(one) & named(other)
    assert named(one.without(other)) == named(one) - named(other)
    assert bool(one) is bool(named(one))


@pytest.mark.parametrize(
    ("one", "other", "both", "only"),
    [
        (((0, 9),), ((5, 12),), ((5, 9),), ((0, 4),)),
        (((0, 9),), ((3, 5),), ((3, 5),), ((0, 2), (6, 9))),
        (((0, 9),), ((9, 9),), ((9, 9),), ((0, 8),)),
        (((0, 9),), ((0, 0),), ((0, 0),), ((1, 9),)),
        (((0, 9),), ((10, 12),), (), ((0, 9),)),
        (((0, 3), (6, 9)), ((2, 7),), ((2, 3), (6, 7)), ((0, 1), (8, 9))),
        (((0, 9),), ((7, 8), (1, 2)), ((1, 2), (7, 8)), ((0, 0), (3, 6), (9, 9))),
        (((0, 9),), ((0, 9),), ((0, 9),), ()),
    ],
)
def test_ranges_stay_apart_and_in_order(
    one: tuple[tuple[int, int], ...],
    other: tuple[tuple[int, int], ...],
    both: tuple[tuple[int, int], ...],
    only: tuple[tuple[int, int], ...],
) -> None:
    assert Ints(one).meet(Ints(other)).ranges == both
    assert Ints(one).without(Ints(other)).ranges == only


@pytest.mark.parametrize("given_", [[3, 1, 3], (1, 3), {3, 1}])
def test_single_integers_are_ranges_of_one_each_once(given_: Iterable[int]) -> None:
    assert ints(given_).ranges == ((1, 1), (3, 3))


def test_texts_are_those_named_and_any_text_is_all() -> None:
    assert texts(["a", "b"]) == Texts(frozenset({"a", "b"}), False)
    assert not texts([])
    assert Texts(frozenset(), True) == ANY_TEXT
    assert Texts(frozenset({"a"}), True)
