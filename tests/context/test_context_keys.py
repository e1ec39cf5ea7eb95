"""A context record lies under a key made of all that tells it from another, or no reader takes it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.context.tables import Tables
from placet.drivers.clock import SystemClock
from placet.drivers.embedded import EmbeddedSettings, open_owner
from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.codec import control, mandate, pack, principal, risk, risk_signal, sensitivity, watermark
from placet.model.codec.active_set import ActiveSet
from placet.model.codec.control import Control
from placet.model.codec.mandate import Mandate
from placet.model.codec.pack import Pack
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.sensitivity import Sensitivity
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import (
    active_set_key,
    control_key,
    key_of_value,
    pack_key,
    principal_key,
    risk_key,
    sensitivity_key,
    watermark_key,
)
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Message, Rec

ROOT = Signer("operator-1", "user:root", b"o" * 32)
SECOND = Signer("operator-2", "user:second", b"p" * 32)
NOW = SystemClock().now_ms()
HALT = Control("acme", "incident-7", "halt", "all", "", "pays twice", "user:root", NOW, 0, None)

KEYS: list[tuple[bytes, bytes]] = [
    (
        principal.frame(Principal("acme", "agent:a", "agent", "active", None, (), {}, (), "hr", 5, None)),
        b"acme/agent:a/hr",
    ),
    (risk.frame(Risk("acme", "agent:a", "siem", 1, 5, 0, 0, 0)), b"acme/agent:a/siem"),
    (risk_signal.frame(RiskSignal("acme", "agent:a", "siem", "e", 1, 5, 0, "", None)), b"acme/agent:a"),
    (
        sensitivity.frame(Sensitivity("acme", "order/7", "internal", None, None, (), "dlp", 5, None)),
        b"acme/order/7/dlp",
    ),
    (mandate.frame(Mandate("acme", "m1", "user:g", "agent:a", "", (), (), (), "", 0, "active", 5, None)), b"acme/m1"),
    (watermark.frame(Watermark("siem#0/2", 5)), b"watermark/siem#0/2"),
    (pack.frame(Pack("acme", "shop", b"\xab" * 32, (), 5, None)), b"acme/shop/" + b"ab" * 32),
]


@pytest.mark.parametrize(("value", "key"), KEYS)
def test_a_context_record_has_one_key(value: bytes, key: bytes) -> None:
    assert key_of_value(value) == key


NAMES = st.text("ab/%", min_size=1, max_size=5).filter(lambda text: text[0] in "ab")
TENANTS = st.sampled_from(["a", "b", "watermark"]).filter(lambda name: name not in strict.RESERVED)
CAST = st.tuples(TENANTS, NAMES, NAMES)


def keys_of(tenant: str, name: str, source: str) -> dict[str, bytes]:
    """Return the key of each kind of record that says something of `name`, in the topic of that kind."""
    return {
        "principals": principal_key(Principal(tenant, name, "agent", "active", None, (), {}, (), source, 5, None)),
        "risk": risk_key(Risk(tenant, name, source, 1, 5, 0, 0, 0)),
        "sensitivity": sensitivity_key(Sensitivity(tenant, name, "internal", None, None, (), source, 5, None)),
    }


@given(one=CAST, other=CAST)
def test_two_sources_words_or_two_names_never_share_a_key(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    mine, yours = keys_of(*one), keys_of(*other)
    assert all((mine[topic] == yours[topic]) == (one == other) for topic in mine)


@given(who=CAST, feed=NAMES)
def test_no_word_of_a_tenant_lies_under_a_feeds_watermark(who: tuple[str, str, str], feed: str) -> None:
    assert watermark_key(Watermark(feed, 5)) not in keys_of(*who).values()


@pytest.mark.parametrize(
    ("tenant", "says"), [("watermark", "that name is kept"), ("a/b", "expected no `/` in it"), ("", "expected 1 to")]
)
def test_no_tenant_has_a_name_that_begins_keys_of_another_kind(tenant: str, says: str) -> None:
    with pytest.raises(PoisonRecord, match=says) as refused:
        strict.tenant(tenant)
    assert refused.value.reason == Reason.MALFORMED


def test_a_record_of_a_tenant_called_as_watermarks_are_is_refused() -> None:
    said = Risk("watermark", "siem", "edr", 1, NOW, 0, 0, 0)
    with pytest.raises(PoisonRecord, match="tenant `watermark`: that name is kept"):
        Tables(KeyRing([])).fold(Rec(Topic.RISK, 0, 0, NOW, risk_key(said), risk.frame(said)))


def test_the_key_of_a_halt_names_all_that_makes_it_another_halt() -> None:
    calendar = HALT._replace(kind="calendar", scope="freeze")
    assert control_key(calendar) == b"acme/calendar/freeze"
    named = HALT._replace(id="a/b%", scope="agent/agent:x", observed_at=7, expires_at=9)
    assert control_key(named) == b"acme/halt/a%2Fb%25/agent/agent:x/user:root/7/9"
    assert control_key(named._replace(kind="resume")).startswith(b"acme/resume/a%2Fb%25/agent/")


def test_two_pointers_of_one_revision_have_two_keys() -> None:
    one, other = (ActiveSet("acme", 3, (bytes([number]) * 32,), "", 5, None) for number in (1, 2))
    assert active_set_key(one).startswith(b"acme/active/000000000003/")
    assert active_set_key(one) != active_set_key(other)
    assert pack_key(Pack("acme", "shop", b"\x01" * 32, (), 5, None)) != active_set_key(one)


def signed(record: Control, signer: Signer) -> bytes:
    proof = signer.sign_batch("control", control.FINGERPRINT, [control.encode_unsigned(record)])[0]
    return control.frame(record._replace(proof=control.Proof(*proof)))


def said(record: Control, signer: Signer = ROOT, **more: Any) -> Message:
    record = record._replace(by=signer.issuer, **more)
    return Message(control_key(record), signed(record, signer))


def standing_after_a_restart(folder: Path, *messages: Message) -> list[str]:
    """Append to a journal that keeps the newest of a key only, open it again, and return what is halted then."""
    settings = EmbeddedSettings(partitions=1, cluster="c", sync=False)
    owner = open_owner(folder / "j", SystemClock(), settings)
    for message in messages:
        owner.log().append(Topic.CONTROLS, 0, [message])
    owner.close()
    owner = open_owner(folder / "j", SystemClock(), settings)
    tables = Tables(KeyRing([ROOT.pinned("operator"), SECOND.pinned("operator")]))
    for rec in owner.feed().catch_up():
        try:
            tables.fold(rec)
        except PoisonRecord:
            continue
    owner.close()
    return [halt.scope for halt in tables.halts.standing(NOW + 60_000)]


@pytest.mark.parametrize(
    "later",
    [
        said(HALT, scope="agent/agent:nobody"),
        said(HALT, expires_at=NOW + 1_000),
        said(HALT, observed_at=NOW - 1_000, expires_at=NOW + 1),
        said(HALT, kind="calendar", value="off"),
        said(HALT, kind="resume"),
        said(HALT, SECOND, expires_at=NOW + 1_000),
    ],
)
def test_one_operator_ends_no_halt_by_another_word_whatever_compaction_keeps(tmp_path: Path, later: Message) -> None:
    assert "all" in standing_after_a_restart(tmp_path, said(HALT), later)


def test_two_operators_end_it_also_after_a_restart(tmp_path: Path) -> None:
    ends = [said(HALT, each, kind="resume") for each in (ROOT, SECOND)]
    assert standing_after_a_restart(tmp_path, said(HALT), *ends) == []


def test_a_record_under_another_s_key_is_refused_though_it_is_well_signed() -> None:
    tables = Tables(KeyRing([ROOT.pinned("operator")]))
    key, value, _ = said(HALT, scope="tenant")
    for wrong in (b"acme/halt/incident-7/all/user:root/5/0", b"k", None):
        with pytest.raises(PoisonRecord, match="expected `acme/halt/incident-7/tenant/user:root/"):
            tables.fold(Rec(Topic.CONTROLS, 0, 0, NOW, wrong, value))
    assert tables.fold(Rec(Topic.CONTROLS, 0, 0, NOW, key, value)) == "H:acme"


def test_a_halt_in_the_name_of_another_operator_is_refused() -> None:
    tables = Tables(KeyRing([ROOT.pinned("operator"), SECOND.pinned("operator")]))
    value = signed(HALT, SECOND)
    with pytest.raises(PoisonRecord, match="signed by `user:second`"):
        tables.fold(Rec(Topic.CONTROLS, 0, 0, NOW, control_key(HALT), value))


def test_a_watermark_under_another_key_is_refused() -> None:
    tables, mark = Tables(KeyRing([])), watermark.frame(Watermark("siem", NOW))
    with pytest.raises(PoisonRecord, match="expected `watermark/siem`"):
        tables.hear(Rec(Topic.CONTROLS, 0, 4, NOW, control_key(HALT), mark))
    assert tables.marks[Topic.CONTROLS, 0][0] == 5


@pytest.mark.parametrize("partition", [0, 1, 2])
def test_a_context_record_in_a_partition_that_is_not_its_key_s_is_refused(partition: int) -> None:
    # Kafka's murmur2 of `acme/agent:a/siem` is 1 of 3.
    tables = Tables(KeyRing([]), lambda _: 3)
    rec = Rec(
        Topic.RISK,
        partition,
        0,
        1_000,
        b"acme/agent:a/siem",
        risk.frame(Risk("acme", "agent:a", "siem", 1, 5, 0, 0, 0)),
    )
    if partition == 1:
        assert tables.fold(rec) == "R:acme/agent:a"
        return
    with pytest.raises(PoisonRecord) as refused:
        tables.fold(rec)
    assert refused.value.reason == Reason.WRONG_PARTITION
    assert tables.risks == {}
