"""Many partitions followed from given positions by one client that belongs to no group."""

from collections.abc import Iterable, Mapping, Sequence

from confluent_kafka import KafkaException, Message, TopicPartition

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.faults import END, cause_of, is_gone, raise_reading, reading
from placet.drivers.kafka.reader import ends_of, learn, record
from placet.errors import PlacetError, Unavailable
from placet.model.topics import Topic
from placet.ports import Rec

Place = tuple[Topic, int]
"""A topic and a partition."""

_SLICE_S = 0.1


class Follower:
    """Returns committed records of many partitions as they come, each partition in order.

    `starts` names the first offset wanted of each; one that the broker no
    longer keeps begins at the first that it does, one that is not there yet is
    waited for; one that a client brings again, as after a change of leader, is
    not returned again. `positions` is one past the last record (or control record)
    seen of each. What was seen and not yet returned is kept: a call that raises
    loses nothing, whatever had come by then.
    """

    def __init__(self, connection: Connection, starts: Mapping[Place, int]) -> None:
        self._connection = connection
        self._monotonic = connection.outside.monotonic
        self._consumer = connection.outside.consumer(connection.reader())
        self._topics = {connection.title(topic): int(topic) for topic in Topic}
        self.positions: dict[tuple[int, int], int] = {}
        self._ahead: dict[tuple[int, int], int] = {}
        self._gone: set[tuple[int, int]] = set()
        self._kept: list[Rec] = []
        self._fault: PlacetError | None = None
        learn(self._consumer, connection.bootstrap)
        self.move(starts)

    def move(self, starts: Mapping[Place, int]) -> None:
        """Go on from `starts`, and with these partitions only."""
        self.positions = {(int(topic), partition): start for (topic, partition), start in starts.items()}
        self._ahead.clear()
        self._gone.clear()
        self._kept, self._fault = [], None
        self._assign()

    def _assign(self) -> None:
        wanted = [
            TopicPartition(self._connection.title(Topic(topic)), partition, start)
            for (topic, partition), start in self.positions.items()
            if (topic, partition) not in self._ahead
        ]
        try:
            self._consumer.assign(wanted)
        except KafkaException as error:
            raise_reading(error, "following")

    def take(self, most: int, wait_ms: int) -> list[Rec]:
        """Return up to `most` records as soon as there is one; none after `wait_ms`."""
        until = self._monotonic() + wait_ms / 1000
        if self._ahead and not self._kept:
            self._look_again()
        while True:
            if self._kept:
                found, self._kept = self._kept[:most], self._kept[most:]
                return found
            self._mend()
            left = until - self._monotonic()
            batch = self._poll(min(max(left, 0), _SLICE_S), most)
            self._sort(batch)
            # An end that was met, or a record before the wanted one, is no reason to answer with nothing.
            if not batch and left <= 0:
                return []

    def give_back(self, records: Sequence[Rec]) -> None:
        """Have records that were returned, and not used, returned again before all others."""
        self._kept = [*records, *self._kept]

    def _poll(self, wait_s: float, most: int) -> list[Message]:
        try:
            first = self._consumer.poll(wait_s)
        except KafkaException as error:
            raise_reading(error, "following")
        if first is None:
            return []
        try:
            return [first, *self._consumer.consume(most - 1, 0)] if most > 1 else [first]
        except KafkaException as error:
            self._fault = reading(cause_of(error), "following")
            return [first]

    def _sort(self, batch: Iterable[Message]) -> None:
        """Keep the records of a batch, and note what else it says."""
        topics, positions = self._topics, self.positions
        for message in batch:
            cause = message.error()
            topic = topics[message.topic() or ""]
            if cause is None:
                made = record(topic, message)
                if made.offset >= positions.get((topic, made.partition), 0):
                    positions[topic, made.partition] = made.offset + 1
                    self._kept.append(made)
            elif cause.code() == END:
                place = (topic, message.partition() or 0)
                positions[place] = max(positions[place], message.offset() or 0)
            elif is_gone(cause):
                self._gone.add((topic, message.partition() or 0))
            else:
                self._fault = reading(cause, f"{message.topic()}/{message.partition()}")

    def _mend(self) -> None:
        """Raise the fault that was noted, once; place anew what the broker no longer keeps."""
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault
        if self._gone:
            self._return(self._gone)
            self._gone.clear()

    def _return(self, gone: Iterable[tuple[int, int]]) -> None:
        """Go on with these, at the first record kept where theirs is not, or leave them aside until the broker has come as far."""
        for place in gone:
            low, high = self._bounds(place)
            if self.positions[place] > high:
                self._ahead[place] = self.positions[place]
            else:
                self.positions[place] = max(self.positions[place], low)
        self._assign()

    def _look_again(self) -> None:
        there = [place for place, wanted in self._ahead.items() if self._bounds(place)[1] >= wanted]
        for place in there:
            del self._ahead[place]
        if there:
            self._assign()

    def _bounds(self, place: tuple[int, int]) -> tuple[int, int]:
        return ends_of(self._consumer, self._connection.title(Topic(place[0])), place[1], self._monotonic)

    def reach(self, targets: Mapping[Place, int], most: int = 2_000) -> list[Rec]:
        """Return what comes until every position is at its target. Raise `Unavailable` when nothing moves."""
        found: list[Rec] = []
        try:
            self._collect(targets, found, most)
        except PlacetError:
            self.give_back(found)
            raise
        found.extend(self._kept)
        self._kept = []
        return found

    def _collect(self, targets: Mapping[Place, int], found: list[Rec], most: int) -> None:
        seen = self._monotonic()
        while behind := [
            place for place, target in targets.items() if self.positions[int(place[0]), place[1]] < target
        ]:
            before = sum(self.positions.values())
            found.extend(self.take(most, 50))
            if sum(self.positions.values()) > before:
                seen = self._monotonic()
            elif (self._monotonic() - seen) * 1000 > self._connection.stall_ms:
                topic, partition = behind[0]
                raise Unavailable(
                    f"{self._connection.title(topic)}/{partition}@{self.positions[int(topic), partition]}: no progress"
                    f" towards {targets[behind[0]]} for {self._connection.stall_ms} ms"
                )

    def close(self) -> None:
        """Give the client back."""
        self._consumer.close()
