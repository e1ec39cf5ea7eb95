"""Records read back from their rows: by offset, the newest of each key, and the end of a partition backwards."""

from collections.abc import Iterator, Mapping

from placet.drivers.embedded.layout import (
    COMPACTED,
    INDEX,
    KEPT,
    NUMBER,
    PAST,
    PLACE,
    POINTER,
    ROW,
    ROWED,
    RUNS,
    key_row,
)
from placet.drivers.embedded.rows import Rows
from placet.drivers.embedded.runs import ALL, unpack_run
from placet.errors import Corrupted, Unavailable
from placet.model.topics import Topic
from placet.ports import Rec


class Shelf:
    """One folder's records. Ends are given by the caller: what lies past one is not there for it."""

    def __init__(self, rows: Rows, counts: Mapping[int, int]) -> None:
        self._rows = rows
        self._counts = counts

    def partitions(self, topic: int) -> int:
        """Return how many partitions `topic` has. Raise `Unavailable` when there is no such topic."""
        if topic not in self._counts:
            raise Unavailable(f"{self._rows.folder}: no topic {topic}")
        return self._counts[topic]

    def expect(self, topic: int, partition: int) -> None:
        """Raise `Unavailable` unless there is such a partition."""
        if not 0 <= partition < self.partitions(topic):
            raise Unavailable(
                f"{self._rows.folder}: no partition {partition} of {Topic(topic).title}; it has {self._counts[topic]}"
            )

    def read(self, topic: int, partition: int, offset: int, end: int, most: int) -> list[Rec]:
        """Return up to `most` records from `offset` on that lie before `end`."""
        if offset >= end or most <= 0:
            return []
        if topic in ROWED:
            return list(self._kept(topic, partition, offset, end, most))
        return self._plain(topic, partition, max(offset, 0), end, most)

    def whole(self, topic: int, partition: int, offset: int, end: int, most: int) -> list[Rec]:
        """Return what `read` does, of a compacted topic with what newer records have followed and nobody has forgotten."""
        if topic not in COMPACTED or offset >= end:
            return self.read(topic, partition, offset, end, most)
        # What is followed between the two looks is found by the second; found by both, it is one record.
        found = {rec.offset: rec for rec in self._kept(topic, partition, offset, end, most)}
        found |= {rec.offset: rec for rec in self._kept(topic, partition, offset, end, most, PAST)}
        return [found[at] for at in sorted(found)][:most]

    def _kept(self, topic: int, partition: int, offset: int, end: int, most: int, where: int = 0) -> Iterator[Rec]:
        start = ROW.pack(where | topic, partition, max(offset, 0))
        for key, row in self._rows.scan(KEPT, PLACE.pack(where | topic, partition), start):
            base = ROW.unpack(key)[2]
            if base >= end or most <= 0:
                return
            yield from self._unpack(row, topic, partition, base)
            most -= 1

    def _plain(self, topic: int, partition: int, offset: int, end: int, most: int) -> list[Rec]:
        found: list[Rec] = []
        upto = min(end, offset + most)
        prefix = PLACE.pack(topic, partition)
        for key, pointer in self._rows.scan(INDEX, prefix, ROW.pack(topic, partition, offset), floor=True):
            base, (number, count) = ROW.unpack(key)[2], POINTER.unpack(pointer)
            if base > offset or base + count <= offset:
                break
            found += self._unpack(self._run(number), topic, partition, base, offset - base, upto - offset)
            offset = min(base + count, upto)
            if offset == upto:
                return found
        raise Corrupted(f"{self._rows.folder}: {Topic(topic).title}/{partition}@{offset} is missing, the end is {end}")

    def _run(self, number: int) -> bytes:
        row = self._rows.get(RUNS, NUMBER.pack(number))
        if row is None:
            raise Corrupted(f"{self._rows.folder}: run {number} is missing")
        return row

    def _unpack(self, row: bytes, topic: int, partition: int, base: int, skip: int = 0, most: int = ALL) -> list[Rec]:
        try:
            return unpack_run(row, topic, partition, base, skip, most)
        except Corrupted as error:
            raise Corrupted(f"{self._rows.folder}: {error}") from error

    def live(self, topic: int, partition: int, end: int, count: int) -> list[Rec]:
        """Return every record of a context topic that is there, by offset. Raise `Corrupted` unless it is `count`."""
        found = list(self._kept(topic, partition, 0, end, end))
        if len(found) != count:
            raise Corrupted(
                f"{self._rows.folder}: {Topic(topic).title}/{partition} should keep {count} records, {len(found)} are there"
            )
        return found

    def live_by_key(self, topic: int, partition: int, count: int) -> Iterator[Rec]:
        """Yield the newest record of each key of a compacted topic, by key, one at a time from the disk.

        Raise `Corrupted` unless it is `count`, and where the index names a record that is not there.
        """
        # No walk is open while a record is out: one that is forgotten half way would keep the folder from closing.
        named = [NUMBER.unpack(row)[0] for _, row in self._rows.scan(INDEX, key_row(topic, partition, b""))]
        if len(named) != count:
            raise Corrupted(
                f"{self._rows.folder}: {Topic(topic).title}/{partition} should keep {count} records, {len(named)} are there"
            )
        for offset in named:
            row = self._rows.get(KEPT, ROW.pack(topic, partition, offset))
            if row is None:
                raise Corrupted(f"{self._rows.folder}: {Topic(topic).title}/{partition}@{offset} is missing")
            yield from self._unpack(row, topic, partition, offset)

    def sealed_tail(self, partition: int, headers: tuple[bytes, ...]) -> list[Rec]:
        """Return the decisions after the last but one that begins with one of `headers`; all of them where there is none."""
        topic = int(Topic.DECISIONS)
        found: list[Rec] = []
        seals = 0
        for key, pointer in self._rows.scan_back(INDEX, PLACE.pack(topic, partition)):
            recs = self._unpack(self._run(POINTER.unpack(pointer)[0]), topic, partition, ROW.unpack(key)[2])
            for number in range(len(recs) - 1, -1, -1):
                value = recs[number].value
                if value is not None and value.startswith(headers):
                    seals += 1
                    if seals == 2:
                        return recs[number + 1 :] + found
            found = recs + found
        return found
