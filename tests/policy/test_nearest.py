"""The nearest bound: what it says is true, it is as near as can be, and it never tells what is in a set."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.faces.cli.folders import read_pack
from placet.model.case import Case
from placet.model.reasons import Effect
from placet.policy.evaluate import Plan, PolicySet
from placet.policy.nearest import GRANTED, Bound, nearest, together
from placet.policy.pack import load_pack
from placet.policy.quantities import changed
from placet.policy.situations import Given, IntentGiven, case_of
from tests.architecture.house import ROOT
from tests.policy.packs import case, pack, rule

LOADED = {name: PolicySet.of([load_pack(read_pack(ROOT / "policies" / name))]) for name in ("payments", "data_access")}


def plan_of(*rules: str, head: str = "") -> Plan:
    plan = PolicySet.of([pack("\n".join(rules), head=head)]).plan("pay.refund")
    assert plan is not None
    return plan


def told(bounds: tuple[Bound, ...]) -> list[tuple[str, str, int]]:
    return [(bound.name, bound.comparison, bound.value) for bound in bounds]


def shipped(name: str, given_: dict[str, Any], intent: dict[str, Any]) -> tuple[Plan, Case]:
    asked = IntentGiven.model_validate(intent)
    plan = LOADED[name].plan(asked.action)
    assert plan is not None
    return plan, case_of(Given.model_validate(given_), asked)


def refund(amount: int) -> dict[str, Any]:
    return {"action": "payments.refund", "resource": "order/7", "arguments": {"amount": amount, "currency": "EUR"}}


def test_a_refund_over_the_limit_would_be_permitted_at_the_limit() -> None:
    plan, asked = shipped("payments", {"risk": 20, "authority": {"groups": ["support"]}}, refund(60000))
    assert nearest(plan, asked) == (Bound("arguments.amount", "<=", 50000, 60000, Effect.PERMIT),)
    plan, asked = shipped("payments", {"risk": 20}, refund(60000))
    assert told(nearest(plan, asked)) == [("arguments.amount", "<=", 5000)]


def test_a_score_too_high_by_its_number_or_by_its_name_has_a_bound() -> None:
    plan, asked = shipped("payments", {"risk": 90}, refund(10))
    assert told(nearest(plan, asked)) == [("actor.risk.score", "<=", 39)]
    by_name = plan_of(rule("calm"), rule("risky", "deny", when="session.risk.level == 'high'"))
    assert told(nearest(by_name, case({"session": {"risk": 88}}))) == [("session.risk.score", "<=", 69)]


def test_a_rank_has_a_bound_by_its_number_or_by_its_label() -> None:
    export = {"action": "data.export", "arguments": {"rows": 10, "destination": "s3://ours-a"}}
    plan, asked = shipped("data_access", {"sensitivity": "restricted"}, export)
    assert told(nearest(plan, asked)) == [("resource.rank", "<=", 1)]
    by_label = plan_of(rule("open"), rule("closed", "deny", when="resource.sensitivity == 'restricted'"))
    assert told(nearest(by_label, case({"sensitivity": "restricted"}))) == [("resource.rank", "<=", 2)]


def test_a_silent_feed_would_have_to_be_heard_within_its_bound() -> None:
    plan, asked = shipped("payments", {"risk": 10, "ages": {"actor.risk": {"heard_ms": 90000}}}, refund(10))
    assert told(nearest(plan, asked)) == [("actor.risk.heard_ms", "<=", 60000)]


def test_an_amount_outside_its_declaration_has_the_declared_bound() -> None:
    plan, asked = shipped("payments", {}, refund(0))
    assert told(nearest(plan, asked)) == [("arguments.amount", ">=", 1)]


def test_an_answer_that_grants_has_none() -> None:
    plan, asked = shipped("payments", {}, refund(10))
    assert (nearest(plan, asked), together(plan, asked)) == ((), ())


def test_two_that_must_change_together_are_told_together_and_not_alone() -> None:
    plan, asked = shipped("payments", {"risk": 50}, refund(6000))
    assert nearest(plan, asked) == ()
    assert told(together(plan, asked)) == [("actor.risk.score", "<=", 39), ("arguments.amount", "<=", 5000)]


def test_a_bound_may_lie_on_either_side() -> None:
    plan = plan_of(rule("middle", when="arguments.amount >= 200 && arguments.amount <= 300"))
    assert told(nearest(plan, case(arguments={"amount": 100}))) == [("arguments.amount", ">=", 200)]
    assert told(nearest(plan, case(arguments={"amount": 301}))) == [("arguments.amount", "<=", 300)]
    around = plan_of(rule("around", when="arguments.amount < 50 || arguments.amount > 150"))
    assert told(nearest(around, case())) == [("arguments.amount", "<=", 49), ("arguments.amount", ">=", 151)]


@pytest.mark.parametrize(
    ("when", "bound"),
    [
        ("arguments.amount * 2 + 1 <= 100", 49),
        ("100 >= 3 * arguments.amount", 33),
        ("arguments.amount - 7 < -(actor.risk.score - 50)", 46),
        ("!(arguments.amount > 10)", 10),
        ("arguments.amount <= actor.risk.score", 10),
        ("arguments.amount + arguments.amount < 21", 10),
    ],
)
def test_what_is_linear_is_solved(when: str, bound: int) -> None:
    assert told(nearest(plan_of(rule("linear", when=when)), case({"risk": 10})))[-1] == (
        "arguments.amount",
        "<=",
        bound,
    )


@pytest.mark.parametrize(
    "when",
    [
        "arguments.amount in [10, 20]",
        "arguments.amount == 10",
        "arguments.amount * arguments.amount == 4",
        "resource.id == 'secret/1'",
        "actor.id.matches('^agent:x')",
        "actor.risk.level in ['medium']",
        "size(arguments.tags) > 3",
        "arguments.tags.exists(t, size(t) < arguments.amount)",
    ],
)
def test_sets_equality_and_patterns_give_no_bound(when: str) -> None:
    plan = plan_of(rule("guarded", when=when))
    assert plan.decide(case()).effect is Effect.DENY
    assert (nearest(plan, case()), together(plan, case())) == ((), ())


def test_a_bound_that_another_rule_would_deny_is_not_told() -> None:
    plan = plan_of(rule("small", when="arguments.amount <= 50"), rule("never", "deny", when="arguments.amount <= 60"))
    assert nearest(plan, case()) == ()


def test_only_what_is_asked_for_is_looked_for() -> None:
    plan = plan_of(rule("calm", when="actor.risk.score < 40 || arguments.amount < 10"))
    asked = case({"risk": 50})
    assert told(nearest(plan, asked)) == [("actor.risk.score", "<=", 39), ("arguments.amount", "<=", 9)]
    assert told(nearest(plan, asked, "arguments")) == [("arguments.amount", "<=", 9)]
    assert told(nearest(plan, asked, "session")) == []


def test_the_case_itself_stays_as_it_was() -> None:
    asked = case({"risk": 90})
    changed(asked, {("arguments", "amount"): 1, ("actor", "risk", "score"): 2, ("actor", "risk", "heard_ms"): 5})
    assert (asked.arguments, asked.actor_risk) == ({"amount": 100}, 90)
    assert asked.heard_at.get("actor.risk", 0) == asked.instant


SIGNS = st.sampled_from(["<", "<=", ">", ">="])
CLAUSES = st.builds(lambda sign, at: f"arguments.amount {sign} {at}", SIGNS, st.integers(1, 40))
WHENS = st.builds(lambda a, sign, b: f"{a} {sign} {b}", CLAUSES, st.sampled_from(["&&", "||"]), CLAUSES)
EFFECTS = st.sampled_from(["permit", "deny", "step_up", "constrain"])


@settings(max_examples=150, deadline=None)
@given(rules=st.lists(st.tuples(EFFECTS, WHENS), min_size=1, max_size=4), amount=st.integers(1, 45))
def test_every_bound_is_the_nearest_amount_that_is_granted_and_none_is_missed(
    rules: list[tuple[str, str]], amount: int
) -> None:
    plan = plan_of(*(rule(f"r{n}", effect, when=when) for n, (effect, when) in enumerate(rules)))
    granted = [n for n in range(1, 60) if plan.decide(case(arguments={"amount": n})).effect in GRANTED]
    wanted = []
    if amount not in granted:
        wanted += (
            [("arguments.amount", "<=", max(n for n in granted if n < amount))]
            if granted[:1] < [amount] and granted
            else []
        )
        wanted += (
            [("arguments.amount", ">=", min(n for n in granted if n > amount))]
            if granted and granted[-1] > amount
            else []
        )
    assert told(nearest(plan, case(arguments={"amount": amount}))) == wanted
