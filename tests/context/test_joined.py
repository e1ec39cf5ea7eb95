"""The case of an intent: what is joined to it, the facts it rests on, the keys it is heard under, and who is refused."""

from typing import Any

import pytest

from placet.context.chain import NEVER
from placet.context.facts import Bundle
from placet.context.join import Joiner
from placet.context.parties import Asker, Refused
from placet.context.tables import Tables
from placet.model.case import CalendarRow, MandateRow, PrincipalRow, ResourceRow, RiskSource
from placet.model.codec.intent import Intent
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.model.topics import Topic

NOW = 1_000_000
EVERY = ("actor", "authority", "mandate", "resource", "actor.risk", "authority.risk", "session.risk", "calendar.freeze")


def person(
    name: str, status: str = "active", partition: int = 0, facts: tuple[bytes, ...] | None = None
) -> PrincipalRow:
    return PrincipalRow(
        f"P:acme/{name}",
        name,
        name.partition(":")[0],
        status,
        status == "active",
        None,
        (),
        {},
        frozenset({"pay"}) if name.startswith("tool") else frozenset(),
        700 + partition,
        partition,
        facts or (f"<{name}>".encode(),),
    )


def link(name: str, delegator: str, delegate: str, parent: str = "", **more: Any) -> MandateRow:
    fields: dict[str, Any] = {"actions": ("*",), "resources": ("*",), "expires_at": 0, "active": True} | more
    return MandateRow(
        key=f"M:acme/{name}",
        id=name,
        delegator=delegator,
        delegate=delegate,
        task="",
        parent=parent,
        observed_at=650,
        partition=2,
        fact=f"<{name}>".encode(),
        **fields,
    )


@pytest.fixture
def tables() -> Tables:
    tables = Tables(KeyRing([]))
    for row in (
        person("user:kim", facts=(b"<kim hr>", b"<kim soc>")),
        person("agent:mid"),
        person("agent:ada", partition=1),
        person("tool:erp"),
    ):
        tables.principals[row.key] = row
    for made in (
        link("m1", "user:kim", "agent:mid"),
        link("m2", "agent:mid", "agent:ada", "m1", expires_at=NOW + 5_000),
    ):
        tables.mandates[made.key] = made
    tables.resources["S:acme/order/7"] = ResourceRow(
        "S:acme/order/7", "order/7", "internal", 1, None, None, (), 640, 3, (b"<label>", b"<scan>")
    )
    tables.risks["R:acme/agent:ada"] = {
        "siem": RiskSource(40, 600, 0, 0, b"<siem>"),
        "edr": RiskSource(80, NOW - 60_000, 60, 1, b"<edr>"),
    }
    tables.risks["R:acme/user:kim"] = {"siem": RiskSource(7, 610, 0, 0, b"<kim siem>")}
    tables.risks["R:acme/session:s-1"] = {"siem": RiskSource(9, 620, 0, 0, b"<session>")}
    tables.calendar["acme"] = {"freeze": CalendarRow("C:acme/freeze", "on", 630, 0, 4, b"<freeze>")}
    return tables


def intent(**more: Any) -> Intent:
    fields: dict[str, Any] = dict.fromkeys(Intent._fields)
    fields |= {
        "id": bytes(range(16)),
        "attempt": 3,
        "tenant": "acme",
        "actor": "agent:ada",
        "authority": "user:kim",
        "mandate": "m2",
        "action": "pay.refund",
        "resource": "order/7",
        "purpose": "a refund",
        "session": "s-1",
        "after": (),
        "audience": "tool:erp",
        "emergency": True,
    }
    return Intent(**fields | more)


def asker(asked: Intent) -> Asker:
    return Asker(asked.tenant, asked.mandate, asked.actor, asked.authority, b"acme/user:kim")


def joined(tables: Tables, wanted: tuple[str, ...] = EVERY, **more: Any) -> Joiner:
    joiner = Joiner(tables)
    joiner.begin(NOW)
    asked = intent(**more)
    joiner.join(asked, asker(asked), {"amount": 5}, wanted)
    return joiner


def keys(joiner: Joiner) -> list[str]:
    return [key for each in joiner.index for key in (each.keys if isinstance(each, Bundle) else (each,))]


def test_a_case_is_the_intent_and_all_that_was_wanted(tables: Tables) -> None:
    case = joined(tables).case
    assert (case.instant, case.tenant, case.id, case.attempt) == (NOW, "acme", bytes(range(16)), 3)
    assert (case.actor_id, case.authority_id, case.action, case.resource_id) == (
        "agent:ada",
        "user:kim",
        "pay.refund",
        "order/7",
    )
    assert (case.purpose, case.session_id, case.audience, case.emergency) == ("a refund", "s-1", "tool:erp", True)
    assert case.arguments == {"amount": 5}
    assert case.actor is tables.principals["P:acme/agent:ada"]
    assert case.authority is tables.principals["P:acme/user:kim"]
    assert case.mandate == tables.mandates["M:acme/m2"].at_depth(2)
    assert case.resource is tables.resources["S:acme/order/7"]
    # The agent's 80 of a minute ago with a half life of a minute is 40, as graver as its 40 that does not fade.
    assert (case.actor_risk, case.authority_risk, case.session_risk) == (40, 7, 9)
    assert case.calendar == {"freeze": "on"}
    assert case.chain == ("user:kim", "agent:mid", "agent:ada")


def test_risk_is_the_gravest_of_its_sources_as_they_have_faded(tables: Tables) -> None:
    tables.risks["R:acme/agent:ada"]["edr"] = RiskSource(100, NOW - 60_000, 60, 1, b"<edr>")
    assert joined(tables).case.actor_risk == 50
    tables.risks["R:acme/agent:ada"]["edr"] = RiskSource(100, NOW, 60, 1, b"<edr>")
    assert joined(tables).case.actor_risk == 100


def test_a_case_rests_on_each_fact_once_in_its_role(tables: Tables) -> None:
    joiner = joined(tables)
    said = b"".join(joiner.facts)
    assert said == (
        b"\x0aactor<agent:ada>\x12authority<kim hr>\x12authority<kim soc>"
        b"\x0emandate<m2>\x0emandate<m1>\x12delegator<agent:mid>\x10audience<tool:erp>"
        b"\x10resource<label>\x10resource<scan>"
        b"\x14actor.risk<siem>\x14actor.risk<edr>\x1cauthority.risk<kim siem>\x18session.risk<session>"
        b"\x1ecalendar.freeze<freeze>"
    )
    assert joiner.count == 14


def test_a_case_is_heard_under_the_key_of_each_thing_it_rests_on(tables: Tables) -> None:
    assert sorted(keys(joined(tables))) == [
        "C:acme/freeze",
        "M:acme/m1",
        "M:acme/m2",
        "P:acme/agent:ada",
        "P:acme/agent:mid",
        "P:acme/tool:erp",
        "P:acme/user:kim",
        "R:acme/agent:ada",
        "R:acme/session:s-1",
        "R:acme/user:kim",
        "S:acme/order/7",
    ]


def test_what_nobody_wants_is_not_joined(tables: Tables) -> None:
    joiner = joined(tables, wanted=(), audience="")
    case = joiner.case
    assert (case.resource, case.actor_risk, case.authority_risk, case.session_risk) == (None, None, None, None)
    assert case.calendar == {}
    assert joiner.count == 6
    assert not [key for key in keys(joiner) if key[0] in "RSC" or key == "P:acme/tool:erp"]
    assert joiner.until == NOW + 5_000


def test_what_nobody_knows_is_missing_and_is_waited_for_under_its_key(tables: Tables) -> None:
    joiner = joined(tables, wanted=EVERY, resource="order/8", session="s-2")
    assert (joiner.case.resource, joiner.case.session_risk) == (None, None)
    assert {"S:acme/order/8", "R:acme/session:s-2"} <= set(keys(joiner))
    tables.calendar.clear()
    joiner = joined(tables)
    assert joiner.case.calendar == {}
    assert "C:acme/freeze" in keys(joiner)


@pytest.mark.parametrize(("expires_at", "calendar"), [(NOW, {}), (NOW + 1, {"freeze": "on"}), (0, {"freeze": "on"})])
def test_a_calendar_fact_ends_when_it_says(tables: Tables, expires_at: int, calendar: dict[str, str]) -> None:
    tables.calendar["acme"] = {"freeze": CalendarRow("C:acme/freeze", "on", 630, expires_at, 4, b"<freeze>")}
    joiner = joined(tables)
    assert joiner.case.calendar == calendar
    assert joiner.count == (14 if calendar else 13)


def test_a_join_leaves_nothing_of_the_one_before(tables: Tables) -> None:
    joiner = Joiner(tables)
    joiner.begin(NOW)
    first, second = intent(), intent(mandate="", actor="user:kim", audience="", emergency=False)
    joiner.join(first, asker(first), {}, EVERY)
    case = joiner.join(second, asker(second), {"n": 1}, ())
    assert (case.mandate, case.resource, case.actor_risk, case.authority_risk, case.session_risk) == (None,) * 5
    assert (case.calendar, case.chain, case.emergency, case.arguments) == ({}, ("user:kim",), False, {"n": 1})
    assert (joiner.count, joiner.until) == (2, NEVER)
    joiner.clear()
    assert (joiner.facts, joiner.index, joiner.count) == ([], [], 0)


def refused(tables: Tables, **more: Any) -> tuple[Reason, str]:
    with pytest.raises(Refused) as why:
        joined(tables, **more)
    return why.value.reason, why.value.detail


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"actor": "agent:bob"}, Reason.PRINCIPAL_UNKNOWN, "actor `agent:bob`"),
        ({"authority": "user:lee"}, Reason.PRINCIPAL_UNKNOWN, "authority `user:lee`"),
        ({"mandate": ""}, Reason.CHAIN_BROKEN, "the actor is not the authority, and no mandate is named"),
        ({"mandate": "m9"}, Reason.CHAIN_BROKEN, "mandate `m9` is not known"),
        ({"mandate": "m1"}, Reason.CHAIN_BROKEN, "mandate `m1` was not given to `agent:ada`"),
        ({"audience": "tool:crm"}, Reason.AUDIENCE_UNKNOWN, "audience `tool:crm`"),
        ({"tenant": "other"}, Reason.PRINCIPAL_UNKNOWN, "actor `agent:ada`"),
    ],
)
def test_who_may_not_ask_is_refused_and_the_part_is_named(
    tables: Tables, change: dict[str, Any], reason: Reason, detail: str
) -> None:
    assert refused(tables, **change) == (reason, detail)


@pytest.mark.parametrize(
    ("name", "part"),
    [("agent:ada", "actor"), ("user:kim", "authority"), ("agent:mid", "delegator"), ("tool:erp", "audience")],
)
@pytest.mark.parametrize("status", ["suspended", "revoked"])
def test_everybody_between_and_who_carries_it_out_must_be_active(
    tables: Tables, name: str, part: str, status: str
) -> None:
    tables.principals[f"P:acme/{name}"] = person(name, status)
    assert refused(tables) == (Reason.PRINCIPAL_INACTIVE, f"{part} `{name}` is {status}")


def test_what_no_link_covers_is_refused_with_the_link_that_does_not(tables: Tables) -> None:
    tables.mandates["M:acme/m1"] = link("m1", "user:kim", "agent:mid", actions=("look.*",))
    assert refused(tables) == (Reason.OUTSIDE_MANDATE, "mandate `m1` does not cover it")
    tables.mandates["M:acme/m1"] = link("m1", "user:kim", "agent:mid", resources=("invoice/*",))
    assert refused(tables) == (Reason.OUTSIDE_MANDATE, "mandate `m1` does not cover it")


def test_a_refusal_rests_on_what_was_found_until_then(tables: Tables) -> None:
    tables.principals["P:acme/user:kim"] = person("user:kim", "suspended")
    joiner = Joiner(tables)
    joiner.begin(NOW)
    asked = intent()
    with pytest.raises(Refused):
        joiner.join(asked, asker(asked), {}, EVERY)
    assert b"".join(joiner.facts) == b"\x0aactor<agent:ada>\x12authority<user:kim>"
    assert joiner.count == 2
    assert keys(joiner) == ["P:acme/agent:ada", "P:acme/user:kim"]


def test_an_executor_that_claims_is_rested_on_too(tables: Tables) -> None:
    joiner = joined(tables, wanted=(), audience="")
    joiner.executor("acme", "tool:erp")
    assert joiner.facts[-1] == b"\x10executor<tool:erp>"
    assert (joiner.count, joiner.index[-1]) == (7, "P:acme/tool:erp")
    with pytest.raises(Refused) as why:
        joiner.executor("acme", "tool:crm")
    assert (why.value.reason, why.value.detail) == (Reason.AUDIENCE_UNKNOWN, "executor `tool:crm`")
    # It is heard of when somebody of that name appears.
    assert joiner.index[-1] == "P:acme/tool:crm"


def test_what_a_joiner_says_of_a_principal(tables: Tables) -> None:
    tables.principals["P:acme/user:kim"] = person("user:kim", "suspended")
    joiner = Joiner(tables)
    assert [joiner.knows("acme", name) for name in ("user:kim", "user:lee")] == [True, False]
    assert [joiner.active("acme", name) for name in ("user:kim", "agent:ada", "user:lee")] == [False, True, False]
    assert joiner.capabilities("acme", "tool:erp") == {"pay"}
    assert joiner.capabilities("acme", "") == joiner.capabilities("acme", "tool:crm") == frozenset()


def test_the_age_of_each_fact_is_its_own(tables: Tables) -> None:
    case = joined(tables).case
    observed = {fact: case.observed_at.get(fact, -1) for fact in EVERY}
    assert observed == {
        "actor": 701,
        "authority": 700,
        "mandate": 650,
        "resource": 640,
        # Of a risk its newest event.
        "actor.risk": NOW - 60_000,
        "authority.risk": 610,
        "session.risk": 620,
        "calendar.freeze": 630,
    }
    assert case.observed_at.get("calendar.other", -1) == -1


def test_a_fact_was_heard_when_its_feed_was_and_of_several_the_one_silent_longest(tables: Tables) -> None:
    tables.marks |= {
        (Topic.PRINCIPALS, 0): (1, 11),
        (Topic.PRINCIPALS, 1): (1, 12),
        (Topic.MANDATES, 2): (1, 13),
        (Topic.SENSITIVITY, 3): (1, 14),
        (Topic.RISK, 0): (1, 15),
        (Topic.RISK, 1): (1, 9),
        (Topic.CONTROLS, 4): (1, 17),
    }
    case = joined(tables).case
    assert [case.heard_at.get(fact, -1) for fact in EVERY] == [12, 11, 13, 14, 9, 15, 15, 17]
    assert case.heard_at.get("calendar.other", -1) == -1


def test_what_waits_for_silent_feeds_is_heard_under_their_places(tables: Tables) -> None:
    joiner = joined(tables, wanted=())
    before = len(joiner.index)
    joiner.await_feeds(("actor", "actor.risk"))
    assert joiner.index[before:] == [f"F:{Topic.PRINCIPALS:d}/1", f"F:{Topic.RISK:d}/0", f"F:{Topic.RISK:d}/1"]


def test_a_party_holds_still_until_somebody_changes_or_a_link_ends(tables: Tables) -> None:
    asked = intent()
    who = asker(asked)
    joiner = Joiner(tables)
    joiner.begin(NOW)
    joiner.join(asked, who, {}, ())
    party = who.party
    assert party is not None
    assert (party.until, party.actor_risk, party.authority_risk) == (NOW + 5_000, "R:acme/agent:ada", "R:acme/user:kim")
    assert who.party_at(NOW + 4_999, tables) is party
    assert who.party_at(NOW + 5_000, tables) is None
    tables.identity_changes += 1
    assert who.party_at(NOW, tables) is None


def test_the_bundle_of_who_asks_is_the_same_while_they_are(tables: Tables) -> None:
    asked = intent()
    who = asker(asked)
    joiner = Joiner(tables)
    joiner.begin(NOW)
    wanted = ("actor.risk",)
    joiner.join(asked, who, {}, wanted)
    bundle = joiner.index[0]
    joiner.join(asked, who, {}, wanted)
    assert joiner.index[0] is bundle
    joiner.join(intent(audience=""), who, {}, wanted)
    assert joiner.index[0] is not bundle
    assert "P:acme/tool:erp" not in keys(joiner)
    joiner.join(asked, who, {}, ("authority.risk",))
    assert {"R:acme/user:kim", "R:acme/agent:ada"} & set(keys(joiner)) == {"R:acme/user:kim"}
    joiner.join(asked, who, {}, ("actor.risk", "session.risk"))
    assert "R:acme/agent:ada" in keys(joiner)


def test_whom_it_is_for_is_looked_at_again_once_any_principal_has_changed(tables: Tables) -> None:
    asked = intent()
    who = asker(asked)
    joiner = Joiner(tables)
    joiner.begin(NOW)
    joiner.join(asked, who, {}, ())
    first = b"".join(joiner.facts), joiner.count
    joiner.join(asked, who, {}, ())
    assert (b"".join(joiner.facts), joiner.count) == first
    tables.principals["P:acme/tool:erp"] = person("tool:erp", status="suspended")
    tables.identity_changes += 1
    with pytest.raises(Refused) as why:
        joiner.join(asked, who, {}, ())
    assert (why.value.reason, why.value.detail) == (Reason.PRINCIPAL_INACTIVE, "audience `tool:erp` is suspended")


def test_each_session_has_its_own_key_and_the_bundle_stays(tables: Tables) -> None:
    who = asker(intent())
    joiner = Joiner(tables)
    joiner.begin(NOW)
    told = []
    for session in ("s-1", "s-2", "s-2", "s-1"):
        joiner.join(intent(session=session), who, {}, ())
        told.append((joiner.standing.session_key, joiner.index[0]))
    keys_, bundles = zip(*told, strict=True)
    assert keys_ == tuple(f"T:acme/user:kim/{session}" for session in ("s-1", "s-2", "s-2", "s-1"))
    assert len({id(bundle) for bundle in bundles}) == 1


def test_a_note_is_a_fact_more(tables: Tables) -> None:
    joiner = joined(tables)
    joiner.note(b"<vote>")
    assert (joiner.facts[-1], joiner.count) == (b"<vote>", 15)
