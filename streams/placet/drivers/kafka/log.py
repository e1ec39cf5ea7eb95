"""Topics as writers and followers see them: append with all replicas, read what is committed."""

from collections import OrderedDict
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Message as Delivered

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.faults import TOO_LARGE, cause_of
from placet.drivers.kafka.follower import Follower
from placet.drivers.kafka.headers import headers_of
from placet.drivers.kafka.reader import Reader
from placet.drivers.kafka.topics import partition_counts
from placet.errors import PlacetError, Unavailable, Unsure
from placet.model.topics import Topic
from placet.ports import Message, Rec

_CURSORS_MAX = 64
_BACK = 64
_REFUSED = frozenset(
    {
        TOO_LARGE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.INVALID_RECORD,
    }
)
"""Errors after which a record certainly was not written."""


class _Receipts:
    """What became of the messages of one append."""

    def __init__(self) -> None:
        self.open = 0
        self.first = -1
        self.error: KafkaError | None = None

    def note(self, error: KafkaError | None, message: Delivered) -> None:
        self.open -= 1
        if error is not None:
            self.error = self.error or error
        elif self.first < 0:
            self.first = message.offset() or 0


class _Cursor:
    """One partition read in sequence; `next` is the offset after the last record given out."""

    def __init__(self, follower: Follower, start: int) -> None:
        self.follower = follower
        self.next = start


class KafkaLog:
    """Keeps the promises of `placet.ports.Log` on a cluster.

    `append` may be called from several threads; `read` and `end` from one.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._monotonic = connection.outside.monotonic
        self._producer = connection.outside.producer(connection.writer())
        self._cursors: OrderedDict[tuple[int, int], _Cursor] = OrderedDict()
        self._counts: dict[int, int] = {}
        self._reader: Reader | None = None
        self._sent = _Receipts()

    def partitions(self, topic: int) -> int:
        """Return how many partitions `topic` has."""
        if topic not in self._counts:
            self._counts[topic] = partition_counts(self._connection, (Topic(topic),))[Topic(topic)]
        return self._counts[topic]

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        """Make the messages durable in order and return the offset of the first; without any, the end.

        Raise `Unavailable` when none was written, `Unsure` when some may have been.
        """
        if not messages:
            return self.end(topic, partition)
        receipts, where = _Receipts(), f"{self._connection.title(Topic(topic))}/{partition}"
        self._send(topic, partition, messages, receipts)
        while receipts.open:
            self._poll(0.01, receipts, where)
        self._settle(receipts, where)
        return receipts.first

    def append_async(self, topic: int, partition: int, messages: Sequence[Message]) -> None:
        """Hand the messages over; `flush` says whether all that were handed over became durable."""
        self._send(topic, partition, messages, self._sent)
        self._poll(0, self._sent, self._connection.bootstrap)

    def flush(self) -> None:
        """Return when everything handed over is durable. Raise as `append` does."""
        while self._sent.open:
            self._poll(0.05, self._sent, self._connection.bootstrap)
        receipts, self._sent = self._sent, _Receipts()
        self._settle(receipts, self._connection.bootstrap)

    def _poll(self, seconds: float, receipts: _Receipts, where: str) -> None:
        try:
            self._producer.poll(seconds)
        except KafkaException as error:  # for a client without any right to write it is raised here
            raise _refusal(cause_of(error), where, sent=receipts.first >= 0) from error

    def _send(self, topic: int, partition: int, messages: Sequence[Message], receipts: _Receipts) -> None:
        title = self._connection.title(Topic(topic))
        where = f"{title}/{partition}"
        for message in messages:
            while True:
                try:
                    self._producer.produce(
                        title,
                        message.value,
                        message.key,
                        partition,
                        on_delivery=receipts.note,
                        headers=headers_of(message.trace),
                    )
                    receipts.open += 1
                    break
                except BufferError:
                    self._poll(0.05, receipts, where)
                except KafkaException as error:
                    raise _refusal(cause_of(error), where, sent=receipts.open > 0) from error

    def _settle(self, receipts: _Receipts, where: str) -> None:
        if receipts.error is not None:
            raise _refusal(receipts.error, where, sent=receipts.first >= 0)

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        """Return committed records from `offset` on, as soon as there is one; none after `wait_ms`."""
        cursor = self._cursor(topic, partition, offset)
        until = self._monotonic() + wait_ms / 1000
        while True:
            left = max(0, int((until - self._monotonic()) * 1000))
            found = [rec for rec in cursor.follower.take(most, left) if rec.offset >= offset]
            if found:
                cursor.next = found[-1].offset + 1
            if found or left == 0:
                return found

    def _cursor(self, topic: int, partition: int, offset: int) -> _Cursor:
        place = (topic, partition)
        cursor = self._cursors.get(place)
        if cursor is None:
            if len(self._cursors) >= _CURSORS_MAX:
                self._cursors.popitem(last=False)[1].follower.close()
            cursor = _Cursor(Follower(self._connection, {(Topic(topic), partition): offset}), offset)
            self._cursors[place] = cursor
        elif cursor.next != offset:
            cursor.follower.move({(Topic(topic), partition): offset})
            cursor.next = offset
        self._cursors.move_to_end(place)
        return cursor

    def end(self, topic: int, partition: int) -> int:
        """Return one past the last committed record; where there is none, the first offset kept.

        The broker's own end counts control records that nobody ever reads, so
        the last record is looked for from there backwards.
        """
        if self._reader is None:
            self._reader = Reader(self._connection)
        kind = Topic(topic)
        low = self._reader.bounds(kind, partition)[0]
        upto, step = self._reader.stable_end(kind, partition), _BACK
        while upto > low:
            start = max(low, upto - step)
            last = -1
            for rec in self._reader.span(kind, partition, start, upto):
                last = rec.offset
            if last >= 0:
                return last + 1
            upto, step = start, step * 8
        return low

    def close(self) -> None:
        """Send what is left, as far as that goes, and give the clients back."""
        self._producer.flush(5)
        for cursor in self._cursors.values():
            cursor.follower.close()
        self._cursors.clear()
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._producer.close()


def _refusal(cause: KafkaError, where: str, *, sent: bool) -> PlacetError:
    if cause.code() in _REFUSED and not sent:
        return Unavailable(f"{where}: refused by the broker or too large: {cause.str()}")
    return Unsure(f"{where}: not all that was sent is known to be written: {cause.str()}")
