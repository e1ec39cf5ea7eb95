"""Bounds told with a refusal: each is true and the nearest, of the intent's own integers, and never of a set or a fact."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.model.case import Case
from placet.model.reasons import Effect
from placet.policy.bounds import TELLABLE, TURNS_MAX, WORK_MAX, Bounds, Told
from placet.policy.evaluate import Plan, PolicySet
from placet.policy.nearest import nearest
from tests.policy.packs import case, pack, rule
from tests.policy.test_nearest import CLAUSES, EFFECTS, WHENS, plan_of, refund, shipped

CAPPED = """
  pay.refund:
    arguments:
      amount: {type: int, min: 1, max: 1000000}
      cap: {type: int, required: false}
      share: {type: number, required: false}
"""
PEOPLE, PERMIT = Effect.STEP_UP, Effect.PERMIT


def told(plan: Plan, asked: Case) -> list[tuple[str, str, int, Effect]]:
    found = Bounds(plan).told(asked, plan.decide(asked))
    return [(one.argument, one.comparison, one.value, one.effect) for one in found]


def capped(*rules: str) -> Plan:
    plan = PolicySet.of([pack("\n".join(rules), actions=CAPPED)]).plan("pay.refund")
    assert plan is not None
    return plan


def test_a_refund_that_waits_for_people_hears_what_needs_none() -> None:
    plan, asked = shipped("payments", {"risk": 20, "authority": {"groups": ["support"]}}, refund(60000))
    assert told(plan, asked) == [("amount", "<=", 50000, PERMIT)]


def test_the_bound_at_which_people_may_be_asked_is_told_as_that_and_before_what_needs_nobody() -> None:
    plan = plan_of(
        rule("small", when="arguments.amount <= 20"),
        rule("some", "step_up", when="arguments.amount > 20 && arguments.amount <= 100"),
    )
    assert told(plan, case(arguments={"amount": 150})) == [("amount", "<=", 100, PEOPLE), ("amount", "<=", 20, PERMIT)]


def test_nobody_is_sent_upwards_to_people_who_could_have_a_grant_below() -> None:
    plan, asked = shipped("payments", {"risk": 20}, refund(6000))
    assert told(plan, asked) == [("amount", "<=", 5000, PERMIT)]


def test_what_is_denied_for_another_cause_as_well_has_no_bound() -> None:
    plan, asked = shipped("payments", {"risk": 90}, refund(60000))
    assert told(plan, asked) == []


def test_an_amount_outside_its_declaration_has_the_declared_bound_and_two_of_them_have_none() -> None:
    plan, asked = shipped("payments", {}, refund(0))
    assert told(plan, asked) == [("amount", ">=", 1, PERMIT)]
    both = PolicySet.of([pack(rule("any"), actions=CAPPED.replace("cap: {type: int,", "cap: {type: int, max: 5,"))])
    plan_ = both.plan("pay.refund")
    assert plan_ is not None
    assert told(plan_, case(arguments={"amount": 0, "cap": 6})) == []
    assert told(plan_, case(arguments={"amount": 1, "cap": 6})) == [("cap", "<=", 5, PERMIT)]


def test_a_bound_against_another_argument_moves_with_it() -> None:
    plan = capped(rule("within", when="has(arguments.cap) && arguments.amount * 2 <= arguments.cap"))
    assert told(plan, case(arguments={"amount": 90, "cap": 100})) == [
        ("amount", "<=", 50, PERMIT),
        ("cap", ">=", 180, PERMIT),
    ]


@pytest.mark.parametrize(
    "when",
    [
        "arguments.amount in [10, 20]",
        "arguments.amount == 10",
        "arguments.amount * arguments.amount == 4",
        "arguments.amount <= actor.risk.score",
        "arguments.amount + actor.risk.score * 0 <= 10",
        "arguments.amount <= (actor.risk.score > 5 ? 50 : 60)",
        "actor.risk.score < 5",
        "resource.rank < 1",
        "has(arguments.share) && arguments.share < 0.5",
        "resource.id == 'secret/1'",
        "actor.id.matches('^agent:x')",
    ],
)
def test_sets_equality_patterns_facts_and_what_compares_with_a_fact_give_no_bound(when: str) -> None:
    plan = capped(rule("guarded", when=when))
    asked = case({"risk": 10, "sensitivity": "restricted"}, arguments={"amount": 100, "share": 0.9})
    assert plan.decide(asked).effect is Effect.DENY
    assert told(plan, asked) == []


def test_a_grant_and_a_defer_have_none() -> None:
    plan, asked = shipped("payments", {}, refund(10))
    assert told(plan, asked) == []
    waits = plan_of(rule("known", when="arguments.amount < 50", **{"else": "defer"}), rule("late", "defer"))
    assert waits.decide(case()).effect is Effect.DEFER
    assert told(waits, case()) == []


def test_the_case_is_the_same_afterwards_also_where_deciding_it_fails() -> None:
    plan = plan_of(rule("small", when="arguments.amount <= 50"))
    asked = case()
    before = asked.arguments
    told(plan, asked)
    assert asked.arguments is before
    assert before == {"amount": 100}


def test_work_is_bounded_by_the_rules_of_a_plan() -> None:
    rules = [rule(f"r{n}", when=f"arguments.amount == {n}") for n in range(WORK_MAX - 1)]
    many = plan_of(*rules, rule("small", when="arguments.amount <= 50"))
    assert told(many, case(arguments={"amount": 9999})) == []
    far = plan_of(
        *(rule(f"no{n}", "deny", when=f"arguments.amount > {n}") for n in range(50, 50 + 2 * TURNS_MAX)),
        rule("small", when="arguments.amount <= 50"),
    )
    assert told(far, case()) == []


@settings(max_examples=120, deadline=None)
@given(
    rules=st.lists(st.tuples(EFFECTS, WHENS), min_size=1, max_size=3),
    facts=st.lists(st.tuples(EFFECTS, CLAUSES, st.integers(0, 100)), max_size=2),
    amount=st.integers(0, 45),
    risk=st.integers(0, 100),
)
def test_every_bound_told_is_true_and_one_before_it_is_not(
    rules: list[tuple[str, str]], facts: list[tuple[str, str, int]], amount: int, risk: int
) -> None:
    plan = plan_of(
        *(rule(f"r{n}", effect, when=when) for n, (effect, when) in enumerate(rules)),
        *(rule(f"f{n}", e, when=f"{when} && actor.risk.score > {at}") for n, (e, when, at) in enumerate(facts)),
    )

    def effect_at(value: int) -> Effect:
        return plan.decide(case({"risk": risk}, arguments={"amount": value})).effect

    asked = case({"risk": risk}, arguments={"amount": amount})
    found: tuple[Told, ...] = Bounds(plan).told(asked, plan.decide(asked))
    for one in found:
        assert one.effect in TELLABLE
        assert effect_at(one.value) is one.effect < effect_at(amount)
        assert effect_at(one.value + (1 if one.comparison == "<=" else -1)) > one.effect
        assert (one.value < amount) is (one.comparison == "<=")
    # What the slow search finds of the same argument is found here as well.
    slow = {(one.comparison, one.value) for one in nearest(plan, asked) if one.name == "arguments.amount"}
    fast = {(one.comparison, one.value) for one in found if one.effect in (Effect.PERMIT, Effect.CONSTRAIN)}
    assert fast == slow
