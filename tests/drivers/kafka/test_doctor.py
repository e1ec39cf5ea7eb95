"""The doctor finds what is planted, on real brokers, and nothing on a healthy cluster."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, ResourceType

from broker import Broker
from placet.drivers.clock import SystemClock
from placet.drivers.finding import Finding
from placet.drivers.kafka import Connection
from placet.drivers.kafka.doctor import Wants, examine
from placet.drivers.kafka.seen import Copies, Seen, look
from placet.drivers.kafka.seen import Stand as Place
from placet.drivers.kafka.skew import clock_findings
from placet.drivers.kafka.topics import apply_topics
from placet.model.topics import Topic
from tests.drivers.kafka.stand import Stand, message, until

ONE = Wants(replicas=1)
# A lone broker that checks no rights is fine for a test, and the doctor says what it is not.
ALWAYS = {"copies", "authorizer.class.name"}


def now() -> int:
    return SystemClock().now_ms()


def codes(connection: Connection, wants: Wants = ONE) -> set[tuple[str, str]]:
    found = examine(look(connection, now()), connection, wants)
    return {(one.code, one.where.removeprefix(connection.prefix)) for one in found if one.code not in ALWAYS}


def test_a_healthy_cluster_has_nothing_grave(wide: Stand) -> None:
    found = examine(look(wide.connection, now()), wide.connection, ONE)
    assert {one.code for one in found} == ALWAYS
    assert not any(one.grave for one in found)


# What may be wrong with topics


def alter(topic: Topic, name: str, value: str) -> Callable[[Stand], None]:
    def plant(stand: Stand) -> None:
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        admin = stand.connection.outside.admin(stand.connection.client())
        title = stand.connection.title(topic)
        asked = ConfigResource(ResourceType.TOPIC, title, incremental_configs=[entry])
        admin.incremental_alter_configs([asked])[asked].result(30)

    return plant


def grow(stand: Stand) -> None:
    admin = stand.connection.outside.admin(stand.connection.client())
    title = stand.connection.title(Topic.VOTES)
    admin.create_partitions([NewPartitions(title, 7)])[title].result(30)


def remove(stand: Stand) -> None:
    admin = stand.connection.outside.admin(stand.connection.client())
    title = stand.connection.title(Topic.CONTROLS)
    admin.delete_topics([title])[title].result(30)


def misspell(stand: Stand) -> None:
    admin = stand.connection.outside.admin(stand.connection.client())
    title = f"{stand.connection.prefix}placet.intent"
    admin.create_topics([NewTopic(title, 1, 1)])[title].result(30)


def lose(stand: Stand) -> None:
    """Have the workers stand at the second intent, and the broker keep only the fourth and what comes after."""
    connection = stand.connection
    stand.ask("one", "two", "three", "four", partition=2)
    admin = connection.outside.admin(connection.client())
    title, group = connection.title(Topic.INTENTS), connection.prefix + connection.group
    asked = ConsumerGroupTopicPartitions(group, [TopicPartition(title, 2, 1)])
    admin.alter_consumer_group_offsets([asked])[group].result(30)
    end = TopicPartition(title, 2, 3)
    admin.delete_records([end])[end].result(30)


PLANTED: list[tuple[Callable[[Stand], None], str, str]] = [
    (alter(Topic.INTENTS, "retention.ms", "3600000"), "topic-retention.ms", "placet.intents"),
    (alter(Topic.DECISIONS, "retention.ms", "3600000"), "topic-retention.ms", "placet.decisions"),
    (alter(Topic.DESK, "cleanup.policy", "delete"), "topic-cleanup.policy", "placet.desk"),
    (alter(Topic.DESK, "max.compaction.lag.ms", "9999999999"), "topic-max.compaction.lag.ms", "placet.desk"),
    (alter(Topic.RISK, "delete.retention.ms", "1000"), "topic-delete.retention.ms", "placet.risk"),
    (alter(Topic.CASES, "max.message.bytes", "1048588"), "topic-max.message.bytes", "placet.cases"),
    (alter(Topic.OUTCOMES, "max.message.bytes", "70000"), "topic-max.message.bytes", "placet.outcomes"),
    (
        alter(Topic.INTENTS, "message.timestamp.type", "CreateTime"),
        "topic-message.timestamp.type",
        "placet.intents",
    ),
    (
        alter(Topic.DECISIONS, "unclean.leader.election.enable", "true"),
        "topic-unclean.leader.election.enable",
        "placet.decisions",
    ),
    (alter(Topic.SIGNALS, "compression.type", "zstd"), "topic-compression.type", "placet.signals"),
    (grow, "topic-partitions", "placet.votes"),
    (remove, "topic-topic", "placet.controls"),
    (misspell, "topic-unknown", "placet.intent"),
    (lose, "position-lost", "placet.intents/2"),
]


@pytest.mark.parametrize(("plant", "code", "where"), PLANTED, ids=[f"{code} of {where}" for _, code, where in PLANTED])
def test_what_is_wrong_with_a_topic_is_found(
    wide: Stand, plant: Callable[[Stand], None], code: str, where: str
) -> None:
    assert codes(wide.connection) == set()
    plant(wide)
    assert until(lambda: codes(wide.connection)) == {(code, where)}


def test_a_partition_that_took_more_than_a_desk_decides_is_told(wide: Stand) -> None:
    wide.log.append(int(Topic.INTENTS), 1, [message("busy")] * 120)
    assert codes(wide.connection, replace(ONE, rate_most=1)) == {("rate", "placet.intents/1")}


# What may be wrong with brokers

SICK = {
    "auto.create.topics.enable": "true",
    "unclean.leader.election.enable": "true",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "10000",
    "transaction.partition.verification.enable": "false",
    "offsets.retention.minutes": "60",
    "transactional.id.expiration.ms": "3600000",
    "group.min.session.timeout.ms": "10000",
    "log.cleaner.enable": "false",
}


@pytest.fixture(scope="module")
def sick(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Finding]]:
    """Yield what is found on a broker with every fault at once, by setting."""
    node = Broker(tmp_path_factory.mktemp("sick"), extra=SICK)
    node.start()
    try:
        connection = Connection(node.bootstrap)
        apply_topics(connection, partitions=1)
        yield {one.code: one for one in examine(look(connection, now()), connection, ONE)}
    finally:
        node.stop()


@pytest.mark.parametrize("setting", SICK)
def test_what_is_wrong_with_a_broker_is_found(sick: dict[str, Finding], setting: str) -> None:
    found = sick[setting]
    assert (found.grave, found.where, found.found) == (True, "broker 1", f"`{setting}` is {SICK[setting]}")
    assert found.next.startswith("set it in the broker's properties and restart it: ")


def test_too_few_copies_for_the_promises_are_found(stand: Stand) -> None:
    found = {code for code, _ in codes(stand.connection, Wants(replicas=3))}
    assert found >= {
        "brokers",
        "topic-copies",
        "topic-min.insync.replicas",
        "internal-copies",
        "transaction.state.log.min.isr",
        "transaction.state.log.replication.factor",
        "offsets.topic.replication.factor",
    }


# What may be wrong here


@pytest.mark.parametrize(
    ("wants", "code"),
    [
        (replace(ONE, session_ms=45_000), "session"),
        (replace(ONE, transaction_ms=60_000), "transaction-timeout"),
    ],
)
def test_timeouts_longer_than_published_are_found(stand: Stand, wants: Wants, code: str) -> None:
    assert codes(stand.connection, wants) == {(code, "this process")}


def test_options_that_are_not_anybodys_business_are_told(stand: Stand) -> None:
    connection = replace(stand.connection, options={"acks": "1"})
    assert codes(connection) == {("options", "this process")}


class Wrong:
    """A clock that is off."""

    def __init__(self, off_ms: int) -> None:
        self._off_ms = off_ms

    def now_ms(self) -> int:
        return now() + self._off_ms


@pytest.mark.parametrize(("off_ms", "told"), [(-60_000, "ahead of"), (60_000, "behind")])
def test_a_clock_that_is_off_is_found(stand: Stand, off_ms: int, told: str) -> None:
    [found] = clock_findings(stand.connection, Wrong(off_ms), 2_000)
    assert (found.code, found.where, found.grave) == ("clock-skew", "broker 1", True)
    assert f"{told} this one" in found.found
    titles = stand.connection.outside.admin(stand.connection.client()).list_topics(timeout=30).topics
    assert f"{stand.connection.prefix}placet-doctor" not in titles


def test_a_clock_that_is_right_is_not_found(stand: Stand) -> None:
    assert clock_findings(stand.connection, SystemClock(), 2_000) == []


# What one broker cannot show

HEALTHY = Seen({1: {}, 2: {}, 3: {}}, {}, frozenset(), (), ())


@pytest.mark.parametrize(
    ("seen", "code", "grave"),
    [
        (replace(HEALTHY, copies=(Copies("placet.desk", 0, 3, 0, led=False),)), "leader", True),
        (replace(HEALTHY, copies=(Copies("placet.desk", 0, 3, 1, led=True),)), "in-step", True),
        (replace(HEALTHY, copies=(Copies("placet.desk", 0, 3, 2, led=True),)), "in-step", False),
        (replace(HEALTHY, copies=(Copies("__consumer_offsets", 0, 1, 1, led=True),)), "internal-copies", True),
        (replace(HEALTHY, stands=(Place("placet.votes", 0, 0, 5, 5, 9),)), "position-lost", True),
        (replace(HEALTHY, brokers={1: {}, 2: {}}), "brokers", True),
        # On a real one not even the script that waits for the broker could begin a transaction.
        (
            replace(HEALTHY, brokers={1: {}, 2: {}, 3: {"transaction.max.timeout.ms": "5000"}}),
            "transaction.max.timeout.ms",
            True,
        ),
        (
            replace(
                HEALTHY,
                brokers={1: {}, 2: {}, 3: {"authorizer.class.name": "x", "allow.everyone.if.no.acl.found": "true"}},
            ),
            "allow.everyone.if.no.acl.found",
            True,
        ),
    ],
)
def test_what_only_several_brokers_have_wrong_is_found(seen: Seen, code: str, grave: bool) -> None:
    found = examine(seen, Connection(""), Wants(replicas=3))
    assert [(one.code, one.grave) for one in found if not one.code.startswith("topic-")] == [(code, grave)]


def test_what_ends_a_promise_comes_first(bare: Stand, tmp_path: Path) -> None:
    graves = [one.grave for one in examine(look(bare.connection, now()), bare.connection, ONE)]
    assert graves == sorted(graves, reverse=True)
    assert graves[0]
