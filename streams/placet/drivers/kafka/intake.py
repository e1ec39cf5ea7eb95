"""The inputs of the desks, as one member of the consumer group receives them."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaException, Message, TopicPartition

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.faults import EVICTED, raise_reading, reading
from placet.drivers.kafka.reader import learn, record
from placet.errors import Corrupted, PlacetError, Unavailable
from placet.model.topics import INPUTS, Topic
from placet.ports import Rec

_SLICE_S = 0.1
_ORDER = tuple(int(topic) for topic in INPUTS)
Positions = dict[int, int]
"""Topic number to an offset, for one partition."""


class Intake:
    """Brings the records of the partitions that are assigned and restored, and tells which those are.

    Nothing of a partition is fetched before `open` has named its positions.
    A rebalance forgets every partition; `assigned` then answers once with
    nothing, even when the same ones come back, because another may have decided
    them in between.
    """

    def __init__(self, connection: Connection, slot: str) -> None:
        self._connection = connection
        self._monotonic = connection.outside.monotonic
        self._titles = {number: connection.title(Topic(number)) for number in _ORDER}
        self._numbers = {title: number for number, title in self._titles.items()}
        self._mine: frozenset[int] = frozenset()
        self._member: Any = None
        self._forgotten = False
        self._stale = False
        self._fault: PlacetError | None = None
        self._committed: dict[int, Positions] = {}
        self._taken: dict[int, Positions] = {}
        self._sent: dict[int, set[int]] = {}
        self._waiting: dict[int, dict[int, deque[Rec]]] = {number: {} for number in _ORDER}
        self._count = 0
        self._turn = 0
        self._consumer = connection.outside.consumer(connection.member(slot))
        learn(self._consumer, connection.bootstrap)
        self._consumer.subscribe(
            list(self._numbers), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    # What the group says

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        by_topic: dict[str, set[int]] = {title: set() for title in self._numbers}
        for one in partitions:
            by_topic[one.topic].add(one.partition)
        first, *rest = by_topic.values()
        if any(other != first for other in rest):
            told = ", ".join(f"{title} {sorted(numbers)}" for title, numbers in by_topic.items())
            self._fault = Corrupted(f"the inputs of a desk are not assigned together: {told}; is the assignor `range`?")
        self._forget()
        self._mine = frozenset(first)
        # As it is now, and not at each commit: a member that was thrown out reports no generation at all, and a group
        # that is empty at that moment would take its positions.
        self._member = consumer.consumer_group_metadata()
        # Fetching begins at the positions a restore names, never at the group's.
        consumer.assign([])

    def _on_revoke(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._forget()
        self._mine = frozenset()

    def _forget(self) -> None:
        self._forgotten = self._forgotten or bool(self._mine)
        self._committed.clear()
        self._taken.clear()
        self._sent.clear()
        self._clear()

    def _clear(self) -> None:
        for waiting in self._waiting.values():
            waiting.clear()
        self._count = 0

    def assigned(self) -> frozenset[int]:
        """Return the partitions of this member, rebalances served first; nothing once after each rebalance."""
        self._fetch(0, 0)
        self._check()
        if self._forgotten:
            self._forgotten = False
            return frozenset()
        return self._mine

    def _check(self) -> None:
        fault = self._fault
        if isinstance(fault, Unavailable):
            self._fault = None
        if fault is not None:
            raise fault

    def membership(self) -> Any:
        """Return what a transaction must show so that only the generation of this assignment can commit."""
        return self._member

    # Where each partition stands

    def stable(self, partition: int) -> dict[int, int | None]:
        """Return the committed position of each input, once no transaction that may move it is open."""
        asked = [TopicPartition(title, partition) for title in self._titles.values()]
        # A pending position is answered only when its transaction has ended, at the latest after its timeout.
        try:
            answers = self._consumer.committed(asked, self._connection.settle_s + 5)
        except KafkaException as error:
            raise_reading(error, f"asking for the positions of partition {partition}")
        found: dict[int, int | None] = {}
        for answer in answers:
            if answer.error is not None:
                raise reading(answer.error, f"{answer.topic}/{partition}: asking for its position")
            found[self._numbers[answer.topic]] = answer.offset if answer.offset >= 0 else None
        return found

    def open(self, partition: int, positions: Positions) -> None:
        """Begin to fetch `partition` at `positions`, with the next `take`."""
        if partition not in self._mine or self._forgotten:
            raise Unavailable(f"partition {partition} was taken away while it was being restored")
        self._committed[partition] = dict(positions)
        self._taken[partition] = dict(positions)
        self._sent[partition] = set()
        self._stale = True

    def holds(self, partitions: Iterable[int]) -> None:
        """Raise `Unavailable` unless all these are assigned and restored."""
        lost = sorted(set(partitions) - self._committed.keys()) if not self._forgotten else sorted(set(partitions))
        if lost:
            raise Unavailable(f"partitions {lost} are not this worker's any more; nothing was committed")

    def positions(self, partitions: Iterable[int], inputs: Mapping[int, Mapping[int, int]]) -> list[TopicPartition]:
        """Return what a commit must send: all that moved, and of each partition at least one.

        A position is what binds a commit to this generation of the group. The
        first commit of a partition sends all three, so that from then on a
        position that is missing means that it was lost.
        """
        sends: list[TopicPartition] = []
        for partition in partitions:
            known, moved, sent = self._committed[partition], inputs.get(partition, {}), self._sent[partition]
            wanted = {*moved, *(known.keys() - sent)} or {int(Topic.INTENTS)}
            sends += [
                TopicPartition(self._titles[topic], partition, moved.get(topic, known[topic])) for topic in wanted
            ]
        return sends

    def advance(self, sends: Iterable[TopicPartition]) -> None:
        """Note that these positions are committed."""
        for sent in sends:
            number = self._numbers[sent.topic]
            self._committed[sent.partition][number] = sent.offset
            self._sent[sent.partition].add(number)

    def next_partition(self) -> int:
        """Return the restored partitions in turn, one a call."""
        held = sorted(self._committed)
        self._turn += 1
        return held[self._turn % len(held)]

    def rewind(self) -> None:
        """Begin again at the committed positions, with the next `take`."""
        self._taken = {partition: dict(positions) for partition, positions in self._committed.items()}
        self._stale = True

    # Records

    def take(self, most: int, wait_ms: int) -> dict[int, list[Rec]]:
        """Return up to `most` records by partition: outcomes first, then votes, then intents, each by offset."""
        self._check()
        if self._stale:
            self._align()
        if self._count < most:
            # Twice as many are kept at hand, so that a late outcome overtakes the intents in front of it.
            self._fetch(2 * most - self._count, 0 if self._count else wait_ms)
            self._check()
        return {} if self._forgotten else self._pick(most)

    def _align(self) -> None:
        self._clear()
        starts = [
            TopicPartition(self._titles[topic], partition, offset)
            for partition, positions in self._taken.items()
            for topic, offset in positions.items()
        ]
        try:
            self._consumer.assign(starts)
        except KafkaException as error:
            raise_reading(error, "placing the inputs")
        self._stale = False

    def _fetch(self, most: int, wait_ms: int) -> None:
        until = self._monotonic() + wait_ms / 1000
        mine = self._mine
        try:
            while True:
                left = max(until - self._monotonic(), 0)
                first = self._consumer.poll(min(left, _SLICE_S))
                if first is not None:
                    self._keep([first])
                    if most > 1:
                        self._keep(self._consumer.consume(most - 1, 0))
                if self._count or left <= 0 or self._mine is not mine or self._fault is not None:
                    return
        except KafkaException as error:
            raise_reading(error, "taking inputs")

    def _keep(self, batch: list[Message]) -> None:
        numbers, waiting = self._numbers, self._waiting
        for message in batch:
            cause = message.error()
            if cause is not None:
                # A member that was silent too long is told so, and rejoins by itself.
                if cause.code() != EVICTED:
                    self._fault = reading(cause, f"{message.topic() or 'inputs'}/{message.partition()}")
                continue
            number, partition = numbers[message.topic() or ""], message.partition() or 0
            if message.timestamp()[0] != TIMESTAMP_LOG_APPEND_TIME:
                self._fault = Corrupted(
                    f"{message.topic()}/{partition}@{message.offset()}: not stamped by the broker;"
                    " `message.timestamp.type` must be LogAppendTime"
                )
                continue
            queue = waiting[number].get(partition)
            due = queue[-1].offset + 1 if queue else self._taken.get(partition, {}).get(number, 0)
            if (message.offset() or 0) < due:
                # What a client brings again, as after a change of leader, was taken before.
                continue
            if queue is None:
                queue = waiting[number][partition] = deque()
            queue.append(record(number, message))
            self._count += 1

    def _pick(self, most: int) -> dict[int, list[Rec]]:
        picked: dict[int, list[Rec]] = {}
        room = most
        for number in _ORDER:
            waiting = self._waiting[number]
            partitions = sorted(waiting)
            # Each partition gets its share of the room; who begins moves on, so that none waits for ever.
            self._turn += 1
            turn = self._turn % len(partitions) if partitions else 0
            for left, partition in zip(
                range(len(partitions), 0, -1), partitions[turn:] + partitions[:turn], strict=True
            ):
                queue = waiting[partition]
                share = min(len(queue), -(-room // left))
                if not share:
                    continue
                found = [queue.popleft() for _ in range(share)]
                picked.setdefault(partition, []).extend(found)
                self._taken[partition][number] = found[-1].offset + 1
                room -= share
                if not queue:
                    del waiting[partition]
        self._count -= most - room
        return picked

    def close(self) -> None:
        """Leave the consumer; as a static member its partitions wait for its return until the session times out."""
        # Never by `Consumer.close`: where a rebalance still waits to be served, it waits for ever (librdkafka 4884).
        # The last reference destroys the consumer without a word to the group, and a static member has none to say.
        del self._consumer
