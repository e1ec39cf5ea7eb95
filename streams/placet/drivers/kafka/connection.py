"""Where a cluster is, and the client options that the promises rest on."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from placet.drivers.kafka.outside import Outside
from placet.model.topics import Topic

LOGGER = logging.getLogger("placet.kafka")
"""What librdkafka has to say of itself."""

MESSAGE_BYTES_MAX = 8 * 1024 * 1024
"""The greatest record a desk may emit; `topics apply` sets the same bound on the topics it writes."""

CLEANUP_MS = 4_000
"""How long a broker may take, past the transaction timeout, to abort what a dead producer left open."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A Kafka cluster as one process sees it.

    `prefix` is put before every topic, group and transactional id, so that
    several installations share a cluster. `group` is the consumer group of all
    workers. `options` goes to every client as it
    is (TLS, SASL). `session_ms` is how long a silent worker keeps its
    partitions, 6,000 at least unless the broker allows less; `transaction_ms`
    how long its open transaction may hold readers up; `stall_ms` how long a
    reader waits without any progress before it says so. `outside` is what all
    drivers of this cluster meet the world through.
    """

    bootstrap: str
    prefix: str = ""
    group: str = "placet-worker"
    options: Mapping[str, Any] = field(default_factory=dict)
    session_ms: int = 6_000
    transaction_ms: int = 6_000
    stall_ms: int = 30_000
    outside: Outside = field(default_factory=Outside)

    def title(self, topic: Topic) -> str:
        """Return the name of `topic` on this cluster."""
        return self.prefix + topic.title

    @property
    def settle_s(self) -> float:
        """Return the seconds after which no transaction opened by a worker can still be open."""
        return (self.transaction_ms + CLEANUP_MS) / 1000

    def transactional_id(self, slot: str) -> str:
        """Return the transactional id of `slot`, the same at every start."""
        return f"{self.prefix}{self.group}.{slot}"

    def client(self) -> dict[str, Any]:
        """Return what every client of this cluster is configured with."""
        return {
            "bootstrap.servers": self.bootstrap,
            "logger": LOGGER,
            "error_cb": _note,
            "reconnect.backoff.max.ms": 1_000,
            "socket.keepalive.enable": True,
            **self.options,
        }

    def member(self, slot: str) -> dict[str, Any]:
        """Return the options of the group member that takes the inputs of the desks for `slot`."""
        return {
            **self.client(),
            "group.id": self.prefix + self.group,
            # A restart under the same id takes its partitions back at once instead of after the session timeout.
            "group.instance.id": slot,
            # Eager, and partition n of every input goes to one member (`Intake` checks that).
            "partition.assignment.strategy": "range",
            "session.timeout.ms": self.session_ms,
            "heartbeat.interval.ms": self.session_ms // 3,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            # A restore names every position; where one is no longer kept a person must look.
            "auto.offset.reset": "error",
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 50,
            "fetch.min.bytes": 1,
            # Outcomes and votes go before intents, as far as they have been fetched: what waits here is kept short.
            "queued.min.messages": 4_000,
            # A partition with that many is left alone for so long, and a second is more than it takes to decide them.
            "fetch.queue.backoff.ms": 20,
        }

    def reader(self, *, committed: bool = True) -> dict[str, Any]:
        """Return the options of a reader that belongs to no group and tells where a partition ends."""
        return {
            **self.client(),
            # The library asks for a group even where none is joined and nothing is stored.
            "group.id": f"{self.prefix}placet-reader",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 50,
            "fetch.min.bytes": 1,
            "queued.max.messages.kbytes": 16_384,
        }

    def writer(self) -> dict[str, Any]:
        """Return the options of an idempotent producer that waits for all replicas."""
        return {
            **self.client(),
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 1,
            "batch.num.messages": 10_000,
            "compression.type": "lz4",
            "retry.backoff.ms": 5,
            "message.timeout.ms": 10_000,
            "queue.buffering.max.messages": 500_000,
            "allow.auto.create.topics": False,
        }

    def transactor(self, slot: str) -> dict[str, Any]:
        """Return the options of the one transactional producer of `slot`."""
        return {
            **self.writer(),
            # Stable per slot: a restart aborts what its predecessor left open, and fences it.
            "transactional.id": self.transactional_id(slot),
            "transaction.timeout.ms": self.transaction_ms,
            "message.timeout.ms": self.transaction_ms * 3 // 4,
            # librdkafka repeats a commit by itself after this; the shorter, the fewer stragglers.
            "socket.timeout.ms": self.transaction_ms * 2 // 3,
            "delivery.report.only.error": True,
            "message.max.bytes": MESSAGE_BYTES_MAX,
        }


def _note(error: object) -> None:
    LOGGER.debug("client: %s", error)
