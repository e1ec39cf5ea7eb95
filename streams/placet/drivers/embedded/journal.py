"""The journal of the deciding loop over one folder: every partition is decided here."""

from collections.abc import Mapping
from time import monotonic

from placet.drivers.embedded.ends import Ends, Place
from placet.drivers.embedded.shelf import Shelf
from placet.drivers.embedded.state import State
from placet.drivers.embedded.writer import Writer
from placet.errors import Corrupted, Unavailable
from placet.model.codec import HEADERS
from placet.model.topics import INPUTS, Topic
from placet.ports import Emits, Message, Rec, Restored

SEALS = tuple(HEADERS["seal"])


class EmbeddedJournal:
    """`ports.Journal` over a folder. One thread uses it; the folder may be written and read by others meanwhile."""

    def __init__(self, state: State, shelf: Shelf, ends: Ends, writer: Writer) -> None:
        self._state = state
        self._shelf = shelf
        self._ends = ends
        self._writer = writer
        self._partitions = shelf.partitions(Topic.DECISIONS)
        self._taken: dict[Place, int] = {}
        self._first = 0
        self._closed = False
        self.rewind()

    @property
    def cluster(self) -> str:
        """Return the name that was given to the folder at its birth."""
        return self._state.cluster

    def assigned(self) -> frozenset[int]:
        """Return all partitions: a folder has one owner."""
        self._check()
        return frozenset(range(self._partitions))

    def restore(self, partition: int) -> Restored:
        """Return all that was committed for `partition`; what is on its way to the disk is waited for.

        Raise `Corrupted` for decisions that no Seal closes, and for positions without any decision.
        """
        self._check()
        self._shelf.expect(Topic.DECISIONS, partition)
        self._writer.settle()
        place = (int(Topic.DESK), partition)
        changes = self._shelf.live_by_key(*place, self._state.kept[place])
        tail = self._shelf.sealed_tail(partition, SEALS)
        if tail and not (tail[-1].value or b"").startswith(SEALS):
            raise Corrupted(f"{Topic.DECISIONS.title}/{partition}@{tail[-1].offset}: committed, but no Seal closes it")
        inputs = {int(topic): self._committed(topic, partition) for topic in INPUTS}
        if not tail and any(inputs.values()):
            raise Corrupted(f"partition {partition}: decided up to {inputs}, but there is no decision")
        return Restored(changes, tail, inputs)

    def take(self, most: int, wait_ms: int) -> dict[int, list[Rec]]:
        """Return up to `most` new records in all, by partition; the partition served first changes from call to call."""
        until = monotonic() + wait_ms / 1000
        while True:
            self._check()
            found = self._new(most)
            if found or not self._ends.wait(self._taken, until):
                return found

    def _new(self, most: int) -> dict[int, list[Rec]]:
        found: dict[int, list[Rec]] = {}
        for step in range(self._partitions):
            partition = (self._first + step) % self._partitions
            batch: list[Rec] = []
            for topic in INPUTS:
                place = (int(topic), partition)
                end = self._ends.at(place)
                if self._taken[place] < end and len(batch) < most:
                    recs = self._shelf.read(topic, partition, self._taken[place], end, most - len(batch))
                    self._taken[place] = recs[-1].offset + 1
                    batch += recs
            if batch:
                found[partition] = batch
                most -= len(batch)
            if most <= 0:
                break
        self._first = (self._first + 1) % self._partitions
        return found

    def commit(self, emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:
        """Commit all of it in one write and one fsync. Raise `Corrupted` for positions the folder contradicts."""
        self._check()
        positions = {
            (partition, int(topic)): position
            for partition, moved in inputs.items()
            for topic, position in moved.items()
        }
        for (partition, topic), position in positions.items():
            self._expect_forward(partition, topic, position)
        additions: list[tuple[Place, list[Message]]] = []
        for partition, said in emits.items():
            self._shelf.expect(Topic.DECISIONS, partition)
            additions.append(((int(Topic.DECISIONS), partition), said.decisions))
            additions.append(((int(Topic.CASES), partition), said.cases))
            additions.append(((int(Topic.DESK), partition), said.desk))
            additions.append(((int(Topic.QUARANTINE), partition), said.quarantine))
        self._writer.write(additions, positions)
        self._state.inputs.update(positions)

    def _expect_forward(self, partition: int, topic: int, position: int) -> None:
        self._shelf.expect(topic, partition)
        before, end = self._committed(topic, partition), self._ends.at((topic, partition))
        if not before <= position <= end:
            raise Corrupted(
                f"{Topic(topic).title}/{partition}: asked to commit position {position}; "
                f"committed is {before}, the end is {end}"
            )

    def rewind(self) -> None:
        """Begin again at the committed positions."""
        self._taken = {
            (int(topic), partition): self._committed(topic, partition)
            for partition in range(self._partitions)
            for topic in INPUTS
        }

    def _committed(self, topic: int, partition: int) -> int:
        return self._state.inputs.get((partition, int(topic)), 0)

    def close(self) -> None:
        """Take no further part. The folder stays open for its other users."""
        self._closed = True

    def _check(self) -> None:
        self._writer.check()
        if self._closed:
            raise Unavailable("this view of the journal is closed")
