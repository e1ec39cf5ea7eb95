"""What the topics hold of one partition, read past everything that was or may yet be committed."""

from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.intake import Intake
from placet.drivers.kafka.reader import Reader
from placet.drivers.kafka.warm import WarmDisk
from placet.errors import Corrupted
from placet.model.topics import INPUTS, Topic
from placet.ports import Clock, Message, Rec, Restored

_SEAL = b"\x00\x00\x00\x00\x09"
"""The frame of a Seal: the only thing that is known here of what a decision holds."""
_BACK = 1_024


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
        that are missing or outside what the broker keeps.
        """
        # INVARIANT: positions first. A transaction that moves them later is fenced by the group's generation.
        positions = self._intake.stable(partition)
        decisions = self._reader.bounds(Topic.DECISIONS, partition)
        desk = self._reader.bounds(Topic.DESK, partition)
        tail = self._tail(partition, *decisions)
        changes = self._changes(partition, *desk)
        inputs = {
            int(topic): self._begin(topic, partition, positions[int(topic)], served=bool(tail)) for topic in INPUTS
        }
        return Restored(changes, tail, inputs)

    def _begin(self, topic: Topic, partition: int, position: int | None, *, served: bool) -> int:
        where = f"{self._connection.title(topic)}/{partition}"
        low, end = self._reader.bounds(topic, partition)
        if position is None:
            if served:
                raise Corrupted(f"{where}: a Seal closes this partition's last batch, but no position is committed")
            return low
        if position < low:
            raise Corrupted(f"{where}: decided up to {position}, but the broker keeps only what is from {low} on")
        if position > end:
            raise Corrupted(f"{where}: decided up to {position}, but the topic ends at {end}")
        return position

    def _tail(self, partition: int, low: int, end: int) -> list[Rec]:
        """Return the last batch: what lies after the last Seal but one, up to the last."""
        found: list[Rec] = []
        upto, step = end, _BACK
        while upto > low:
            start = max(low, upto - step)
            found = [*self._reader.span(Topic.DECISIONS, partition, start, upto), *found]
            seals = [at for at, rec in enumerate(found) if (rec.value or b"").startswith(_SEAL)]
            if found and (not seals or seals[-1] != len(found) - 1) and (seals or start == low):
                last = found[-1]
                raise Corrupted(
                    f"{self._connection.title(Topic.DECISIONS)}/{partition}@{last.offset}: committed, but no Seal closes it"
                )
            if len(seals) > 1:
                return found[seals[-2] + 1 :]
            upto, step = start, step * 4
        return found

    def _changes(self, partition: int, low: int, end: int) -> list[Rec]:
        """Return the live changes by ordinal. Those that were kept on disk have the offset -1 and the time 0."""
        now_ms = self._clock.now_ms()
        known = self._warm.load(partition, low, end, now_ms) if self._warm else None
        start, held = known or (low, {})
        topic = int(Topic.DESK)
        live = {key: Rec(topic, partition, -1, 0, key, value) for key, value in held.items()}
        newer: dict[bytes, Rec] = {}
        for rec in self._reader.span(Topic.DESK, partition, start, end):
            newer[rec.key or b""] = rec
        live.update(newer)
        changes = [live[key] for key in sorted(live) if live[key].value is not None]
        if self._warm is None:
            return changes
        if known is None:
            whole = [(rec.key or b"", rec.value or b"") for rec in changes]
            self._warm.replace(partition, whole, end, now_ms)
        else:
            kept = [Message(rec.key, rec.value) for rec in newer.values()]
            self._warm.keep({partition: kept}, {partition: end}, now_ms)
        return changes
