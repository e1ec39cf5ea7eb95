"""Signals become facts: whatever comes late, twice, unproved or from the future, and wherever the process ended."""

from typing import Any

import pytest

from placet.context.marks import Marks
from placet.drivers.keywatch import KeyWatch
from placet.drivers.metrics import Watch, exposition
from placet.drivers.settings import Settings
from placet.drivers.signals import SOURCE, SignalFolder
from placet.errors import Unavailable, Unsure
from placet.model.codec import decode_any, key, open_frame, quarantined, risk_signal, watermark
from placet.model.codec.key import Key
from placet.model.codec.quarantined import Quarantined
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import key_key, watermark_key
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Message
from tests.faces.shop import until
from tests.support.memory import HandClock, Memory

FEED = Signer("feed-1", "service:feed", b"f" * 32)
STRANGER = Signer("feed-2", "service:feed", b"g" * 32)
OPERATOR = Signer("op", "user:root", b"o" * 32)
RING = KeyRing([FEED.pinned("feed")._replace(sources=("siem", "edr*")), OPERATOR.pinned("operator")])


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
        recs = self.log.read(topic, 0, 0, 5_000, 0)
        return [decode_any(rec.value or b"") for rec in recs if open_frame(rec.value or b"")[0] != "watermark"]

    def mark(self, source: str, at: int = 0) -> None:
        """Mark the signals as the feed `source` does, `at` ms from now."""
        said = Watermark(source, self.clock.now + at)
        self.log.append(Topic.SIGNALS, 0, [Message(watermark_key(said), watermark.frame(said))])

    def marks(self) -> list[tuple[str, int]]:
        """Return the watermarks of risk, in order."""
        values = [rec.value or b"" for rec in self.log.read(Topic.RISK, 0, 0, 5_000, 0)]
        return [watermark.decode(value) for value in values if value[:5] == watermark.HEADER]

    def heard_at(self) -> int:
        """Return up to when a reader has heard of risk."""
        marks = Marks()
        for rec in self.log.read(Topic.RISK, 0, 0, 5_000, 0):
            marks.hear(rec)
        return marks.marks[Topic.RISK, 0][1]

    def set_aside(self) -> list[tuple[bytes | None, Quarantined]]:
        """Return what lies in quarantine."""
        recs = self.log.read(Topic.QUARANTINE, 0, 0, 1_000, 0)
        return [(rec.key, quarantined.decode(rec.value or b"")) for rec in recs]


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


def test_quiet_is_said_of_risk_alone_when_it_is_time(world: World) -> None:
    world.folder.turn(0)
    world.folder.turn(0)
    assert world.marks() == [(SOURCE, world.clock.now)]
    world.clock.now += Settings().watermark_ms
    world.folder.turn(0)
    assert [at for _, at in world.marks()] == [world.clock.now - Settings().watermark_ms, world.clock.now]
    # Who feeds the other topics says when they are alive.
    for topic in (Topic.SENSITIVITY, Topic.PRINCIPALS, Topic.MANDATES, Topic.CONTROLS, Topic.POLICIES):
        assert world.log.end(topic, 0) == 0


def test_over_a_backlog_nothing_is_quiet_until_it_is_folded_and_then_as_of_when_it_was_begun(world: World) -> None:
    for number in range(1_200):
        world.signal(80, subject=f"agent:a{number}")
    begun_at = world.clock.now
    for folded in (500, 1_000):
        world.folder.turn(0)
        assert (len(world.facts()), world.marks()) == (folded, [])
        world.clock.now += 60_000
    world.folder.turn(0)
    assert (len(world.facts()), world.marks()) == (1_200, [(SOURCE, begun_at)])


def test_what_comes_while_the_rest_is_read_is_not_spoken_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read, before = world.log.read, world.clock.now

    def slowly(topic: int, partition: int, offset: int, most: int, wait_ms: int) -> Any:
        found = read(topic, partition, offset, most, wait_ms)
        world.clock.now += 2_000
        world.signal(99)
        return found

    monkeypatch.setattr(world.log, "read", slowly)
    world.folder.turn(0)
    monkeypatch.undo()
    assert (world.facts(), world.marks()) == ([], [(SOURCE, before)])


def test_a_feeds_watermark_is_said_of_risk_behind_what_it_said_before_it(world: World) -> None:
    world.signal(80)
    world.mark("siem", -5)
    world.signal(20, at=1, source="edr")
    world.mark("siem", 1_000)
    world.mark("edr#0/2", -7)
    world.folder.turn(0)
    # Never past the instant at which it was appended.
    fed = [("siem", world.clock.now), ("edr#0/2", world.clock.now - 7)]
    assert world.marks() == [*fed, (SOURCE, world.clock.now)]
    assert [rec.key for rec in world.log.read(Topic.RISK, 0, 0, 2, 0)] == [
        b"acme/agent:ada/siem",
        b"acme/agent:ada/edr",
    ]


def test_a_feed_that_died_stays_silent_while_the_folder_goes_on_and_when_it_starts_again(world: World) -> None:
    world.mark("siem")
    died_at = world.clock.now
    world.folder.turn(0)
    world.clock.now += 60_000
    world.signal(5)
    world.folder.turn(0)
    assert world.heard_at() == died_at
    world.clock.now += 60_000
    world.again().turn(0)
    assert world.heard_at() == died_at
    world.mark("siem")
    world.folder.turn(0)
    assert world.heard_at() == world.clock.now


def test_a_feed_that_is_retired_is_waited_for_no_longer(world: World) -> None:
    world.mark("siem")
    world.folder.turn(0)
    world.clock.now += 60_000
    world.mark("siem", -world.clock.now)
    world.folder.turn(0)
    assert world.heard_at() == world.clock.now
    world.again().turn(0)
    assert world.heard_at() == world.clock.now


def test_marks_are_written_with_the_facts_behind_which_the_next_start_begins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.mark("siem")
    world.signal(80)
    appended: list[int] = []
    append = world.log.append

    def counted(topic: int, partition: int, messages: Any) -> int:
        appended.append(len(messages))
        return append(topic, partition, messages)

    monkeypatch.setattr(world.log, "append", counted)
    world.folder.turn(0)
    # The fact and the feed's mark, then that all is folded.
    assert appended == [2, 1]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message(b"k", b"rubbish"), Reason.SCHEMA_UNKNOWN),
        (Message(b"k", None), Reason.SCHEMA_UNKNOWN),
        (Message(b"watermark/si em", watermark.frame(Watermark("si em", 5))), Reason.MALFORMED),
        (Message(b"watermark/edr", watermark.frame(Watermark("siem", 5))), Reason.MALFORMED),
        (Message(b"watermark/siem", watermark.frame(Watermark("siem", 1 << 50))), Reason.MALFORMED),
        (Message(b"watermark/placet-up", watermark.frame(Watermark("placet-up", 5))), Reason.MALFORMED),
        (Message(b"watermark/siem", watermark.frame(Watermark("siem", 5))[:-1]), Reason.UNDECODABLE),
    ],
    ids=["rubbish", "nothing", "no name", "the key of another", "from the future", "the folder's own name", "cut"],
)
def test_what_is_refused_lies_in_quarantine_once_with_its_reason_and_bytes(
    world: World, message: Message, reason: Reason
) -> None:
    world.signal(50)
    world.log.append(Topic.SIGNALS, 0, [message])
    world.folder.turn(0)
    world.folder.turn(0)
    # The next start looks at it again: no fact lies behind it.
    world.again().turn(0)
    ((place, kept),) = world.set_aside()
    assert place == b"7/0/1"
    assert (kept.topic, kept.partition, kept.offset, kept.at) == (Topic.SIGNALS, 0, 1, world.clock.now)
    assert (kept.reason, kept.key, kept.value) == (reason, message.key, message.value)
    assert {source for source, _ in world.marks()} == {SOURCE}


def test_a_signal_of_a_writer_nobody_pinned_is_set_aside_for_that(world: World) -> None:
    world.signal(80, signer=STRANGER)
    world.signal(80, source="hr")
    world.folder.turn(0)
    assert [(kept.offset, kept.reason) for _, kept in world.set_aside()] == [
        (0, Reason.WRITER_UNPROVED),
        (1, Reason.WRITER_UNPROVED),
    ]


def test_a_refusal_is_recorded_though_the_facts_behind_it_could_not_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.log.append(Topic.SIGNALS, 0, [Message(b"k", b"rubbish")])
    world.signal(50)
    append = world.log.append

    def away(topic: int, partition: int, messages: Any) -> int:
        if topic == Topic.RISK:
            raise Unavailable("no")
        return append(topic, partition, messages)

    monkeypatch.setattr(world.log, "append", away)
    with pytest.raises(Unavailable):
        world.folder.turn(0)
    monkeypatch.undo()
    world.folder.turn(0)
    assert [fact.score for fact in world.facts()] == [50]
    assert [kept.offset for _, kept in world.set_aside()] == [0]


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


def test_a_refusal_whose_writing_got_no_answer_is_looked_for_before_it_is_written_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.log.append(Topic.SIGNALS, 0, [Message(b"k", b"rubbish")])
    append, lost = world.log.append, [Unsure("no answer")]

    def answering(topic: int, partition: int, messages: Any) -> int:
        offset = append(topic, partition, messages)
        if lost:
            raise lost.pop()
        return offset

    monkeypatch.setattr(world.log, "append", answering)
    world.folder.start()
    until("the folder goes on", world.marks)
    world.folder.stop()
    assert lost == []
    assert [kept.offset for _, kept in world.set_aside()] == [0]


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


def put_on_record(world: World, signer: Signer, **more: Any) -> None:
    said = Key("acme", signer.kid, signer.issuer, "feed", signer.public, ("siem",), 0, 0, 0, world.clock.now, None)
    said = said._replace(**more)
    (proof,) = OPERATOR.sign_batch("key", key.FINGERPRINT, [key.encode_unsigned(said)])
    said = said._replace(proof=key.Proof(*proof))
    world.log.append(Topic.KEYS, 0, [Message(key_key(said), key.frame(said))])


def test_a_feed_on_record_is_heard_until_its_key_falls() -> None:
    world = World()
    world.signal(40, signer=STRANGER)
    world.folder.turn(0)
    put_on_record(world, STRANGER)
    world.signal(50, signer=STRANGER, at=1)
    world.signal(60, signer=STRANGER, at=2, source="edr")
    world.folder.turn(0)
    assert [fact.score for fact in world.facts()] == [50]
    world.clock.now += 10
    put_on_record(world, STRANGER, observed_at=world.clock.now, compromised_at=world.clock.now)
    world.signal(70, signer=STRANGER, at=3)
    world.folder.turn(0)
    assert [fact.score for fact in world.facts()] == [50]
    reasons = [kept.reason for _, kept in world.set_aside()]
    assert reasons == [Reason.WRITER_UNPROVED, Reason.WRITER_UNPROVED, Reason.KEY_COMPROMISED]
    world.again()
    assert [fact.score for fact in world.facts()] == [50]


def test_a_follower_of_keys_hears_in_a_thread_of_its_own_and_survives_a_log_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("placet.drivers.keywatch.EVERY_S", 0.001)
    world = World()
    followed = KeyWatch(world.log, RING.apart())
    asked: list[int] = []
    end = world.log.end

    def away(topic: int, partition: int) -> int:
        asked.append(topic)
        if len(asked) < 3:
            raise Unavailable("nobody answers")
        return end(topic, partition)

    monkeypatch.setattr(world.log, "end", away)
    followed.follow()
    put_on_record(world, STRANGER)
    until("the key is heard", lambda: ("acme", "feed-2") in followed.ring.known)
    followed.stop()
    assert RING.known == {}
