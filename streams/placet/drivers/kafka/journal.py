"""The journal of a worker on Kafka: one member of the group, one transactional producer, one warm disk per slot."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from placet.drivers.clock import SystemClock
from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.intake import Intake
from placet.drivers.kafka.reader import Reader
from placet.drivers.kafka.restorer import Restorer
from placet.drivers.kafka.topics import DELETE_RETENTION_MS, identity_of, partition_counts
from placet.drivers.kafka.transactor import Send, Transactor
from placet.drivers.kafka.warm import WarmDisk
from placet.errors import Corrupted, PlacetError
from placet.model.topics import EMITS, INPUTS, Topic
from placet.ports import Clock, Emits, Rec, Restored

_MARK_S = 0.5
_MARK_WAIT_S = 1.0
_NOTHING = Emits()


class KafkaJournal:
    """Keeps the promises of `placet.ports.Journal` on a cluster.

    `slot` names this worker's place among the others: two processes with one
    slot fence each other. `data` is the folder of the warm disk; without it
    every restore reads the whole changelog. `cluster` is the name in Seals, by
    default the cluster's own id.

    After `Unsure` nothing works but `close` and `reopened`. One thread uses it.
    """

    def __init__(
        self,
        connection: Connection,
        slot: str,
        *,
        data: Path | None = None,
        cluster: str = "",
        clock: Clock | None = None,
    ) -> None:
        self._arguments: dict[str, Any] = {"data": data, "cluster": cluster, "clock": clock}
        self._connection = connection
        self._slot = slot
        self._monotonic = connection.outside.monotonic
        self._clock: Clock = clock or SystemClock()
        self._titles = {topic: connection.title(topic) for topic in Topic}
        counts = partition_counts(connection, (*INPUTS, *EMITS))
        if len(set(counts.values())) != 1:
            told = ", ".join(f"{connection.title(topic)} {count}" for topic, count in counts.items())
            raise Corrupted(f"inputs and outputs of a desk must have equal partition counts, these have: {told}")
        identity = identity_of(connection, Topic.DESK)
        self._cluster = cluster or identity.cluster
        self._warm = (
            WarmDisk(data / f"warm-{slot}", identity.token, DELETE_RETENTION_MS // 2, connection.outside.disk)
            if data
            else None
        )
        self._marks: dict[int, int] = {}
        self._marked_at = self._monotonic()
        self._closed = False
        self.restores = 0
        self.restore_seconds = 0.0
        self.commits = 0
        with ExitStack() as made:
            if self._warm is not None:
                made.callback(self._warm.close)
            # INVARIANT: the predecessor is fenced and its open transaction aborted before this process joins the group.
            self._transactor = Transactor(connection, slot)
            made.callback(self._transactor.close)
            self._reader = Reader(connection)
            made.callback(self._reader.close)
            self._intake = Intake(connection, slot)
            made.pop_all()
        self._restorer = Restorer(connection, self._reader, self._intake, self._warm, self._clock)

    @property
    def cluster(self) -> str:
        """Return the name under which this journal's Seals are signed."""
        return self._cluster

    @property
    def aborts(self) -> int:
        """Return how many transactions were aborted."""
        return self._transactor.aborts

    def assigned(self) -> frozenset[int]:
        """Return the partitions this process decides now, rebalances served first.

        After every rebalance the first answer is empty: what was restored before
        it is void, even if the same partitions come back.
        """
        self._transactor.alive()
        return self._intake.assigned()

    def restore(self, partition: int) -> Restored:
        """Return all that was committed for `partition`, having read past everything that was or may yet be.

        Waits for open transactions, at most for their timeout. Raise
        `Unavailable` when nothing moves, `Corrupted` for a gap.
        """
        self._transactor.alive()
        began = self._monotonic()
        restored = self._restorer.restore(partition)
        self._intake.open(partition, restored.inputs)
        self._marks.clear()
        self.restores += 1
        self.restore_seconds += self._monotonic() - began
        return restored

    def take(self, most: int, wait_ms: int) -> dict[int, list[Rec]]:
        """Return up to `most` new input records by partition, outcomes first, then votes, then intents, by offset."""
        self._transactor.alive()
        return self._intake.take(most, wait_ms)

    def commit(self, emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:
        """Commit a batch: emits by partition, and per partition topic number to one past the last record decided."""
        self._transactor.alive()
        partitions = sorted({*emits, *inputs})
        self._intake.holds(partitions)
        if not partitions:
            return
        positions = self._intake.positions(partitions, inputs)
        self._transactor.commit(self._sends(emits), positions, self._intake.membership())
        self._intake.advance(positions)
        self.commits += 1
        if self._warm is not None:
            self._remember(self._warm, emits)

    def _sends(self, emits: Mapping[int, Emits]) -> list[Send]:
        titles = self._titles
        sends: list[Send] = []
        for partition, said in emits.items():
            sends += [
                (titles[Topic.DECISIONS], partition, said.decisions),
                (titles[Topic.CASES], partition, said.cases),
                (titles[Topic.DESK], partition, said.desk),
                (titles[Topic.QUARANTINE], partition, said.quarantine),
            ]
        return sends

    def _remember(self, warm: WarmDisk, emits: Mapping[int, Emits]) -> None:
        """Keep what was committed, and from time to time how far that covers the changelog.

        The end of the changelog is asked for after one commit and believed only
        after the next: its success says that nobody else wrote in between.
        INVARIANT: the batch is committed. Nothing here may be taken for a failure of it: an end that is not told
        is asked for after another commit.
        """
        covered, self._marks = self._marks, {}
        warm.keep({partition: said.desk for partition, said in emits.items()}, covered, self._clock.now_ms())
        if self._monotonic() - self._marked_at >= _MARK_S:
            partition = self._intake.next_partition()
            with suppress(PlacetError):
                self._marks[partition] = self._reader.bounds(Topic.DESK, partition, _MARK_WAIT_S)[1]
            self._marked_at = self._monotonic()

    def rewind(self) -> None:
        """After `Unavailable`: the next `take` begins again at the committed positions."""
        self._transactor.alive()
        self._marks.clear()
        self._intake.rewind()

    def reopened(self) -> "KafkaJournal":
        """Close this one and return a new one of the same slot, which reads the truth from the topics."""
        self.close()
        return KafkaJournal(self._connection, self._slot, **self._arguments)

    def close(self) -> None:
        """Give everything back. Nothing that was not committed is kept. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._intake.close()
        self._transactor.close()
        self._reader.close()
        if self._warm is not None:
            self._warm.close()
