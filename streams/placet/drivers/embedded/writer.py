"""Every write of a folder: offsets and times given in order, and one fsync shared by all who wait for it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, RLock
from typing import TypeVar

from placet.drivers.embedded.disk import Change, Disk
from placet.drivers.embedded.ends import Ends, Place
from placet.drivers.embedded.layout import (
    COMPACTED,
    END,
    FORGOTTEN,
    INDEX,
    KEPT,
    NUMBER,
    PAST,
    PLACE,
    POINTER,
    ROW,
    ROWED,
    RUNS,
    end_row,
    input_row,
    key_row,
)
from placet.drivers.embedded.runs import pack_run
from placet.drivers.embedded.settings import EmbeddedSettings
from placet.drivers.embedded.state import State
from placet.errors import Unavailable, Unsure
from placet.model.topics import CONTEXT
from placet.ports import Clock, Message

T = TypeVar("T")

_MARK_EVERY = 16_384
"""Changes between two marks: some hundred batches."""

Additions = Sequence[tuple[Place, Sequence[Message]]]


@dataclass(slots=True)
class _Draft:
    """One write in the making."""

    changes: list[Change] = field(default_factory=list)
    ends: dict[Place, tuple[int, int]] = field(default_factory=dict)
    kept: dict[Place, int] = field(default_factory=dict)
    newest: dict[bytes, int | None] = field(default_factory=dict)
    rows: dict[bytes, bytes] = field(default_factory=dict)
    runs: int = 0


class Writer:
    """The only one who changes a folder. Any thread may call; writes are ordered, their fsync is shared.

    After a write or an fsync that failed nobody can say what is on the disk,
    and repeating an fsync proves nothing (the kernel drops the pages). So the
    writer refuses all further work until the folder is opened anew.
    """

    def __init__(self, disk: Disk, state: State, ends: Ends, clock: Clock, settings: EmbeddedSettings) -> None:
        self._disk = disk
        self._state = state
        self._ends = ends
        self._clock = clock
        self._settings = settings
        self._order = RLock()
        self._gate = Condition()
        self._written = 0
        self._synced = 0
        self._syncing = False
        self._durable = self._marked = disk.sequence()
        self._unread: list[tuple[int, dict[Place, tuple[int, int]]]] = []
        self._broken = ""
        self._closed = False

    def check(self) -> None:
        """Raise `Unsure` after a failed write, `Unavailable` after `close`."""
        if self._broken:
            raise Unsure(f"{self._disk.folder}: refusing work since {self._broken}; open it again")
        if self._closed:
            raise Unavailable(f"{self._disk.folder}: the journal is closed")

    def write(self, additions: Additions, inputs: Mapping[tuple[int, int], int] | None = None) -> list[int]:
        """Make all additions and input positions durable together, and return each addition's first offset.

        Raise `Unavailable` when nothing was written, `Unsure` when that cannot be known.
        """
        with self._order:
            self.check()
            self._expect_room()
            draft = _Draft()
            firsts = [self._add(draft, place, messages) for place, messages in additions]
            for place, (end, at) in draft.ends.items():
                kept = draft.kept.get(place, self._state.kept[place])
                draft.changes.append((INDEX, end_row(*place), END.pack(end, at, kept)))
            for (partition, topic), position in (inputs or {}).items():
                draft.changes.append((INDEX, input_row(partition, topic), NUMBER.pack(position)))
            if not draft.changes:
                return firsts
            try:
                self._disk.write(draft.changes)
            except BaseException as error:
                self._break("a write", error)
                raise
            for place, (end, at) in draft.ends.items():
                self._state.ends[place], self._state.latest[place] = end, at
            self._state.kept.update(draft.kept)
            self._state.next_run += draft.runs
            with self._gate:
                self._written += 1
                ticket = self._written
                self._unread.append((ticket, draft.ends))
        self._settle(ticket)
        return firsts

    def settle(self) -> None:
        """Return when everything written so far is durable and may be read."""
        with self._gate:
            ticket = self._written
        self._settle(ticket)

    def settled(self, look: Callable[[], T]) -> T:
        """Return what `look` sees while everything written is durable and nobody writes."""
        with self._order:
            self.settle()
            return look()

    def close(self) -> int:
        """Make durable what was written, wake all who wait, refuse further work; return the latest durable change."""
        with self._order:
            self._closed = True
        # Whoever wrote what cannot be made durable any more hears it from its own call.
        with suppress(Unsure):
            self.settle()
            if not self._settings.sync and not self._broken:
                self._disk.sync()
        self._ends.finish()
        return self._durable

    def _expect_room(self) -> None:
        free = self._disk.free_bytes()
        if free < self._settings.free_bytes_min:
            raise Unavailable(
                f"{self._disk.folder}: {free} bytes free on the disk, expected {self._settings.free_bytes_min} at least; "
                "nothing was written"
            )

    def _add(self, draft: _Draft, place: Place, messages: Sequence[Message]) -> int:
        state = self._state
        end, latest = draft.ends.get(place) or (state.ends[place], state.latest[place])
        if not messages:
            return end
        at = max(latest, self._clock.now_ms())
        if place[0] in ROWED:
            for offset, message in enumerate(messages, end):
                self._keep(draft, place, offset, at, message)
        else:
            number = state.next_run + draft.runs
            draft.runs += 1
            draft.changes.append((RUNS, NUMBER.pack(number), pack_run(*place, end, at, messages)))
            draft.changes.append((INDEX, ROW.pack(*place, end), POINTER.pack(number, len(messages))))
        draft.ends[place] = (end + len(messages), at)
        return end

    def _keep(self, draft: _Draft, place: Place, offset: int, at: int, message: Message) -> None:
        """Put one record in a row; one of a compacted topic in the place of the one its key had."""
        stays = message.value is not None or place[0] not in FORGOTTEN
        kept = draft.kept.get(place, self._state.kept[place]) + stays
        draft.kept[place] = kept
        if stays:
            row = pack_run(*place, offset, at, (message,))
            draft.changes.append((KEPT, ROW.pack(*place, offset), row))
            if self._settings.keep_past:
                draft.rows[ROW.pack(*place, offset)] = row
        if message.key is None or place[0] not in COMPACTED:
            return
        name = key_row(*place, message.key)
        if name in draft.newest:
            before = draft.newest[name]
        else:
            known = self._disk.get(INDEX, name)
            before = None if known is None else NUMBER.unpack(known)[0]
        if before is not None:
            if self._settings.keep_past and place[0] in CONTEXT:
                self._move_to_past(draft, place, before)
            draft.changes.append((KEPT, ROW.pack(*place, before), None))
            draft.kept[place] = kept - 1
        draft.newest[name] = offset if stays else None
        draft.changes.append((INDEX, name, NUMBER.pack(offset) if stays else None))

    def _move_to_past(self, draft: _Draft, place: Place, offset: int) -> None:
        name = ROW.pack(*place, offset)
        row = draft.rows.get(name) or self._disk.get(KEPT, name)
        if row is not None:
            draft.changes.append((KEPT, ROW.pack(PAST | place[0], place[1], offset), row))

    def forget(self, places: Mapping[Place, int]) -> None:
        """Give up what is kept of the past below these offsets. Durable with the next write; a crash leaves some."""
        with self._order:
            self.check()
            changes: list[Change] = []
            for (topic, partition), upto in places.items():
                for key, _ in self._disk.scan(KEPT, PLACE.pack(PAST | topic, partition)):
                    if ROW.unpack(key)[2] >= upto:
                        break
                    changes.append((KEPT, key, None))
            if changes:
                try:
                    self._disk.write(changes)
                except BaseException as error:
                    self._break("a write", error)
                    raise

    def _settle(self, ticket: int) -> None:
        """Wait for the fsync that covers `ticket`, or be the one who calls it for all who wait."""
        with self._gate:
            self._gate.wait_for(lambda: self._broken or self._synced >= ticket or not self._syncing)
            if self._synced >= ticket:
                return
            if self._broken:
                raise Unsure(f"{self._disk.folder}: {self._broken} while this was on its way")
            self._syncing = True
            upto = self._written
        try:
            sequence = self._disk.sequence()
            if self._settings.sync:
                self._disk.sync()
                if sequence >= self._marked + _MARK_EVERY:
                    self._disk.mark(sequence)
                    self._marked = sequence
        except BaseException as error:
            self._break("an fsync", error)
            raise
        with self._gate:
            self._synced = upto
            self._durable = sequence
            self._syncing = False
            done = 0
            for number, ends in self._unread:
                if number > upto:
                    break
                self._ends.raise_to((place, end) for place, (end, _) in ends.items())
                done += 1
            del self._unread[:done]
            self._gate.notify_all()

    def _break(self, what: str, error: BaseException) -> None:
        with self._gate:
            self._broken = f"{what} failed ({error})"
            self._syncing = False
            self._gate.notify_all()
        self._ends.finish()
        if isinstance(error, Exception):
            raise Unsure(f"{self._disk.folder}: {self._broken}; it may or may not be there, open it again") from error
