"""The topics as everybody but the workers has them: what is appended is there, what is read is committed."""

from collections.abc import Callable, Sequence

from placet.drivers.kafka import Connection
from placet.drivers.kafka.outside import Disk, Outside
from placet.drivers.kafka.topics import settings_of
from placet.model.topics import TOPICS, Topic
from placet.ports import Message, Rec
from tests.sim.admin import SimAdmin
from tests.sim.cluster import Cluster
from tests.sim.consumer import SimConsumer
from tests.sim.link import Link
from tests.sim.partition import Entry, Partition
from tests.sim.producer import SimProducer


def connection_over(link: Link, disk: Disk | None = None) -> Connection:
    """Return the cluster as the process of `link` sees it: the shipped drivers, over simulated clients."""
    outside = Outside(
        producer=lambda config: SimProducer(config, link),  # type: ignore[arg-type,return-value]
        consumer=lambda config: SimConsumer(config, link),  # type: ignore[arg-type,return-value]
        admin=lambda config: SimAdmin(config, link),  # type: ignore[arg-type,return-value]
        monotonic=link.timeline.monotonic,
        disk=disk or Disk(),
        ends_within=at_once,
    )
    return Connection("sim:9092", outside=outside)


def at_once(call: Callable[[], object], _seconds: float) -> bool:
    """Make a call here and now: whoever waits in a simulation is a thread of its own already, and every call ends."""
    call()
    return True


def lay_topics(cluster: Cluster, partitions: int) -> None:
    """Make every topic of the table."""
    for spec in TOPICS:
        cluster.create(spec.topic.title, partitions if spec.decided else 1, settings_of(spec, 1))


class TownLog:
    """`ports.Log` straight over the cluster, without a client between."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._topics = {int(topic): cluster.topics.get(topic.title, []) for topic in Topic}

    def partitions(self, topic: int) -> int:
        return len(self._topics[topic])

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        return self._cluster.append(Topic(topic).title, partition, [(key, value) for key, value, _ in messages])

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        found, _ = self._topics[topic][partition].fetch(offset, most, committed=True)
        return [_rec(topic, partition, entry) for entry in found]

    def end(self, topic: int, partition: int) -> int:
        """Return one past the last committed record."""
        return last_committed(self._topics[topic][partition])

    def close(self) -> None:
        """Nothing is held."""


def last_committed(partition: Partition) -> int:
    """Return one past the last committed record; where there is none, the first offset kept."""
    found, _ = partition.fetch(partition.low, 1 << 40, committed=True)
    return found[-1].offset + 1 if found else partition.low


def _rec(topic: int, partition: int, entry: Entry) -> Rec:
    return Rec(topic, partition, entry.offset, entry.at, entry.key, entry.value)
