"""What the tests of the Kafka drivers stand on: topics of their own, and clients that are closed at the end."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TypeVar

from confluent_kafka import Producer

from placet.drivers.kafka import Connection, KafkaFeed, KafkaJournal, KafkaLog
from placet.drivers.kafka.outside import Outside
from placet.drivers.kafka.topics import apply_topics
from placet.model.topics import Topic
from placet.ports import Emits, Message, Rec
from tests.drivers.whole import Whole, whole

SEAL = b"\x00\x00\x00\x00\x09"
INTENTS, VOTES, OUTCOMES = int(Topic.INTENTS), int(Topic.VOTES), int(Topic.OUTCOMES)
DECISIONS, DESK, RISK = int(Topic.DECISIONS), int(Topic.DESK), int(Topic.RISK)
PATIENCE_S = 60

Found = TypeVar("Found")


def until(look: Callable[[], Found], holds: Callable[[Found], bool] = bool) -> Found:
    """Return what `look` finds as soon as it `holds`; fail when it never does."""
    late = monotonic() + PATIENCE_S
    while not holds(found := look()):
        assert monotonic() < late, f"still {found!r}"
    return found


def message(text: str) -> Message:
    return Message(b"tenant/authority", text.encode())


def said(*texts: str, ordinal: int | None = None) -> Emits:
    """Return a sealed batch of decisions, with one desk change if `ordinal` is given."""
    desk = [] if ordinal is None else [Message(ordinal.to_bytes(8, "big"), f"change {ordinal}".encode())]
    return Emits([*map(message, texts), Message(b"seal", SEAL + texts[-1].encode())], [], desk, [])


class Stand:
    """Topics under a prefix nobody else has, and journals on them by slot."""

    def __init__(self, bootstrap: str, folder: Path, partitions: int = 1, *, apply: bool = True) -> None:
        self.connection = Connection(bootstrap, prefix=f"{uuid.uuid4().hex[:10]}.")
        self.folder = folder
        self._closing: list[Callable[[], None]] = []
        if apply:
            apply_topics(self.connection, partitions=partitions)
        self.log = KafkaLog(self.connection)

    def journal(
        self, slot: str = "a", *, data: Path | None = None, producer: type[Producer] = Producer
    ) -> KafkaJournal:
        connection = replace(self.connection, outside=Outside(producer=producer))
        journal = KafkaJournal(connection, slot, data=data)
        self._closing.append(journal.close)
        return journal

    def reopened(self, journal: KafkaJournal) -> KafkaJournal:
        again = journal.reopened()
        self._closing.append(again.close)
        return again

    def feed(self) -> KafkaFeed:
        feed = KafkaFeed(self.connection)
        self._closing.append(feed.close)
        return feed

    def ask(self, *texts: str, topic: int = INTENTS, partition: int = 0) -> int:
        return self.log.append(topic, partition, [message(text) for text in texts])

    def decisions(self, partition: int = 0) -> list[bytes | None]:
        """Return what a reader sees of the decisions, up to their committed end."""
        return [rec.value for rec in self.all(DECISIONS, partition)]

    def all(self, topic: int, partition: int = 0) -> list[Rec]:
        found: list[Rec] = []
        end = self.log.end(topic, partition)
        while (at := found[-1].offset + 1 if found else 0) < end:
            found += self.log.read(topic, partition, at, 1_000, 1_000)
        return found

    def crash(self) -> None:
        """Lose every client. Members of a group are static and do not say goodbye, so this is all there is to it."""
        while self._closing:
            self._closing.pop()()
        self.log.close()
        self.log = KafkaLog(self.connection)

    def close(self) -> None:
        while self._closing:
            self._closing.pop()()
        self.log.close()


def serve(journal: KafkaJournal, partitions: set[int] | None = None) -> dict[int, Whole]:
    """Restore what is assigned, once it is just `partitions`, and return it."""
    wanted = frozenset({0} if partitions is None else partitions)
    until(journal.assigned, lambda mine: mine == wanted)
    return {partition: whole(journal, partition) for partition in sorted(wanted)}


def taken(journal: KafkaJournal, partition: int = 0, most: int = 100) -> list[str]:
    """Return the texts of the next records of `partition`, as soon as there are any."""
    got = until(lambda: journal.take(most, 100))
    return [(rec.value or b"").decode() for rec in got[partition]]
