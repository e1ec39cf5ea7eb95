"""`confluent_kafka.Producer` over a simulated cluster, as far as placet uses it: idempotent, or one transaction after another."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from tests.sim.cluster import OFFSETS
from tests.sim.group import Membership
from tests.sim.link import Link, Lost
from tests.sim.metadata import cluster_metadata
from tests.sim.partition import NOBODY
from tests.sim.refusals import Refused, abortable, fatal, passing, plain
from tests.sim.transactions import Marked, Stamp

Delivery = Callable[[KafkaError | None, Message], None]
_FENCED = frozenset({KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})
_ENDED = frozenset(
    {
        KafkaError.INVALID_TXN_STATE,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
_AT_ONCE = 500


class Queued(NamedTuple):
    """A message that waits to be sent."""

    title: str
    partition: int
    key: bytes | None
    value: bytes | None
    on_delivery: Delivery | None


class SimProducer:
    """Sends in the order it was given. Errors carry the flags that librdkafka gives them."""

    def __init__(self, config: Mapping[str, Any], link: Link) -> None:
        self._link = link
        self._time = link.timeline
        self._name: str = config.get("transactional.id", "")
        self._timeout_ms: int = config.get("transaction.timeout.ms", 60_000)
        self._again_ms: float = config.get("retry.backoff.ms", 100)
        self._delivery_ms: float = config.get("message.timeout.ms", 300_000)
        self._largest: int = config.get("message.max.bytes", 1_000_000)
        self._id = NOBODY if self._name else -2 - link.cluster.batch()
        self._epoch = -1
        self._serial = 0
        self._open = False
        self._added: list[Marked] = []
        self._abort_for: KafkaException | None = None
        self._fatal: KafkaException | None = None
        self._going_on = ""
        """The call that was given up waiting for; until it is called again, no other may be."""
        self._queue: deque[Queued] = deque()
        self._batch: tuple[int, list[Queued]] | None = None

    # Sending

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        on_delivery: Delivery | None = None,
        headers: object = None,
    ) -> None:
        self._link.check()
        if self._fatal is not None:
            raise self._fatal
        if self._name and not self._open:
            raise plain(KafkaError._STATE, "Erroneous state: no transaction")
        if len(value or b"") + len(key or b"") > self._largest:
            raise plain(KafkaError.MSG_SIZE_TOO_LARGE, "Broker: Message size too large")
        self._queue.append(Queued(topic, partition, key, value, on_delivery))

    def poll(self, timeout: float = 0) -> int:
        self._link.check()
        if not self._name:
            self._flush(max(timeout, 0) * 1_000)
        return 0

    def flush(self, timeout: float = -1) -> int:
        self._flush(timeout * 1_000 if timeout >= 0 else self._delivery_ms)
        return len(self._queue)

    def purge(self) -> None:
        self._queue.clear()
        self._batch = None

    def __len__(self) -> int:
        return len(self._queue)

    def _flush(self, ms: float) -> None:
        """Send what waits. What cannot be sent in time stays; what is refused makes the transaction fail."""
        until = self._time.now + ms
        while (self._queue or self._batch) and self._abort_for is None and self._fatal is None:
            number, batch = self._batch or (self._link.cluster.batch(), self._cut())
            self._batch = (number, batch)
            title, partition = batch[0].title, batch[0].partition
            try:
                self._add((title, partition))
                first = self._link.ask("Produce", lambda: self._produce(title, partition, number, batch))  # noqa: B023
            except Lost:
                if self._time.now >= until:
                    return
                self._time.pause(self._again_ms)
                continue
            except Refused as no:
                self._batch = None
                self._refuse(no, "sending")
                self._report(batch, KafkaError(no.code), -1)
                continue
            self._batch = None
            self._report(batch, None, first)

    def _cut(self) -> list[Queued]:
        batch = [self._queue.popleft()]
        while self._queue and len(batch) < _AT_ONCE and self._queue[0][:2] == batch[0][:2]:
            batch.append(self._queue.popleft())
        return batch

    def _produce(self, title: str, partition: int, number: int, batch: list[Queued]) -> int:
        messages = [(one.key, one.value) for one in batch]
        stamp = self._stamp() if self._name else None
        return self._link.cluster.produce(title, partition, messages, self._id, number, stamp)

    def _report(self, batch: list[Queued], error: KafkaError | None, first: int) -> None:
        for number, one in enumerate(batch):
            if one.on_delivery is not None:
                told = Message(topic=one.title, partition=one.partition, offset=first + number, error=error)
                one.on_delivery(error, told)

    # Transactions

    def init_transactions(self, timeout: float = -1) -> None:
        """Take the id over: what its last owner left open is aborted, and that owner fenced."""
        cluster = self._link.cluster

        def init() -> None:
            answer = self._link.ask("InitProducerId", lambda: cluster.transactions.init(self._name, self._timeout_ms))
            self._id, self._epoch = answer
            self._serial = 0

        self._until("init_transactions", init, timeout)

    def begin_transaction(self) -> None:
        self._link.check()
        if self._fatal is not None:
            raise self._fatal
        if self._open or self._going_on:
            raise plain(KafkaError._STATE, "Erroneous state: a transaction is open")
        self._open = True
        self._serial += 1
        self._added = []
        self._abort_for = None

    def send_offsets_to_transaction(
        self, positions: list[TopicPartition], group_metadata: Membership, timeout: float = -1
    ) -> None:
        wanted = {(one.topic, one.partition): one.offset for one in positions}

        def send() -> None:
            self._add((group_metadata.group, OFFSETS))
            stamp = self._stamp()
            self._link.ask(
                "TxnOffsetCommit",
                lambda: self._link.cluster.send_offsets(group_metadata, self._id, stamp, wanted),
            )

        self._until("send_offsets_to_transaction", send, timeout)

    def commit_transaction(self, timeout: float = -1) -> None:
        def commit() -> None:
            if self._going_on != "commit_transaction" or self._queue or self._batch:
                self._flush(timeout * 1_000)
                self._hold()
                if self._queue or self._batch:
                    raise Lost
            self._end(commit=True)

        self._until("commit_transaction", commit, timeout)
        self._open = False

    def abort_transaction(self, timeout: float = -1) -> None:
        if self._fatal is not None:
            raise self._fatal
        self.purge()
        self._abort_for = None
        self._until("abort_transaction", lambda: self._end(commit=False), timeout)
        self._open = False

    def _end(self, *, commit: bool) -> None:
        if self._added:
            stamp = self._stamp()
            self._link.ask("EndTxn", lambda: self._link.cluster.transactions.end(stamp, commit=commit))

    def _add(self, wanted: Marked) -> None:
        """Tell the coordinator, once a transaction, before anything is written there."""
        if not self._name or wanted in self._added:
            return
        stamp = self._stamp()
        api = "AddOffsetsToTxn" if wanted[1] == OFFSETS else "AddPartitionsToTxn"
        while True:
            try:
                self._link.ask(api, lambda: self._link.cluster.transactions.add(stamp, wanted))
                break
            except Refused as no:
                if no.code != KafkaError.CONCURRENT_TRANSACTIONS:
                    raise
                self._time.pause(self._again_ms)
        self._added.append(wanted)

    def _stamp(self) -> Stamp:
        return Stamp(self._name, self._epoch, self._serial)

    def _until(self, call: str, attempt: Callable[[], None], timeout: float) -> None:
        """Make a call as librdkafka does: again and again by itself, and when time is up it may be called again."""
        self._link.check()
        if self._going_on not in {"", call}:
            raise plain(KafkaError._CONFLICT, f"Conflicting call: {self._going_on} is under way")
        self._hold()
        until = self._time.now + timeout * 1_000
        while True:
            try:
                attempt()
                self._going_on = ""
                return
            except Lost:
                pass
            except Refused as no:
                if no.code != KafkaError.CONCURRENT_TRANSACTIONS:
                    self._going_on = ""
                    self._refuse(no, call)
                    self._hold()
                    raise AssertionError from no
            if self._time.now >= until:
                self._going_on = call
                raise passing(KafkaError._TIMED_OUT, f"{call}: Local: Timed out")
            self._time.pause(self._again_ms)

    def _hold(self) -> None:
        if self._fatal is not None:
            raise self._fatal
        if self._abort_for is not None:
            raise self._abort_for

    def _refuse(self, no: Refused, what: str) -> None:
        """Note what a refusal means for the transaction, as librdkafka reads it."""
        if not self._name:
            return
        if no.code in _FENCED:
            self._fatal = fatal(KafkaError._FENCED, f"{what}: {no}: fenced by a newer producer")
        elif no.code in _ENDED:
            self._fatal = fatal(no.code, f"{what}: {no}")
        else:
            self._abort_for = abortable(no.code, f"{what}: {no}")

    # The rest

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> Any:
        return cluster_metadata(self._link, timeout)

    def close(self, timeout: float = 0) -> None:
        self.purge()
