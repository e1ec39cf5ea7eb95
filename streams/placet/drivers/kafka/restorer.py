"""What the topics hold of one partition, read past everything that was or may yet be committed."""

from collections.abc import Iterable, Iterator

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.intake import Intake
from placet.drivers.kafka.reader import Reader
from placet.drivers.kafka.warm import WarmDisk
from placet.errors import Behind, Corrupted, Unavailable
from placet.model.codec import HEADERS
from placet.model.topics import INPUTS, Topic
from placet.ports import Clock, Message, Rec, Restored

_SEALS = tuple(HEADERS["seal"])
"""How a Seal may be framed: the only thing that is known here of what a decision holds."""
_BACK = 1_024
PIECE_BYTES = 4 << 20
"""Changes that go to the warm disk in one write."""


class Restorer:
    """Reads a partition in the order of DESIGN §5: stable positions, true ends, committed records up to those."""

    def __init__(
        self, connection: Connection, reader: Reader, intake: Intake, warm: WarmDisk | None, clock: Clock
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._intake = intake
        self._warm = warm
        self._clock = clock

    def restore(self, partition: int) -> Restored:
        """Return what is committed of `partition`, waiting for transactions that are still open.

        Raise `Corrupted` for decisions that no Seal closes, and for positions
        that are missing or outside what the broker keeps, `Behind` among them where
        less is seen than they say; `Unavailable` when another went on deciding meanwhile.
        """
        # INVARIANT: positions first. A transaction that moves them later is fenced by the group's generation.
        positions = self._intake.stable(partition)
        decisions = self._reader.bounds(Topic.DECISIONS, partition)
        desk = self._reader.bounds(Topic.DESK, partition)
        tail = self._tail(partition, *decisions)
        self._still(partition, positions, decisions[1], desk[1])
        changes = self._changes(partition, *desk)
        inputs = {
            int(topic): self._begin(topic, partition, positions[int(topic)], served=bool(tail)) for topic in INPUTS
        }
        return Restored(changes, tail, inputs)

    def _still(self, partition: int, positions: dict[int, int | None], decisions: int, desk: int) -> None:
        """Raise `Unavailable` when anything has moved since it was asked for.

        A worker that was cut off past its session hears only when it next asks
        its group that the partition is another's. What that one commits between
        two questions would look like positions and Seals that disagree.
        """
        moved = self._intake.stable(partition) != positions
        for topic, end in ((Topic.DECISIONS, decisions), (Topic.DESK, desk)):
            now = self._reader.bounds(topic, partition)[1]
            # The marker of a transaction that was waited out moves an end as well; only what is read counts.
            moved = moved or bool(list(self._reader.span(topic, partition, end, now)))
        if moved:
            raise Unavailable(f"partition {partition}: another decides it while it is being restored")

    def _begin(self, topic: Topic, partition: int, position: int | None, *, served: bool) -> int:
        where = f"{self._connection.title(topic)}/{partition}"
        low, end = self._reader.bounds(topic, partition)
        if position is None:
            if served:
                raise Behind(f"{where}: a Seal closes this partition's last batch, but no position is committed")
            return low
        if not served and position > low:
            raise Behind(f"{where}: decided up to {position}, but no Seal says so: are the decisions gone?")
        if position < low:
            raise Corrupted(f"{where}: decided up to {position}, but the broker keeps only what is from {low} on")
        if position > end:
            raise Behind(f"{where}: decided up to {position}, but the topic ends at {end}")
        return position

    def _tail(self, partition: int, low: int, end: int) -> list[Rec]:
        """Return the last batch: what lies after the last Seal but one, up to the last."""
        found: list[Rec] = []
        upto, step = end, _BACK
        while upto > low:
            start = max(low, upto - step)
            found = [*self._reader.span(Topic.DECISIONS, partition, start, upto), *found]
            seals = [at for at, rec in enumerate(found) if (rec.value or b"").startswith(_SEALS)]
            if found and (not seals or seals[-1] != len(found) - 1) and (seals or start == low):
                last = found[-1]
                raise Corrupted(
                    f"{self._connection.title(Topic.DECISIONS)}/{partition}@{last.offset}: committed, but no Seal closes it"
                )
            if len(seals) > 1:
                return found[seals[-2] + 1 :]
            upto, step = start, step * 4
        return found

    def _changes(self, partition: int, low: int, end: int) -> Iterable[Rec]:
        """Return the live changes by ordinal, to be read once.

        The warm disk is brought up to the end first and read then, so that no
        more than one of them is ever in memory; what comes from there has the offset
        -1 and the time 0. Without it all of them are.
        """
        warm, now_ms = self._warm, self._clock.now_ms()
        if warm is not None and warm.serves:
            start = warm.covered(partition, low, end, now_ms)
            if start is None:
                # Crash here: there is no mark, and the next restore reads the topic.
                warm.clear(partition)
                start = low
            for piece in self._pieces(partition, start, end):
                warm.keep({partition: piece}, {}, now_ms)
            warm.keep({}, {partition: end}, now_ms)
            if warm.serves:
                return (Rec(int(Topic.DESK), partition, -1, 0, *change) for change in warm.changes(partition))
        live = {rec.key or b"": rec for rec in self._reader.span(Topic.DESK, partition, low, end)}
        return [live[key] for key in sorted(live) if live[key].value is not None]

    def _pieces(self, partition: int, start: int, end: int) -> Iterator[list[Message]]:
        """Yield the changes of [start, end) in pieces of at least PIECE_BYTES, tombstones among them."""
        piece: list[Message] = []
        size = 0
        for rec in self._reader.span(Topic.DESK, partition, start, end):
            piece.append(Message(rec.key, rec.value))
            size += len(rec.value or b"")
            if size >= PIECE_BYTES:
                yield piece
                piece, size = [], 0
        yield piece
