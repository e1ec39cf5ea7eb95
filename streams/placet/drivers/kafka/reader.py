"""Spans of one partition, read committed to an end that a hanging transaction cannot hide."""

from collections.abc import Callable, Iterator

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.faults import END, cause_of, is_passing, is_unheard_of, raise_reading, reading
from placet.drivers.kafka.headers import trace_of
from placet.errors import Unavailable
from placet.model.topics import Topic
from placet.ports import Rec

_CHUNK = 1_000
_SLICE_S = 0.1
_ANSWER_S = 10.0


def record(topic: int, message: Message) -> Rec:
    """Return a message of librdkafka as a record of `topic`."""
    at = message.timestamp()[1]
    return Rec(topic, message.partition(), message.offset(), at, message.key(), message.value(), trace_of(message))  # type: ignore[arg-type]


def learn(client: Consumer | Producer, where: str) -> None:
    """Have `client` hear of all topics now: it asks for one that is new to it only once a second."""
    try:
        client.list_topics(timeout=_ANSWER_S)
    except KafkaException as error:
        raise_reading(error, f"{where}: asking for its topics")


def ends_of(
    client: Consumer, title: str, partition: int, monotonic: Callable[[], float], wait_s: float = _ANSWER_S
) -> tuple[int, int]:
    """Return the first offset that the broker keeps, and one past the last that `client` may see."""
    until = monotonic() + wait_s
    why, learned = "no answer", False
    while monotonic() < until:
        try:
            bounds = client.get_watermark_offsets(TopicPartition(title, partition), wait_s)
        except KafkaException as error:
            cause = cause_of(error)
            why = cause.str()
            if is_unheard_of(cause) and not learned:
                # What a client heard while brokers came and went it goes by until it is told to ask again.
                learned = True
                learn(client, f"{title}/{partition}")
            elif not is_passing(cause):
                raise_reading(error, f"{title}/{partition}: asking for its ends")
        else:
            if bounds is not None:
                return bounds
    raise Unavailable(f"{title}/{partition}: the broker did not tell its ends within {wait_s:.0f} s: {why}")


class Reader:
    """Reads any span of any partition, one at a time, outside every group.

    It asks for ends with a client that sees open transactions and reads with
    one that does not: an end asked for by the latter lies before whatever is
    still open (KAFKA-10167).
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._monotonic = connection.outside.monotonic
        make = connection.outside.consumer
        # A span ends with an empty answer from the broker: one that waits long to be filled makes a restore slow.
        self._committed = make({**connection.reader(), "fetch.wait.max.ms": 5})
        self._open = make(connection.reader(committed=False))
        learn(self._committed, connection.bootstrap)

    def bounds(self, topic: Topic, partition: int, wait_s: float = _ANSWER_S) -> tuple[int, int]:
        """Return the first offset kept and one past the last one written, whether committed or not."""
        return ends_of(self._open, self._connection.title(topic), partition, self._monotonic, wait_s)

    def stable_end(self, topic: Topic, partition: int) -> int:
        """Return the offset before which every transaction has ended (the last stable offset)."""
        return ends_of(self._committed, self._connection.title(topic), partition, self._monotonic)[1]

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
            at, seen = start, self._monotonic()
            while at < end:
                reached = at
                for message in self._chunk(where):
                    cause = message.error()
                    if cause is None:
                        found = record(number, message)
                        fresh, at = found.offset >= at, max(at, found.offset + 1)
                        if fresh and found.offset < end:
                            yield found
                    elif cause.code() == END:
                        # Control records take offsets and are never seen: only the end's own offset tells of them.
                        at = max(at, message.offset() or 0)
                    else:
                        raise reading(cause, where)
                if at > reached:
                    seen = self._monotonic()
                elif (self._monotonic() - seen) * 1000 > self._connection.stall_ms:
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
