"""The newest sealed record of each attempt, for those who ask and those who wait."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from placet.errors import PlacetError, Unavailable
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.past import since
from placet.faces.sdk.sealed import Sealed
from placet.model.codec import decode_as
from placet.model.topics import Topic

KEPT = 50_000
TAIL_MOST = 10_000
SCAN_MOST = 200_000
READ_MOST = 2_000

Whose = tuple[str, str, bytes]


class Tail:
    """What one reader has still to be told. One that falls too far behind is ended, so it never misses anything unawares."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Sealed | PlacetError] = asyncio.Queue()
        self._ended = False

    def put(self, batch: Sequence[Sealed]) -> None:
        """Add what was sealed."""
        for one in batch:
            if self._queue.qsize() >= TAIL_MOST:
                self.end(Unavailable(f"the reader is more than {TAIL_MOST} records behind; begin again"))
            if self._ended:
                return
            self._queue.put_nowait(one)

    def end(self, why: PlacetError) -> None:
        """Add nothing more."""
        if not self._ended:
            self._ended = True
            self._queue.put_nowait(why)

    async def next(self) -> Sealed:
        """Return the next record; raise why there is none."""
        one = await self._queue.get()
        if isinstance(one, PlacetError):
            raise one
        return one


class Newest:
    """Follows all partitions; what is older than the newest `KEPT` attempts is looked for in the log.

    Calls come from the threads that follow; waiting is asyncio's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._records: OrderedDict[Whose, dict[int, Any]] = OrderedDict()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._tails: dict[Tail, asyncio.AbstractEventLoop] = {}
        self.failure: PlacetError | None = None

    def start(self) -> None:
        """Begin to follow."""
        for partition in range(self._connection.log.partitions(Topic.DECISIONS)):
            self._connection.follower.join(self, partition)

    def heard(self, partition: int, batch: Sequence[Sealed]) -> None:  # noqa: ARG002  a `Listener` is told
        """Keep what was sealed, and wake who waits."""
        with self._lock:
            for one in batch:
                record = one.record
                if one.name == "repeat" or not record.id:
                    continue
                whose = (record.tenant, record.authority, record.id)
                attempts = self._records.setdefault(whose, {})
                # A refused claim says nothing of where the intent stands.
                if one.name == "verdict" or (record.cause_topic == Topic.INTENTS and record.attempt not in attempts):
                    attempts[record.attempt] = record
                self._records.move_to_end(whose)
            while len(self._records) > KEPT:
                self._records.popitem(last=False)
            waiting, tails = list(self._waiting), list(self._tails.items())
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)
        for tail, loop in tails:
            loop.call_soon_threadsafe(tail.put, batch)

    def failed(self, error: PlacetError) -> None:
        """Keep why nothing more is believed."""
        self.failure = error
        with self._lock:
            waiting, tails = list(self._waiting), list(self._tails.items())
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)
        for tail, loop in tails:
            loop.call_soon_threadsafe(tail.end, error)

    def known(self, whose: Whose, attempt: int) -> Any | None:
        """Return the newest record of an attempt (0: of the newest one) that is in memory."""
        with self._lock:
            attempts = self._records.get(whose)
            if not attempts:
                return None
            return attempts.get(attempt or max(attempts))

    async def wait(self, whose: Whose, attempt: int, after_seq: int, seconds: float) -> Any | None:
        """Return the newest record of an attempt once there is one after `after_seq`, or what there is when time is up."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        place = (loop, event)
        with self._lock:
            self._waiting.add(place)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if self.failure is not None:
                        raise self.failure
                    event.clear()
                    found = self.known(whose, attempt)
                    if found is not None and found.seq > after_seq:
                        return found
                    await event.wait()
        except TimeoutError:
            return self.known(whose, attempt)
        finally:
            with self._lock:
                self._waiting.discard(place)

    def tail(self) -> "Tail":
        """Return a queue of everything sealed from now on."""
        tail = Tail()
        with self._lock:
            self._tails[tail] = asyncio.get_running_loop()
        return tail

    def untail(self, tail: "Tail") -> None:
        """Take a queue back."""
        with self._lock:
            self._tails.pop(tail, None)

    def search(self, whose: Whose, attempt: int) -> Any | None:
        """Return the newest record of an attempt among the last `SCAN_MOST` of its partition. Blocks for its reads."""
        log = self._connection.log
        partition = self._connection.partition(whose[0], whose[1])
        high = log.end(Topic.DECISIONS, partition)
        low = max(0, high - SCAN_MOST)
        while high > low:
            start = max(low, high - READ_MOST)
            for rec in reversed(log.read(Topic.DECISIONS, partition, start, high - start, 0)):
                record = _verdict_of(rec.value or b"", whose)
                if record is not None and attempt in (0, record.attempt):
                    # Believed only under its Seal.
                    sealed = since(log, self._connection.ring, partition, record.seq)
                    return sealed[0].record
            high = start
        return None


def _verdict_of(value: bytes, whose: Whose) -> Any | None:
    record = decode_as("verdict", value) if whose[2] in value else None
    if record is None:
        return None
    return record if (record.tenant, record.authority, record.id) == whose else None
