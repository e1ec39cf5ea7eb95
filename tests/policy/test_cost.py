"""What deciding costs depends on the rules that match, not on how many the packs hold."""

import sys
from types import FrameType
from typing import Any

from placet.policy.evaluate import Plan, PolicySet
from tests.policy.packs import case, pack, rule

MATCHING = "\n".join(
    (
        rule("small", when="arguments.amount <= 5000 && actor.risk.score < 40"),
        rule("quiet", "constrain", when="resource.sensitivity == 'confidential'"),
        rule("risky", "deny", when="actor.risk.level == 'high' || session.risk.level == 'high'", on="pay.*"),
        rule("own", "deny", when="has(resource.owner) && resource.owner == authority.id"),
    )
)


def plan_among(others: int) -> Plan:
    rules = [rule(f"other-{n}", when=f"actor.risk.score < {n % 100}", on=f"other.action-{n}") for n in range(others)]
    # The matching rules stand in the middle of the pack.
    half = others // 2
    plan = PolicySet.of([pack("\n".join((*rules[:half], MATCHING, *rules[half:])))]).plan("pay.refund")
    assert plan is not None
    return plan


def steps(plan: Plan, asked: Any) -> int:
    """Return how many bytecode steps one decision takes, in all that is called."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    plan.decide(asked)  # the finding is remembered from here on
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        plan.decide(asked)
    finally:
        sys.settrace(before)
    return count


def test_a_thousand_rules_cost_what_ten_cost_when_the_same_four_match() -> None:
    few, many = plan_among(6), plan_among(996)
    assert len(few.rules) == len(many.rules) == 4
    for given in ({}, {"risk": 80}, {"absent": ["actor.risk"]}, {"sensitivity": "confidential"}):
        asked = case(given)
        assert few.decide(asked).effect is many.decide(asked).effect
        assert steps(few, asked) == steps(many, asked) > 0
    assert few.source == many.source


def test_names_of_actions_from_outside_do_not_fill_the_memory() -> None:
    policies = PolicySet.of([pack(rule("any", on="free.*"))])
    plans = {id(policies.plan(f"free.{n}")) for n in range(5000)}
    assert len(plans) == 1
    assert len(policies._plans) <= 4096
