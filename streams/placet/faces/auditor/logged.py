"""V13 and V14: every record is one leaf, the cuts leave nothing out, and a leaf is what its record makes it."""

import struct
from collections.abc import Callable
from typing import NamedTuple

from placet.faces.auditor.cursor import Cursor
from placet.faces.auditor.hashes import sha256
from placet.faces.auditor.records import HEADER_SIZE, Schemas
from placet.faces.auditor.report import Check, title_of
from placet.model.topics import SPECS, Topic
from placet.ports import Log, Rec

LOGGED = frozenset({4, 8, 9, 10, 11, 12, 13, 14})
"""Topics whose records are leaves: decisions, and all context."""
RECORD, TOMBSTONE, UNREAD, CUT = 1, 2, 3, 4
_Place = tuple[int, int]


class Taken(NamedTuple):
    """What a cut says it took of one partition."""

    topic: int
    partition: int
    start: int
    end: int
    leaves: int

    @property
    def place(self) -> _Place:
        return self.topic, self.partition


class Cuts:
    """The leaves of a log in order, held against the cuts among them. `fail` is told an index and what is wrong there."""

    def __init__(self, fail: Callable[[int, str], None]) -> None:
        self._fail = fail
        self.places: dict[_Place, int] = {}
        self.cuts = 0
        self._wanted: list[Taken] = []
        self._left = 0
        self._last = -1
        self.instant = 0

    def take(self, index: int, leaf: bytes) -> tuple[list[Taken], Taken | None]:
        """Return what a leaf that is a cut takes, or else the partition whose record it is, None where it is none."""
        if leaf[:2] == bytes((1, CUT)):
            return self._cut(index, leaf), None
        while self._wanted and not self._left:
            self._next()
        if not self._wanted:
            self._fail(index, "a leaf that no cut has taken in")
            return [], None
        taken = self._wanted[0]
        self._left -= 1
        if len(leaf) < 47 or leaf[0] != 1 or leaf[1] & 127 not in (RECORD, TOMBSTONE, UNREAD):
            self._fail(index, f"no leaf of a record: begins with {leaf[:2].hex()}")
            return [], None
        topic, partition, offset = struct.unpack_from(">BIQ", leaf, 2)
        if (topic, partition) != taken.place or not max(taken.start, self._last + 1) <= offset < taken.end:
            self._fail(
                index,
                f"is {title_of(topic)}/{partition}@{offset}, expected {title_of(taken.topic)}/{taken.partition} "
                f"from {max(taken.start, self._last + 1)} to {taken.end}",
            )
        self._last = offset
        return [], taken

    def _next(self) -> None:
        self._wanted.pop(0)
        self._last = -1
        self._left = self._wanted[0].leaves if self._wanted else 0

    def _cut(self, index: int, leaf: bytes) -> list[Taken]:
        self.finish(index)
        if (len(leaf) - 26) % 25:
            self._fail(index, f"a cut of {len(leaf)} bytes")
            return []
        number, at, instant = struct.unpack_from(">QQQ", leaf, 2)
        taken = [Taken(*struct.unpack_from(">BIQQI", leaf, start)) for start in range(26, len(leaf), 25)]
        if (number, at) != (self.cuts, index) or instant < self.instant:
            self._fail(
                index, f"cut {number} at {at} of instant {instant}, expected {self.cuts} at {index}, not earlier"
            )
        self.cuts, self.instant = number + 1, instant
        if [one.place for one in taken] != sorted({one.place for one in taken}):
            self._fail(index, f"cut {number} does not name its partitions in order, once each")
        for one in taken:
            since = self.places.get(one.place, 0)
            if one.start != since or one.end <= one.start or one.topic not in LOGGED:
                self._fail(
                    index,
                    f"cut {number} takes {title_of(one.topic)}/{one.partition} from {one.start} to {one.end}, "
                    f"the log was at {since}",
                )
            self.places[one.place] = one.end
        self._wanted = taken
        self._last, self._left = -1, taken[0].leaves if taken else 0
        return taken

    def finish(self, index: int) -> None:
        """Hold that every leaf the last cut has promised is there."""
        missing = self._left + sum(one.leaves for one in self._wanted[1:])
        if missing:
            self._fail(index, f"cut {self.cuts - 1} took {missing} leaves in that are not there")
        self._wanted, self._left = [], 0


class Logged:
    """A log's leaves held against the records of the topics, which are read beside it."""

    def __init__(self, log: Log, schemas: Schemas, check: Check) -> None:
        self._log = log
        self._schemas = schemas
        self._check = check
        self._cursors: dict[_Place, Cursor] = {}
        self._waiting: list[tuple[Taken, list[Rec]]] = []

    def cut(self, taken: list[Taken]) -> None:
        """Read what a cut says it took."""
        self.finish()
        for one in taken:
            cursor = self._cursors.get(one.place)
            if cursor is None:
                cursor = self._cursors[one.place] = Cursor(self._log, *one.place)
            recs = list(cursor.upto(one.end))
            self._waiting.append((one, [rec for rec in recs if rec.offset >= one.start and not self._mark(rec)]))

    def leaf(self, taken: Taken, leaf: bytes) -> None:
        """Hold a leaf against the record it says it is of."""
        while self._waiting and self._waiting[0][0] is not taken:
            self._omitted(*self._waiting.pop(0))
        if not self._waiting:
            return
        recs = self._waiting[0][1]
        (offset,) = struct.unpack_from(">Q", leaf, 7)
        while recs and recs[0].offset < offset:
            self._fail(taken, recs.pop(0).offset, "is no leaf of the log, which has read past it")
        self._check.checked += 1
        if recs and recs[0].offset == offset:
            if self.expected(recs.pop(0)) != leaf:
                self._fail(taken, offset, "stands in the log with other bytes than in its topic")
        elif SPECS[Topic(taken.topic)].compacted:
            self._check.skip("the topic keeps the record no more")
        elif self._kept(taken, offset):
            self._fail(taken, offset, "is a leaf of the log and no record of its topic")
        else:
            self._check.skip("the record has expired")

    def finish(self) -> None:
        """Hold that no record the last cut has read is missing among its leaves."""
        while self._waiting:
            self._omitted(*self._waiting.pop(0))

    def expected(self, rec: Rec) -> bytes:
        """Return the leaf of a record, as the provenance room's page describes it."""
        value = rec.value
        fingerprint, body, kind = bytes(32), b"", TOMBSTONE
        if value is not None:
            known = self._schemas.fingerprint_of(value)
            fingerprint, body, kind = (known, value[HEADER_SIZE:], RECORD) if known else (bytes(32), value, UNREAD)
        place = struct.pack(">BIQ", rec.topic, rec.partition, rec.offset) + fingerprint
        key = b"\xff\xff\xff\xff" if rec.key is None else struct.pack(">I", len(rec.key)) + rec.key
        whole = bytes((1, kind)) + place + key + body
        if len(body) > 60_000 or len(whole) > 65_535:
            return bytes((1, kind | 128)) + place + struct.pack(">I", len(whole)) + sha256(whole)
        return whole

    def _mark(self, rec: Rec) -> bool:
        return rec.value is not None and self._schemas.name_of(rec.value) == "watermark"

    def _kept(self, taken: Taken, offset: int) -> bool:
        begins = self._cursors[taken.place].begins
        return begins is not None and offset >= begins

    def _omitted(self, taken: Taken, recs: list[Rec]) -> None:
        for rec in recs:
            self._fail(taken, rec.offset, "is no leaf of the log, which has read past it")

    def _fail(self, taken: Taken, offset: int, text: str) -> None:
        self._check.fail(taken.topic, taken.partition, offset, text)
