"""The context plane on Kafka: a Faust app that folds risk signals into facts, at least once."""

import asyncio
import logging
import signal as signals
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import faust
from faust.contrib.asgi import faust_app_running

from placet.context.hearing import hear_signal, risk_key
from placet.context.reducers import fold_risk
from placet.drivers.acks import InOrder
from placet.drivers.clock import SystemClock
from placet.drivers.kafka.connection import MESSAGE_BYTES_MAX, Connection
from placet.drivers.kafka.topics import apply_compacted, partition_counts
from placet.errors import PoisonRecord, Unavailable
from placet.model.codec import quarantined, risk, watermark
from placet.model.codec.quarantined import Quarantined
from placet.model.codec.watermark import Watermark
from placet.model.keys import partition_of
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Clock

LOGGER = logging.getLogger("placet.context")
SOURCE = "placet-context"
DETAIL_MAX = 500
_STOP_S = 30.0
_ANSWER_S = 10.0
_LOOK_S = 1.0

# One RocksDB a partition: the store's own defaults are a 2 GiB cache and 3 x 64 MiB of write buffers each.
_STORE = {"block_cache_size": 16 << 20, "write_buffer_size": 4 << 20, "max_open_files": 256}


class _Facts(faust.Table[bytes, bytes]):
    """A table that tells when its last change is with all replicas."""

    kept: "asyncio.Future[Any]"

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        self.kept = super().send_changelog(*args, **kwargs)
        return self.kept


class ContextApp:
    """Folds `placet.signals` into `placet.risk`, one fact per tenant, subject and source.

    At least once: an offset is committed when what it led to is with all
    replicas, and a signal folded again ends at the same fact. A poison signal
    goes to `placet.quarantine` and changes nothing. After every rebalance the
    owner of a partition says its facts again, so that what a predecessor had
    folded but not said is heard.

    `slot` is stable per process and has `data` to itself. A worker that has all
    signal partitions marks `placet.risk` each `watermark_ms` while it has
    folded all there was.
    """

    def __init__(
        self,
        connection: Connection,
        slot: str,
        data: Path,
        ring: KeyRing,
        *,
        skew_ms_max: int = 2_000,
        watermark_ms: int = 1_000,
        clock: Clock | None = None,
    ) -> None:
        self._ring = ring
        self._skew_ms_max = skew_ms_max
        self._clock: Clock = clock or SystemClock()
        counts = partition_counts(connection, (Topic.SIGNALS, Topic.RISK, Topic.QUARANTINE))
        self._signal_partitions = counts[Topic.SIGNALS]
        self._risk_partitions = counts[Topic.RISK]
        self._quarantine_partitions = counts[Topic.QUARANTINE]
        self.folded = 0
        self.quarantined = 0
        data.mkdir(parents=True, exist_ok=True)
        self.app = _app(connection, slot, data, counts[Topic.SIGNALS])
        self._signals = connection.title(Topic.SIGNALS)
        self._risk = self._topic(connection.title(Topic.RISK))
        self._quarantine = self._topic(connection.title(Topic.QUARANTINE))
        apply_compacted(connection, f"{self.app.conf.id}-facts-changelog", counts[Topic.SIGNALS])
        self._facts: Any = self.app.Table(
            "facts", key_type=bytes, value_type=bytes, partitions=counts[Topic.SIGNALS], options=dict(_STORE)
        )
        self._facts.on_recover(self._say_again)
        self.app.agent(self._topic(self._signals), name="fold", concurrency=1)(self._fold)
        self.app.task(self._mark_on)
        self._watermark_s = watermark_ms / 1000
        self._next: dict[int, int] = {}
        self._acks: dict[int, InOrder] = {}
        self._stall_s = connection.stall_ms / 1000
        self._places: dict[Any, int] = {}
        self._moved_at = monotonic()

    def _topic(self, title: str) -> Any:
        return self.app.topic(title, key_type=bytes, value_type=bytes)

    async def _fold(self, stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            sent = await self._hear(message.partition, message.offset, round(message.timestamp * 1000), event)
            self._next[message.partition] = message.offset + 1
            # INVARIANT: an offset is acknowledged only after what it led to: the fact said, and the fact kept.
            self._acks.setdefault(message.partition, InOrder()).add(event, sent)
            sent.add_done_callback(partial(self._delivered, message.partition, message.offset))

    def _delivered(self, partition: int, offset: int, sent: "asyncio.Future[Any]") -> None:
        if sent.cancelled():
            return
        if (error := sent.exception()) is not None:
            # Without this offset nothing after it is committed; a restart folds from here on again.
            LOGGER.error("%s/%d@%d: not written: %s", SOURCE, partition, offset, error)
            self.app.loop.create_task(self.app.crash(error))
        elif acks := self._acks.get(partition):
            acks.settle()

    async def _hear(self, partition: int, offset: int, at: int, event: Any) -> "asyncio.Future[Any]":
        value: bytes | None = event.value
        try:
            heard = hear_signal(value, at, self._ring, self._skew_ms_max)
        except PoisonRecord as poison:
            return asyncio.ensure_future(await self._set_aside(partition, offset, at, event.key, value, poison))
        key = risk_key(heard)
        held: bytes | None = self._facts.get(key)
        fact = fold_risk(risk.decode(held) if held else None, heard, partition, offset)
        self.folded += 1
        if (fact.signal_partition, fact.signal_offset) != (partition, offset):
            return asyncio.gather()
        # Also when it is held already: this signal was folded before, and perhaps not said.
        frame = risk.frame(fact)
        self._facts[key] = frame
        kept = self._facts.kept
        said: Awaitable[Any] = await self._risk.send(
            key=key, value=frame, partition=partition_of(key, self._risk_partitions)
        )
        return asyncio.gather(said, kept)

    async def _set_aside(
        self, partition: int, offset: int, at: int, key: bytes | None, value: bytes | None, poison: PoisonRecord
    ) -> Awaitable[Any]:
        self.quarantined += 1
        record = Quarantined(
            int(Topic.SIGNALS), partition, offset, at, int(poison.reason), str(poison)[:DETAIL_MAX], key, value
        )
        sent: Awaitable[Any] = await self._quarantine.send(
            key=f"{int(Topic.SIGNALS)}/{partition}/{offset}".encode(),
            value=quarantined.frame(record),
            partition=partition % self._quarantine_partitions,
        )
        return sent

    async def _say_again(self) -> None:
        self._next.clear()
        self._acks.clear()
        said = 0
        for key, frame in list(self._facts.items()):
            await self._risk.send(key=key, value=frame, partition=partition_of(key, self._risk_partitions))
            said += 1
        LOGGER.info("said %d facts again", said)

    async def _mark_on(self) -> None:
        # Not a timer: what it asks of the consumer waits for a poll to end, and may take longer than its interval.
        while not self.app.should_stop:
            await self._mark()
            await self.app.sleep(self._watermark_s)

    async def _mark(self) -> None:
        """Say that all is quiet, if all signal partitions are this worker's and it has folded all they hold."""
        now = self._clock.now_ms()
        consumer = self.app.consumer
        mine = [tp for tp in consumer.assignment() if tp.topic == self._signals]
        if len(mine) < self._signal_partitions:
            return
        # Asked anew and after the clock was read: what is quiet is known by the broker's word, not by its silence.
        ends = await asyncio.wait_for(consumer.highwaters(*mine), _ANSWER_S)
        places: dict[Any, int] = {}
        for tp in mine:
            fetched = await asyncio.wait_for(consumer.position(tp), _ANSWER_S) or 0
            places[tp] = min(fetched, self._next.get(tp.partition, fetched))
        if any(places[tp] < ends[tp] for tp in mine):
            self._watch_for_a_stall(places)
            return
        frame = watermark.frame(Watermark(source=SOURCE, at=now))
        for partition in range(self._risk_partitions):
            await self._risk.send(key=f"watermark/{SOURCE}".encode(), value=frame, partition=partition)

    def _watch_for_a_stall(self, places: dict[Any, int]) -> None:
        if places != self._places:
            self._places, self._moved_at = places, monotonic()
        elif monotonic() - self._moved_at > self._stall_s:
            raise Unavailable(f"{SOURCE}: there are signals, but none was folded for {self._stall_s:.0f} s")

    async def run(self, ending: asyncio.Event) -> None:
        """Serve until `ending` is set, then commit and stop. Raise `Unavailable` when a part of the app has died.

        Faust's own parts can die without ending it (its issue 175): so each is asked.
        """
        async with faust_app_running(self.app, stop_timeout=_STOP_S):
            while not ending.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(ending.wait(), _LOOK_S)
                for part in _parts(self.app):
                    if part.crashed:
                        raise Unavailable(f"{SOURCE}: {part.label} has died: {part.crash_reason!r}")


def _parts(service: Any) -> Iterator[Any]:
    yield service
    for child in service._children:  # noqa: SLF001 - mode tells of the children of a service in no other way
        yield from _parts(child)


def _app(connection: Connection, slot: str, data: Path, partitions: int) -> faust.App:
    return faust.App(
        f"{connection.prefix}placet-context",
        broker=[f"kafka://{address}" for address in connection.bootstrap.split(",")],
        consumer_group_instance_id=slot,
        key_serializer="raw",
        value_serializer="raw",
        store="rocksdb://",
        datadir=data / slot,
        # Its exactly-once mode loses the tie between outputs and positions; a keyed fold needs none.
        processing_guarantee="at_least_once",
        broker_commit_interval=1.0,
        broker_max_poll_records=500,
        broker_session_timeout=60,
        broker_request_timeout=90,
        consumer_auto_offset_reset="earliest",
        producer_linger=0.005,
        producer_max_request_size=MESSAGE_BYTES_MAX,
        stream_buffer_maxsize=4096,
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_partitions=partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        Table=_Facts,
        # Its web server gives table data to anyone who asks.
        web_enabled=False,
    )


def run_context(
    connection: Connection,
    slot: str,
    data: Path,
    ring: KeyRing,
    *,
    skew_ms_max: int = 2_000,
    watermark_ms: int = 1_000,
) -> None:
    """Serve in this process until SIGTERM or SIGINT. The arguments are those of `ContextApp`."""

    async def serve() -> None:
        ending = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signals.SIGTERM, signals.SIGINT):
            loop.add_signal_handler(number, ending.set)
        await ContextApp(connection, slot, data, ring, skew_ms_max=skew_ms_max, watermark_ms=watermark_ms).run(ending)

    asyncio.run(serve())
