"""The context tables: what a record changes, what it touches, and what is refused with nothing changed."""

from typing import Any

import pytest

from placet.context.chain import outside, resolve
from placet.context.reach import covers
from placet.context.tables import Tables
from placet.errors import PoisonRecord
from placet.model.case import MandateLimit, MandateRow
from placet.model.codec import control, mandate, principal, risk, sensitivity, watermark
from placet.model.codec.control import Control
from placet.model.codec.mandate import Limit, Mandate
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.sensitivity import Sensitivity
from placet.model.codec.watermark import Watermark
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Rec
from tests.support.keyed import keyed

OPERATOR = Signer("op", "user:root", b"o" * 32)
PEOPLE = Principal("acme", "agent:ada", "agent", "active", None, (), {}, (), "hr", 5, None)
RISK = Risk("acme", "agent:ada", "siem", 50, 5, 0, 0, 0)
LABEL = Sensitivity("acme", "order/7", "internal", None, None, (), "dlp", 5, None)
LINK = Mandate("acme", "m1", "user:grace", "agent:ada", "", ("*",), ("*",), (), "", 0, "active", 5, None)
FREEZE = Control("acme", "c1", "calendar", "freeze", "on", "", "user:root", 5, 0, None)


def rec(value: bytes | None, topic: Topic = Topic.RISK, offset: int = 0, at: int = 1000) -> Rec:
    return Rec(topic, 0, offset, at, keyed(value), value)


def signed(module: Any, name: str, record: Any, signer: Signer = OPERATOR) -> bytes:
    proof = signer.sign_batch(name, module.FINGERPRINT, [module.encode_unsigned(record)])[0]
    return bytes(module.frame(record._replace(proof=module.Proof(*proof))))


def people(record: Principal, signer: Signer = OPERATOR) -> bytes:
    return signed(principal, "principal", record, signer)


def label(record: Sensitivity, signer: Signer = OPERATOR) -> bytes:
    return signed(sensitivity, "sensitivity", record, signer)


@pytest.fixture
def tables() -> Tables:
    return Tables(KeyRing([OPERATOR.pinned("operator")]))


def test_a_record_touches_the_key_that_leases_are_indexed_by(tables: Tables) -> None:
    assert tables.fold(rec(people(PEOPLE))) == "P:acme/agent:ada"
    assert tables.fold(rec(risk.frame(RISK))) == "R:acme/agent:ada"
    assert tables.fold(rec(label(LABEL))) == "S:acme/order/7"
    assert tables.fold(rec(signed(mandate, "mandate", LINK))) == "M:acme/m1"
    assert tables.fold(rec(signed(control, "control", FREEZE))) == "C:acme/freeze"


def test_a_record_heard_again_touches_nothing(tables: Tables) -> None:
    frames = (people(PEOPLE), risk.frame(RISK), label(LABEL))
    for frame in frames:
        tables.fold(rec(frame))
    assert [tables.fold(rec(frame)) for frame in frames] == [None, None, None]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (risk.frame(RISK._replace(score=101)), Reason.MALFORMED),
        (risk.frame(RISK._replace(score=-1)), Reason.MALFORMED),
        (risk.frame(RISK._replace(half_life_s=-1)), Reason.MALFORMED),
        (people(PEOPLE._replace(status="fine")), Reason.MALFORMED),
        (label(LABEL._replace(label="secret")), Reason.MALFORMED),
        (label(LABEL._replace(origin="mars")), Reason.MALFORMED),
        (mandate.frame(LINK), Reason.WRITER_UNPROVED),
        (control.frame(FREEZE), Reason.WRITER_UNPROVED),
        (signed(mandate, "mandate", LINK, Signer("no", "user:root", b"n" * 32)), Reason.WRITER_UNPROVED),
        (signed(mandate, "mandate", LINK._replace(limits=(Limit("amount", -1, 60, ()),))), Reason.MALFORMED),
        (signed(mandate, "mandate", LINK._replace(limits=(Limit("amount", 1 << 53, 60, ()),))), Reason.MALFORMED),
        (signed(mandate, "mandate", LINK._replace(limits=(Limit("amount", 1, -1, ()),))), Reason.MALFORMED),
        (signed(mandate, "mandate", LINK._replace(limits=(Limit("amount", 1, 31_622_401, ()),))), Reason.MALFORMED),
        (signed(mandate, "mandate", LINK._replace(limits=(Limit("", 1, 60, ()),))), Reason.MALFORMED),
        (signed(mandate, "mandate", LINK._replace(limits=(Limit("amount due", 1, 60, ()),))), Reason.MALFORMED),
        (signed(mandate, "mandate", LINK._replace(limits=(Limit("count", 1, 60, ()),) * 65)), Reason.MALFORMED),
        (signed(control, "control", FREEZE._replace(kind="explode")), Reason.MALFORMED),
        # Appended at 1,000: an instant may be 60,000 ms ahead of that, and no more.
        (risk.frame(RISK._replace(score=0, event_at=61_001)), Reason.MALFORMED),
        (risk.frame(RISK._replace(score=0, event_at=2**63 - 1)), Reason.MALFORMED),
        (people(PEOPLE._replace(observed_at=2**63 - 1)), Reason.MALFORMED),
        (label(LABEL._replace(label="public", observed_at=2**63 - 1)), Reason.MALFORMED),
        (signed(mandate, "mandate", LINK._replace(observed_at=61_001)), Reason.MALFORMED),
        (signed(control, "control", FREEZE._replace(observed_at=61_001)), Reason.MALFORMED),
        # `acme/order` and `7` are spelled as `acme` and `order/7` are.
        (label(LABEL._replace(tenant="acme/order", resource="7")), Reason.MALFORMED),
        (people(PEOPLE._replace(tenant="acme/agent:ada", id="x")), Reason.MALFORMED),
        (risk.frame(RISK._replace(tenant="")), Reason.MALFORMED),
        (people(PEOPLE._replace(attributes={"note": "x" * 65_536})), Reason.TOO_LARGE),
        (b"\x00\x00\x00\x00\x11", Reason.UNDECODABLE),
        (b"\x00\x00\x00\xff\xff", Reason.SCHEMA_UNKNOWN),
        (b"", Reason.SCHEMA_UNKNOWN),
    ],
)
def test_what_cannot_be_taken_is_refused_and_changes_nothing(tables: Tables, value: bytes, reason: Reason) -> None:
    with pytest.raises(PoisonRecord) as refused:
        tables.fold(rec(value))
    assert refused.value.reason == reason
    assert [tables.principals, tables.risks, tables.resources, tables.mandates, tables.calendar] == [{}] * 5


HR = Signer("hr", "service:hr", b"h" * 32)
SIEM = Signer("siem", "service:siem", b"s" * 32)
FOREIGN = Signer("foreign", "service:hr", b"f" * 32)
WHO_MAY: list[tuple[str, bytes, Reason | None]] = [
    ("a directory of itself", people(PEOPLE._replace(source="service:hr"), HR), None),
    ("a directory in a name it was given", people(PEOPLE._replace(source="hr-eu"), HR), None),
    ("a classifier of itself", label(LABEL._replace(source="service:siem"), SIEM), None),
    ("an operator of whom they like", label(LABEL), None),
    ("nobody of a principal", principal.frame(PEOPLE), Reason.WRITER_UNPROVED),
    ("nobody of a label", sensitivity.frame(LABEL), Reason.WRITER_UNPROVED),
    ("a directory in another's name", people(PEOPLE._replace(source="idp"), HR), Reason.WRITER_UNPROVED),
    ("a feed of a principal", people(PEOPLE._replace(source="service:siem"), SIEM), Reason.WRITER_UNPROVED),
    ("a directory of a label", label(LABEL._replace(source="service:hr"), HR), Reason.WRITER_UNPROVED),
    ("a feed in another's name", label(LABEL, SIEM), Reason.WRITER_UNPROVED),
    ("a directory of another tenant", people(PEOPLE._replace(source="service:hr"), FOREIGN), Reason.TENANT_MISMATCH),
    ("an unknown key", people(PEOPLE, Signer("op", "user:root", b"x" * 32)), Reason.WRITER_UNPROVED),
]


@pytest.mark.parametrize(("value", "refused"), [row[1:] for row in WHO_MAY], ids=[row[0] for row in WHO_MAY])
def test_only_who_may_speak_for_its_source_says_who_somebody_is_and_what_a_resource_holds(
    value: bytes, refused: Reason | None
) -> None:
    keys = [
        OPERATOR.pinned("operator"),
        HR.pinned("directory")._replace(sources=("hr-*",)),
        SIEM.pinned("feed"),
        FOREIGN.pinned("directory")._replace(tenant="globex"),
    ]
    tables = Tables(KeyRing(keys))
    if refused is None:
        assert tables.fold(rec(value)) is not None
        return
    with pytest.raises(PoisonRecord) as poison:
        tables.fold(rec(value))
    assert poison.value.reason == refused
    assert (tables.principals, tables.resources) == ({}, {})


def test_a_record_may_be_a_little_ahead_of_its_append_time(tables: Tables) -> None:
    assert tables.fold(rec(risk.frame(RISK._replace(event_at=61_000)))) == "R:acme/agent:ada"


def test_a_tombstone_is_refused_and_takes_nothing_back(tables: Tables) -> None:
    tables.fold(rec(risk.frame(RISK)))
    with pytest.raises(PoisonRecord) as refused:
        tables.fold(rec(None)._replace(key=b"acme/agent:ada/siem"))
    assert refused.value.reason == Reason.UNDECODABLE
    assert tables.risks["R:acme/agent:ada"]["siem"].score == 50


def test_a_watermark_says_no_more_than_its_own_time(tables: Tables) -> None:
    tables.hear(rec(watermark.frame(Watermark("siem", 900)), offset=3, at=1000))
    assert tables.marks[Topic.RISK, 0] == (4, 900)
    tables.hear(rec(watermark.frame(Watermark("siem", 9_999)), offset=4, at=1000))
    assert tables.marks[Topic.RISK, 0] == (5, 1000)


def heard(tables: Tables, offset: int, source: str, at: int, now: int = 1_000) -> int:
    """Return up to when risk is heard once `source` has marked it."""
    tables.hear(rec(watermark.frame(Watermark(source, at)), offset=offset, at=now))
    return tables.marks[Topic.RISK, 0][1]


def test_a_feed_that_goes_on_does_not_cover_for_one_that_is_silent(tables: Tables) -> None:
    assert heard(tables, 0, "siem", 800) == 800
    assert heard(tables, 1, "edr", 900) == 800
    assert heard(tables, 2, "edr", 950) == 800
    assert heard(tables, 3, "siem", 990) == 950


def test_a_fact_is_no_word_of_all_feeds_where_watermarks_are_written(tables: Tables) -> None:
    said = rec(risk.frame(RISK), offset=0, at=500)
    tables.hear(said)
    tables.believe(said)
    assert tables.marks[Topic.RISK, 0] == (1, 500)
    assert heard(tables, 1, "siem", 800) == 800
    said = rec(risk.frame(RISK), offset=2, at=2_000)
    tables.hear(said)
    tables.believe(said)
    assert tables.marks[Topic.RISK, 0] == (3, 800)


def test_a_feed_in_parts_is_heard_when_all_of_it_is(tables: Tables) -> None:
    assert heard(tables, 0, "app#0/2", 700) == 0
    assert heard(tables, 1, "app#1/2", 600) == 600
    # It has grown: what the old parts say is not of all of it any more, and what was heard stays.
    assert heard(tables, 2, "app#2/3", 990) == 600
    assert heard(tables, 3, "app#0/2", 990) == 600
    assert heard(tables, 4, "app#0/3", 980) == 600
    assert heard(tables, 5, "app#1/3", 970) == 970


def test_a_feed_that_has_ended_is_waited_for_no_longer(tables: Tables) -> None:
    assert heard(tables, 0, "siem", 500) == 500
    assert heard(tables, 1, "edr", 900) == 500
    assert heard(tables, 2, "siem", 0) == 900


@pytest.mark.parametrize(
    ("source", "at", "says"),
    [
        ("siem", 61_001, "it is 60001 ms ahead of its append time"),
        ("", 900, "expected a name, or `name#part/parts`"),
        ("siem feed", 900, "expected a name, or `name#part/parts`"),
        ("siem#2/2", 900, "part 2 of 2: expected 0 to 1"),
        ("siem#0/2000", 900, "part 0 of 2000"),
        ("siem#1", 900, "expected a name, or `name#part/parts`"),
    ],
)
def test_a_watermark_that_cannot_be_believed_moves_nothing(tables: Tables, source: str, at: int, says: str) -> None:
    assert heard(tables, 0, "edr", 800) == 800
    with pytest.raises(PoisonRecord, match=says) as refused:
        heard(tables, 1, source, at)
    assert refused.value.reason == Reason.MALFORMED
    assert tables.marks[Topic.RISK, 0] == (2, 800)
    assert heard(tables, 2, "edr", 900) == 900


def test_two_sources_of_a_label_give_the_graver(tables: Tables) -> None:
    tables.fold(rec(label(LABEL._replace(label="restricted", source="scan", observed_at=1))))
    tables.fold(rec(label(LABEL)))
    assert tables.resources["S:acme/order/7"].sensitivity == "restricted"


def test_a_mandate_that_ended_is_not_revived_by_an_older_word(tables: Tables) -> None:
    tables.fold(rec(signed(mandate, "mandate", LINK._replace(status="revoked", observed_at=9))))
    assert tables.fold(rec(signed(mandate, "mandate", LINK))) is None
    assert not tables.mandates["M:acme/m1"].active


def test_a_mandate_carries_its_limits(tables: Tables) -> None:
    limits = (Limit("amount", 0, 0, ()), Limit("count", (1 << 53) - 1, 31_622_400, ("payments.*",)))
    tables.fold(rec(signed(mandate, "mandate", LINK._replace(limits=limits))))
    assert tables.mandates["M:acme/m1"].limits == (
        MandateLimit("amount", 0, 0, ()),
        MandateLimit("count", 9007199254740991, 31_622_400, ("payments.*",)),
    )


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        (Limit("amount", -5, 60, ()), "limit 1: max -5: expected 0 to 9007199254740991"),
        (Limit("amount", 5, -1, ()), "limit 1: window_s -1: expected 1 to 31622400, or 0 for the mandate's life"),
        (Limit("7 days", 5, 1, ()), "limit 1: measure `7 days`: expected `count` or the name of an integer argument"),
    ],
)
def test_a_faulty_limit_is_refused_by_its_number_and_what_was_expected(tables: Tables, limit: Limit, says: str) -> None:
    fine = Limit("count", 5, 60, ())
    with pytest.raises(PoisonRecord) as refused:
        tables.fold(rec(signed(mandate, "mandate", LINK._replace(limits=(fine, limit)))))
    assert str(refused.value) == says


def row(name: str, delegator: str, delegate: str, parent: str = "", **more: Any) -> MandateRow:
    fields = {"actions": ("*",), "resources": ("*",), "expires_at": 0, "active": True, **more}
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
        **fields,
    )


def rows(*links: MandateRow) -> dict[str, MandateRow]:
    return {link.key: link for link in links}


def test_a_chain_goes_link_by_link_to_its_root() -> None:
    known = rows(row("m1", "user:grace", "agent:a"), row("m2", "agent:a", "agent:b", "m1"))
    chain = resolve(known, "acme", "m2", "agent:b", "user:grace", 0)
    assert (chain.broken, chain.members, chain.between) == ("", ("user:grace", "agent:a", "agent:b"), ("agent:a",))
    assert chain.links[0].depth == 2


def test_a_chain_that_goes_round_is_broken() -> None:
    known = rows(row("m1", "agent:a", "agent:a", "m1"))
    assert resolve(known, "acme", "m1", "agent:a", "user:grace", 0).broken == (
        "it goes round: mandate `m1` is above itself"
    )


def test_a_chain_of_another_tenant_is_not_seen() -> None:
    known = rows(row("m1", "user:grace", "agent:a"))
    assert resolve(known, "other", "m1", "agent:a", "user:grace", 0).broken == "mandate `m1` is not known"


def test_every_link_must_cover_the_action_and_the_resource() -> None:
    links = (row("m2", "a", "b", actions=("pay.*",)), row("m1", "g", "a", resources=("order/*",)))
    assert outside(links, "pay.refund", "order/7") == ""
    assert outside(links, "data.export", "order/7") == "m2"
    assert outside(links, "pay.refund", "invoice/7") == "m1"


def test_a_pattern_is_exact_or_ends_in_a_star() -> None:
    assert covers(("a.b", "c.*"), "c.d")
    assert not covers(("a.b", "c.*"), "a.bc")
    assert not covers((), "a")
