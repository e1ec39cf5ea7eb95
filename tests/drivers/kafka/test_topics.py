"""`topics apply` makes what is missing, once, and bends nothing that is there."""

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from placet.drivers.kafka.differences import Mend, settings_of
from placet.drivers.kafka.topics import apply_topics, diff_topics, partition_counts
from placet.errors import Corrupted, Unavailable
from placet.model.topics import CONTEXT, SPECS, TOPICS, Topic
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
    assert (first.moved, second.moved) == ((), ())
    assert diff_topics(bare.connection, partitions=3) == []
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


def test_what_may_grow_is_set_and_what_would_shrink_is_refused(bare: Stand) -> None:
    # 1 day where the table says 30, and no bound on compaction: both are mended without losing a record.
    make(bare, Topic.INTENTS, 2, message_timestamp_type="LogAppendTime", retention_ms="86400000")
    make(
        bare,
        Topic.DESK,
        2,
        message_timestamp_type="LogAppendTime",
        cleanup_policy="compact",
        max_message_bytes="1048588",
    )
    told = {str(one): one.mend for one in diff_topics(bare.connection, partitions=2) if one.mend is not Mend.MAKE}
    intents, desk = bare.connection.title(Topic.INTENTS), bare.connection.title(Topic.DESK)
    assert told == {
        f"{intents}: `retention.ms` is 86400000, not 2592000000": Mend.SET,
        f"{desk}: `retention.ms` is 604800000, not -1": Mend.SET,
        f"{desk}: `segment.bytes` is 1073741824, not 67108864": Mend.SET,
        f"{desk}: `delete.retention.ms` is 86400000, not 604800000": Mend.SET,
        f"{desk}: `max.compaction.lag.ms` is 9223372036854775807, not 86400000": Mend.SET,
        f"{desk}: `max.message.bytes` is 1048588, not 8388608": Mend.SET,
    }
    applied = apply_topics(bare.connection, partitions=2)
    assert {str(one) for one in applied.moved} == told.keys()
    until(lambda: diff_topics(bare.connection, partitions=2), lambda left: left == [])


def test_nothing_is_kept_for_shorter_than_it_was(bare: Stand) -> None:
    # 60 days where the table says 30.
    make(bare, Topic.VOTES, 1, message_timestamp_type="LogAppendTime", retention_ms="5184000000")
    with pytest.raises(
        Corrupted, match=r"votes: `retention.ms` is 5184000000, not 2592000000; shrinking it would lose"
    ):
        apply_topics(bare.connection, partitions=1)
    with pytest.raises(Unavailable, match=r"placet\.intents: no such topic"):
        partition_counts(bare.connection, (Topic.INTENTS,))


def test_compacted_context_stays_for_a_notary_that_is_away_for_half_a_day_and_what_operators_say_for_ever() -> None:
    # What a directory or a classifier said stays for a week, so that whatever is written over it is seen.
    half_a_day, a_day, a_week = "43200000", "86400000", "604800000"
    lags: dict[Topic, tuple[str | None, str]] = {Topic.RISK: (half_a_day, a_day)}
    lags |= dict.fromkeys((Topic.PRINCIPALS, Topic.SENSITIVITY), (a_week, "691200000"))
    # The key of an erased case lies in the desk's changelog: there nothing is kept longer than it must.
    lags[Topic.DESK] = (None, a_day)
    for topic in (*CONTEXT, Topic.DESK):
        settings = settings_of(SPECS[topic], 3)
        found = settings.get("min.compaction.lag.ms"), settings.get("max.compaction.lag.ms")
        assert found == lags.get(topic, (None, None))
        assert topic in lags or (settings["cleanup.policy"], settings["retention.ms"]) == ("delete", "-1")
