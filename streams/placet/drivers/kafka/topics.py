"""The topics on a cluster: made as the one table says, and never bent when they differ."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.differences import (
    DELETE_RETENTION_MS,
    Difference,
    Mend,
    Shape,
    differences,
    refused,
    settings_of,
)
from placet.drivers.kafka.faults import cause_of, raise_reading
from placet.errors import Corrupted, Unavailable
from placet.model.topics import TOPICS, Topic

__all__ = [
    "DELETE_RETENTION_MS",
    "Applied",
    "apply_compacted",
    "apply_topics",
    "diff_topics",
    "identity_of",
    "partition_counts",
    "remove_topics",
    "settings_of",
    "shapes_of",
]

_ANSWER_S = 15.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply_topics` did: the titles it made, the settings it moved, and the titles that were there."""

    made: tuple[str, ...]
    moved: tuple[Difference, ...]
    kept: tuple[str, ...]


def diff_topics(
    connection: Connection, *, partitions: int, replication: int = 1, context_partitions: int = 1
) -> list[Difference]:
    """Return everything in which the topics of the cluster are not as the table says, topic by topic.

    `partitions` is for the inputs and outputs of the desks, `context_partitions` for the rest.
    """
    admin = connection.outside.admin(connection.client())
    shapes = shapes_of(admin, connection)
    found: list[Difference] = []
    for spec in TOPICS:
        count = partitions if spec.decided else context_partitions
        title, shape = connection.title(spec.topic), shapes.get(spec.topic)
        found += differences(spec, title, shape, partitions=count, replication=replication)
    return found


def apply_topics(
    connection: Connection, *, partitions: int, replication: int = 1, context_partitions: int = 1
) -> Applied:
    """Make every topic of the table that is missing, move settings that may be moved, and return what was done.

    Nothing at all is made or changed when one difference could only be mended
    by losing something: `Corrupted` names each. Partition counts never change,
    for keys would move, and nothing is kept for shorter than it was. Run
    twice, it does nothing the second time.
    """
    found = diff_topics(
        connection, partitions=partitions, replication=replication, context_partitions=context_partitions
    )
    if left := refused(found):
        raise Corrupted("; ".join(map(str, left)))
    missing = {one.topic for one in found if one.mend is Mend.MAKE}
    moved = [one for one in found if one.mend is Mend.SET]
    admin = connection.outside.admin(connection.client())
    made = [
        NewTopic(
            connection.title(spec.topic),
            partitions if spec.decided else context_partitions,
            replication,
            config=settings_of(spec, replication),
        )
        for spec in TOPICS
        if spec.topic in missing
    ]
    if made:
        _create(admin, made)
        _await(admin, {new.topic for new in made}, connection.outside.monotonic)
    _move(admin, moved)
    return Applied(
        tuple(new.topic for new in made),
        tuple(moved),
        tuple(connection.title(spec.topic) for spec in TOPICS if spec.topic not in missing),
    )


def apply_compacted(connection: Connection, title: str, partitions: int) -> None:
    """Make the compacted topic `title` unless it is there: what a framework keeps for itself beside the table."""
    admin = connection.outside.admin(connection.client())
    if title in admin.list_topics(timeout=_ANSWER_S).topics:
        return
    _create(admin, [NewTopic(title, partitions, -1, config={"cleanup.policy": "compact"})])
    _await(admin, {title}, connection.outside.monotonic)


def remove_topics(connection: Connection) -> None:
    """Remove every topic under the prefix of `connection`: the end of a measurement. Without a prefix nothing is removed."""
    if not connection.prefix:
        raise Unavailable("topics without a prefix are never removed")
    admin = connection.outside.admin(connection.client())
    titles = [title for title in admin.list_topics(timeout=_ANSWER_S).topics if title.startswith(connection.prefix)]
    for title, answer in (admin.delete_topics(titles, operation_timeout=_ANSWER_S) if titles else {}).items():
        try:
            answer.result()
        except KafkaException as error:
            raise Unavailable(f"{title}: could not be removed: {cause_of(error).str()}") from error


@dataclass(frozen=True, slots=True)
class Identity:
    """Which topic this is, on which cluster: one that was made anew under the old name is another."""

    cluster: str
    token: bytes


def identity_of(connection: Connection, topic: Topic) -> Identity:
    """Return the identity of `topic`. Raise `Unavailable` when the cluster does not tell it."""
    admin, title = connection.outside.admin(connection.client()), connection.title(topic)
    try:
        cluster = admin.list_topics(timeout=_ANSWER_S).cluster_id
        told = admin.describe_topics(TopicCollection([title]), request_timeout=_ANSWER_S)[title].result()
    except KafkaException as error:
        raise_reading(error, f"{title}: asking what it is")
    return Identity(str(cluster), f"{cluster}/{title}/{told.topic_id}".encode())


def _create(admin: AdminClient, wanted: list[NewTopic]) -> None:
    for title, answer in admin.create_topics(wanted, operation_timeout=_ANSWER_S, request_timeout=_ANSWER_S).items():
        try:
            answer.result()
        except KafkaException as error:
            cause = cause_of(error)
            # Another `apply` was faster: it made the same.
            if cause.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Unavailable(f"{title}: could not be made: {cause.str()}") from error


def _await(admin: AdminClient, titles: set[str], monotonic: Callable[[], float]) -> None:
    """Return when brokers tell of all these topics, with a leader for each partition."""
    until = monotonic() + _ANSWER_S
    while monotonic() < until:
        known = admin.list_topics(timeout=_ANSWER_S).topics
        if all(title in known and all(one.leader >= 0 for one in known[title].partitions.values()) for title in titles):
            return
    raise Unavailable(f"{len(titles)} topics were made, but not all have a leader after {_ANSWER_S:.0f} s")


def _move(admin: AdminClient, moved: Iterable[Difference]) -> None:
    by_title: dict[str, list[ConfigEntry]] = {}
    for one in moved:
        entry = ConfigEntry(one.setting, one.expected, incremental_operation=AlterConfigOpType.SET)
        by_title.setdefault(one.title, []).append(entry)
    asked = [
        ConfigResource(ResourceType.TOPIC, title, incremental_configs=entries) for title, entries in by_title.items()
    ]
    for resource, answer in (admin.incremental_alter_configs(asked) if asked else {}).items():
        try:
            answer.result()
        except KafkaException as error:
            raise Unavailable(f"{resource.name}: could not be changed: {cause_of(error).str()}") from error


def _counts(admin: AdminClient, connection: Connection, topics: Iterable[Topic]) -> dict[Topic, tuple[int, int]]:
    """Return, of those topics that are there, how many partitions they have and in how many copies."""
    try:
        known = admin.list_topics(timeout=_ANSWER_S).topics
    except KafkaException as error:
        raise_reading(error, f"{connection.bootstrap}: asking for its topics")
    titles = {topic: connection.title(topic) for topic in topics}
    return {
        topic: (len(known[title].partitions), min(len(one.replicas) for one in known[title].partitions.values()))
        for topic, title in titles.items()
        if title in known and known[title].error is None
    }


def shapes_of(admin: AdminClient, connection: Connection) -> dict[Topic, Shape]:
    """Return how the topics of the table are, those that are there."""
    counts = _counts(admin, connection, Topic)
    asked = {connection.title(topic): topic for topic in counts}
    found: dict[Topic, Shape] = {}
    resources = [ConfigResource(ResourceType.TOPIC, title) for title in asked]
    for resource, answer in (admin.describe_configs(resources, request_timeout=_ANSWER_S) if asked else {}).items():
        try:
            entries = answer.result()
        except KafkaException as error:
            raise_reading(error, f"{resource.name}: asking for its settings")
        topic = asked[resource.name]
        settings = {name: str(entry.value) for name, entry in entries.items()}
        found[topic] = Shape(*counts[topic], settings)
    return found


def partition_counts(connection: Connection, topics: Iterable[Topic]) -> dict[Topic, int]:
    """Return how many partitions each topic has. Raise `Unavailable` when one is missing."""
    wanted = tuple(topics)
    known = _counts(connection.outside.admin(connection.client()), connection, wanted)
    for topic in wanted:
        if topic not in known:
            title = connection.title(topic)
            raise Unavailable(f"{title}: no such topic on {connection.bootstrap}; `placet topics apply` makes it")
    return {topic: known[topic][0] for topic in wanted}
