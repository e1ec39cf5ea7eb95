"""A situation of a pack's tests as the case it is: every field where it is given, and what stands where it is not."""

from typing import Any

import pytest
from pydantic import ValidationError

from placet.model.case import Case, MandateRow, PrincipalRow, ResourceRow
from placet.policy.samples import INSTANT
from placet.policy.situations import Expected, Given, IntentGiven, TestForm, TestsForm, case_of

ASKED: dict[str, Any] = {"action": "pay.refund"}


def made(given: dict[str, Any] | None = None, **intent: Any) -> Case:
    return case_of(Given.model_validate(given or {}), IntentGiven.model_validate(ASKED | intent))


def test_where_nothing_is_said_all_is_known_fresh_and_harmless() -> None:
    case = made()
    assert (case.instant, case.tenant, case.id, case.attempt) == (INSTANT, "test", bytes(16), 1)
    assert (case.action, case.resource_id, case.purpose, case.audience) == ("pay.refund", "thing/1", "", "")
    assert (case.emergency, case.session_id, case.arguments) == (False, "session-1", {})
    assert (case.actor_id, case.authority_id, case.chain) == ("agent:ada", "user:kim", ("user:kim", "agent:ada"))
    assert (case.actor_risk, case.authority_risk, case.session_risk) == (0, 0, 0)
    assert (case.session_origin, case.session_rank, case.calendar) == ("none", 0, {})
    assert case.actor == PrincipalRow(
        "", "agent:ada", "agent", "active", True, None, (), {}, frozenset(), INSTANT, 0, ()
    )
    assert case.authority == PrincipalRow(
        "", "user:kim", "user", "active", True, None, (), {}, frozenset(), INSTANT, 0, ()
    )
    assert case.mandate == MandateRow(
        "", "mandate-1", "user:kim", "agent:ada", "", ("*",), ("*",), "", 0, True, INSTANT, 0, b"", 1
    )
    assert case.resource == ResourceRow("", "thing/1", "public", 0, None, None, (), INSTANT, 0, ())
    names = {"actor", "authority", "actor.risk", "authority.risk", "session.risk", "mandate", "resource"}
    assert case.observed_at == case.heard_at == dict.fromkeys(names, INSTANT)


def test_all_that_is_given_stands_in_the_case() -> None:
    case = made(
        {
            "actor": {
                "kind": "tool",
                "status": "suspended",
                "owner": "user:lee",
                "groups": ["night", "day"],
                "attributes": {"team": "blue"},
                "capabilities": ["pay", "pay"],
                "risk": 12,
            },
            "authority": {"risk": 13},
            "mandate": {
                "id": "m7",
                "delegator": "user:a",
                "delegate": "agent:b",
                "task": "refunds",
                "depth": 3,
                "actions": ["pay.*"],
                "resources": ["order/*"],
            },
            "resource": {"sensitivity": "confidential", "owner": "user:o", "origin": "external", "categories": ["pii"]},
            "session": {"origin": "external", "sensitivity": "restricted", "risk": 14},
            "calendar": {"freeze": "on"},
        },
        actor="agent:eve",
        authority="user:grace",
        resource="order/7",
        purpose="why",
        audience="tool:erp",
        session="s-9",
        arguments={"amount": 5},
        emergency=True,
        attempt=4,
        chain=["user:grace", "agent:mid", "agent:eve"],
    )
    assert case.actor == PrincipalRow(
        "",
        "agent:eve",
        "tool",
        "suspended",
        False,
        "user:lee",
        ("night", "day"),
        {"team": "blue"},
        frozenset({"pay"}),
        INSTANT,
        0,
        (),
    )
    assert (case.actor_risk, case.authority_risk, case.session_risk) == (12, 13, 14)
    assert case.mandate == MandateRow(
        "", "m7", "user:a", "agent:b", "refunds", ("pay.*",), ("order/*",), "", 0, True, INSTANT, 0, b"", 3
    )
    assert case.resource == ResourceRow(
        "", "order/7", "confidential", 2, "user:o", "external", ("pii",), INSTANT, 0, ()
    )
    assert (case.session_origin, case.session_rank, case.calendar) == ("external", 3, {"freeze": "on"})
    assert (case.purpose, case.audience, case.session_id) == ("why", "tool:erp", "s-9")
    assert (case.arguments, case.emergency, case.attempt) == ({"amount": 5}, True, 4)
    assert (case.actor_id, case.authority_id) == ("agent:eve", "user:grace")
    assert case.chain == ("user:grace", "agent:mid", "agent:eve")
    assert case.observed_at.get("calendar.freeze", 0) == case.heard_at.get("calendar.freeze", 0) == INSTANT


def test_the_short_forms_stand_for_the_actor_s_risk_and_the_resource_s_label() -> None:
    case = made({"risk": 40, "actor": {"risk": 1}, "sensitivity": "internal"})
    assert (case.actor_risk, case.resource and case.resource.sensitivity) == (40, "internal")
    assert made({"risk": 0, "actor": {"risk": 9}}).actor_risk == 0
    both = made({"sensitivity": "internal", "resource": {"sensitivity": "restricted"}})
    assert both.resource is not None
    assert (both.resource.sensitivity, both.resource.rank) == ("restricted", 3)


def test_the_kind_of_a_principal_is_what_its_id_begins_with() -> None:
    case = made(actor="workflow:night:run")
    assert case.actor is not None
    assert case.actor.kind == "workflow"


@pytest.mark.parametrize(
    ("age", "observed", "heard"),
    [(7, 7, 7), ({"observed_ms": 5}, 5, 0), ({"heard_ms": 6}, 0, 6), ({"observed_ms": 1, "heard_ms": 2}, 1, 2)],
)
def test_an_age_is_of_the_fact_and_of_its_feed_or_of_one_of_them(age: Any, observed: int, heard: int) -> None:
    case = made({"ages": {"actor.risk": age}})
    assert INSTANT - case.observed_at.get("actor.risk", 0) == observed
    assert INSTANT - case.heard_at.get("actor.risk", 0) == heard
    assert case.observed_at.get("actor", 0) == INSTANT


@pytest.mark.parametrize("fact", ["actor", "authority", "mandate", "resource"])
def test_a_record_nobody_knows_is_not_there(fact: str) -> None:
    case = made({"absent": [fact]})
    assert getattr(case, fact) is None
    assert case.observed_at.get(fact, -1) == case.heard_at.get(fact, -1) == -1


@pytest.mark.parametrize("whose", ["actor", "authority", "session"])
def test_a_risk_nobody_knows_is_not_there_and_the_principal_is(whose: str) -> None:
    case = made({"absent": [f"{whose}.risk"]})
    assert getattr(case, f"{whose}_risk") is None
    assert case.observed_at.get(f"{whose}.risk", -1) == -1
    assert case.actor is not None
    assert case.authority is not None


def test_a_day_nobody_knows_is_not_in_the_calendar_and_the_others_are() -> None:
    case = made({"calendar": {"freeze": "on", "books": "shut"}, "absent": ["calendar.freeze", "calendar.other"]})
    assert case.calendar == {"books": "shut"}
    assert case.observed_at.get("calendar.freeze", -1) == -1
    assert case.observed_at.get("calendar.books", -1) == INSTANT


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (Given, {"risk": 101}),
        (Given, {"risk": -1}),
        (Given, {"session": {"risk": 101}}),
        (Given, {"mandate": {"depth": 0}}),
        (Given, {"mandate": {"depth": 17}}),
        (Given, {"ages": {"actor": {"observed_ms": -1}}}),
        (Given, {"ages": {"actor": {"heard_ms": -1}}}),
        (Given, {"sensitivity": "secret"}),
        (Given, {"weather": "fine"}),
        (IntentGiven, {}),
        (IntentGiven, {"action": "a", "attempt": 0}),
        (Expected, {}),
        (Expected, {"effect": "maybe"}),
        (Expected, {"effect": "permit", "claim": "perhaps"}),
        (TestsForm, {"tests": []}),
        (TestForm, {"says": "", "intent": ASKED, "expect": {"effect": "deny"}}),
    ],
)
def test_what_no_situation_can_be_is_refused(form: Any, written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        form.model_validate(written)


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (Given, {"risk": 100}),
        (Given, {"risk": 0}),
        (Given, {"mandate": {"depth": 16}}),
        (Given, {"mandate": {"depth": 1}}),
        (Given, {"ages": {"actor": {"observed_ms": 0, "heard_ms": 0}}}),
        (IntentGiven, {"action": "a", "attempt": 1}),
        (TestsForm, {"tests": [{"says": "so", "intent": ASKED, "expect": {"effect": "deny"}}]}),
    ],
)
def test_the_bounds_themselves_are_taken(form: Any, written: dict[str, Any]) -> None:
    form.model_validate(written)


def test_what_is_not_expected_is_not_looked_at() -> None:
    expected = Expected.model_validate({"effect": "permit"})
    assert expected.model_dump(exclude={"effect"}) == dict.fromkeys(
        ("because", "reason", "obligations", "granted", "missing", "claim")
    )
