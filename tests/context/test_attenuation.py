"""Delegation only ever narrows: laws of chains that are spliced, reordered and extended at will, and of what they claim."""

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from placet.context.attenuation import Excess, excess, granted
from placet.context.chain import DEPTH_MAX, Chain, resolve
from placet.context.reach import contains, covers, meet, reach_of
from placet.model.case import MandateLimit, MandateRow

MANY = settings(max_examples=2_000, deadline=None)
TEXTS = ("a", "b", "ab", "ba", "aa", "aab", "aba", "abb", "*", "a*")
patterns = st.lists(st.text("ab*", max_size=3), max_size=3).map(tuple)
mostly_wide = st.one_of(*map(st.just, [("*",), ("a*", "b"), ("ab*", "a")]), patterns)
limits = st.lists(
    st.builds(MandateLimit, st.sampled_from(["count", "amount"]), st.integers(0, 9), st.integers(0, 9), patterns),
    max_size=2,
).map(tuple)
names = st.sampled_from([f"m{number}" for number in range(DEPTH_MAX + 2)])
people = st.sampled_from([f"p{number}" for number in range(4)])


def link(name: str, delegator: str, delegate: str, parent: str = "", **more: Any) -> MandateRow:
    fields: dict[str, Any] = {"actions": ("*",), "resources": ("*",), "expires_at": 0, "active": True, "limits": ()}
    return MandateRow(
        key=f"M:acme/{name}",
        id=name,
        delegator=delegator,
        delegate=delegate,
        task="",
        parent=parent,
        observed_at=0,
        partition=0,
        fact=name.encode(),
        **{**fields, **more},
    )


@st.composite
def forests(draw: st.DrawFn) -> dict[str, MandateRow]:
    """Return a chain that holds, or nearly, after its links were spliced, re-parented and extended at random."""
    length = draw(st.integers(1, DEPTH_MAX + 1))
    held = {}
    for number in range(length):
        held[f"m{number}"] = link(
            f"m{number}",
            f"p{number}",
            f"p{number + 1}",
            f"m{number - 1}" if number else "",
            actions=draw(mostly_wide),
            resources=draw(mostly_wide),
            expires_at=draw(st.sampled_from([0, 0, 5, 10])),
            active=draw(st.integers(0, 9)) > 0,
        )
    for name in draw(st.lists(names, max_size=2)):
        held[name] = link(name, draw(people), draw(people), draw(st.one_of(st.just(""), names)))
    return {row.key: row for row in held.values()}


def chain_of(held: dict[str, MandateRow], row: MandateRow, instant: int) -> Chain:
    """Return the chain of a link for whoever holds it, up to whoever answers at its root."""
    root = row
    for _ in range(DEPTH_MAX):
        root = held.get(f"M:acme/{root.parent}", root)
    return resolve(held, "acme", row.id, row.delegate, root.delegator, instant)


def grants(chain: Chain, action: str, resource: str) -> bool:
    return not chain.broken and reach_of(chain.links).covers(action, resource)


@given(forests(), st.sampled_from(TEXTS), st.sampled_from(TEXTS), st.sampled_from([0, 5, 7]))
@MANY
def test_no_child_grants_what_its_parent_does_not(
    held: dict[str, MandateRow], action: str, resource: str, instant: int
) -> None:
    for row in held.values():
        child = chain_of(held, row, instant)
        if not row.parent or child.broken:
            continue
        event("a child that holds")
        parent = chain_of(held, held[f"M:acme/{row.parent}"], instant)
        assert parent.broken == ""
        assert child.until <= parent.until
        assert len(child.links) == len(parent.links) + 1 <= DEPTH_MAX
        assert child.members == (*parent.members, row.delegate)
        if grants(child, action, resource):
            event("a child that grants")
            assert grants(parent, action, resource)
            assert covers(row.actions, action)
            assert covers(row.resources, resource)


@given(forests(), st.sampled_from(TEXTS), st.sampled_from(TEXTS))
@MANY
def test_a_chain_grants_what_each_of_its_links_would_alone(
    held: dict[str, MandateRow], action: str, resource: str
) -> None:
    for row in held.values():
        chain = chain_of(held, row, 0)
        if not chain.broken:
            alone = [names_it(each.actions, action) and names_it(each.resources, resource) for each in chain.links]
            assert grants(chain, action, resource) == all(alone)


def names_it(patterns: tuple[str, ...], text: str) -> bool:
    return any(text[: len(one) - 1] == one[:-1] if one.endswith("*") else text == one for one in patterns)


@given(patterns, patterns, st.text("ab*", max_size=4))
@MANY
def test_what_two_lists_of_patterns_have_in_common_is_what_both_name(
    one: tuple[str, ...], two: tuple[str, ...], text: str
) -> None:
    assert covers(meet(one, two), text) == (names_it(one, text) and names_it(two, text))


@given(patterns, st.text("ab*", max_size=3), st.text("ab*", max_size=4))
@MANY
def test_a_pattern_within_others_names_nothing_they_do_not(patterns: tuple[str, ...], inner: str, text: str) -> None:
    if contains(patterns, inner) and names_it((inner,), text):
        assert names_it(patterns, text)


terms = st.builds(
    link,
    st.just("m"),
    people,
    people,
    actions=patterns,
    resources=patterns,
    expires_at=st.sampled_from([0, 5, 9]),
    limits=limits,
)


@given(st.lists(terms, min_size=1, max_size=3), terms, st.sampled_from(TEXTS))
@MANY
def test_a_claim_without_excess_grants_all_that_it_claims(
    above: list[MandateRow], claim: MandateRow, text: str
) -> None:
    bound = granted(above)
    both = granted([*above, claim])
    if not excess(claim, bound):
        event("no excess")
        assert covers(both.actions, text) == covers(claim.actions, text)
        assert covers(both.resources, text) == covers(claim.resources, text)
        assert both.expires_at == claim.expires_at
    assert set(both.limits) == {*bound.limits, *claim.limits}
    assert excess(both, bound) == ()


ROOT = link(
    "m1",
    "user:grace",
    "agent:a",
    actions=("payments.*", "orders.read"),
    resources=("order/*",),
    expires_at=1_000,
    limits=(MandateLimit("amount", 500, 3600, ()), MandateLimit("count", 9, 0, ("payments.refund",))),
)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, ()),
        ({"actions": ("payments.refund",), "resources": ("order/7",), "expires_at": 999}, ()),
        ({"actions": ("pay*",)}, (Excess("action", "`pay*`", "only `payments.*`"),)),
        ({"actions": ("*",)}, (Excess("action", "`*`", "only `payments.*`, `orders.read`"),)),
        ({"actions": ("orders.readall",)}, (Excess("action", "`orders.readall`", "nothing of it"),)),
        ({"resources": ("order/7", "invoice/*")}, (Excess("resource", "`invoice/*`", "nothing of it"),)),
        ({"expires_at": 1_001}, (Excess("ends", "at 1001", "ends at 1000"),)),
        ({"expires_at": 0}, (Excess("ends", "never", "ends at 1000"),)),
        ({"limits": ROOT.limits[:1]}, (Excess("limit", "none on count", "count=9/0 on payments.refund"),)),
        (
            {"limits": (MandateLimit("amount", 501, 3600, ()), ROOT.limits[1])},
            (Excess("limit", "amount=501/3600", "amount=500/3600"),),
        ),
        # As much within a shorter time is more; within a longer one, or the mandate's whole life, less.
        (
            {"limits": (MandateLimit("amount", 500, 60, ()), ROOT.limits[1])},
            (Excess("limit", "amount=500/60", "amount=500/3600"),),
        ),
        ({"limits": (MandateLimit("amount", 500, 0, ()), MandateLimit("count", 9, 0, ()))}, ()),
        ({"limits": (ROOT.limits[0], MandateLimit("count", 9, 0, ("payments.*",)))}, ()),
        (
            {"limits": (MandateLimit("amount", 1, 3600, ("payments.refund",)), ROOT.limits[1])},
            (Excess("limit", "amount=1/3600 on payments.refund", "amount=500/3600"),),
        ),
        (
            {"limits": (ROOT.limits[0], MandateLimit("count", 9, 3600, ()))},
            (Excess("limit", "count=9/3600", "count=9/0 on payments.refund"),),
        ),
    ],
)
def test_a_child_that_claims_more_is_told_what_of_it_it_has(
    claims: dict[str, Any], expected: tuple[Excess, ...]
) -> None:
    own = {name: getattr(ROOT, name) for name in ("actions", "resources", "expires_at", "limits")}
    assert excess(link("m2", "agent:a", "agent:b", "m1", **{**own, **claims}), ROOT) == expected


def test_a_child_that_claims_more_grants_what_both_do() -> None:
    child = link("m2", "agent:a", "agent:b", "m1", actions=("pay*",), resources=("*",), expires_at=2_000)
    both = granted([ROOT, child])
    assert (both.actions, both.resources, both.expires_at) == (("payments.*",), ("order/*",), 1_000)
    assert both.limits == ROOT.limits
    assert reach_of((child, ROOT)) == (both.actions, both.resources)
