"""A follower hands every record on once and in order, whatever goes wrong between two of them."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.feed import KafkaFeed
from placet.drivers.kafka.outside import Outside
from placet.drivers.kafka.reader import ends_of
from placet.errors import PlacetError, Unavailable
from placet.model.topics import Topic
from placet.ports import Rec
from tests.sim.admin import SimAdmin
from tests.sim.cluster import Cluster
from tests.sim.consumer import SimConsumer
from tests.sim.disk import SimDisk
from tests.sim.link import Link
from tests.sim.timeline import Timeline
from tests.sim.town_log import lay_topics


class Broken:
    """A simulated consumer that gives one record at a time, and raises what `faults` hold instead."""

    def __init__(self, inner: SimConsumer, faults: Iterator[KafkaException | None]) -> None:
        self._inner = inner
        self._faults = faults

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def poll(self, timeout: float) -> object:
        fault = next(self._faults)
        if fault is not None:
            raise fault
        return self._inner.poll(timeout)

    def consume(self, most: int, timeout: float) -> object:
        fault = next(self._faults)
        if fault is not None:
            raise fault
        return self._inner.consume(1, timeout)


def feed_over(cluster: Cluster, faults: Iterator[KafkaException | None]) -> KafkaFeed:
    """Return the shipped feed over a consumer that breaks."""
    link = Link(cluster)
    outside = Outside(
        consumer=lambda config: Broken(SimConsumer(config, link), faults),  # type: ignore[arg-type,return-value]
        admin=lambda config: SimAdmin(config, link),  # type: ignore[arg-type,return-value]
        monotonic=link.timeline.monotonic,
        disk=SimDisk(),
    )
    return KafkaFeed(Connection("sim:9092", outside=outside))


def lost(code: int) -> KafkaException:
    return KafkaException(KafkaError(code))


def heard(feed: KafkaFeed, first: str, calls: int = 400) -> list[Rec]:
    """Return what a feed gives in so many calls, `catch_up` again and again until it has caught up."""
    found: list[Rec] = []
    caught_up = first == "take"
    for _ in range(calls):
        try:
            found += feed.take() if caught_up else feed.catch_up()
            caught_up = True
        except PlacetError:
            continue
    return found


@pytest.mark.parametrize("first", ["catch_up", "take"])
@pytest.mark.parametrize("every", [2, 3, 5, 7])
@pytest.mark.parametrize("code", [KafkaError._TRANSPORT, KafkaError.TOPIC_AUTHORIZATION_FAILED])
def test_no_record_is_lost_or_heard_twice_when_a_call_fails_half_way(first: str, every: int, code: int) -> None:
    cluster = Cluster(Timeline())
    lay_topics(cluster, 1)
    for number in range(20):
        topic = (Topic.CONTROLS, Topic.RISK)[number % 2]
        cluster.append(topic.title, 0, [(b"k", b"%d" % number)])
    feed = feed_over(cluster, (lost(code) if at % every == every - 1 else None for at in count()))
    found = heard(feed, first)
    for topic in (Topic.CONTROLS, Topic.RISK):
        values = [rec.value for rec in found if rec.topic == topic]
        assert values == [b"%d" % number for number in range(20) if (Topic.CONTROLS, Topic.RISK)[number % 2] == topic]


def test_what_lies_below_what_is_kept_is_passed_over_also_when_its_ends_are_not_told_at_once() -> None:
    cluster = Cluster(Timeline())
    lay_topics(cluster, 1)
    for number in range(6):
        cluster.append(Topic.RISK.title, 0, [(b"k", b"%d" % number)])
    feed = feed_over(cluster, (None for _ in count()))
    cluster.topics[Topic.RISK.title][0].delete_before(4)
    inner: Any = feed._follower._consumer
    ends, asked = inner.get_watermark_offsets, count()

    def at_first_not(place: TopicPartition, timeout: float) -> object:
        if next(asked) == 0:
            raise lost(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return ends(place, timeout)

    inner.get_watermark_offsets = at_first_not
    assert [rec.value for rec in heard(feed, "take", 40)] == [b"4", b"5"]


def test_a_client_that_has_not_heard_of_a_partition_asks_for_its_topics_and_then_again() -> None:
    """What it heard while brokers came and went said so, and by itself it would go by that for ever."""
    told: list[str] = []

    class Stale:
        def list_topics(self, timeout: float) -> None:
            told.append("topics")

        def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
            told.append("ends")
            if "topics" not in told or place.topic == "missing":
                raise lost(KafkaError._UNKNOWN_PARTITION)
            return 3, 9

    client: Any = Stale()
    assert ends_of(client, "there", 0, lambda: 0.0) == (3, 9)
    assert told == ["ends", "topics", "ends"]
    told.clear()
    with pytest.raises(Unavailable, match="missing/0: asking for its ends"):
        ends_of(client, "missing", 0, lambda: 0.0)
    assert told == ["ends", "topics", "ends"]


def test_what_a_client_brings_again_is_not_handed_on_again_nor_is_a_place_lost_that_is_in_range() -> None:
    cluster = Cluster(Timeline())
    lay_topics(cluster, 1)
    for number in range(6):
        cluster.append(Topic.RISK.title, 0, [(b"k", b"%d" % number)])
    feed = feed_over(cluster, (None for _ in count()))
    follower = feed._follower
    inner: Any = follower._consumer
    place = (Topic.RISK.title, 0)
    assert [rec.value for rec in heard(feed, "take", 20)] == [b"%d" % number for number in range(6)]
    inner._at[place] = 2
    cluster.append(Topic.RISK.title, 0, [(b"k", b"6")])
    assert [rec.value for rec in heard(feed, "take", 20)] == [b"6"]
    # A leader that has just begun knew less for a moment, and knows all again when it is asked.
    follower._return([(int(Topic.RISK), 0)])
    cluster.append(Topic.RISK.title, 0, [(b"k", b"7")])
    assert [rec.value for rec in heard(feed, "take", 20)] == [b"7"]
