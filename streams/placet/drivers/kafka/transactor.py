"""One transactional producer: a batch with its positions is committed, known not to be, or nobody knows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.faults import TOO_LARGE, cause_of, is_fenced
from placet.drivers.kafka.headers import headers_of
from placet.drivers.kafka.reader import learn
from placet.errors import Corrupted, Unavailable, Unsure
from placet.ports import Message

_INIT_S = 30.0
_OVER_S = 1.0
"""How much longer than its own timeout a call may take before nobody believes in its end."""
Send = tuple[str, int, Sequence[Message]]
"""Messages for one partition of a topic."""


class Transactor:
    """The one writer of a slot. To make one is to fence its predecessor and abort what that left open.

    After `Unsure` it is dead: every further call raises `Unsure`. A new one
    under the same slot has a greater epoch, so a straggling commit of the dead
    one is refused, and the topics tell what happened.
    """

    def __init__(self, connection: Connection, slot: str) -> None:
        self._name = connection.transactional_id(slot)
        self._step_s = connection.transaction_ms / 1000
        self._settle_s = connection.settle_s
        self._monotonic = connection.outside.monotonic
        self._ends_within = connection.outside.ends_within
        self._dead: str | None = None
        self._closed = False
        self.aborts = 0
        self._producer = connection.outside.producer(connection.transactor(slot))
        # First: asked before it knows any broker, the client looks for its coordinator only half a second later.
        learn(self._producer, connection.bootstrap)
        until = self._monotonic() + _INIT_S
        while True:
            try:
                self._producer.init_transactions(self._step_s)
                break
            except KafkaException as error:
                cause = cause_of(error)
                if cause.retriable() and self._monotonic() < until:
                    continue
                raise Unavailable(f"{self._name}: no transactions to be had: {cause.str()}") from error

    def commit(self, sends: Iterable[Send], positions: list[TopicPartition], member: Any) -> None:
        """Commit the sends and the positions together; `member` is the group membership they are read under.

        Raise `Unavailable` when the broker has confirmed that nothing was
        committed, `Unsure` when the answer is lost or another has this slot,
        `Corrupted` for a record that no topic takes.
        """
        self.alive()
        try:
            self._producer.begin_transaction()
            for title, partition, messages in sends:
                self._send(title, partition, messages)
            self._producer.poll(0)
            self._offsets(positions, member)
        except KafkaException as error:
            self._turn_back(error)
        try:
            self._producer.commit_transaction(self._step_s)
        except KafkaException as error:
            self._doubt(error)

    def _send(self, title: str, partition: int, messages: Sequence[Message]) -> None:
        produce = self._producer.produce
        for key, value, trace in messages:
            try:
                if trace is None:
                    produce(title, value, key, partition)
                else:
                    produce(title, value, key, partition, headers=headers_of(trace))
            except BufferError:
                self._wait_for_room(title, partition, key, value, trace)

    def _wait_for_room(
        self, title: str, partition: int, key: bytes | None, value: bytes | None, trace: bytes | None
    ) -> None:
        until = self._monotonic() + self._step_s
        while True:
            self._producer.poll(0.01)
            try:
                self._producer.produce(title, value, key, partition, headers=headers_of(trace))
                return
            except BufferError:
                if self._monotonic() > until:
                    raise KafkaException(KafkaError(KafkaError._QUEUE_FULL)) from None  # noqa: SLF001

    def _offsets(self, positions: list[TopicPartition], member: Any) -> None:
        producer, step_s = self._producer, self._step_s

        def give() -> None:
            # While the group's coordinator is away it does not keep its timeout (librdkafka 5456, 5511).
            over_s = step_s + _OVER_S
            if not self._ends_within(lambda: producer.send_offsets_to_transaction(positions, member, step_s), over_s):
                self._die(f"positions were not taken within {over_s:.0f} s, and the call goes on")

        try:
            give()
        except KafkaException as error:
            if not cause_of(error).retriable():
                raise
            # Until the call has ended no other is allowed; what came of it no longer matters.
            if self._finish(give):
                self._abort()
            self._die(f"positions were not taken in time: {cause_of(error).str()}", error)

    def _turn_back(self, error: KafkaException) -> NoReturn:
        """Abort what no commit was asked for yet, and say so."""
        cause = cause_of(error)
        if cause.fatal() or is_fenced(cause) or not self._abort():
            self._die(cause.str(), error, fenced=is_fenced(cause))
        if cause.code() == TOO_LARGE:
            raise Corrupted(f"{self._name}: a record is larger than any topic takes: {cause.str()}") from error
        raise Unavailable(f"{self._name}: nothing was committed: {cause.str()}") from error

    def _doubt(self, error: KafkaException) -> NoReturn:
        """Find out what became of a commit that was asked for.

        A broker that has committed refuses to abort, so a confirmed abort is
        proof that nothing was committed.
        """
        cause = cause_of(error)
        if cause.txn_requires_abort() and self._abort():
            raise Unavailable(f"{self._name}: nothing was committed: {cause.str()}") from error
        if cause.retriable():
            self._finish(lambda: self._producer.commit_transaction(self._step_s))
        self._die(f"the answer to a commit was lost: {cause.str()}", error, fenced=is_fenced(cause))

    def _abort(self) -> bool:
        """Return whether the broker confirmed that the open transaction is aborted."""
        self.aborts += 1
        return self._finish(lambda: self._producer.abort_transaction(self._step_s))

    def _finish(self, call: Callable[[], None]) -> bool:
        """Call again while librdkafka says that the call goes on; return whether it ended well."""
        until = self._monotonic() + self._settle_s
        while self._monotonic() < until:
            try:
                call()
                return True
            except KafkaException as error:
                if not cause_of(error).retriable():
                    return False
        return False

    def _die(self, why: str, error: KafkaException | None = None, *, fenced: bool = False) -> NoReturn:
        self._dead = f"fenced: another process runs under this slot ({why})" if fenced else why
        raise Unsure(f"{self._name}: {self._dead}") from error

    def alive(self) -> None:
        """Raise `Unsure` when this producer is dead."""
        if self._dead is not None:
            raise Unsure(f"{self._name}: ended: {self._dead}")

    def close(self) -> None:
        """Give the client back. One that is dead is dropped as it is: it has nothing more to tell the broker."""
        if self._closed:
            return
        self._closed = True
        self._producer.purge()
        if self._dead is None:
            self._dead = "closed"
            self._producer.close()
        del self._producer
