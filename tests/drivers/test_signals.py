"""Signals become facts: whatever comes late, twice, unproved or from the future, and wherever the process ended."""

from typing import Any

import pytest

from placet.drivers.metrics import Watch, exposition
from placet.drivers.settings import Settings
from placet.drivers.signals import MARKED, SignalFolder
from placet.model.codec import decode_any, open_frame, risk_signal
from placet.model.codec.risk_signal import RiskSignal
from placet.model.proof import KeyRing, Signer
from placet.model.topics import Topic
from placet.ports import Message
from tests.support.memory import HandClock, Memory

FEED = Signer("feed-1", "service:feed", b"f" * 32)
STRANGER = Signer("feed-2", "service:feed", b"g" * 32)
RING = KeyRing([FEED.pinned("feed")._replace(sources=("siem", "edr*"))])


class World:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.log = Memory(1, self.clock)
        self.watch = Watch()
        self.folder = self.again()

    def again(self) -> SignalFolder:
        """Return what a new process knows."""
        folder = SignalFolder(self.log, RING, self.watch, Settings(), self.clock)
        folder.recover()
        return folder

    def signal(self, score: int, at: int = 0, signer: Signer | None = FEED, **more: Any) -> None:
        fields: dict[str, Any] = {"tenant": "acme", "subject": "agent:ada", "source": "siem", "half_life_s": 60, **more}
        record = RiskSignal(score=score, event_at=self.clock.now + at, event_id="e", reason="", proof=None, **fields)
        if signer is not None:
            unsigned = [risk_signal.encode_unsigned(record)]
            record = record._replace(
                proof=risk_signal.Proof(*signer.sign_batch("risk_signal", risk_signal.FINGERPRINT, unsigned)[0])
            )
        self.log.append(Topic.SIGNALS, 0, [Message(b"k", risk_signal.frame(record))])

    def facts(self, topic: Topic = Topic.RISK) -> list[Any]:
        recs = self.log.read(topic, 0, 0, 1_000, 0)
        return [decode_any(rec.value or b"") for rec in recs if open_frame(rec.value or b"")[0] != "watermark"]


@pytest.fixture
def world() -> World:
    return World()


def test_a_signal_becomes_a_fact_that_covers_it(world: World) -> None:
    world.signal(80)
    world.folder.turn(0)
    (fact,) = world.facts()
    assert (fact.subject, fact.source, fact.score, fact.half_life_s) == ("agent:ada", "siem", 80, 60)
    assert (fact.signal_partition, fact.signal_offset, fact.event_at) == (0, 0, world.clock.now)


def test_a_late_signal_changes_nothing(world: World) -> None:
    world.signal(80)
    world.signal(5, at=-1_000)
    world.folder.turn(0)
    assert [fact.score for fact in world.facts()] == [80]


def test_sources_are_kept_apart(world: World) -> None:
    world.signal(80)
    world.signal(5, source="edr")
    world.folder.turn(0)
    assert {(fact.source, fact.score) for fact in world.facts()} == {("siem", 80), ("edr", 5)}


def test_one_batch_writes_one_fact_for_each_source(world: World) -> None:
    for score in (10, 20, 30):
        world.clock.now += 1
        world.signal(score)
    world.folder.turn(0)
    assert [fact.score for fact in world.facts()] == [30]


def test_a_new_process_goes_on_behind_what_is_folded(world: World) -> None:
    world.signal(80)
    world.folder.turn(0)
    world.clock.now += 1
    world.signal(20)
    world.again().turn(0)
    assert [fact.score for fact in world.facts()] == [80, 20]


def test_folding_again_what_was_folded_writes_nothing(world: World) -> None:
    world.signal(80)
    world.folder.turn(0)
    again = world.again()
    again._next[0] = 0
    again.turn(0)
    assert len(world.facts()) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"score": 80, "signer": None},
        {"score": 80, "signer": STRANGER},
        {"score": 101},
        {"score": -1},
        {"score": 0, "at": 10_000},
        {"score": 5, "half_life_s": -1},
    ],
    ids=["unsigned", "signed by a stranger", "above 100", "below 0", "from the future", "negative half-life"],
)
def test_a_signal_that_cannot_be_believed_changes_nothing(world: World, bad: dict[str, Any]) -> None:
    world.signal(**bad)
    world.log.append(Topic.SIGNALS, 0, [Message(b"k", None), Message(b"k", b"rubbish")])
    world.signal(50, source="edr")
    world.folder.turn(0)
    assert [(fact.source, fact.score) for fact in world.facts()] == [("edr", 50)]
    assert b'placet_signals_total{result="ignored",stream="signals"} 3.0' in exposition(world.watch)


def test_quiet_is_said_of_every_topic_whose_silence_matters(world: World) -> None:
    world.folder.turn(0)
    world.folder.turn(0)
    for topic in MARKED:
        marks = [decode_any(rec.value or b"") for rec in world.log.read(topic, 0, 0, 10, 0)]
        assert [mark.at for mark in marks] == [world.clock.now]
    world.clock.now += Settings().watermark_ms
    world.folder.turn(0)
    assert world.log.end(Topic.PRINCIPALS, 0) == 2


def test_a_signal_in_a_partition_that_is_not_its_subject_s_is_folded_nowhere(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Kafka's murmur2 of `acme/agent:a` is 1 of 3.
    monkeypatch.setattr(world.log, "partitions", lambda topic: 3 if topic == Topic.SIGNALS else 1)
    folder = world.again()
    world.signal(80, subject="agent:a")
    folder.turn(0)
    assert world.facts() == []
    (rec,) = world.log.read(Topic.SIGNALS, 0, 0, 10, 0)
    world.log.append(Topic.SIGNALS, 1, [Message(rec.key, rec.value)])
    folder.turn(0)
    assert [fact.score for fact in world.facts()] == [80]


@pytest.mark.parametrize(("source", "scores"), [("siem", [80]), ("edr-2", [80]), ("service:feed", [80]), ("hr", [])])
def test_a_feed_speaks_as_itself_and_as_the_sources_its_key_lists(world: World, source: str, scores: list[int]) -> None:
    world.signal(80, source=source)
    world.folder.turn(0)
    assert [fact.score for fact in world.facts()] == scores


def test_a_feed_whose_key_lists_no_sources_speaks_as_itself_alone() -> None:
    alone, all_, person = (
        FEED.pinned("feed"),
        FEED.pinned("feed")._replace(sources=("*",)),
        FEED.pinned("operator"),
    )
    assert [key.speaks_as("service:feed") for key in (alone, all_, person)] == [True, True, True]
    assert [key.speaks_as("siem") for key in (alone, all_, person)] == [False, True, True]
