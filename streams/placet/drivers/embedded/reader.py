"""One folder read by another process beside its owner, or with no owner at all."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Lock
from time import monotonic
from typing import TypeVar

from placet.drivers.embedded.disk import Beside
from placet.drivers.embedded.settings import EmbeddedSettings
from placet.drivers.embedded.shelf import Shelf
from placet.drivers.embedded.state import read_end, read_inputs, read_state
from placet.errors import Corrupted, PlacetError, Unavailable
from placet.model.topics import Topic
from placet.ports import Message, Rec

T = TypeVar("T")

_AGAIN = 5


class EmbeddedReader:
    """`ports.Log` without `append`, of all that the owner has written so far.

    A batch is seen whole or not at all, at most one fsync before it is durable.
    """

    def __init__(self, folder: Path, settings: EmbeddedSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._guard = Lock()
        self._rows = Beside(folder)
        self._closing = Event()
        try:
            self._state = self._steadily(lambda: read_state(self._rows))
        except BaseException:
            self._rows.close()
            raise
        self._shelf = Shelf(self._rows, self._state.counts)

    @property
    def cluster(self) -> str:
        """Return the name under which this folder's Seals are signed."""
        return self._state.cluster

    def partitions(self, topic: int) -> int:
        """Return how many partitions `topic` has."""
        return self._shelf.partitions(topic)

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        """Raise `Unavailable`: only the owner writes."""
        raise Unavailable(
            f"{self._folder}: opened for reading, cannot append {len(messages)} records to {Topic(topic).title}/{partition}; "
            "write through its owner with --url"
        )

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        """Return committed records from `offset` on, looking again every `poll_ms` for `wait_ms` at most."""
        self._shelf.expect(topic, partition)
        until = monotonic() + wait_ms / 1000
        while True:
            found = self._steadily(lambda: self._read(topic, partition, offset, most))
            left = until - monotonic()
            if found or left <= 0:
                return found
            self._closing.wait(min(left, self._settings.poll_ms / 1000))

    def end(self, topic: int, partition: int) -> int:
        """Return one past the last record the owner has committed."""
        self._shelf.expect(topic, partition)
        return self._steadily(lambda: read_end(self._rows, topic, partition))

    def inputs(self, partition: int) -> dict[int, int]:
        """Return the committed input positions of `partition`, topic number to one past the last."""
        found = self._steadily(lambda: read_inputs(self._rows))
        return {topic: position for (at, topic), position in found.items() if at == partition}

    def close(self) -> None:
        """Give everything back."""
        self._closing.set()
        with self._guard:
            self._rows.close()

    def _read(self, topic: int, partition: int, offset: int, most: int) -> list[Rec]:
        return self._shelf.read(topic, partition, offset, read_end(self._rows, topic, partition), most)

    def _steadily(self, look: Callable[[], T]) -> T:
        """Return what `look` sees after catching up.

        The owner may put files away between our look at the list of files and
        at a file; what is missing then is there after the next catching up.
        """
        with self._guard:
            if self._closing.is_set():
                raise Unavailable(f"{self._folder}: this reader is closed")
            failure: PlacetError | None = None
            for _ in range(_AGAIN):
                try:
                    self._rows.catch_up()
                    return look()
                except (Corrupted, Unavailable) as error:
                    failure = error
            assert failure is not None
            raise failure


def open_reader(folder: Path, settings: EmbeddedSettings | None = None) -> EmbeddedReader:
    """Open `folder` for reading, whether or not an owner is at work in it.

    Raise `Unavailable` when there is no journal, `Corrupted` when it cannot be read.
    """
    return EmbeddedReader(folder, settings or EmbeddedSettings())
