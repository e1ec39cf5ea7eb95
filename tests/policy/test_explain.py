"""An explanation tells of every rule whether it spoke and why, clause by clause, and agrees with the finding."""

import json
from typing import Any

from placet.policy.evaluate import PolicySet
from placet.policy.explain import Explanation, explain
from tests.policy.packs import case, pack, rule

RULES = "\n".join(
    (
        rule("small", when="arguments.amount <= 50 && (actor.risk.score < 40 || !has(resource.owner))"),
        rule("fresh", "deny", when="authority.risk.level == 'high'"),
        rule("orders", resource='["order/*"]'),
        rule("robots", who='{actor: ["robot:*"]}'),
        rule("flows", who='{any_in_chain: ["workflow:*"]}'),
        rule("always", "constrain"),
        rule("elsewhere", on="pay.never"),
        rule("errs", when="arguments.amount / 0 == 1"),
    )
)
HEAD = "freshness: [{fact: authority.risk, heard_ms: 1000, else: defer}]"


def told(given: dict[str, Any] | None = None, **intent: Any) -> Explanation:
    return explain(PolicySet.of([pack(RULES, head=HEAD)]), case(given, **intent))


def test_every_rule_about_the_action_is_told() -> None:
    explained = told({"risk": 50}, arguments={"amount": 90})
    whys = {one.rule.partition("/")[2]: (one.spoke, one.why) for one in explained.rules}
    assert whys == {
        "small": (False, "the condition is false"),
        "fresh": (False, "the condition is false"),
        "orders": (False, "resource `thing/1` is none of order/*"),
        "robots": (False, "actor `agent:ada` is none of robot:*"),
        "flows": (False, "nobody in the chain is one of workflow:*"),
        "always": (True, "it has no condition"),
        "errs": (True, "evaluating it errs, or what it demands cannot be met on this action"),
    }
    assert explained.rules_elsewhere == 1
    assert explained.finding.rules == ("small/errs",)


def test_clauses_and_what_they_read_have_values() -> None:
    small = told({"risk": 50, "resource": {"owner": "user:mo"}}, arguments={"amount": 30}).rules[0]
    assert [(clause.depth, clause.text, clause.value) for clause in small.clauses] == [
        (0, "arguments.amount <= 50 && (actor.risk.score < 40 || !has(resource.owner))", False),
        (1, "arguments.amount <= 50", True),
        (1, "actor.risk.score < 40 || !has(resource.owner)", False),
        (2, "actor.risk.score < 40", False),
        (2, "!has(resource.owner)", False),
        (3, "has(resource.owner)", True),
    ]
    assert small.reads == {"actor.risk.score": 50, "arguments.amount": 30, "resource.owner": "user:mo"}
    assert small.engine == "generated"


def test_what_is_unset_is_told_as_unset() -> None:
    small = told({"risk": 0, "absent": ["calendar.freeze"]}, arguments={"amount": 30}).rules[0]
    assert small.reads == {"actor.risk.score": 0, "arguments.amount": 30, "resource.owner": "unset"}


def test_facts_are_told_with_their_ages() -> None:
    explained = told({"absent": ["actor.risk"], "ages": {"authority.risk": {"observed_ms": 5, "heard_ms": 1001}}})
    facts = {fact.fact: (fact.state, fact.observed_ms, fact.heard_ms) for fact in explained.facts}
    assert facts == {
        "actor.risk": ("missing", None, None),
        "authority.risk": ("silent", 5, 1001),
        "mandate": ("known", 0, 0),
        "resource": ("known", 0, 0),
    }
    fresh = explained.rules[1]
    assert (fresh.spoke, fresh.effect, fresh.lacking) == (True, "defer", ("authority.risk",))
    assert fresh.why == "not evaluated: authority.risk missing or silent"


def test_an_explanation_is_plain_data() -> None:
    data = json.loads(json.dumps(told().to_data()))
    assert data["finding"]["effect"] == "deny"
    assert data["finding"]["reason"] == "RULE_ERRED"
    assert data["rules"][5]["rule"] == "small/always"


def test_of_an_action_nobody_is_about_there_is_nothing_to_tell() -> None:
    explained = told(action="other")
    assert (explained.rules, explained.finding.reason.name, explained.rules_elsewhere) == ((), "NO_RULE", 8)


def test_why_an_answer_is_no_grant_is_said_and_what_held_back_each_rule_that_would() -> None:
    rules = "\n".join(
        (
            rule("small", when="arguments.amount <= 50 && (actor.risk.score < 40 || !has(resource.owner))"),
            rule("robots", who='{actor: ["robot:*"]}'),
            rule("asks", "step_up", when="arguments.amount > 10"),
        )
    )
    policies = PolicySet.of([pack(rules)])
    explained = explain(policies, case({"risk": 50, "resource": {"owner": "user:mo"}}, arguments={"amount": 90}))
    assert explained.why_not == (
        "small/asks says step_up: of a test",
        "it waits for 1 of group:finance, for 60 s",
        "no rule permits",
        "small/small would permit, but this does not hold: arguments.amount <= 50; actor.risk.score < 40; !has(resource.owner)",
        "small/robots would permit, but actor `agent:ada` is none of robot:*",
    )
    assert [(bound.name, bound.value) for bound in explained.together] == [
        ("actor.risk.score", 39),
        ("arguments.amount", 10),
    ]
    assert explain(PolicySet.of([pack(rule("any"))]), case()).why_not == ()


def test_a_clause_under_a_negation_is_held_back_by_the_negation_as_a_whole() -> None:
    explained = explain(PolicySet.of([pack(rule("not", when="!(arguments.amount > 10 || intent.emergency)"))]), case())
    assert [clause.text for clause in explained.rules[0].clauses if clause.stops] == [
        "!(arguments.amount > 10 || intent.emergency)"
    ]
    assert [(bound.name, bound.value) for bound in explained.bounds] == [("arguments.amount", 10)]
    assert explained.to_data()["bounds"][0]["effect"] == "permit"


def test_nobody_eligible_is_said() -> None:
    rules = (rule("a", "step_up"), rule("b", "step_up", approval='{quorum: 1, from: ["group:law"], expires_s: 9}'))
    said = explain(PolicySet.of([pack("\n".join(rules))]), case()).why_not
    assert "it waits for 1 of nobody: no one is eligible under every rule that asks, for 9 s" in said
