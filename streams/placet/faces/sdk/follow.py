"""One reader of decisions for all agents and executors of a connection: each partition is followed and verified once."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from placet.errors import Corrupted, PlacetError, PoisonRecord, Unavailable, Unsure
from placet.faces.sdk.sealed import Sealed, SealedReader
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Log

LOGGER = logging.getLogger("placet.follow")
UNREAD = "%s/%d from offset %d on: schema id %d, which this package does not read; not believed: upgrade it first"
READ_MOST = 2_000
WAIT_MS = 500
AGAIN_S_MIN, AGAIN_S_MAX = 0.05, 2.0
THERE_MS = 5_000
"""How long to wait for a record that is known to be there: a broker has to fetch it first."""


class Listener(Protocol):
    """Who hears sealed decisions, in order within a partition. Calls come from the partition's thread: be quick."""

    def heard(self, partition: int, batch: Sequence[Sealed]) -> None:
        """Take a sealed batch."""

    def failed(self, error: PlacetError) -> None:
        """Hear that nothing more can be believed, and why."""


class Follower:
    """Follows partitions of `placet.decisions`, each in a thread of its own, from when the first listener asks for it.

    A log that cannot be read is tried again for as long as it takes; records
    that contradict their Seals end the following with `Corrupted`, for good.
    """

    def __init__(self, log: Log, ring: KeyRing, tail: Callable[[], Log] | None = None) -> None:
        self._log = log
        self._tail = tail
        self._ring = ring
        self._lock = threading.Lock()
        self._listeners: dict[int, list[Listener]] = {}
        self._threads: list[threading.Thread] = []
        self._ending = threading.Event()
        self._failure: PlacetError | None = None

    def join(self, listener: Listener, partition: int) -> int:
        """Tell `listener` everything sealed in `partition` from now on; return the offset that is now at the latest."""
        offset = self._log.end(Topic.DECISIONS, partition)
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._ending.is_set():
                raise Unavailable("the connection is closed")
            listeners = self._listeners.get(partition)
            if listeners is not None:
                if listener not in listeners:
                    self._listeners[partition] = [*listeners, listener]
                return offset
            self._listeners[partition] = [listener]
            thread = threading.Thread(
                target=self._run, args=(partition, offset), name=f"placet-follow-{partition}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        return offset

    def leave(self, listener: Listener) -> None:
        """Tell `listener` nothing more."""
        with self._lock:
            for partition, listeners in self._listeners.items():
                self._listeners[partition] = [one for one in listeners if one is not listener]

    def check(self) -> None:
        """Raise what ended the following, if anything did."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """End all threads. A read that waits ends within half a second."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _run(self, partition: int, offset: int) -> None:
        log = self._log if self._tail is None else self._tail()
        try:
            self._follow(log, partition, offset)
        except Exception as error:  # noqa: BLE001  a follower that dies silently would look like silence
            self._fail(Unavailable(f"following {Topic.DECISIONS.title}/{partition} ended: {error}"))
        finally:
            if log is not self._log:
                log.close()

    def _follow(self, log: Log, partition: int, offset: int) -> None:
        reader = SealedReader(partition, self._ring, genesis=offset == 0)
        again_s = AGAIN_S_MIN
        while not self._ending.is_set():
            try:
                recs = log.read(Topic.DECISIONS, partition, offset, READ_MOST, WAIT_MS)
                again_s = AGAIN_S_MIN
                if recs:
                    known = set(reader.unread)
                    batch = reader.feed(recs)
                    for number in reader.unread - known:
                        LOGGER.warning(UNREAD, Topic.DECISIONS.title, partition, recs[0].offset, number)
                    offset = recs[-1].offset + 1
                    if batch:
                        for listener in self._listeners[partition]:
                            listener.heard(partition, batch)
            except (Unavailable, Unsure):
                self._ending.wait(again_s)
                again_s = min(AGAIN_S_MAX, again_s * 2)
            except (Corrupted, PoisonRecord) as error:
                self._fail(error)
                return

    def _fail(self, error: PlacetError) -> None:
        with self._lock:
            self._failure = self._failure or error
            listeners = {id(one): one for many in self._listeners.values() for one in many}
        for listener in listeners.values():
            listener.failed(error)


def read_sealed(log: Log, ring: KeyRing, partition: int, start: int, end: int) -> list[Sealed]:
    """Return the sealed decisions of `partition` between two offsets; of the first batch only if it is whole."""
    return read_with(SealedReader(partition, ring, genesis=start == 0), log, start, end)


def read_with(reader: SealedReader, log: Log, start: int, end: int) -> list[Sealed]:
    """Return what `reader`, which has read nothing yet, believes of its partition between two offsets."""
    out: list[Sealed] = []
    while start < end:
        recs = log.read(Topic.DECISIONS, reader.partition, start, min(READ_MOST, end - start), THERE_MS)
        if not recs:
            break
        out += reader.feed(recs)
        start = recs[-1].offset + 1
    return out
