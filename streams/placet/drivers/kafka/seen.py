"""A cluster as it is at one moment: its brokers' settings, its topics, its copies, and where the workers stand."""

from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.differences import Shape
from placet.drivers.kafka.faults import cause_of, is_passing, raise_reading
from placet.drivers.kafka.topics import shapes_of
from placet.model.topics import INPUTS, Topic

_ANSWER_S = 15.0
_LOADING = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
INTERNAL = ("__consumer_offsets", "__transaction_state")
"""What brokers keep for themselves, and every commit rests on."""


@dataclass(frozen=True, slots=True)
class Copies:
    """One partition: how many copies it has, how many are in step, and whether anybody leads it."""

    title: str
    partition: int
    all: int
    in_step: int
    led: bool


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one input partition stands: the first offset kept, its end now, a minute ago, and the workers' position.

    `position` is None where none was ever committed.
    """

    title: str
    partition: int
    first: int
    minute_ago: int
    end: int
    position: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything a check may look at. `brokers` by node id; `titles` are all topics there are."""

    brokers: Mapping[int, Mapping[str, str]]
    shapes: Mapping[Topic, Shape]
    titles: frozenset[str]
    copies: tuple[Copies, ...]
    stands: tuple[Stand, ...]


def look(connection: Connection, now_ms: int) -> Seen:
    """Return the cluster as it is. Raise `Unavailable` when it does not answer, or lets this client see too little."""
    admin = connection.outside.admin(connection.client())
    until = connection.outside.monotonic() + _ANSWER_S
    while True:
        try:
            return _look(admin, connection, now_ms)
        except KafkaException as error:
            # A topic that was made a moment ago has leaders that do not know it yet.
            cause = cause_of(error)
            late = connection.outside.monotonic() > until
            if late or not (is_passing(cause) or cause.code() in _LOADING):
                raise_reading(error, f"{connection.bootstrap}: examining the cluster")
            admin.poll(0.1)


def _look(admin: AdminClient, connection: Connection, now_ms: int) -> Seen:
    known = admin.list_topics(timeout=_ANSWER_S)
    shapes = shapes_of(admin, connection)
    ours = {connection.title(topic) for topic in shapes} | {*INTERNAL}
    copies = tuple(
        Copies(title, number, len(one.replicas), len(one.isrs), one.leader >= 0)
        for title in sorted(ours & known.topics.keys())
        for number, one in sorted(known.topics[title].partitions.items())
    )
    brokers = _settings(admin, sorted(known.brokers))
    return Seen(brokers, shapes, frozenset(known.topics), copies, _stands(admin, connection, shapes, now_ms))


def _settings(admin: AdminClient, nodes: list[int]) -> dict[int, dict[str, str]]:
    asked = [ConfigResource(ResourceType.BROKER, str(node)) for node in nodes]
    answers = admin.describe_configs(asked, request_timeout=_ANSWER_S)
    return {
        int(resource.name): {name: str(entry.value or "") for name, entry in answer.result().items()}
        for resource, answer in answers.items()
    }


def _stands(
    admin: AdminClient, connection: Connection, shapes: Mapping[Topic, Shape], now_ms: int
) -> tuple[Stand, ...]:
    places = [
        TopicPartition(connection.title(topic), number)
        for topic in INPUTS
        if topic in shapes
        for number in range(shapes[topic].partitions)
    ]
    if not places:
        return ()
    first, before, end = (
        {(one.topic, one.partition): answer.result().offset for one, answer in admin.list_offsets(asked).items()}
        for asked in (
            {place: OffsetSpec.earliest() for place in places},  # type: ignore[no-untyped-call]
            {place: OffsetSpec.for_timestamp(now_ms - 60_000) for place in places},
            {place: OffsetSpec.latest() for place in places},  # type: ignore[no-untyped-call]
        )
    )
    group = ConsumerGroupTopicPartitions(connection.prefix + connection.group)
    told = admin.list_consumer_group_offsets([group], request_timeout=_ANSWER_S)[group.group_id].result()
    at = {(one.topic, one.partition): one.offset for one in told.topic_partitions or ()}
    stands = []
    for place in places:
        key = (place.topic, place.partition)
        # A time after which nothing came has no offset.
        earlier = before[key] if before[key] >= 0 else end[key]
        position = at.get(key, -1)
        stands.append(Stand(*key, first[key], earlier, end[key], position if position >= 0 else None))
    return tuple(stands)
