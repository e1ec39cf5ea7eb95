"""`topics apply` makes what is missing, once, and bends nothing that is there."""

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from placet.drivers.kafka.topics import apply_topics, partition_counts
from placet.errors import Corrupted, Unavailable
from placet.model.topics import TOPICS, Topic
from tests.drivers.kafka.stand import Stand, until


def make(stand: Stand, topic: Topic, partitions: int, **settings: str) -> None:
    admin = AdminClient({"bootstrap.servers": stand.connection.bootstrap})
    title = stand.connection.title(topic)
    new = NewTopic(title, partitions, 1, config={name.replace("_", "."): value for name, value in settings.items()})
    admin.create_topics([new])[title].result(30)
    until(lambda: admin.list_topics(timeout=30).topics, lambda known: title in known)


def test_the_first_apply_makes_every_topic_and_the_second_none(bare: Stand) -> None:
    first = apply_topics(bare.connection, partitions=3)
    second = apply_topics(bare.connection, partitions=3)
    assert len(first.made) == len(TOPICS)
    assert first.kept == ()
    assert second.made == ()
    assert set(second.kept) == set(first.made)
    counts = partition_counts(bare.connection, Topic)
    assert counts[Topic.INTENTS] == counts[Topic.DECISIONS] == counts[Topic.DESK] == counts[Topic.QUARANTINE] == 3
    assert counts[Topic.RISK] == counts[Topic.SIGNALS] == counts[Topic.KEYS] == 1


def test_another_partition_count_is_refused_and_nothing_is_made(bare: Stand) -> None:
    make(bare, Topic.INTENTS, 3, message_timestamp_type="LogAppendTime", retention_ms="2592000000")
    with pytest.raises(Corrupted, match=r"placet\.intents: has 3 partitions, not 4"):
        apply_topics(bare.connection, partitions=4)
    with pytest.raises(Unavailable, match=r"placet\.votes: no such topic .* `placet topics apply` makes it"):
        partition_counts(bare.connection, (Topic.VOTES,))


def test_another_setting_is_refused_by_name(bare: Stand) -> None:
    make(bare, Topic.DESK, 1, message_timestamp_type="CreateTime", cleanup_policy="delete")
    with pytest.raises(Corrupted) as told:
        apply_topics(bare.connection, partitions=1)
    assert "placet.desk: `cleanup.policy` is delete, not compact" in str(told.value)
    assert "placet.desk: `message.timestamp.type` is CreateTime, not LogAppendTime" in str(told.value)


def test_another_replication_factor_is_refused(stand: Stand) -> None:
    with pytest.raises(Corrupted, match=r"placet\.intents: has 1 copies of a partition, not 3"):
        apply_topics(stand.connection, partitions=1, replication=3)
