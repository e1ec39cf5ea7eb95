"""Spans of one partition, read committed to an end that a hanging transaction cannot hide."""

from collections.abc import Callable, Iterator
from time import monotonic

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.faults import END, raise_reading, reading
from placet.errors import Unavailable
from placet.model.topics import Topic
from placet.ports import Rec

_CHUNK = 1_000
_SLICE_S = 0.1
_ANSWER_S = 10.0


def record(topic: int, message: Message) -> Rec:
    """Return a message of librdkafka as a record of `topic`."""
    return Rec(topic, message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value())  # type: ignore[arg-type]


class Reader:
    """Reads any span of any partition, one at a time, outside every group.

    It asks for ends with a client that sees open transactions and reads with
    one that does not: an end asked for by the latter lies before whatever is
    still open (KAFKA-10167).
    """

    def __init__(self, connection: Connection, make: Callable[..., Consumer] = Consumer) -> None:
        self._connection = connection
        self._committed = make(connection.reader())
        self._open = make(connection.reader(committed=False))

    def bounds(self, topic: Topic, partition: int) -> tuple[int, int]:
        """Return the first offset kept and one past the last one written, whether committed or not."""
        return self._ask(self._open, topic, partition)

    def stable_end(self, topic: Topic, partition: int) -> int:
        """Return the offset before which every transaction has ended (the last stable offset)."""
        return self._ask(self._committed, topic, partition)[1]

    def _ask(self, consumer: Consumer, topic: Topic, partition: int) -> tuple[int, int]:
        title = self._connection.title(topic)
        try:
            bounds = consumer.get_watermark_offsets(TopicPartition(title, partition), _ANSWER_S)
        except KafkaException as error:
            raise_reading(error, f"{title}/{partition}: asking for its ends")
        if bounds is None:
            raise Unavailable(f"{title}/{partition}: the broker did not tell its ends within {_ANSWER_S:.0f} s")
        return bounds

    def span(self, topic: Topic, partition: int, start: int, end: int) -> Iterator[Rec]:
        """Yield the committed records of [start, end), having waited for every transaction in it to end.

        Raise `Unavailable` after `stall_ms` without progress.
        """
        if start >= end:
            return
        title, number = self._connection.title(topic), int(topic)
        where = f"{title}/{partition}"
        try:
            self._committed.assign([TopicPartition(title, partition, start)])
            at, seen = start, monotonic()
            while at < end:
                reached = at
                for message in self._chunk(where):
                    cause = message.error()
                    if cause is None:
                        found = record(number, message)
                        at = found.offset + 1
                        if found.offset < end:
                            yield found
                    elif cause.code() == END:
                        # Control records take offsets and are never seen: only the end's own offset tells of them.
                        at = max(at, message.offset() or 0)
                    else:
                        raise reading(cause, where)
                if at > reached:
                    seen = monotonic()
                elif (monotonic() - seen) * 1000 > self._connection.stall_ms:
                    raise Unavailable(
                        f"{where}@{at}: no progress towards {end} for {self._connection.stall_ms} ms;"
                        " is a transaction left open?"
                    )
        except KafkaException as error:
            raise_reading(error, where)
        finally:
            self._committed.unassign()

    def _chunk(self, where: str) -> list[Message]:
        # `consume` alone waits its whole timeout unless all came; so: wait for one, then take what lies there.
        try:
            first = self._committed.poll(_SLICE_S)
            return [] if first is None else [first, *self._committed.consume(_CHUNK - 1, 0)]
        except KafkaException as error:
            raise_reading(error, where)

    def close(self) -> None:
        """Give both clients back."""
        self._committed.close()
        self._open.close()
