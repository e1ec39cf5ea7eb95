"""What stands in a table once a record was folded: every field of its row, and the index key that it touched."""

from typing import Any

import pytest

from placet.context.facts import fact_of, in_role, role, said_in, value_of
from placet.context.halts import RESUMERS
from placet.context.same import Same
from placet.context.tables import Tables
from placet.errors import PoisonRecord
from placet.model.case import CalendarRow, MandateRow, PrincipalRow, ResourceRow, RiskSource
from placet.model.codec import control, mandate, principal, risk, sensitivity
from placet.model.codec.control import Control
from placet.model.codec.mandate import Mandate
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.sensitivity import Sensitivity
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Rec
from tests.support.keyed import keyed

OPERATOR = Signer("op", "user:root", b"o" * 32)
SECOND = Signer("op2", "user:eve", b"e" * 32)
ADA = Principal(
    "acme", "agent:ada", "agent", "active", "user:kim", ("finance", "night"), {"team": "blue"}, ("pay",), "hr", 50, None
)
ORDER = Sensitivity("acme", "order/7", "confidential", "user:kim", "external", ("pii", "money"), "dlp", 60, None)
LINK = Mandate(
    "acme", "m1", "user:grace", "agent:ada", "refunds", ("pay.*",), ("order/*",), (), "m0", 9_000, "active", 70, None
)
FREEZE = Control("acme", "c1", "calendar", "freeze", "on", "year end", "user:root", 80, 9_000, None)


def rec(value: bytes, topic: Topic, offset: int = 3, at: int = 1_000, partition: int = 0) -> Rec:
    return Rec(topic, partition, offset, at, keyed(value), value)


def signed(module: Any, name: str, record: Any, signer: Signer = OPERATOR) -> bytes:
    proof = signer.sign_batch(name, module.FINGERPRINT, [module.encode_unsigned(record)])[0]
    return bytes(module.frame(record._replace(proof=module.Proof(*proof))))


def people(record: Principal, signer: Signer = OPERATOR) -> bytes:
    return signed(principal, "principal", record, signer)


def label(record: Sensitivity, signer: Signer = OPERATOR) -> bytes:
    return signed(sensitivity, "sensitivity", record, signer)


@pytest.fixture
def tables() -> Tables:
    return Tables(KeyRing([OPERATOR.pinned("operator"), SECOND.pinned("operator")]))


def test_a_principal_stands_with_all_that_its_record_says(tables: Tables) -> None:
    said = rec(people(ADA), Topic.PRINCIPALS)
    assert tables.fold(said) == "P:acme/agent:ada"
    assert tables.principals["P:acme/agent:ada"] == PrincipalRow(
        key="P:acme/agent:ada",
        id="agent:ada",
        kind="agent",
        status="active",
        active=True,
        owner="user:kim",
        groups=("finance", "night"),
        attributes={"team": "blue"},
        capabilities=frozenset({"pay"}),
        observed_at=50,
        partition=0,
        facts=(fact_of(said),),
    )


def test_of_a_principal_the_gravest_status_stands_and_the_rest_is_the_newest(tables: Tables) -> None:
    older = rec(people(ADA._replace(source="soc", status="suspended", observed_at=10, groups=())), Topic.PRINCIPALS)
    newer = rec(people(ADA), Topic.PRINCIPALS, offset=4)
    tables.fold(older)
    assert tables.fold(newer) == "P:acme/agent:ada"
    row = tables.principals["P:acme/agent:ada"]
    assert (row.status, row.active, row.groups, row.observed_at) == ("suspended", False, ("finance", "night"), 50)
    # By the name of the source, whichever came first.
    assert row.facts == (fact_of(newer), fact_of(older))
    assert row.partition == 0


def test_of_two_sources_that_saw_a_principal_in_the_same_millisecond_the_later_by_name_is_taken(tables: Tables) -> None:
    for source, kind in (("zed", "tool"), ("abc", "agent")):
        tables.fold(rec(people(ADA._replace(source=source, kind=kind)), Topic.PRINCIPALS))
    assert tables.principals["P:acme/agent:ada"].kind == "tool"


def test_each_change_of_who_somebody_is_is_counted_and_nothing_else(tables: Tables) -> None:
    counted, begun = [], tables.identity_changes
    for value, topic in [
        (people(ADA), Topic.PRINCIPALS),
        (people(ADA), Topic.PRINCIPALS),
        (people(ADA._replace(status="revoked", observed_at=51)), Topic.PRINCIPALS),
        (signed(mandate, "mandate", LINK), Topic.MANDATES),
        (signed(mandate, "mandate", LINK._replace(observed_at=1)), Topic.MANDATES),
        (label(ORDER), Topic.SENSITIVITY),
    ]:
        tables.fold(rec(value, topic))
        counted.append(tables.identity_changes - begun)
    assert counted == [1, 1, 2, 3, 3, 3]


def test_a_resource_stands_with_all_that_its_record_says(tables: Tables) -> None:
    said = rec(label(ORDER), Topic.SENSITIVITY)
    assert tables.fold(said) == "S:acme/order/7"
    assert tables.resources["S:acme/order/7"] == ResourceRow(
        key="S:acme/order/7",
        id="order/7",
        sensitivity="confidential",
        rank=2,
        owner="user:kim",
        origin="external",
        categories=("pii", "money"),
        observed_at=60,
        partition=0,
        facts=(fact_of(said),),
    )


def test_of_a_resource_the_gravest_label_stands_and_the_rest_is_the_newest(tables: Tables) -> None:
    older = rec(
        label(ORDER._replace(source="scan", label="restricted", origin=None, observed_at=5)),
        Topic.SENSITIVITY,
    )
    newer = rec(label(ORDER), Topic.SENSITIVITY, offset=4)
    tables.fold(older)
    assert tables.fold(newer) == "S:acme/order/7"
    row = tables.resources["S:acme/order/7"]
    assert (row.sensitivity, row.rank, row.origin, row.observed_at) == ("restricted", 3, "external", 60)
    assert row.facts == (fact_of(newer), fact_of(older))
    tables.fold(rec(label(ORDER._replace(source="scan", label="public", observed_at=6)), Topic.SENSITIVITY))
    assert tables.resources["S:acme/order/7"].sensitivity == "confidential"


def test_of_two_sources_that_saw_a_resource_in_the_same_millisecond_the_later_by_name_is_taken(tables: Tables) -> None:
    for source, owner in (("zed", "user:z"), ("abc", "user:a")):
        tables.fold(rec(label(ORDER._replace(source=source, owner=owner)), Topic.SENSITIVITY))
    assert tables.resources["S:acme/order/7"].owner == "user:z"


def test_risk_stands_by_source_and_the_newest_of_each(tables: Tables) -> None:
    first = rec(risk.frame(Risk("acme", "agent:ada", "siem", 50, 5, 60, 0, 0)), Topic.RISK)
    second = rec(risk.frame(Risk("acme", "agent:ada", "edr", 0, 6, 0, 0, 0)), Topic.RISK)
    assert tables.fold(first) == tables.fold(second) == "R:acme/agent:ada"
    assert tables.risks == {
        "R:acme/agent:ada": {
            "siem": RiskSource(50, 5, 60, 0, fact_of(first)),
            "edr": RiskSource(0, 6, 0, 0, fact_of(second)),
        }
    }
    third = rec(risk.frame(Risk("acme", "agent:ada", "siem", 100, 7, 0, 0, 0)), Topic.RISK)
    assert tables.fold(third) == "R:acme/agent:ada"
    assert tables.risks["R:acme/agent:ada"]["siem"] == RiskSource(100, 7, 0, 0, fact_of(third))


def test_a_mandate_stands_with_all_that_its_record_says(tables: Tables) -> None:
    said = rec(signed(mandate, "mandate", LINK), Topic.MANDATES)
    assert tables.fold(said) == "M:acme/m1"
    assert tables.mandates["M:acme/m1"] == MandateRow(
        key="M:acme/m1",
        id="m1",
        delegator="user:grace",
        delegate="agent:ada",
        task="refunds",
        actions=("pay.*",),
        resources=("order/*",),
        parent="m0",
        expires_at=9_000,
        active=True,
        observed_at=70,
        partition=0,
        fact=fact_of(said),
        depth=1,
    )


@pytest.mark.parametrize(
    ("status", "observed_at", "active"),
    [
        ("active", 71, True),
        ("suspended", 71, False),
        # In the same millisecond an end stands above a going on, whichever comes first.
        ("suspended", 70, False),
        ("active", 69, True),
        ("revoked", 69, True),
    ],
)
def test_the_newest_word_on_a_mandate_stands(tables: Tables, status: str, observed_at: int, active: bool) -> None:
    tables.fold(rec(signed(mandate, "mandate", LINK), Topic.MANDATES))
    word = signed(mandate, "mandate", LINK._replace(status=status, observed_at=observed_at))
    touched = tables.fold(rec(word, Topic.MANDATES))
    assert touched == ("M:acme/m1" if observed_at >= 70 else None)
    assert tables.mandates["M:acme/m1"].active is active


def test_a_mandate_that_ended_does_not_go_on_in_the_same_millisecond(tables: Tables) -> None:
    tables.fold(rec(signed(mandate, "mandate", LINK._replace(status="revoked")), Topic.MANDATES))
    assert tables.fold(rec(signed(mandate, "mandate", LINK), Topic.MANDATES)) is None
    assert not tables.mandates["M:acme/m1"].active


def test_a_calendar_fact_stands_beside_the_others_of_its_tenant(tables: Tables) -> None:
    said = rec(signed(control, "control", FREEZE), Topic.CONTROLS)
    assert tables.fold(said) == "C:acme/freeze"
    other = rec(signed(control, "control", FREEZE._replace(id="c2", scope="hours", value="open")), Topic.CONTROLS)
    assert tables.fold(other) == "C:acme/hours"
    assert tables.calendar == {
        "acme": {
            "freeze": CalendarRow("C:acme/freeze", "on", 80, 9_000, 0, fact_of(said)),
            "hours": CalendarRow("C:acme/hours", "open", 80, 9_000, 0, fact_of(other)),
        }
    }


def test_an_older_word_on_a_calendar_fact_changes_nothing_and_one_as_old_does(tables: Tables) -> None:
    tables.fold(rec(signed(control, "control", FREEZE), Topic.CONTROLS))
    older = signed(control, "control", FREEZE._replace(value="off", observed_at=79))
    assert tables.fold(rec(older, Topic.CONTROLS)) is None
    assert tables.calendar["acme"]["freeze"].value == "on"
    as_old = signed(control, "control", FREEZE._replace(value="off"))
    assert tables.fold(rec(as_old, Topic.CONTROLS)) == "C:acme/freeze"
    assert tables.calendar["acme"]["freeze"].value == "off"


def halted(scope: str, **more: Any) -> Control:
    fields = {"id": "h1", "kind": "halt", "scope": scope, "value": "", "expires_at": 0, **more}
    return FREEZE._replace(**fields)


@pytest.mark.parametrize(
    ("scope", "touched"),
    [
        ("all", "H:acme"),
        ("tenant", "H:acme"),
        ("action/pay.*", "H:acme"),
        ("agent/agent:ada", "P:acme/agent:ada"),
        ("authority/user:kim", "P:acme/user:kim"),
        ("tool/tool:erp", "P:acme/tool:erp"),
    ],
)
def test_a_halt_touches_all_or_the_one_it_names(tables: Tables, scope: str, touched: str) -> None:
    said = rec(signed(control, "control", halted(scope)), Topic.CONTROLS, offset=7)
    assert tables.fold(said) == touched
    assert tables.fold(said) is None
    (halt,) = tables.halts.standing(100)
    assert halt == ("acme", "h1", scope, 80, 0, "user:root", "year end", (0, 7), 1_000, fact_of(said))


def test_two_operators_end_a_halt_and_each_word_counts_once(tables: Tables) -> None:
    tables.fold(rec(signed(control, "control", halted("tenant")), Topic.CONTROLS))
    key = ("acme", "h1", "tenant")
    assert tables.halts.missing(key, 100) == RESUMERS == 2
    one = signed(control, "control", halted("tenant", kind="resume", observed_at=90))
    assert tables.fold(rec(one, Topic.CONTROLS)) == "U:acme"
    assert tables.fold(rec(one, Topic.CONTROLS)) is None
    assert tables.halts.missing(key, 100) == 1
    other = signed(control, "control", halted("tenant", kind="resume", by="user:eve", observed_at=90), SECOND)
    assert tables.fold(rec(other, Topic.CONTROLS)) == "U:acme"
    assert (tables.halts.missing(key, 100), tables.halts.standing(100)) == (None, [])


def test_a_halt_said_by_another_than_who_signed_it_is_refused(tables: Tables) -> None:
    with pytest.raises(PoisonRecord, match="said by `user:mallory`, signed by `user:root`") as refused:
        tables.fold(rec(signed(control, "control", halted("tenant", by="user:mallory")), Topic.CONTROLS))
    assert refused.value.reason == Reason.WRITER_UNPROVED
    assert tables.halts.standing(100) == []


@pytest.mark.parametrize(
    ("value", "topic", "says"),
    [
        (signed(control, "control", FREEZE._replace(kind="explode")), Topic.CONTROLS, "control kind `explode`"),
        (signed(control, "control", halted("moon")), Topic.CONTROLS, "control scope `moon`: expected all, tenant"),
        (signed(control, "control", halted("agent/")), Topic.CONTROLS, "control.scope"),
        (signed(control, "control", halted("tenant", id="")), Topic.CONTROLS, "control.id"),
        (people(ADA._replace(status="fine")), Topic.PRINCIPALS, "status `fine`: expected one of active, rev"),
        (signed(mandate, "mandate", LINK._replace(status="old")), Topic.MANDATES, "status `old`: expected one of act"),
        (label(ORDER._replace(label="secret")), Topic.SENSITIVITY, "label `secret`: expected one of conf"),
        (label(ORDER._replace(origin="mars")), Topic.SENSITIVITY, "origin `mars`: expected one of exter"),
        (risk.frame(Risk("acme", "x", "s", 101, 5, 0, 0, 0)), Topic.RISK, "risk score 101: expected 0 to 100"),
        (people(ADA._replace(tenant="a/b")), Topic.PRINCIPALS, "tenant `a/b`: expected no `/` in it"),
    ],
)
def test_what_is_refused_is_named_with_what_was_expected(tables: Tables, value: bytes, topic: Topic, says: str) -> None:
    with pytest.raises(PoisonRecord) as refused:
        tables.fold(rec(value, topic))
    assert says in str(refused.value)
    assert refused.value.reason == Reason.MALFORMED


def test_a_record_in_a_partition_that_is_not_its_key_s_is_refused_where_its_topic_has_several() -> None:
    tables = Tables(KeyRing([OPERATOR.pinned("operator")]), lambda topic: 4 if topic == Topic.PRINCIPALS else 1)
    taken = []
    for partition in range(4):
        try:
            tables.fold(rec(people(ADA._replace(observed_at=partition)), Topic.PRINCIPALS, partition=partition))
            taken.append(partition)
        except PoisonRecord:
            pass
    assert len(taken) == 1
    assert tables.principals["P:acme/agent:ada"].partition == taken[0]


def test_a_fact_is_the_place_of_a_record_and_the_record_as_it_came() -> None:
    said = Rec(Topic.RISK, 3, 200, 1_000, b"k", b"value")
    # Avro longs are zigzag: 3 is 6, 200 is 0x90 0x03, 1,000 is 0xd0 0x0f; the value has its length before it.
    assert fact_of(said) == bytes([2 * int(Topic.RISK), 6, 0x90, 0x03, 0xD0, 0x0F, 10]) + b"value"
    assert value_of(fact_of(said)) == b"value"
    assert value_of(fact_of(said._replace(value=b"x" * 300))) == b"x" * 300
    assert value_of(fact_of(said._replace(offset=1 << 40))) == b"value"


def test_facts_in_a_role_each_have_its_name_before_them() -> None:
    tag = role("actor")
    assert tag == b"\x0aactor"
    assert in_role(tag, (b"one",)) == b"\x0aactorone"
    assert in_role(tag, (b"one", b"two")) == b"\x0aactorone\x0aactortwo"


def test_the_records_in_facts_are_read_again_beside_their_bytes() -> None:
    fact = fact_of(rec(principal.frame(ADA), Topic.PRINCIPALS))
    assert said_in((fact,)) == [(ADA, fact)]


def test_equal_values_are_held_once() -> None:
    same = Same()
    first, second = tuple("ab"), tuple("ab")
    assert first is not second
    assert same.one(first) is first
    assert same.one(second) is first
    attributes: dict[str, str] = {"team": "blue"}
    assert same.map(attributes) is attributes
    assert same.map({"team": "blue"}) is attributes
    assert same.map({"team": "red"}) == {"team": "red"}
