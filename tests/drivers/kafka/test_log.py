"""A log on Kafka: appended in order, read to its true end, control records or not."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from placet.errors import Unavailable
from placet.model.topics import Topic
from placet.ports import Message
from tests.drivers.kafka.stand import INTENTS, RISK, Stand, message


def transactional(stand: Stand, name: str) -> Producer:
    producer = Producer(
        {"bootstrap.servers": stand.connection.bootstrap, "transactional.id": stand.connection.prefix + name}
    )
    producer.init_transactions(30)
    return producer


def test_an_append_answers_with_its_first_offset(stand: Stand) -> None:
    assert stand.ask("a", "b", "c") == 0
    assert stand.ask("d") == 3
    assert [rec.value for rec in stand.log.read(INTENTS, 0, 1, 2, 5_000)] == [b"b", b"c"]
    assert [rec.value for rec in stand.log.read(INTENTS, 0, 3, 10, 5_000)] == [b"d"]
    assert stand.log.end(INTENTS, 0) == 4


def test_threads_append_without_losing_each_others_answers(stand: Stand) -> None:
    with ThreadPoolExecutor(8) as pool:
        offsets = list(pool.map(lambda number: stand.ask(f"{number}"), range(64)))
    assert sorted(offsets) == list(range(64))


def test_what_is_handed_over_is_durable_after_a_flush(stand: Stand) -> None:
    for number in range(0, 5_000, 500):
        stand.log.append_async(INTENTS, 0, [message(f"{at}") for at in range(number, number + 500)])
    stand.log.flush()
    assert [rec.value for rec in stand.all(INTENTS)] == [f"{at}".encode() for at in range(5_000)]


def test_a_record_larger_than_the_topic_takes_is_refused_and_nothing_is_written(stand: Stand) -> None:
    with pytest.raises(Unavailable, match=r"placet\.intents/0: refused"):
        stand.log.append(INTENTS, 0, [Message(b"k", bytes(2_000_000))])
    assert stand.ask("next") == 0


def test_the_end_is_one_past_the_last_record_and_not_past_control_records(stand: Stand) -> None:
    producer = transactional(stand, "writer")
    title = stand.connection.title(Topic.RISK)
    assert stand.log.end(RISK, 0) == 0
    for ended in (producer.commit_transaction, producer.abort_transaction):
        producer.begin_transaction()
        producer.produce(title, b"value", b"key", 0)
        producer.flush(30)  # an abort would throw away what has not been sent
        ended(30)
    assert stand.log.end(RISK, 0) == 1
    assert [rec.offset for rec in stand.all(RISK)] == [0]
    # After 0 lie a commit marker, an aborted record and an abort marker.
    assert stand.log.append(RISK, 0, [message("late")]) == 4
    assert [rec.offset for rec in stand.all(RISK)] == [0, 4]


def test_an_open_transaction_ends_what_can_be_read(stand: Stand) -> None:
    producer = transactional(stand, "open")
    stand.ask("seen")
    producer.begin_transaction()
    producer.produce(stand.connection.title(Topic.INTENTS), b"open", b"key", 0)
    producer.flush(30)
    stand.ask("behind")
    assert [rec.value for rec in stand.all(INTENTS)] == [b"seen"]
    producer.abort_transaction(30)
    assert [rec.value for rec in stand.log.read(INTENTS, 0, 1, 10, 10_000)] == [b"behind"]


def test_reading_ahead_of_the_end_waits_and_reading_before_what_is_kept_begins_there(stand: Stand) -> None:
    stand.ask("a", "b")
    assert stand.log.read(INTENTS, 0, 3, 10, 200) == []
    stand.ask("c", "d", "e")
    assert [rec.value for rec in stand.log.read(INTENTS, 0, 3, 10, 10_000)] == [b"d", b"e"]
    admin = AdminClient({"bootstrap.servers": stand.connection.bootstrap})
    kept = TopicPartition(stand.connection.title(Topic.INTENTS), 0, 4)
    for answer in admin.delete_records([kept]).values():
        answer.result(30)
    assert [rec.value for rec in stand.log.read(INTENTS, 0, 0, 10, 10_000)] == [b"e"]
