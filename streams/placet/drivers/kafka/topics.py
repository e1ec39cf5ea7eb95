"""The topics on a cluster: made as the one table says, and never bent when they differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from placet.drivers.kafka.connection import MESSAGE_BYTES_MAX, Connection
from placet.drivers.kafka.faults import cause_of, raise_reading
from placet.errors import Corrupted, Unavailable
from placet.model.topics import DAY_MS, EMITS, TOPICS, Topic, TopicSpec

_ANSWER_S = 15.0

DELETE_RETENTION_MS = 7 * DAY_MS
"""How long a tombstone stays readable: a local copy of a compacted topic that slept longer is thrown away."""

_COMPARED = (
    "cleanup.policy",
    "compression.type",
    "max.message.bytes",
    "message.timestamp.type",
    "min.insync.replicas",
    "retention.ms",
)


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply_topics` did: the titles it made, and those that were there and as they should be."""

    made: tuple[str, ...]
    kept: tuple[str, ...]


def settings_of(spec: TopicSpec, replication: int) -> dict[str, str]:
    """Return the broker's settings for a topic."""
    settings = {
        # An append time is the broker's word, and one clock serves all writers.
        "message.timestamp.type": "LogAppendTime",
        "cleanup.policy": "compact" if spec.compacted else "delete",
        "retention.ms": str(spec.retention_ms),
        "min.insync.replicas": str(2 if replication > 2 else 1),
    }
    if spec.topic == Topic.SIGNALS:
        # Feeds compress as they like; the client under Faust knows few of the codecs, and dies of the others.
        settings["compression.type"] = "uncompressed"
    if spec.compacted:
        # Only closed segments are compacted; small ones keep a restore from an empty disk short.
        settings |= {"segment.bytes": str(64 << 20), "delete.retention.ms": str(DELETE_RETENTION_MS)}
    if spec.topic in EMITS:
        # A quarantined record holds another whole record; a desk change the changes of a whole batch.
        settings["max.message.bytes"] = str(MESSAGE_BYTES_MAX)
    return settings


def apply_topics(
    connection: Connection, *, partitions: int, replication: int = 1, context_partitions: int = 1
) -> Applied:
    """Make every topic of the table that is missing, and return what was made and what was there.

    `partitions` is for the inputs and outputs of the desks, `context_partitions`
    for the rest. Nothing is made or changed when a topic that is there differs:
    `Corrupted` names each difference. Partition counts never change, for keys
    would move. Run twice, it makes nothing the second time.
    """
    counts = {spec.topic: partitions if spec.decided else context_partitions for spec in TOPICS}
    admin = AdminClient(connection.client())
    known = _shapes(admin, connection, counts)
    there = [spec for spec in TOPICS if spec.topic in known]
    differences: list[str] = []
    for topic, (count, copies) in known.items():
        title = connection.title(topic)
        if count != counts[topic]:
            differences.append(
                f"{title}: has {count} partitions, not {counts[topic]};"
                " keys would move to other partitions, so this is never changed"
            )
        if copies != replication:
            differences.append(f"{title}: has {copies} copies of a partition, not {replication}")
    differences += _differing(admin, connection, there, replication)
    if differences:
        raise Corrupted("; ".join(differences))
    missing = [spec for spec in TOPICS if spec.topic not in known]
    made = [
        NewTopic(connection.title(spec.topic), counts[spec.topic], replication, config=settings_of(spec, replication))
        for spec in missing
    ]
    if made:
        _create(admin, made)
        _await(admin, {new.topic for new in made})
    return Applied(
        tuple(connection.title(spec.topic) for spec in missing), tuple(connection.title(spec.topic) for spec in there)
    )


def apply_compacted(connection: Connection, title: str, partitions: int) -> None:
    """Make the compacted topic `title` unless it is there: what a framework keeps for itself beside the table."""
    admin = AdminClient(connection.client())
    if title in admin.list_topics(timeout=_ANSWER_S).topics:
        return
    _create(admin, [NewTopic(title, partitions, -1, config={"cleanup.policy": "compact"})])
    _await(admin, {title})


def remove_topics(connection: Connection) -> None:
    """Remove every topic under the prefix of `connection`: the end of a measurement. Without a prefix nothing is removed."""
    if not connection.prefix:
        raise Unavailable("topics without a prefix are never removed")
    admin = AdminClient(connection.client())
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
    admin, title = AdminClient(connection.client()), connection.title(topic)
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


def _await(admin: AdminClient, titles: set[str]) -> None:
    """Return when brokers tell of all these topics, with a leader for each partition."""
    until = monotonic() + _ANSWER_S
    while monotonic() < until:
        known = admin.list_topics(timeout=_ANSWER_S).topics
        if all(title in known and all(one.leader >= 0 for one in known[title].partitions.values()) for title in titles):
            return
    raise Unavailable(f"{len(titles)} topics were made, but not all have a leader after {_ANSWER_S:.0f} s")


def _shapes(admin: AdminClient, connection: Connection, topics: Iterable[Topic]) -> dict[Topic, tuple[int, int]]:
    """Return, of those topics that are there, how many partitions they have and in how many copies."""
    try:
        known = admin.list_topics(timeout=_ANSWER_S).topics
    except KafkaException as error:
        raise_reading(error, f"{connection.bootstrap}: asking for its topics")
    titles = {topic: connection.title(topic) for topic in topics}
    return {
        topic: (len(known[title].partitions), len(known[title].partitions[0].replicas))
        for topic, title in titles.items()
        if title in known and known[title].error is None
    }


def _differing(
    admin: AdminClient, connection: Connection, specs: Iterable[TopicSpec], replication: int
) -> Iterable[str]:
    """Yield one sentence per setting that is not as the table says."""
    wanted: Mapping[str, TopicSpec] = {connection.title(spec.topic): spec for spec in specs}
    if not wanted:
        return
    asked = [ConfigResource(ResourceType.TOPIC, title) for title in wanted]
    for resource, answer in admin.describe_configs(asked, request_timeout=_ANSWER_S).items():
        try:
            found = answer.result()
        except KafkaException as error:
            raise_reading(error, f"{resource.name}: asking for its settings")
        settings = settings_of(wanted[resource.name], replication)
        for name in _COMPARED:
            if name in settings and found[name].value != settings[name]:
                yield f"{resource.name}: `{name}` is {found[name].value}, not {settings[name]}"


def partition_counts(connection: Connection, topics: Iterable[Topic]) -> dict[Topic, int]:
    """Return how many partitions each topic has. Raise `Unavailable` when one is missing."""
    wanted = tuple(topics)
    known = _shapes(AdminClient(connection.client()), connection, wanted)
    for topic in wanted:
        if topic not in known:
            title = connection.title(topic)
            raise Unavailable(f"{title}: no such topic on {connection.bootstrap}; `placet topics apply` makes it")
    return {topic: known[topic][0] for topic in wanted}
