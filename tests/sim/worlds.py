"""Two clusters to observe Kafka on: the simulated one, and a real broker. Both are asked the same questions."""

import uuid
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.sim.admin import SimAdmin
from tests.sim.cluster import Cluster
from tests.sim.consumer import SimConsumer
from tests.sim.link import Link
from tests.sim.producer import SimProducer
from tests.sim.timeline import Timeline

Found = TypeVar("Found")
WAIT_S = 30
FAST = {"retry.backoff.ms": 5, "linger.ms": 1}


class World(Protocol):
    """Makes clients of one cluster. Everything it names is its own."""

    def client(self, kind: type[Any], config: dict[str, Any]) -> Any: ...

    def now(self) -> float:
        """Return seconds that pass while something is waited for."""

    def compacted(self, topic: str) -> None:
        """Return when what a later record replaces is gone from partition 0 of `topic`."""


class Simulated:
    """A cluster in memory; each client is a process of its own."""

    def __init__(self, *, old: bool = False) -> None:
        self.timeline = Timeline()
        self.cluster = Cluster(self.timeline, old=old)

    def client(self, kind: type[Any], config: dict[str, Any]) -> Any:
        made = {Producer: SimProducer, Consumer: SimConsumer, AdminClient: SimAdmin}[kind]
        return made(config, Link(self.cluster))

    def now(self) -> float:
        # Whoever looks at the clock while waiting lets time pass, also when a client answers at once.
        self.timeline.pause(1)
        return self.timeline.monotonic()

    def compacted(self, topic: str) -> None:
        self.cluster.at(topic, 0).compact()


class Real:
    """A broker, and whoever else uses it."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def client(self, kind: type[Any], config: dict[str, Any]) -> Any:
        return kind({"bootstrap.servers": self._bootstrap, **config})

    def now(self) -> float:
        return monotonic()

    def compacted(self, topic: str) -> None:
        """Roll the segment over by a record of its own, and wait for the cleaner."""
        lab = Lab(self)
        before = lab.offsets(topic)
        writer = lab.writer()

        def cleaned() -> bool:
            # Only a closed segment is cleaned, and only a record closes it.
            lab.write(writer, topic, "filler")
            return set(before) - set(lab.offsets(topic)) != set()

        lab.until(cleaned)


class Lab:
    """What an observation is made with: topics of its own, clients, and patience."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = uuid.uuid4().hex[:10]
        self._topics = 0

    def until(self, look: Callable[[], Found], holds: Callable[[Found], bool] = bool) -> Found:
        """Return what `look` finds as soon as it `holds`; fail when it never does."""
        late = self.world.now() + 2 * WAIT_S
        while not holds(found := look()):
            assert self.world.now() < late, f"still {found!r}"
        return found

    # Clients

    def admin(self) -> Any:
        return self.world.client(AdminClient, {})

    def topic(self, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        self._topics += 1
        title = f"{self.name}.{self._topics}"
        new = NewTopic(title, partitions, 1, config={"message.timestamp.type": "LogAppendTime", **(config or {})})
        admin = self.admin()
        for answer in admin.create_topics([new]).values():
            answer.result(WAIT_S)
        self.until(lambda: title in admin.list_topics(timeout=WAIT_S).topics)
        return title

    def writer(self, **config: Any) -> Any:
        return self.world.client(Producer, {**FAST, "enable.idempotence": True, **config})

    def transactor(self, name: str = "t", *, timeout_ms: int = 60_000, begun: bool = True) -> Any:
        """Return a producer of transactions under a name of this lab, with one begun."""
        config = {**FAST, "transactional.id": f"{self.name}.{name}", "transaction.timeout.ms": timeout_ms}
        made = self.world.client(Producer, {**config, "message.timeout.ms": timeout_ms})
        made.init_transactions(WAIT_S)
        if begun:
            made.begin_transaction()
        return made

    def reader(self, *, committed: bool = True, **config: Any) -> Any:
        isolation = "read_committed" if committed else "read_uncommitted"
        return self.world.client(
            Consumer,
            {
                "group.id": f"{self.name}.readers",
                "enable.auto.commit": False,
                "isolation.level": isolation,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 20,
                **config,
            },
        )

    def member(self, instance: str = "", group: str = "g", **config: Any) -> Any:
        named = {"group.instance.id": instance} if instance else {}
        times = {"session.timeout.ms": 6_000, "heartbeat.interval.ms": 200}
        settings = {"group.id": f"{self.name}.{group}", "partition.assignment.strategy": "range", **times, **named}
        return self.reader(**{**settings, "enable.partition.eof": False, **config})

    # What is done with them

    def write(self, producer: Any, topic: str, *texts: str, partition: int = 0) -> None:
        """Send records, key = text, and wait until they are with the broker."""
        for text in texts:
            producer.produce(topic, text.encode(), text[:1].encode(), partition)
        producer.flush(WAIT_S)

    def fetch(self, reader: Any, topic: str, start: int = 0) -> tuple[list[tuple[int, str]], int]:
        """Return (offset, text) of what is read from `start` to the end as this reader is told it, and that end."""
        reader.assign([TopicPartition(topic, 0, start)])
        found: list[tuple[int, str]] = []
        while True:
            message = self.until(lambda: reader.poll(0.2), lambda got: got is not None)
            error = message.error()
            if error is None:
                found.append((message.offset(), (message.value() or b"").decode()))
            elif error.code() == KafkaError._PARTITION_EOF:
                return found, message.offset()
            else:
                raise KafkaException(error)

    def read(self, topic: str, *, committed: bool = True, start: int = 0) -> tuple[list[tuple[int, str]], int]:
        reader = self.reader(committed=committed)
        try:
            return self.fetch(reader, topic, start)
        finally:
            reader.close()

    def offsets(self, topic: str) -> list[int]:
        return [offset for offset, _ in self.read(topic)[0]]

    def bounds(self, topic: str, *, committed: bool = True) -> tuple[int, int]:
        reader = self.reader(committed=committed)
        try:
            low, high = reader.get_watermark_offsets(TopicPartition(topic, 0), WAIT_S)
            return int(low), int(high)
        finally:
            reader.close()

    def joined(self, member: Any, topic: str, heard: list[tuple[str, list[int]]]) -> None:
        """Let `member` join for `topic`; what it is told from then on stands in `heard`."""

        def told(what: str) -> Callable[[Any, list[TopicPartition]], None]:
            return lambda consumer, partitions: heard.append((what, sorted(one.partition for one in partitions)))

        member.subscribe([topic], on_assign=told("assign"), on_revoke=told("revoke"), on_lost=told("lost"))

    def heard(self, *members: Any, until: Callable[[], bool]) -> list[KafkaError]:
        """Poll the members in turn until something holds or one is told of an error; return such errors."""
        errors: list[KafkaError] = []

        def turn() -> bool:
            for member in members:
                message = member.poll(0.05)
                error = None if message is None else message.error()
                # Nobody has committed a position yet, and nobody here reads.
                if error is not None and error.code() != KafkaError._AUTO_OFFSET_RESET:
                    errors.append(error)
            return until() or bool(errors)

        self.until(turn)
        return errors
