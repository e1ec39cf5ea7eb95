"""What only a real broker shows of a journal: fencing, hanging transactions, lost answers, rebalances, damage."""

from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from placet.drivers.kafka import Connection, KafkaJournal
from placet.errors import Corrupted, Unavailable, Unsure
from placet.model.topics import EMITS, INPUTS, Topic
from placet.ports import Emits, Message
from tests.drivers.kafka.stand import (
    INTENTS,
    OUTCOMES,
    SEAL,
    VOTES,
    Stand,
    message,
    said,
    serve,
    taken,
    until,
)

HANGS = {"transaction.timeout.ms": 2_000, "message.timeout.ms": 1_500, "socket.timeout.ms": 2_000}


class LostAnswer(Producer):
    """Commits, and then says that it does not know whether it did, the first time."""

    lost = False

    def commit_transaction(self, timeout: float = -1) -> None:
        super().commit_transaction(timeout)
        if not self.lost:
            self.lost = True
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "no answer", False, True))


class LostQuestion(Producer):
    """Loses the commit on its way to the broker, the first time."""

    lost = False

    def commit_transaction(self, timeout: float = -1) -> None:
        if not self.lost:
            self.lost = True
            self.flush(30)
            raise KafkaException(KafkaError(KafkaError._TRANSPORT, "no way", False, False))
        super().commit_transaction(timeout)


class Refused(Producer):
    """Says of the first transaction that it must be aborted."""

    refused = False

    def commit_transaction(self, timeout: float = -1) -> None:
        if not self.refused:
            self.refused = True
            self.flush(30)
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_MEMBER_ID, "not a member", False, False, True))
        super().commit_transaction(timeout)


def decide(journal: KafkaJournal, *texts: str, upto: int, ordinal: int | None = None) -> None:
    journal.commit({0: said(*texts, ordinal=ordinal)}, {0: {INTENTS: upto}})


def fetched(journal: KafkaJournal) -> int:
    journal._intake._fetch(100, 100)
    return journal._intake._count


def make(stand: Stand, *topics: NewTopic) -> None:
    """Make topics past `topics apply`, and wait until the broker tells of them."""
    admin = AdminClient({"bootstrap.servers": stand.connection.bootstrap})
    for answer in admin.create_topics(list(topics)).values():
        answer.result(30)
    until(lambda: admin.list_topics(timeout=30).topics, lambda known: known.keys() >= {new.topic for new in topics})


def delete_records(stand: Stand, topic: Topic, before: int) -> None:
    admin = AdminClient({"bootstrap.servers": stand.connection.bootstrap})
    for answer in admin.delete_records([TopicPartition(stand.connection.title(topic), 0, before)]).values():
        answer.result(30)


def test_a_second_worker_on_a_slot_fences_the_first_whose_batch_is_never_seen(stand: Stand) -> None:
    stand.ask("one", "two")
    first = stand.journal("a")
    serve(first)
    assert taken(first) == ["one", "two"]
    second = stand.journal("a")
    with pytest.raises(Unsure, match="fenced"):
        decide(first, "by the first", upto=2)
    with pytest.raises(Unsure, match="fenced"):
        first.take(10, 0)
    serve(second)
    assert taken(second) == ["one", "two"]
    decide(second, "by the second", upto=2)
    assert stand.decisions() == [b"by the second", SEAL + b"by the second"]


def test_a_worker_that_only_waits_hears_that_its_slot_was_taken(stand: Stand) -> None:
    first = stand.journal("a")
    serve(first)
    second = stand.journal("a")
    serve(second)
    with pytest.raises(Unsure, match="fenced"):
        until(lambda: first.take(10, 100), lambda _: False)
    stand.ask("one")
    assert taken(second) == ["one"]


@pytest.mark.parametrize(("producer", "kept"), [(LostAnswer, True), (LostQuestion, False)])
def test_a_lost_answer_is_unsure_and_the_topics_tell_what_happened(
    stand: Stand, producer: type[Producer], kept: bool
) -> None:
    stand.ask("one", "two")
    journal = stand.journal(producer=producer)
    serve(journal)
    assert taken(journal) == ["one", "two"]
    with pytest.raises(Unsure, match="the answer to a commit was lost"):
        decide(journal, "both", upto=2)
    with pytest.raises(Unsure):
        decide(journal, "both", upto=2)
    journal = stand.reopened(journal)
    restored = serve(journal)[0]
    assert restored.inputs[INTENTS] == (2 if kept else 0)
    assert [rec.value for rec in restored.tail] == ([b"both", SEAL + b"both"] if kept else [])
    if not kept:
        assert taken(journal) == ["one", "two"]
    assert stand.decisions() == ([b"both", SEAL + b"both"] if kept else [])


def test_a_refused_transaction_is_aborted_and_the_batch_comes_again(stand: Stand) -> None:
    stand.ask("one", "two")
    journal = stand.journal(producer=Refused)
    serve(journal)
    assert taken(journal) == ["one", "two"]
    with pytest.raises(Unavailable, match="nothing was committed"):
        decide(journal, "aborted", upto=2)
    assert journal.aborts == 1
    journal.rewind()
    assert taken(journal) == ["one", "two"]
    decide(journal, "kept", upto=2)
    assert stand.decisions() == [b"kept", SEAL + b"kept"]


def test_a_record_larger_than_any_topic_takes_is_named_and_wedges_nothing(stand: Stand) -> None:
    stand.ask("one")
    journal = stand.journal()
    serve(journal)
    taken(journal)
    too_large = Emits([message("fine"), Message(b"k", bytes(9_000_000)), Message(b"seal", SEAL)])
    with pytest.raises(Corrupted, match="larger than any topic takes"):
        journal.commit({0: too_large}, {0: {INTENTS: 1}})
    journal.rewind()
    assert taken(journal) == ["one"]
    decide(journal, "kept", upto=1)
    assert stand.decisions() == [b"kept", SEAL + b"kept"]


def test_a_desk_change_of_several_megabytes_is_kept_and_restored(stand: Stand) -> None:
    journal = stand.journal()
    serve(journal)
    big = bytes(range(256)) * 20_000
    journal.commit({0: Emits([Message(b"seal", SEAL)], [], [Message(bytes(8), big)], [])}, {})
    assert [rec.value for rec in serve(stand.reopened(journal))[0].changes] == [big]


def test_a_restore_waits_a_hanging_transaction_out_and_reads_nothing_of_it(stand: Stand) -> None:
    journal = stand.journal("a")
    serve(journal)
    decide(journal, "kept", upto=0, ordinal=1)
    # Another worker's producer hangs for as long as its transaction may, above what is stable.
    hanging = Producer(stand.connection.transactor("hanging") | HANGS)
    hanging.init_transactions(30)
    hanging.begin_transaction()
    hanging.produce(stand.connection.title(Topic.DECISIONS), b"never", b"k", 0)
    hanging.produce(stand.connection.title(Topic.DESK), b"never", bytes(8), 0)
    hanging.flush(30)
    decide(journal, "behind it", upto=0, ordinal=2)
    restored = serve(stand.reopened(journal))[0]
    assert [rec.value for rec in restored.tail] == [b"behind it", SEAL + b"behind it"]
    assert [rec.value for rec in restored.changes] == [b"change 1", b"change 2"]


def test_a_restore_waits_for_positions_that_are_pending(stand: Stand) -> None:
    stand.ask("one", "two")
    journal = stand.journal("a")
    serve(journal)
    taken(journal)
    pending = Producer(stand.connection.transactor("pending") | HANGS)
    pending.init_transactions(30)
    pending.begin_transaction()
    moved = TopicPartition(stand.connection.title(Topic.INTENTS), 0, 2)
    pending.send_offsets_to_transaction([moved], journal._intake.membership(), 30)
    assert serve(stand.reopened(journal))[0].inputs == {INTENTS: 0, VOTES: 0, OUTCOMES: 0}


def test_a_stall_is_said_instead_of_waited_for(stand: Stand) -> None:
    journal = stand.journal("a")
    serve(journal)
    decide(journal, "kept", upto=0)
    hanging = Producer(
        {"bootstrap.servers": stand.connection.bootstrap, "transactional.id": f"{stand.connection.prefix}hanging"}
    )
    hanging.init_transactions(30)
    hanging.begin_transaction()
    hanging.produce(stand.connection.title(Topic.DECISIONS), b"open", b"k", 0)
    hanging.flush(30)
    impatient = Connection(stand.connection.bootstrap, prefix=stand.connection.prefix, stall_ms=300)
    journal.close()
    waiting = KafkaJournal(impatient, "a")
    until(waiting.assigned)
    with pytest.raises(Unavailable, match=r"placet\.decisions/0@3: no progress towards 4 for 300 ms"):
        waiting.restore(0)
    waiting.close()
    hanging.abort_transaction(30)


def test_decisions_that_no_seal_closes_are_corrupt(stand: Stand) -> None:
    journal = stand.journal()
    serve(journal)
    decide(journal, "sealed", upto=0)
    journal.commit({0: Emits([message("loose")])}, {})
    again = stand.reopened(journal)
    until(again.assigned)
    with pytest.raises(Corrupted, match=r"placet\.decisions/0@3: committed, but no Seal closes it"):
        again.restore(0)


def test_the_tail_is_the_last_batch_however_long_it_and_the_ones_before_are(stand: Stand) -> None:
    journal = stand.journal()
    serve(journal)
    decide(journal, *(f"old {number}" for number in range(50)), upto=0)
    texts = [f"new {number}" for number in range(3_000)]
    decide(journal, *texts, upto=0)
    tail = serve(stand.reopened(journal))[0].tail
    assert [rec.value for rec in tail] == [*(text.encode() for text in texts), SEAL + b"new 2999"]


def test_a_served_partition_without_a_position_is_corrupt(stand: Stand) -> None:
    journal = stand.journal()
    serve(journal)
    decide(journal, "kept", upto=0)
    stranger = KafkaJournal(Connection(stand.connection.bootstrap, prefix=stand.connection.prefix, group="other"), "a")
    until(stranger.assigned)
    with pytest.raises(Corrupted, match="a Seal closes this partition's last batch, but no position is committed"):
        stranger.restore(0)
    stranger.close()


def test_inputs_that_went_unread_are_noticed(stand: Stand) -> None:
    stand.ask("one", "two", "three")
    journal = stand.journal()
    serve(journal)
    decide(journal, "first", upto=1)
    delete_records(stand, Topic.INTENTS, 2)
    again = stand.reopened(journal)
    until(again.assigned)
    with pytest.raises(Corrupted, match=r"placet\.intents/0: decided up to 1, but the broker keeps only .* from 2 on"):
        again.restore(0)


def test_a_first_start_begins_at_what_the_broker_keeps(stand: Stand) -> None:
    stand.ask("one", "two", "three")
    delete_records(stand, Topic.INTENTS, 2)
    journal = stand.journal()
    assert serve(journal)[0].inputs == {INTENTS: 2, VOTES: 0, OUTCOMES: 0}
    assert taken(journal) == ["three"]


def test_a_record_the_broker_has_not_stamped_is_corrupt(bare: Stand) -> None:
    theirs = {"message.timestamp.type": "CreateTime"}
    make(bare, *(NewTopic(bare.connection.title(topic), 1, 1, config=theirs) for topic in (*INPUTS, *EMITS)))
    journal = bare.journal()
    serve(journal)
    bare.ask("one")
    with pytest.raises(Corrupted, match=r"placet\.intents/0@0: not stamped by the broker"):
        until(lambda: journal.take(10, 100))


def test_unequal_partition_counts_are_refused(bare: Stand) -> None:
    counts = {topic: 2 if topic == Topic.VOTES else 1 for topic in (*INPUTS, *EMITS)}
    make(bare, *(NewTopic(bare.connection.title(topic), count, 1) for topic, count in counts.items()))
    with pytest.raises(Corrupted, match=r"equal partition counts, these have: .*placet\.votes 2"):
        bare.journal()


def test_outcomes_come_before_votes_and_votes_before_intents(stand: Stand) -> None:
    stand.ask("i0", "i1")
    stand.ask("v0", topic=VOTES)
    stand.ask("o0", "o1", topic=OUTCOMES)
    journal = stand.journal()
    serve(journal)
    # Nothing is asked for until all five have come.
    until(lambda: journal.take(0, 0), lambda _: fetched(journal) == 5)
    assert taken(journal, most=4) == ["o0", "o1", "v0", "i0"]
    assert taken(journal) == ["i1"]


def test_a_second_slot_takes_its_share_and_nothing_is_decided_twice(wide: Stand) -> None:
    for partition in range(4):
        wide.ask(f"in {partition}", partition=partition)
    first = wide.journal("a")
    serve(first, {0, 1, 2, 3})
    got = first.take(1, 30_000)
    (held,) = got
    second = wide.journal("b")
    # The group is asked in turn, as both would ask it; what the first held is void at the first sight of the change.
    seen: list[frozenset[int]] = []

    def shared() -> tuple[frozenset[int], frozenset[int]]:
        seen.append(first.assigned())
        return seen[-1], second.assigned()

    shares = until(
        shared,
        lambda both: both[0] | both[1] == {0, 1, 2, 3} and len(both[0]) == len(both[1]) == 2,
    )
    assert frozenset() in seen
    with pytest.raises(Unavailable, match="not this worker's any more"):
        first.commit({held: said("too late")}, {held: {INTENTS: 1}})
    for journal, share in zip((first, second), shares, strict=True):
        for partition in share:
            assert journal.restore(partition).inputs[INTENTS] == 0
            assert taken(journal, partition) == [f"in {partition}"]
            journal.commit({partition: said(f"for {partition}")}, {partition: {INTENTS: 1}})
    for partition in range(4):
        assert wide.decisions(partition) == [f"for {partition}".encode(), SEAL + f"for {partition}".encode()]


def test_a_warm_restore_equals_a_cold_one(stand: Stand, tmp_path: Path) -> None:
    warm = stand.journal("a", data=tmp_path)
    serve(warm)
    for ordinal in range(20):
        decide(warm, f"batch {ordinal}", upto=0, ordinal=ordinal)
    gone = [Message(ordinal.to_bytes(8, "big"), None) for ordinal in range(15)]
    warm.commit({0: Emits([Message(b"seal", SEAL)], [], gone, [])}, {})
    again = stand.reopened(warm)
    from_disk = serve(again)[0]
    decide(again, "more", upto=0, ordinal=20)
    again.close()
    rest_from_topic = serve(stand.journal("a", data=tmp_path))[0]
    from_topic = serve(stand.journal("a"))[0]
    expected = [f"change {ordinal}".encode() for ordinal in (15, 16, 17, 18, 19)]
    assert [rec.value for rec in from_disk.changes] == expected
    assert [rec.value for rec in rest_from_topic.changes] == [*expected, b"change 20"]
    assert [(rec.key, rec.value) for rec in from_topic.changes] == [
        (rec.key, rec.value) for rec in rest_from_topic.changes
    ]
    # From the disk, and not by chance from the topic: there the broker's offsets would be known.
    assert rest_from_topic.changes[0].offset == -1
    assert from_topic.changes[0].offset >= 0
