"""A feed reads every context topic whole, past open and aborted transactions, and then what comes."""

import threading

from placet.model.topics import CONTEXT, Topic
from placet.ports import Message
from tests.drivers.kafka.stand import Stand, message, until
from tests.drivers.kafka.test_log import transactional


def test_a_feed_catches_up_with_every_context_topic_and_then_hears_what_comes(stand: Stand) -> None:
    for topic in CONTEXT:
        stand.log.append(int(topic), 0, [message(f"{topic.name}")])
    feed = stand.feed()
    assert {(rec.topic, rec.value) for rec in feed.catch_up()} == {(int(t), t.name.encode()) for t in CONTEXT}
    assert feed.take() == []
    stand.log.append(int(Topic.CONTROLS), 0, [Message(b"key", None)])
    (tombstone,) = until(feed.take)
    assert (tombstone.topic, tombstone.offset, tombstone.value) == (int(Topic.CONTROLS), 1, None)


def test_a_feed_catches_up_where_control_records_end_a_topic(stand: Stand) -> None:
    producer = transactional(stand, "writer")
    title = stand.connection.title(Topic.RISK)
    for value, ended in ((b"kept", producer.commit_transaction), (b"gone", producer.abort_transaction)):
        producer.begin_transaction()
        producer.produce(title, value, b"key", 0)
        producer.flush(30)  # an abort would throw away what has not been sent
        ended(30)
    feed = stand.feed()
    assert [rec.value for rec in feed.catch_up()] == [b"kept"]
    assert feed.catch_up() == []


def test_a_feed_waits_for_what_is_not_yet_decided_to_be_committed(stand: Stand) -> None:
    producer = transactional(stand, "writer")
    producer.begin_transaction()
    producer.produce(stand.connection.title(Topic.PRINCIPALS), b"suspended", b"key", 0)
    producer.flush(30)
    feed = stand.feed()
    found: list[bytes | None] = []
    catching_up = threading.Thread(target=lambda: found.extend(rec.value for rec in feed.catch_up()))
    catching_up.start()
    producer.commit_transaction(30)
    catching_up.join(60)
    assert found == [b"suspended"]
