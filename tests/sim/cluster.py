"""A Kafka cluster in memory: topics, transactions and groups, as one broker that answers requests one by one."""

from collections.abc import Callable, Mapping
from functools import partial

from confluent_kafka import KafkaError

from tests.sim.group import Group, Membership, Position
from tests.sim.partition import NOBODY, Partition
from tests.sim.refusals import Refused
from tests.sim.timeline import Timeline
from tests.sim.transactions import Marked, Stamp, Transactions

OFFSETS = -1
"""The `partition` under which the positions of a group take part in transactions."""
MESSAGE_BYTES_MAX = 1_048_588
Messages = list[tuple[bytes | None, bytes | None]]


class Cluster:
    """What a broker knows, and what it answers. `delay` draws the ms that something takes inside of it, by name.

    With `old` it speaks as brokers and clients did before KIP-890.
    """

    id = "sim-cluster"

    def __init__(self, timeline: Timeline, delay: Callable[[str], float] = lambda _: 0.0, *, old: bool = False) -> None:
        self.timeline = timeline
        self.delay = delay
        self.topics: dict[str, list[Partition]] = {}
        self.configs: dict[str, dict[str, str]] = {}
        self.groups: dict[str, Group] = {}
        self.transactions = Transactions(timeline, self._mark, partial(delay, "marker"), old=old)
        self._batches = 0
        self._offset_epochs: dict[int, int] = {}

    # Topics

    def create(self, title: str, count: int, config: Mapping[str, str]) -> None:
        if title in self.topics:
            raise Refused(KafkaError.TOPIC_ALREADY_EXISTS)
        self.configs[title] = dict(config)
        compacted, largest = config.get("cleanup.policy") == "compact", int(config.get("max.message.bytes", 0))
        self.topics[title] = [
            Partition(title, number, compacted=compacted, largest=largest or MESSAGE_BYTES_MAX)
            for number in range(count)
        ]

    def at(self, title: str, number: int) -> Partition:
        """Return a partition. Refuse what is not there."""
        partitions = self.topics.get(title, [])
        if not 0 <= number < len(partitions):
            raise Refused(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return partitions[number]

    def group(self, name: str) -> Group:
        if name not in self.groups:
            self.groups[name] = Group(
                name, self.timeline, lambda title: len(self.topics.get(title, [])), partial(self.delay, "heartbeat")
            )
        return self.groups[name]

    # Writing

    def batch(self) -> int:
        """Return a number for a batch, by which it is known when it comes twice."""
        self._batches += 1
        return self._batches

    def produce(
        self, title: str, number: int, messages: Messages, producer: int, batch: int, stamp: Stamp | None
    ) -> int:
        """Append a batch and return its first offset; one that came before lies where it lies."""
        partition = self.at(title, number)
        known = partition.known(producer, batch)
        if known is not None:
            return known
        if any(len(key or b"") + len(value or b"") > partition.largest for key, value in messages):
            raise Refused(KafkaError.MSG_SIZE_TOO_LARGE)
        if stamp is not None:
            self._admit(stamp, partition.epoch(producer), (title, number))
        epoch = -1 if stamp is None else stamp.epoch
        return partition.append(self.timeline.now_ms(), messages, producer, epoch, batch)

    def _admit(self, stamp: Stamp, seen: int, wanted: Marked) -> None:
        if stamp.epoch < seen:
            self.transactions.fenced += 1
            raise Refused(KafkaError.INVALID_PRODUCER_EPOCH)
        self.transactions.check(stamp, wanted)

    def send_offsets(self, shown: Membership, producer: int, stamp: Stamp, positions: Mapping[Position, int]) -> None:
        """Keep positions of a group as part of a transaction, if who sends them belongs to its generation."""
        group = self.group(shown.group)
        self._admit(stamp, self._offset_epochs.get(producer, -1), (shown.group, OFFSETS))
        group.check(shown)
        self._offset_epochs[producer] = stamp.epoch
        group.hold(producer, positions)

    def _mark(self, marked: Marked, producer: int, epoch: int, commit: bool) -> None:
        name, number = marked
        if number == OFFSETS:
            self._offset_epochs[producer] = max(epoch, self._offset_epochs.get(producer, -1))
            self.group(name).mark(producer, commit=commit)
        else:
            self.topics[name][number].mark(self.timeline.now_ms(), producer, epoch, commit=commit)

    # Upkeep

    def every(self) -> list[Partition]:
        return [partition for partitions in self.topics.values() for partition in partitions]

    def abort_hanging(self) -> int:
        """Abort what no coordinator knows of, as an operator does with `kafka-transactions`; return how many."""
        aborted = 0
        for partition in self.every():
            for producer in partition.open_producers():
                partition.mark(self.timeline.now_ms(), producer, partition.epoch(producer), commit=False)
                aborted += 1
        for group in self.groups.values():
            aborted += len(group.pending)
            group.pending.clear()
        return aborted

    def append(self, title: str, number: int, messages: Messages) -> int:
        """Write outside of every transaction and of every fault; return the first offset."""
        return self.produce(title, number, messages, NOBODY, self.batch(), None)
