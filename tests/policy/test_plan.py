"""What all packs together say of one action: durations, facts, what each rule says, and what an absence means."""

from itertools import permutations
from typing import Any

import pytest

from placet.model.reasons import Effect, Reason
from placet.policy import finding as findings
from placet.policy.approval import Approval
from placet.policy.contents import Pack
from placet.policy.evaluate import Plan, PolicySet
from placet.policy.finding import ARGUMENTS_UNFIT, EVALUATION_DISAGREES, NO_RULE, Finding, Said, erred, fired, merge
from placet.policy.obligations import Obligation
from placet.policy.rules import Bound, Rule
from tests.policy.packs import ACTIONS, case, pack, rule


def plan_of(*packs: Pack, action: str = "pay.refund") -> Plan:
    plan = PolicySet.of(packs).plan(action)
    assert plan is not None
    return plan


def one(*rules: str, head: str = "", name: str = "small", actions: str = ACTIONS) -> Pack:
    return pack("\n".join(rules), head=head, name=name, actions=actions)


def test_where_no_pack_says_how_long_these_are_the_bounds() -> None:
    plan = plan_of(one(rule("r")))
    assert (plan.lease_ms, plan.act_ms_max, plan.deadline_ms_max, plan.defer_ms_max) == (
        30_000,
        300_000,
        900_000,
        60_000,
    )
    assert plan.unsigned_intents is False
    assert plan.action == "pay.refund"


OWN = """
  pay.refund:
    deadline_ms_max: 86400000
    lease: {lease_ms: 9000, act_ms_max: 70000}
"""


def test_an_action_s_own_durations_go_before_its_pack_s() -> None:
    head = "lease: {lease_ms: 5000, act_ms_max: 60000}\ndefer_ms_max: 1000"
    plan = plan_of(one(rule("r"), head=head, actions=OWN))
    assert (plan.lease_ms, plan.act_ms_max, plan.deadline_ms_max, plan.defer_ms_max) == (
        9_000,
        70_000,
        86_400_000,
        1_000,
    )
    plan = plan_of(one(rule("r"), head=head))
    assert (plan.lease_ms, plan.act_ms_max, plan.deadline_ms_max) == (5_000, 60_000, 900_000)


def test_a_pack_that_does_not_declare_the_action_bounds_it_by_its_own_durations() -> None:
    other = one(rule("s", on="pay.*"), name="other", head="lease: {lease_ms: 5000, act_ms_max: 60000}", actions=" {}")
    plan = plan_of(one(rule("r"), actions=OWN), other)
    assert (plan.lease_ms, plan.act_ms_max, plan.deadline_ms_max) == (5_000, 60_000, 86_400_000)
    bare = one(rule("s", on="pay.*"), name="other", actions=" {}")
    assert plan_of(bare).lease_ms == 30_000
    assert plan_of(bare).act_ms_max == 300_000


def test_of_several_packs_the_strictest_holds() -> None:
    first = one(rule("r"), head="lease: {lease_ms: 5000, act_ms_max: 60000}\ndefer_ms_max: 9000")
    second = one(rule("r"), name="other", head="lease: {lease_ms: 6000, act_ms_max: 50000}\ndefer_ms_max: 8000")
    for packs in permutations((first, second)):
        plan = plan_of(*packs)
        assert (plan.lease_ms, plan.act_ms_max, plan.defer_ms_max) == (5_000, 50_000, 8_000)


@pytest.mark.parametrize(("said", "taken"), [((True, True), True), ((True, False), False), ((False, False), False)])
def test_unsigned_intents_are_taken_where_every_pack_takes_them(said: tuple[bool, bool], taken: bool) -> None:
    packs = [
        one(rule("r"), name=f"p{at}", head=f"unsigned_intents: {str(takes).lower()}") for at, takes in enumerate(said)
    ]
    assert plan_of(*packs).unsigned_intents is taken


def test_the_facts_of_a_plan_are_those_any_of_its_rules_may_read() -> None:
    plan = plan_of(
        one(
            rule("a", when="actor.risk.score > 1"),
            rule("b", when="has(resource.owner) && resource.owner == 'x' && has(arguments.note)"),
            rule("c", who='{any_in_chain: ["agent:*"]}'),
            rule("d", who='{authority: ["group:finance"]}'),
            rule("e", when="!has(calendar.freeze) || calendar.freeze == 'off'"),
        )
    )
    assert plan.facts == ("actor.risk", "authority", "calendar.freeze", "mandate", "resource")
    assert plan_of(one(rule("a", who='{actor: ["agent:ada"]}'))).facts == ()


def test_what_each_rule_says_is_said_by_rule() -> None:
    plan = plan_of(
        one(
            rule("yes"),
            rule("no", "deny", when="arguments.amount > 1000"),
            rule("lacks", "deny", when="resource.owner == 'x'"),
            rule("errs", when="arguments.tags[3] == 'x'"),
        )
    )
    said = plan.said(case())
    assert list(said) == ["small/yes", "small/lacks", "small/errs"]
    assert (said["small/yes"].effect, said["small/yes"].reason) == (Effect.PERMIT, Reason.PERMITTED)
    assert (said["small/lacks"].effect, said["small/lacks"].reason) == (Effect.DENY, Reason.FACT_MISSING)
    assert said["small/lacks"].missing == ("resource",)
    assert (said["small/errs"].effect, said["small/errs"].reason) == (Effect.DENY, Reason.RULE_ERRED)
    assert plan.fired(case()) == ("small/yes",)
    assert plan.fired(case(arguments={"amount": 1001})) == ("small/yes", "small/no")


def test_of_arguments_that_do_not_fit_no_rule_says_anything() -> None:
    plan = plan_of(one(rule("yes")))
    unfit = case(arguments={"amount": 0})
    assert (plan.said(unfit), plan.fired(unfit)) == ({}, ())
    assert plan.decide(unfit) is ARGUMENTS_UNFIT
    assert plan.decide_with_library(unfit) is ARGUMENTS_UNFIT
    assert (ARGUMENTS_UNFIT.effect, ARGUMENTS_UNFIT.reason) == (Effect.DENY, Reason.ARGUMENTS_UNFIT)


def test_the_library_alone_says_the_same() -> None:
    plan = plan_of(one(rule("yes", when="arguments.amount < 100"), rule("no", "deny", when="arguments.amount > 500")))
    for amount in (1, 99, 100, 500, 501):
        asked = case(arguments={"amount": amount})
        assert plan.decide_with_library(asked) is plan.decide(asked)


def test_a_difference_of_the_two_engines_is_a_denial_and_is_counted() -> None:
    plan = plan_of(one(rule("yes")))
    plan._library = lambda _: 0
    assert plan.decide(case(), sample=True) is EVALUATION_DISAGREES
    assert (EVALUATION_DISAGREES.effect, EVALUATION_DISAGREES.reason) == (Effect.DENY, Reason.EVALUATION_DISAGREES)
    assert plan.disagreements == 1
    assert plan.decide(case()).effect is Effect.PERMIT
    assert plan.disagreements == 1


def test_outcomes_are_remembered_and_forgotten_past_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placet.policy.plan.MEMO_MAX", 3)
    plan = plan_of(
        one(
            *(rule(f"r{at}", when=f"arguments.amount == {at + 1}") for at in range(6)),
            rule("all", "deny", when="false"),
        )
    )
    found = [plan.decide(case(arguments={"amount": at + 1})) for at in range(6)]
    assert [finding.rules for finding in found] == [(f"small/r{at}",) for at in range(6)]
    assert len(plan._memo) <= 4
    # What is found again is the same object, and what never needs finding is still there.
    assert [plan.decide(case(arguments={"amount": at + 1})) for at in range(6)] == found
    assert plan.decide(case(arguments={"amount": 1})) is found[0]
    assert plan.decide(case(arguments={"amount": 50})) is NO_RULE
    assert plan.decide(case(arguments={"amount": 0})) is ARGUMENTS_UNFIT


FRESH = """freshness:
  - {fact: actor.risk, observed_ms: 1000, else: deny}
  - {fact: resource, heard_ms: 500, else: defer}
"""


@pytest.mark.parametrize(
    ("given", "effect", "reason", "missing"),
    [
        ({}, Effect.PERMIT, Reason.PERMITTED, ()),
        ({"absent": ["resource"]}, Effect.DEFER, Reason.FACT_MISSING, ("resource",)),
        ({"ages": {"resource": {"heard_ms": 501}}}, Effect.DEFER, Reason.FACT_SILENT, ("resource",)),
        ({"ages": {"resource": {"observed_ms": 501}}}, Effect.PERMIT, Reason.PERMITTED, ()),
        ({"absent": ["authority.risk"]}, Effect.DENY, Reason.FACT_MISSING, ("authority.risk",)),
        (
            {"absent": ["authority.risk"], "ages": {"resource": {"heard_ms": 501}}},
            Effect.DENY,
            Reason.FACT_MISSING,
            ("authority.risk", "resource"),
        ),
        ({"ages": {"actor.risk": {"observed_ms": 1001}}}, Effect.DENY, Reason.FACT_SILENT, ("actor.risk",)),
    ],
)
def test_what_is_missing_or_silent_means_what_its_bound_says_and_else_deny(
    given: dict[str, Any], effect: Effect, reason: Reason, missing: tuple[str, ...]
) -> None:
    condition = "actor.risk.score < 5 && resource.rank < 2 && authority.risk.score < 5"
    plan = plan_of(one(rule("r", when=condition), head=FRESH))
    found = plan.decide(case(given), sample=True)
    assert (found.effect, found.reason, found.missing) == (effect, reason, missing)


def test_a_rule_s_own_else_goes_before_that_of_its_facts() -> None:
    text = rule("r", when="resource.rank < 2", **{"else": "deny"})
    found = plan_of(one(text, head=FRESH)).decide(case({"absent": ["resource"]}))
    assert (found.effect, found.reason) == (Effect.DENY, Reason.FACT_MISSING)


def test_a_plan_knows_which_of_its_facts_are_silent() -> None:
    plan = plan_of(one(rule("r", when="resource.rank < 2 && actor.risk.score < 5"), head=FRESH))
    late = case({"ages": {"resource": 600, "actor.risk": 600}})
    assert [plan.is_silent(late, fact) for fact in ("resource", "actor.risk", "mandate")] == [True, False, False]


def a_rule(name: str, effect: Effect, **more: Any) -> Rule:
    fields: dict[str, Any] = {
        "name": f"p/{name}",
        "on": ("a",),
        "resource": None,
        "actor": None,
        "authority": None,
        "any_in_chain": None,
        "when": None,
        "effect": effect,
        "obligations": (),
        "approval": None,
        "claim_required": True,
        "because": "so",
        "otherwise": None,
    }
    return Rule(**fields | more)


PERMITS = a_rule("permits", Effect.PERMIT, claim_required=False)
CONSTRAINS = a_rule("constrains", Effect.CONSTRAIN)
ASKS = a_rule("asks", Effect.STEP_UP, approval=Approval(2, ("user:a", "user:b"), 9_000))
ASKS_TOO = a_rule("asks-too", Effect.STEP_UP, approval=Approval(1, ("user:b", "user:c"), 5_000))
DENIES = a_rule("denies", Effect.DENY)
LIMIT = (Obligation("limit", "amount", "5"),)


def test_a_rule_that_fired_says_its_effect_and_why() -> None:
    reasons = {rule_.effect: fired(rule_, ()).reason for rule_ in (PERMITS, CONSTRAINS, ASKS, DENIES)}
    assert reasons == {
        Effect.PERMIT: Reason.PERMITTED,
        Effect.CONSTRAIN: Reason.RULE_CONSTRAINED,
        Effect.STEP_UP: Reason.RULE_STEPPED_UP,
        Effect.DENY: Reason.RULE_DENIED,
    }
    assert fired(a_rule("waits", Effect.DEFER), ()).reason is Reason.RULE_DEFERRED
    assert fired(CONSTRAINS, LIMIT) == Said(CONSTRAINS, Effect.CONSTRAIN, Reason.RULE_CONSTRAINED, LIMIT, ())


def test_a_rule_whose_demands_cannot_be_met_errs() -> None:
    assert fired(CONSTRAINS, None) == erred(CONSTRAINS) == Said(CONSTRAINS, Effect.DENY, Reason.RULE_ERRED)


def test_nothing_said_is_no_rule() -> None:
    assert merge([], 1, 2, 3) is NO_RULE
    assert (NO_RULE.effect, NO_RULE.reason) == (Effect.DENY, Reason.NO_RULE)


def test_a_grant_carries_what_all_that_grant_demand_and_its_durations() -> None:
    said = [fired(PERMITS, ()), fired(CONSTRAINS, LIMIT)]
    assert merge(said, 1, 2, 3) == Finding(
        Effect.CONSTRAIN, Reason.RULE_CONSTRAINED, ("p/constrains",), LIMIT, True, 1, 2, None, (), 3
    )
    assert merge(said[:1], 1, 2, 3).claim_required is False


def test_a_step_up_asks_for_what_satisfies_every_rule_that_asks() -> None:
    found = merge([fired(ASKS, ()), fired(ASKS_TOO, LIMIT), fired(CONSTRAINS, ())], 1, 2, 3)
    assert found.effect is Effect.STEP_UP
    assert found.rules == ("p/asks", "p/asks-too")
    assert found.approval == Approval(2, ("user:b",), 5_000)
    assert found.obligations == LIMIT
    # A step-up for want of a fact has no requirement of its own.
    lacking = Said(PERMITS, Effect.STEP_UP, Reason.FACT_SILENT, missing=("resource",))
    assert merge([lacking, fired(ASKS, ())], 1, 2, 3).approval == ASKS.approval
    assert merge([lacking], 1, 2, 3).approval is None


def test_a_denial_grants_nothing_and_names_the_gravest_reason() -> None:
    lacking = Said(CONSTRAINS, Effect.DENY, Reason.FACT_MISSING, missing=("b", "a"))
    silent = Said(ASKS, Effect.DENY, Reason.FACT_SILENT, missing=("c",))
    said = [fired(PERMITS, ()), fired(ASKS_TOO, LIMIT), fired(DENIES, ()), lacking, silent]
    found = merge(said, 1, 2, 3)
    assert (found.effect, found.rules) == (Effect.DENY, ("p/denies", "p/constrains", "p/asks"))
    assert found.reason == min(Reason.RULE_DENIED, Reason.FACT_MISSING, Reason.FACT_SILENT)
    assert (found.obligations, found.approval, found.claim_required) == ((), None, True)
    assert found.missing == ("a", "b", "c")


def test_what_does_not_decide_is_not_missing() -> None:
    waits = Said(ASKS, Effect.DEFER, Reason.FACT_MISSING, missing=("a",))
    assert merge([waits, fired(DENIES, ())], 1, 2, 3).missing == ()


def test_bounds_are_none_where_nobody_gives_any() -> None:
    assert (Bound().observed_ms, Bound().heard_ms, Bound().otherwise) == (None, None, None)
    assert findings.DEFER_MS_MAX == 60_000
