"""What is believed of a signal and of a watermark, how risk fades, and which of two words on one thing stands."""

from itertools import permutations
from typing import Any

import pytest

from placet.context.decay import FACTORS, STEPS, decayed
from placet.context.feeds import PARTS_MOST, Feeds, part_of
from placet.context.hearing import hear_signal, hear_watermark
from placet.context.marks import Marks
from placet.context.reducers import fold_principal, fold_risk, fold_sensitivity, merge_risk
from placet.errors import PoisonRecord
from placet.model.case import RANKS
from placet.model.codec import risk_signal, watermark
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.sensitivity import Sensitivity
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import watermark_key
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Rec

FEED = Signer("feed", "service:siem", b"f" * 32)
PERSON = Signer("op", "user:root", b"o" * 32)
AGENT = Signer("agent", "agent:ada", b"a" * 32)
FOREIGN = Signer("foreign", "service:siem", b"x" * 32)
RING = KeyRing(
    [
        FEED.pinned("feed"),
        FOREIGN.pinned("feed")._replace(tenant="globex"),
        PERSON.pinned("operator"),
        AGENT.pinned("agent"),
    ]
)
SIGNAL = RiskSignal("acme", "agent:ada", "service:siem", "e-1", 50, 1_000, 60, "seen", None)


def framed(signal: RiskSignal = SIGNAL, signer: Signer | None = FEED) -> bytes:
    if signer is None:
        return risk_signal.frame(signal)
    proof = signer.sign_batch("risk_signal", risk_signal.FINGERPRINT, [risk_signal.encode_unsigned(signal)])[0]
    return risk_signal.frame(signal._replace(proof=risk_signal.Proof(*proof)))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"score": 0},
        {"score": 100},
        {"half_life_s": 0},
        {"event_at": 5_000 + 2_000},
        {"event_at": 0},
    ],
)
def test_a_signal_within_its_bounds_is_believed(more: dict[str, Any]) -> None:
    heard = hear_signal(framed(SIGNAL._replace(**more)), 5_000, RING, 2_000)
    assert heard._replace(proof=None) == SIGNAL._replace(**more)


@pytest.mark.parametrize(
    ("value", "says", "reason"),
    [
        (None, "no signal has this schema", Reason.SCHEMA_UNKNOWN),
        (watermark.frame(Watermark("siem", 1)), "no signal has this schema", Reason.SCHEMA_UNKNOWN),
        (framed(signer=None), "", Reason.WRITER_UNPROVED),
        (framed(signer=AGENT), "", Reason.WRITER_UNPROVED),
        (framed(signer=FOREIGN), "", Reason.TENANT_MISMATCH),
        (framed(SIGNAL._replace(tenant="")), "tenant", Reason.MALFORMED),
        (framed(SIGNAL._replace(tenant="a/b")), "tenant `a/b`: expected no `/` in it", Reason.MALFORMED),
        (framed(SIGNAL._replace(subject="")), "subject", Reason.MALFORMED),
        (framed(SIGNAL._replace(score=101)), "score is 101, not 0 to 100", Reason.MALFORMED),
        (framed(SIGNAL._replace(score=-1)), "score is -1, not 0 to 100", Reason.MALFORMED),
        (framed(SIGNAL._replace(half_life_s=-1)), "half-life is -1 s, less than none", Reason.MALFORMED),
        (framed(SIGNAL._replace(event_at=7_001)), "the event is 2001 ms in the future", Reason.MALFORMED),
    ],
)
def test_a_signal_that_is_none_is_refused_for_a_reason(value: bytes | None, says: str, reason: Reason) -> None:
    with pytest.raises(PoisonRecord) as refused:
        hear_signal(value, 5_000, RING, 2_000)
    assert says in str(refused.value)
    assert refused.value.reason == reason


def test_a_feed_speaks_for_its_own_sources_only() -> None:
    with pytest.raises(PoisonRecord, match="source `service:edr` is not one its key speaks for") as refused:
        hear_signal(framed(SIGNAL._replace(source="service:edr")), 5_000, RING, 2_000)
    assert refused.value.reason == Reason.WRITER_UNPROVED


@pytest.mark.parametrize(("at", "heard"), [(4_000, 4_000), (5_000, 5_000), (5_001, 5_000), (7_000, 5_000), (0, 0)])
def test_a_watermark_says_no_more_than_its_append_time(at: int, heard: int) -> None:
    said = Watermark("siem", at)
    assert hear_watermark(watermark_key(said), watermark.frame(said), 5_000, 2_000) == Watermark("siem", heard)


@pytest.mark.parametrize("at", [-1, 7_001])
def test_a_watermark_of_no_time_or_of_the_future_is_refused(at: int) -> None:
    said = Watermark("siem", at)
    with pytest.raises(PoisonRecord, match=f"watermark of {at}, appended at 5000") as refused:
        hear_watermark(watermark_key(said), watermark.frame(said), 5_000, 2_000)
    assert refused.value.reason == Reason.MALFORMED


def test_a_watermark_under_another_key_is_refused() -> None:
    with pytest.raises(PoisonRecord):
        hear_watermark(b"other", watermark.frame(Watermark("siem", 1)), 5_000, 2_000)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("siem", ("siem", 0, 1)),
        ("siem#0/1", ("siem", 0, 1)),
        ("siem#3/4", ("siem", 3, 4)),
        ("siem#1023/1024", ("siem", 1023, 1024)),
        ("x" * 200, ("x" * 200, 0, 1)),
    ],
)
def test_a_feed_names_itself_and_its_part(source: str, parts: tuple[str, int, int]) -> None:
    assert part_of(source) == parts


@pytest.mark.parametrize("source", ["", "x" * 201, "a b", "siem#4/4", "siem#5/4", "siem#0/1025", "siem#1", "#0/1", "é"])
def test_what_names_no_feed_is_refused(source: str) -> None:
    with pytest.raises(PoisonRecord) as refused:
        part_of(source)
    assert refused.value.reason == Reason.MALFORMED
    assert PARTS_MOST == 1024


def test_feeds_are_heard_up_to_the_oldest_part_of_any() -> None:
    feeds = Feeds()
    assert (bool(feeds), feeds.heard_at, feeds.parts_of("a")) == (False, 0, ())
    feeds.mark("a#0/2", 50)
    assert (bool(feeds), feeds.heard_at, feeds.parts_of("a")) == (True, 0, (50, 0))
    feeds.mark("a#1/2", 70)
    feeds.mark("a#0/2", 40)
    assert (feeds.heard_at, feeds.parts_of("a")) == (50, (50, 70))
    feeds.mark("b", 60)
    feeds.mark("a#0/2", 90)
    assert feeds.heard_at == 60
    feeds.mark("b", 0)
    assert (feeds.heard_at, feeds.parts_of("b")) == (70, ())
    feeds.mark("c", 0)
    assert feeds.parts_of("c") == ()


def test_what_was_known_of_a_feed_is_taken_again() -> None:
    feeds = Feeds()
    feeds.recall("a", (50, 70))
    feeds.recall("b", ())
    assert (feeds.parts_of("a"), feeds.parts_of("b"), feeds.heard_at) == ((50, 70), (), 50)
    feeds.mark("a#1/2", 60)
    assert feeds.parts_of("a") == (50, 70)


def read(offset: int, at: int, said: Watermark | None = None) -> Rec:
    if said is None:
        return Rec(Topic.RISK, 2, offset, at, b"k", b"value")
    return Rec(Topic.RISK, 2, offset, at, watermark_key(said), watermark.frame(said))


def test_a_mark_never_goes_back() -> None:
    marks = Marks()
    marks.hear(read(7, 500))
    assert marks.marks == {(Topic.RISK, 2): (8, 0)}
    marks.believe(read(7, 500))
    marks.believe(read(8, 400))
    marks.hear(read(3, 600))
    assert marks.marks == {(Topic.RISK, 2): (8, 500)}
    marks.recall(Topic.RISK, 2, 450)
    assert marks.marks == {(Topic.RISK, 2): (8, 500)}
    marks.recall(Topic.RISK, 2, 550)
    marks.recall(Topic.CONTROLS, 0, 9)
    assert marks.marks == {(Topic.RISK, 2): (8, 550), (Topic.CONTROLS, 0): (0, 9)}


def test_a_watermark_of_the_future_was_read_and_says_nothing() -> None:
    marks = Marks()
    with pytest.raises(PoisonRecord, match="it is 60001 ms ahead of its append time: expected at most 60000"):
        marks.hear(read(4, 1_000, Watermark("siem", 61_001)))
    assert marks.marks == {(Topic.RISK, 2): (5, 0)}
    marks.hear(read(5, 1_000, Watermark("siem", 61_000)))
    assert marks.marks == {(Topic.RISK, 2): (6, 1_000)}


def test_when_its_last_feed_has_ended_a_fact_is_word_that_feeds_are_alive_again() -> None:
    marks = Marks()
    marks.hear(read(0, 100, Watermark("siem", 100)))
    marks.believe(read(1, 200))
    assert marks.marks == {(Topic.RISK, 2): (1, 100)}
    marks.hear(read(1, 300, Watermark("siem", 0)))
    marks.believe(read(2, 400))
    assert marks.marks == {(Topic.RISK, 2): (2, 400)}


@pytest.mark.parametrize(
    ("score", "elapsed_ms", "half_life_s", "now"),
    [
        (80, 60_000, 60, 40),
        (80, 120_000, 60, 20),
        (100, 0, 60, 100),
        (100, -5, 60, 100),
        (100, 10**12, 0, 100),
        (100, 60_000 * 6, 60, 1),
        (100, 60_000 * 7, 60, 0),
        (100, 60_000 * 16, 60, 0),
        (100, 60_000 * 4_000, 60, 0),
        # Half of a half life: 100 / sqrt 2 is 70.7.
        (100, 30_000, 60, 70),
        # Within the first of 64 parts nothing is lost; 937 ms is just short of one, 938 just past it: 98.9.
        (100, 937, 60, 100),
        (100, 938, 60, 98),
        (0, 1, 60, 0),
    ],
)
def test_risk_fades_by_half_lives(score: int, elapsed_ms: int, half_life_s: int, now: int) -> None:
    assert decayed(score, 5_000_000, half_life_s, 5_000_000 + elapsed_ms) == now


def test_each_factor_is_its_power_of_two_rounded() -> None:
    assert STEPS == len(FACTORS) == 64
    assert [factor for at, factor in enumerate(FACTORS) if abs(factor - 65536 * 2 ** (-at / 64)) > 0.5] == []


R = Risk("acme", "agent:ada", "siem", 50, 10, 60, 1, 5)


@pytest.mark.parametrize(
    ("lesser", "greater"),
    [
        ({"event_at": 9, "score": 100}, {}),
        ({"score": 49, "half_life_s": 0}, {}),
        ({"half_life_s": 59}, {}),
        ({}, {"half_life_s": 0}),
        ({"signal_partition": 0, "signal_offset": 9}, {}),
        ({"signal_offset": 4}, {}),
    ],
)
def test_of_two_risks_the_newer_graver_slower_and_later_stands(lesser: dict[str, Any], greater: dict[str, Any]) -> None:
    low, high = R._replace(**lesser), R._replace(**greater)
    for first, second in permutations((low, high)):
        assert merge_risk(first, second) == high
    assert merge_risk(None, low) is low
    assert merge_risk(low, low) is low


def test_a_signal_becomes_the_fact_it_says_and_where_it_was_read() -> None:
    assert fold_risk(None, SIGNAL, 3, 9) == Risk("acme", "agent:ada", "service:siem", 50, 1_000, 60, 3, 9)
    later = fold_risk(None, SIGNAL, 3, 9)
    assert fold_risk(later, SIGNAL._replace(event_at=999, score=100), 3, 10) is later


P = Principal("acme", "agent:ada", "agent", "active", None, (), {}, (), "hr", 5, None)
L = Sensitivity("acme", "order/7", "internal", None, None, (), "dlp", 5, None)


@pytest.mark.parametrize(
    ("lesser", "greater"),
    [
        ({"observed_at": 4, "status": "revoked"}, {}),
        ({}, {"status": "suspended"}),
        ({"status": "suspended"}, {"status": "revoked"}),
        ({"kind": "agent"}, {"kind": "tool"}),
    ],
)
def test_of_two_words_on_a_principal_the_newer_and_graver_stands(
    lesser: dict[str, Any], greater: dict[str, Any]
) -> None:
    low, high = P._replace(**lesser), P._replace(**greater)
    for first, second in permutations((low, high)):
        assert fold_principal(first, second) == high
    assert fold_principal(None, low) is low


@pytest.mark.parametrize(
    ("lesser", "greater"),
    [
        ({"observed_at": 4, "label": "restricted"}, {}),
        ({}, {"label": "confidential"}),
        ({"owner": "a"}, {"owner": "b"}),
    ],
)
def test_of_two_words_on_a_resource_the_newer_and_graver_stands(
    lesser: dict[str, Any], greater: dict[str, Any]
) -> None:
    low, high = L._replace(**lesser), L._replace(**greater)
    for first, second in permutations((low, high)):
        assert fold_sensitivity(first, second, RANKS) == high
    assert fold_sensitivity(None, low, RANKS) is low
