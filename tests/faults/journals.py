"""The journals a story is told on, each able to lose a process and be opened again."""

import tempfile
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from placet.drivers.clock import SystemClock
from placet.drivers.kafka import Connection, KafkaFeed, KafkaJournal, KafkaLog
from placet.drivers.kafka.topics import apply_topics
from placet.ports import Clock, Feed, Journal, Log, Rec
from tests.drivers.embedded.folder import SMALL, Folder
from tests.support.memory import HandClock, Memory, MemoryFeed

SHARED = Path("/dev/shm")


class Handle(Protocol):
    """One installation. What it gave is void after `reopen`."""

    def journal(self) -> Journal: ...

    def feed(self) -> Feed: ...

    def log(self) -> Log: ...

    def reopen(self) -> None:
        """Come back as after a kill: nothing is closed in order, all memory is gone."""

    def close(self) -> None: ...


class StoryClock(Clock, Protocol):
    """The time of a story, which passes when the story says so, or by itself."""

    def pass_ms(self, ms: int) -> None: ...


class ByHand(HandClock):
    """Time that passes only when the story says so; it stamps the records as well."""

    def pass_ms(self, ms: int) -> None:
        self.now += ms


class ByItself(SystemClock):
    """The machine's clock, for a broker that has its own. Nobody waits for it."""

    def pass_ms(self, ms: int) -> None:
        """Let it pass."""


class Make(NamedTuple):
    """Makes an installation of so many partitions, and the clock to tell a story by. `wait_ms` is for a batch to come."""

    handle: Callable[[int, StoryClock], Handle]
    clock: Callable[[], StoryClock]
    wait_ms: int = 0


class InMemory:
    """Topics as lists; what was taken and not committed is all that a process can lose of them."""

    def __init__(self, partitions: int, clock: StoryClock) -> None:
        assert isinstance(clock, ByHand)
        self._memory = Memory(partitions, clock)

    def journal(self) -> Journal:
        return self._memory

    def feed(self) -> Feed:
        return MemoryFeed(self._memory)

    def log(self) -> Log:
        return self._memory

    def reopen(self) -> None:
        self._memory.rewind()

    def close(self) -> None:
        self._memory.close()


class InFolder(Folder):
    """A folder in memory where there is such a place: what a process loses does not depend on the disk below it.

    For the same reason nothing waits for the disk; what a power cut takes is the embedded journal's own test.
    """

    def __init__(self, partitions: int, clock: StoryClock) -> None:
        self._root = tempfile.TemporaryDirectory(prefix="placet-story-", dir=SHARED if SHARED.is_dir() else None)
        settings = replace(SMALL, partitions=partitions, cluster="folder", sync=False)
        super().__init__(Path(self._root.name) / "journal", settings, clock)

    def close(self) -> None:
        super().close()
        self._root.cleanup()


class OnKafka:
    """Topics of its own on a real broker, and one slot that takes its partitions back whenever it begins anew."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self.connection = Connection(bootstrap, prefix=f"{uuid.uuid4().hex[:10]}.")
        apply_topics(self.connection, partitions=partitions)
        self._root = tempfile.TemporaryDirectory(prefix="placet-story-")
        self.data = Path(self._root.name)
        self._log = KafkaLog(self.connection)
        self._given: list[KafkaJournal | KafkaFeed] = []

    def journal(self) -> Journal:
        journal = KafkaJournal(self.connection, "a", data=self.data)
        self._given.append(journal)
        return journal

    def feed(self) -> Feed:
        feed = KafkaFeed(self.connection)
        self._given.append(feed)
        return feed

    def log(self) -> Log:
        return self._log

    def reopen(self) -> None:
        """Lose every client of the worker. Members of its group are static and do not say goodbye."""
        while self._given:
            self._given.pop().close()

    def close(self) -> None:
        self.reopen()
        self._log.close()
        self._root.cleanup()


MEMORY = Make(InMemory, ByHand)
JOURNALS: dict[str, Make] = {"memory": MEMORY, "embedded": Make(InFolder, ByHand)}
"""The journals that need nothing but this process."""


def on_kafka(bootstrap: str) -> Make:
    """Return what makes an installation on a broker."""
    return Make(lambda partitions, _: OnKafka(bootstrap, partitions), ByItself, 50)


def whole(log: Log, topic: int, partition: int) -> list[Rec]:
    """Return what is committed in a partition, from its start to its end."""
    return from_on(log, topic, partition, 0)


def from_on(log: Log, topic: int, partition: int, start: int) -> list[Rec]:
    """Return what is committed in a partition, from an offset to its end."""
    found: list[Rec] = []
    end = log.end(topic, partition)
    while (at := found[-1].offset + 1 if found else start) < end:
        found += log.read(topic, partition, at, 1_000, 1_000)
    return found
