"""What an emergency may do: only where every rule that asks people provides for it, and never more than they would grant."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.model.reasons import Effect, Reason
from placet.policy.approval import Approval
from placet.policy.cases import run_tests
from placet.policy.diagnostics import PackError
from placet.policy.difference import compare
from placet.policy.emergency import Emergency, all_provide
from placet.policy.evaluate import PolicySet
from placet.policy.explain import explain
from placet.policy.finding import Finding
from placet.policy.pack import load_pack
from tests.policy.packs import case, pack, rule

REVIEW = '{quorum: 1, from: ["group:law"], expires_s: 60}'
GLASS = f"{{lease_ms: 5000, review: {REVIEW}}}"
LAW = Emergency(5_000, Approval(1, ("group:law",), 60_000), 16)
CALLED = {"emergency": True, "purpose": "the site is down"}


def said(*rules: str, **intent: Any) -> Finding:
    """Return what rules say of what is called an emergency."""
    plan = PolicySet.of([pack("\n".join(rules))]).plan("pay.refund")
    assert plan is not None
    assert plan.decide_with_library(case(**{**CALLED, **intent})) == plan.decide(case(**{**CALLED, **intent}))
    return plan.decide(case(**{**CALLED, **intent}))


def test_a_step_up_that_provides_for_it_becomes_a_grant_for_a_short_lease() -> None:
    found = said(rule("people", "step_up", emergency=GLASS))
    assert (found.effect, found.reason, found.lease_ms) == (Effect.PERMIT, Reason.EMERGENCY, 5_000)
    assert (found.rules, found.approval, found.emergency) == (("small/people",), None, LAW)
    without = said(rule("people", "step_up", emergency=GLASS), emergency=False)
    assert found.without == without
    assert (without.effect, without.emergency, without.without) == (Effect.STEP_UP, LAW, None)


def test_what_people_would_grant_under_conditions_an_emergency_is_granted_under_them() -> None:
    found = said(rule("people", "step_up", emergency=GLASS, obligations="[{redact: {arguments: [note]}}]"))
    assert found.effect == Effect.CONSTRAIN
    assert [one.argument for one in found.obligations] == ["note"]


ASKS = rule("people", "step_up", emergency=GLASS)
CHANGED_NOTHING: dict[str, tuple[list[str], dict[str, Any], Effect]] = {
    "not called": ([ASKS], {"emergency": False}, Effect.STEP_UP),
    "no purpose": ([ASKS], {"purpose": ""}, Effect.STEP_UP),
    "a purpose of spaces": ([ASKS], {"purpose": " \t"}, Effect.STEP_UP),
    "no clause": ([rule("people", "step_up")], {}, Effect.STEP_UP),
    "another rule without one": ([ASKS, rule("more", "step_up")], {}, Effect.STEP_UP),
    "nobody for both reviews": (
        [ASKS, rule("more", "step_up", emergency=GLASS.replace("group:law", "group:tax"))],
        {},
        Effect.STEP_UP,
    ),
    "a deny": ([ASKS, rule("no", "deny")], {}, Effect.DENY),
    "a defer": ([ASKS, rule("later", "defer")], {}, Effect.DEFER),
    "a permit alone": ([rule("any")], {}, Effect.PERMIT),
    "arguments that do not fit": ([ASKS], {"arguments": {"amount": 0}}, Effect.DENY),
}


@pytest.mark.parametrize("kind", CHANGED_NOTHING)
def test_where_it_is_not_provided_for_nothing_changes(kind: str) -> None:
    rules, intent, effect = CHANGED_NOTHING[kind]
    found = said(*rules, **intent)
    assert (found.effect, found.without) == (effect, None)
    assert found == said(*rules, **{**intent, "emergency": False})


def test_rules_that_all_provide_for_it_provide_the_least_of_each() -> None:
    other = Emergency(9_000, Approval(2, ("group:law", "user:flo"), 30_000), 3)
    for both in (all_provide([LAW, other]), all_provide([other, LAW])):
        assert both == Emergency(5_000, Approval(2, ("group:law",), 30_000), 3)
    assert all_provide([LAW, None]) is None
    assert all_provide([]) is None


RULES = {
    "permit": rule("permit"),
    "constrain": rule("constrain", "constrain"),
    "asks": rule("asks", "step_up"),
    "glass": rule("glass", "step_up", emergency=GLASS),
    "wide": rule("wide", "step_up", emergency=GLASS.replace("5000", "300000")),
    "defer": rule("defer", "defer"),
    "deny": rule("deny", "deny"),
}
GRAVITY = (Effect.PERMIT, Effect.CONSTRAIN, Effect.STEP_UP, Effect.DEFER, Effect.DENY)


@settings(deadline=None, max_examples=127)
@given(st.sets(st.sampled_from(sorted(RULES)), min_size=1))
def test_an_emergency_softens_a_wait_for_people_alone_and_only_where_all_who_ask_provide_for_it(
    names: set[str],
) -> None:
    rules = [RULES[name] for name in sorted(names)]
    plain, broken = said(*rules, emergency=False), said(*rules)
    provided = bool(names & {"glass", "wide"}) and not names & {"asks", "defer", "deny"}
    assert (broken != plain) == provided
    if provided:
        assert (plain.effect, broken.reason) == (Effect.STEP_UP, Reason.EMERGENCY)
        assert broken.lease_ms == (5_000 if "glass" in names else 30_000)
        assert broken.obligations == plain.obligations
    graver = said(*rules, rule("never", "deny"))
    assert GRAVITY.index(graver.effect) >= GRAVITY.index(broken.effect)


@pytest.mark.parametrize(
    ("effect", "more", "says"),
    [
        (
            "permit",
            {"emergency": GLASS},
            "emergency belongs to step_up, whose people it does not wait for, not to permit",
        ),
        ("deny", {"emergency": GLASS}, "not to deny"),
        ("step_up", {"emergency": f"{{review: {REVIEW}}}"}, "`lease_ms` is missing"),
        ("step_up", {"emergency": "{lease_ms: 5000}"}, "`review` is missing"),
        ("step_up", {"emergency": GLASS.replace("5000", "300001")}, "less than or equal to 300000"),
        (
            "step_up",
            {"emergency": GLASS.replace("lease_ms", "unreviewed_max: 17, lease_ms")},
            "less than or equal to 16",
        ),
        (
            "step_up",
            {"emergency": GLASS.replace("lease_ms", "unreviewed_max: 0, lease_ms")},
            "greater than or equal to 1",
        ),
        ("step_up", {"emergency": GLASS.replace("group:law", "la*w")}, "`*` stands only at the end of a pattern"),
        (
            "step_up",
            {"emergency": GLASS.replace("expires_s: 60", "expires_s: 60, escalate: []")},
            "`escalate` is not known",
        ),
    ],
)
def test_a_clause_that_cannot_be_is_named_where_it_stands(effect: str, more: dict[str, str], says: str) -> None:
    with pytest.raises(PackError, match=r"rules\.yaml:") as error:
        pack(rule("r", effect, **more))
    assert says in str(error.value)


MAY = "called an emergency that says why, it may run at once, within 5000 ms, and 1 of group:law look at it within 60 s"


@pytest.mark.parametrize(
    ("rules", "intent", "says"),
    [
        (
            [ASKS],
            {},
            "it is called an emergency: it may run at once, within 5000 ms, and 1 of group:law look at it within 60 s",
        ),
        (
            [ASKS],
            {"emergency": False},
            MAY,
        ),
        (
            [ASKS],
            {"purpose": ""},
            MAY + "; this one says no purpose",
        ),
        ([rule("people", "step_up")], {}, "it is called an emergency, and what decides provides for none"),
        ([rule("people", "step_up")], {"emergency": False}, ""),
        ([rule("any")], {}, ""),
    ],
)
def test_explain_says_what_an_emergency_may_do(rules: list[str], intent: dict[str, Any], says: str) -> None:
    policies = PolicySet.of([pack("\n".join(rules))])
    assert explain(policies, case(**{**CALLED, **intent})).emergency == says


def test_a_clause_that_is_added_is_told_as_the_loosening_it_is() -> None:
    before, after = (pack(rule("people", "step_up", **more)) for more in ({}, {"emergency": GLASS}))
    changes = compare([before], [after], cases=200).changes
    told = {(one.old.effect, one.new.effect): one.terms for one in changes}
    assert told == {(Effect.STEP_UP, Effect.PERMIT): (), (Effect.STEP_UP, Effect.STEP_UP): ("emergency",)}


def test_explain_says_how_people_must_have_authenticated() -> None:
    approval = '{quorum: 1, from: ["group:law"], expires_s: 60, acr: [phr, phrh], auth_age_s_max: 300}'
    told = explain(PolicySet.of([pack(rule("people", "step_up", approval=approval))]), case()).why_not
    assert "each of them must have authenticated by phr or phrh within 300 s" in told


def test_a_pack_proves_its_own_emergencies() -> None:
    files = {
        "pack.yaml": 'name: small\nversion: "1"\ndescription: for a test\nactions: {pay.refund: {}}\n',
        "rules.yaml": f"rules:\n{rule('people', 'step_up', emergency=GLASS)}\n",
        "tests.yaml": """\
tests:
  - says: an emergency runs at once
    intent: {action: pay.refund, purpose: the site is down, emergency: true}
    expect: {effect: permit, because: [people], reason: EMERGENCY}
  - says: without a reason it is none
    intent: {action: pay.refund, emergency: true}
    expect: {effect: step_up, because: [people]}
""",
    }
    assert [result.differences for result in run_tests(load_pack(files))] == [(), ()]
