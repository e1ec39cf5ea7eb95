"""Topics of one folder as writers, followers and the reader of the context see them."""

from collections.abc import Mapping, Sequence
from time import monotonic

from placet.drivers.embedded.ends import Ends, Place
from placet.drivers.embedded.shelf import Shelf
from placet.drivers.embedded.state import State
from placet.drivers.embedded.writer import Writer
from placet.errors import Unavailable
from placet.model.topics import CONTEXT
from placet.ports import Message, Rec


class EmbeddedLog:
    """`ports.Log` over a folder; any thread may use it."""

    def __init__(self, shelf: Shelf, ends: Ends, writer: Writer) -> None:
        self._shelf = shelf
        self._ends = ends
        self._writer = writer
        self._closed = False

    def partitions(self, topic: int) -> int:
        """Return how many partitions `topic` has."""
        return self._shelf.partitions(topic)

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        """Make the messages durable in order and return the offset of the first.

        Appends of several threads at once share one fsync.
        """
        self._check()
        self._shelf.expect(topic, partition)
        return self._writer.write([((int(topic), partition), messages)])[0]

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        """Return committed records from `offset` on, as soon as there is one; none after `wait_ms`.

        Of a compacted topic only what is newest of its key is there.
        """
        until = monotonic() + wait_ms / 1000
        self._shelf.expect(topic, partition)
        place = (int(topic), partition)
        while True:
            self._check()
            end = self._ends.at(place)
            found = self._shelf.read(topic, partition, offset, end, most)
            if found or not self._ends.wait({place: max(end, offset)}, until):
                return found

    def beside(self) -> "EmbeddedLog":
        """Return another view of the same folder, which may be closed by itself."""
        return EmbeddedLog(self._shelf, self._ends, self._writer)

    def whole(self, topic: int, partition: int, offset: int, most: int) -> list[Rec]:
        """Return what there is from `offset` on, without waiting, also what newer records of their keys have followed.

        Those are there where the folder keeps its past, until `forget`.
        """
        self._check()
        self._shelf.expect(topic, partition)
        return self._shelf.whole(topic, partition, offset, self._ends.at((int(topic), partition)), most)

    def forget(self, places: Mapping[Place, int]) -> None:
        """Give up what is kept of the past of each place below an offset."""
        self._check()
        self._writer.forget(places)

    def end(self, topic: int, partition: int) -> int:
        """Return one past the last committed record."""
        self._check()
        self._shelf.expect(topic, partition)
        return self._ends.at((int(topic), partition))

    def close(self) -> None:
        """Take no further part. The folder stays open for its other users."""
        self._closed = True

    def _check(self) -> None:
        self._writer.check()
        if self._closed:
            raise Unavailable("this view of the log is closed")


class EmbeddedFeed:
    """`ports.Feed` over a folder; one thread uses it."""

    def __init__(self, state: State, shelf: Shelf, ends: Ends, writer: Writer) -> None:
        self._state = state
        self._shelf = shelf
        self._ends = ends
        self._writer = writer
        self._next = {(int(topic), at): 0 for topic in CONTEXT for at in range(shelf.partitions(topic))}
        self._closed = False

    def catch_up(self) -> list[Rec]:
        """Return all that is kept, of a compacted topic the newest record of every key, by topic and offset."""
        # A record whose successor is still on its way to the disk has gone already; wait for the successor.
        return self._writer.settled(self._whole)

    def again(self) -> list[Rec]:
        """Return all of it once more."""
        return self.catch_up()

    def _whole(self) -> list[Rec]:
        self._check()
        found: list[Rec] = []
        for place in self._next:
            end = self._ends.at(place)
            found += self._shelf.live(*place, end, self._state.kept[place])
            self._next[place] = end
        return found

    def take(self) -> list[Rec]:
        """Return what came since, without waiting. A tombstone says that its key is gone."""
        self._check()
        found: list[Rec] = []
        for place, offset in self._next.items():
            end = self._ends.at(place)
            found += self._shelf.read(*place, offset, end, end - offset)
            self._next[place] = end
        return found

    def close(self) -> None:
        """Take no further part. The folder stays open for its other users."""
        self._closed = True

    def _check(self) -> None:
        self._writer.check()
        if self._closed:
            raise Unavailable("this view of the context is closed")
