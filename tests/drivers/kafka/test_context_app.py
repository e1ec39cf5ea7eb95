"""The context app on a real broker: noisy signals in, right facts out, poison set aside, a kill survived."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import time_ns

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from placet.model.codec import quarantined, risk, risk_signal, watermark
from placet.model.codec.risk import Risk
from placet.model.codec.risk_signal import RiskSignal
from placet.model.proof import Signer
from placet.model.topics import Topic
from placet.ports import Message, Rec
from tests.drivers.kafka.stand import RISK, Stand, until

ROOT = Path(__file__).parents[3]
SIGNALS, QUARANTINE = int(Topic.SIGNALS), int(Topic.QUARANTINE)
POISON_AT = frozenset(range(50, 1_000, 100))
pytestmark = pytest.mark.slow


def signed(signer: Signer, signals: list[RiskSignal]) -> list[bytes]:
    unsigned = [risk_signal.encode_unsigned(each) for each in signals]
    proofs = signer.sign_batch("risk_signal", risk_signal.FINGERPRINT, unsigned)
    return [
        risk_signal.frame(each._replace(proof=risk_signal.Proof(*proof)))
        for each, proof in zip(signals, proofs, strict=True)
    ]


def noisy(now_ms: int) -> list[RiskSignal]:
    """Return 990 signals of 20 subjects by two sources, late and twice among them."""
    draw = random.Random(8)
    made = [
        RiskSignal(
            tenant="acme",
            subject=f"agent:{draw.randrange(20)}",
            source=draw.choice(["edr", "idp"]),
            event_id=f"e{number}",
            score=draw.randrange(101),
            event_at=now_ms - draw.randrange(60_000),
            half_life_s=0,
            reason="seen",
            proof=None,
        )
        for number in range(900)
    ]
    return [*made, *draw.sample(made, 90)]


class Context:
    """The app as a process."""

    def __init__(self, stand: Stand, signer: Signer) -> None:
        key = signer.pinned("feed")
        connection = stand.connection
        self.command = [sys.executable, "-m", "tests.drivers.kafka.context_child"]
        self.command += [connection.bootstrap, connection.prefix, str(stand.folder), key.kid, key.issuer]
        self.command += [key.public.hex()]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=ROOT)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def signer() -> Signer:
    return Signer("feed-1", "service:edr", bytes(range(32)))


@pytest.fixture
def context(stand: Stand, signer: Signer) -> Iterator[Context]:
    made = Context(stand, signer)
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait(60)


def facts_of(recs: list[Rec]) -> dict[tuple[str, str], Risk]:
    """Return the newest record of each key: what a reader of the compacted topic ends at."""
    facts = [risk.decode(rec.value) for rec in recs if rec.value and rec.value[:5] == risk.HEADER]
    return {(fact.subject, fact.source): fact for fact in facts}


def test_facts_are_right_poison_is_set_aside_and_a_kill_changes_nothing(
    stand: Stand, context: Context, signer: Signer
) -> None:
    now_ms = time_ns() // 1_000_000
    signals = noisy(now_ms)
    good = iter(signed(signer, signals))
    stream = [b"\x00\x00\x00\x00\x10poison" if at in POISON_AT else next(good) for at in range(1_000)]
    stand.log.append(SIGNALS, 0, [Message(b"acme/subject", value) for value in stream[:600]])
    until(lambda: stand.log.end(RISK, 0), lambda end: end > 100)
    assert context.end(signal.SIGKILL) == -signal.SIGKILL
    stand.log.append(SIGNALS, 0, [Message(b"acme/subject", value) for value in stream[600:]])
    context.start()

    # By hand: of each subject and source the newest event; of two in the same ms the graver.
    expected: dict[tuple[str, str], tuple[int, int]] = {}
    for each in signals:
        key = (each.subject, each.source)
        expected[key] = max(expected.get(key, (0, 0)), (each.event_at, each.score))

    def known() -> dict[tuple[str, str], tuple[int, int]]:
        facts = facts_of(stand.all(RISK))
        return {key: (fact.event_at, fact.score) for key, fact in facts.items()}

    assert until(known, lambda facts: facts == expected) == expected
    set_aside = until(
        lambda: {quarantined.decode(rec.value or b"").offset for rec in stand.all(QUARANTINE)},
        lambda offsets: offsets >= POISON_AT,
    )
    assert set_aside == POISON_AT
    (first, *_) = stand.all(QUARANTINE)
    assert first.key == b"7/0/50"
    assert quarantined.decode(first.value or b"").value == stream[50]
    # All is quiet, and that is said.
    until(lambda: [rec for rec in stand.all(RISK) if rec.value and rec.value[:5] == watermark.HEADER])
    assert context.end() == 0


def test_a_signal_of_an_unknown_writer_changes_nothing(stand: Stand, context: Context, signer: Signer) -> None:
    stranger = Signer(signer.kid, signer.issuer, bytes(reversed(range(32))))
    now_ms = time_ns() // 1_000_000
    calm = RiskSignal("acme", "agent:a", "edr", "e1", 90, now_ms, 0, "seen", None)
    stand.log.append(SIGNALS, 0, [Message(b"k", value) for value in signed(signer, [calm])])
    lower = calm._replace(score=0, event_at=now_ms + 1)
    ahead = calm._replace(score=0, event_at=now_ms + 3_600_000)
    stand.log.append(SIGNALS, 0, [Message(b"k", value) for value in signed(stranger, [lower])])
    stand.log.append(SIGNALS, 0, [Message(b"k", value) for value in signed(signer, [ahead])])
    until(lambda: stand.log.end(QUARANTINE, 0), lambda end: end == 2)
    (fact,) = facts_of(stand.all(RISK)).values()
    assert (fact.score, fact.signal_offset) == (90, 0)
    assert context.end() == 0


def test_no_signal_is_committed_before_its_fact_is_kept_or_lost_when_it_cannot_be(
    stand: Stand, context: Context, signer: Signer
) -> None:
    # What was said and not kept would be said again from what was kept: lower than it should be.
    until(lambda: stand.log.end(RISK, 0))
    group = f"{stand.connection.prefix}placet-context"
    kept = f"{group}-facts-changelog"
    bytes_max(stand, kept, 1)
    now_ms = time_ns() // 1_000_000
    grave = RiskSignal("acme", "agent:a", "edr", "e1", 90, now_ms, 0, "seen", None)
    stand.log.append(SIGNALS, 0, [Message(b"k", value) for value in signed(signer, [grave])])
    assert context.process.wait(60) != 0
    assert stand.log.end(RISK, 0) > 0
    assert committed(stand, group) <= 0
    bytes_max(stand, kept, 1 << 20)
    context.start()
    until(lambda: committed(stand, group), lambda offset: offset == 1)
    (fact,) = facts_of(stand.all(RISK)).values()
    assert fact.score == 90
    assert context.end() == 0


def test_a_late_lower_word_of_a_frozen_predecessor_is_not_the_last_one_kept(
    stand: Stand, context: Context, signer: Signer
) -> None:
    now_ms = time_ns() // 1_000_000
    grave = RiskSignal("acme", "agent:a", "edr", "e1", 90, now_ms, 0, "seen", None)
    stand.log.append(SIGNALS, 0, [Message(b"acme/agent:a", value) for value in signed(signer, [grave])])
    until(lambda: facts_of(stand.all(RISK)))
    assert context.end() == 0
    # What a process that was frozen before the signal came still had to write: to its changelog and to readers.
    key = b"acme/agent:a/edr"
    late = risk.frame(Risk("acme", "agent:a", "edr", 10, now_ms - 5_000, 0, 0, 0))
    kept = f"{stand.connection.prefix}placet-context-facts-changelog"
    zombie = stand.connection.outside.producer(stand.connection.writer())
    zombie.produce(kept, late, key, 0)
    zombie.flush(30)
    stand.log.append(RISK, 0, [Message(key, late)])
    assert facts_of(stand.all(RISK))["agent:a", "edr"].score == 10
    context.start()
    until(lambda: facts_of(stand.all(RISK))["agent:a", "edr"].score, lambda score: score == 90)
    assert context.end() == 0


def bytes_max(stand: Stand, title: str, most: int) -> None:
    """Let the topic `title` refuse records of more than `most` bytes."""
    entry = ConfigEntry("max.message.bytes", str(most), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, title, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": stand.connection.bootstrap})
    admin.incremental_alter_configs([resource])[resource].result(10)


def committed(stand: Stand, group: str) -> int:
    """Return the offset of the signals `group` has committed, below 0 when none."""
    admin = AdminClient({"bootstrap.servers": stand.connection.bootstrap})
    asked = ConsumerGroupTopicPartitions(group, [TopicPartition(stand.connection.title(Topic.SIGNALS), 0)])
    (partition,) = admin.list_consumer_group_offsets([asked])[group].result(10).topic_partitions
    return int(partition.offset)
