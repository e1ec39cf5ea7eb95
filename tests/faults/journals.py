"""The journals a story is told on, each able to lose a process and be opened again."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from placet.ports import Clock, Feed, Journal, Log
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


Make = Callable[[int, Clock], Handle]
"""Makes an installation of so many partitions whose records are stamped by that clock."""


class InMemory:
    """Topics as lists; what was taken and not committed is all that a process can lose of them."""

    def __init__(self, partitions: int, clock: Clock) -> None:
        assert isinstance(clock, HandClock)
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

    def __init__(self, partitions: int, clock: Clock) -> None:
        self._root = tempfile.TemporaryDirectory(prefix="placet-story-", dir=SHARED if SHARED.is_dir() else None)
        settings = replace(SMALL, partitions=partitions, cluster="folder", sync=False)
        super().__init__(Path(self._root.name) / "journal", settings, clock)

    def close(self) -> None:
        super().close()
        self._root.cleanup()


JOURNALS: dict[str, Make] = {"memory": InMemory, "embedded": InFolder}
