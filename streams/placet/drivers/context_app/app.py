"""The context plane on Kafka: a Faust app that folds risk signals into facts, at least once."""

import asyncio
import logging
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from faust.contrib.asgi import faust_app_running

from placet.context.hearing import hear_signal, risk_key, signal_key
from placet.context.reducers import fold_risk
from placet.drivers.clock import SystemClock
from placet.drivers.context_app.again import held, pieces
from placet.drivers.context_app.broker import make_app
from placet.drivers.context_app.facts import Facts
from placet.drivers.context_app.partitions import Partitions
from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.topics import apply_compacted, partition_counts
from placet.drivers.metrics import Count, Watch, exposition
from placet.errors import PoisonRecord, Unavailable
from placet.model.codec import decode_known, quarantined, risk, watermark
from placet.model.codec.quarantined import Quarantined
from placet.model.codec.risk import Risk
from placet.model.codec.watermark import Watermark
from placet.model.keys import partition_of
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Clock

LOGGER = logging.getLogger("placet.context")
SOURCE = "placet-context"
DETAIL_MAX = 500
_STOP_S = 30.0
_LOOK_S = 0.5

# One RocksDB a partition: the store's own defaults are a 2 GiB cache and 3 x 64 MiB of write buffers each.
_STORE = {"block_cache_size": 16 << 20, "write_buffer_size": 4 << 20, "max_open_files": 256}


class ContextApp:
    """Folds `placet.signals` into `placet.risk`, one fact per tenant, subject and source.

    At least once: an offset is committed when what it led to is with all
    replicas, and a signal folded again ends at the same fact. A poison signal
    goes to `placet.quarantine` and changes nothing. After every rebalance the
    owner of a partition says its facts again, so that no word of a predecessor
    that came late is the last one kept.

    `slot` is stable per process and has `data` to itself. Of each signal
    partition it owns it says on every partition of `placet.risk`, each
    `watermark_ms`, up to when all signals are folded: as part n of as many as
    there are signal partitions, so that readers miss the part whose owner is
    silent. A partition that stands still for the connection's `stall_ms` while
    there are signals in it ends the process.
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
        watch: Watch | None = None,
    ) -> None:
        self._ring = ring
        self._skew_ms_max = skew_ms_max
        self._clock: Clock = clock or SystemClock()
        self.watch = watch or Watch()
        counts = partition_counts(connection, (Topic.SIGNALS, Topic.RISK, Topic.QUARANTINE))
        self._counts = counts
        self.folded = 0
        self.quarantined = 0
        data.mkdir(parents=True, exist_ok=True)
        self.app = make_app(connection, slot, data, counts[Topic.SIGNALS], Facts)
        self._signals = connection.title(Topic.SIGNALS)
        self._risk = self._topic(connection.title(Topic.RISK))
        self._quarantine = self._topic(connection.title(Topic.QUARANTINE))
        apply_compacted(connection, f"{self.app.conf.id}-facts-changelog", counts[Topic.SIGNALS])
        self._facts: Any = self.app.Table(
            "facts", key_type=bytes, value_type=bytes, partitions=counts[Topic.SIGNALS], options=dict(_STORE)
        )
        self._facts.on_recover(self._begin_again)
        self.app.agent(self._topic(self._signals), name="fold", concurrency=1)(self._fold)
        self._partitions = Partitions(self.app, self._signals, connection.stall_ms / 1000, self._clock, self._mark)
        self._watermark_s = watermark_ms / 1000
        self.app.task(self._look_on)
        self.app.task(self._say_again)
        self._stall_s = connection.stall_ms / 1000
        self._unsaid = asyncio.Event()
        # Held from reading a fact to handing it over, so that an older word never overtakes a newer one.
        self._saying = asyncio.Lock()

    def _topic(self, title: str) -> Any:
        return self.app.topic(title, key_type=bytes, value_type=bytes)

    async def _fold(self, stream: Any) -> None:
        self._partitions.waiting = stream.channel.queue
        async for event in stream.noack().events():
            message = event.message
            progress = await self._partitions.in_turn(message)
            if progress is None:
                continue
            progress.hear(message.offset)
            sent = await self._hear(message.partition, message.offset, round(message.timestamp * 1000), event)
            # INVARIANT: an offset is acknowledged only after what it led to: the fact said, and the fact kept.
            progress.sent(event, sent)
            sent.add_done_callback(partial(self._delivered, message.partition, message.offset))

    def _delivered(self, partition: int, offset: int, sent: "asyncio.Future[Any]") -> None:
        if sent.cancelled():
            return
        if (error := sent.exception()) is not None:
            # Without this offset nothing after it is committed; a restart folds from here on again.
            LOGGER.error("%s/%d@%d: not written: %s", SOURCE, partition, offset, error)
            self.app.loop.create_task(self.app.crash(error))
        else:
            self._partitions.settle(partition)

    async def _hear(self, partition: int, offset: int, at: int, event: Any) -> "asyncio.Future[Any]":
        value: bytes | None = event.value
        try:
            heard = hear_signal(value, at, self._ring, self._skew_ms_max)
            key = risk_key(heard)
            known = self._known(key)
            if known is not None and (known.subject, known.source) != (heard.subject, heard.source):
                raise PoisonRecord(f"its key is that of `{known.subject}` by `{known.source}`", Reason.MALFORMED)
            # What one subject's fact is folded from lies in one partition: elsewhere it would be folded twice, apart.
            home = partition_of(signal_key(heard), self._counts[Topic.SIGNALS])
            if partition != home:
                raise PoisonRecord(f"it lies in partition {partition}, expected {home}", Reason.WRONG_PARTITION)
        except PoisonRecord as poison:
            return asyncio.ensure_future(await self._set_aside(partition, offset, at, event.key, value, poison))
        self.watch.context("signals", 1, 0, self._clock.now_ms() - at)
        async with self._saying:
            fact = fold_risk(known, heard, partition, offset)
            self.folded += 1
            if (fact.signal_partition, fact.signal_offset) != (partition, offset):
                return asyncio.gather()
            # Also when it is held already: this signal was folded before, and perhaps not said.
            frame = risk.frame(fact)
            self._facts[key] = frame
            kept = self._facts.kept
            said = await self._say(key, frame)
        return asyncio.gather(said, kept)

    def _known(self, key: bytes) -> Risk | None:
        frame: bytes | None = self._facts.get(key)
        known: Risk | None = None if frame is None else decode_known(frame)
        return known

    async def _say(self, key: bytes, frame: bytes) -> Awaitable[Any]:
        said: Awaitable[Any] = await self._risk.send(
            key=key, value=frame, partition=partition_of(key, self._counts[Topic.RISK])
        )
        return said

    async def _set_aside(
        self, partition: int, offset: int, at: int, key: bytes | None, value: bytes | None, poison: PoisonRecord
    ) -> Awaitable[Any]:
        self.quarantined += 1
        self.watch.context("signals", 0, 1, self._clock.now_ms() - at)
        self.watch.batch(Count(refused={poison.reason: 1}))  # type: ignore[arg-type]
        record = Quarantined(
            int(Topic.SIGNALS), partition, offset, at, int(poison.reason), str(poison)[:DETAIL_MAX], key, value
        )
        sent: Awaitable[Any] = await self._quarantine.send(
            key=f"{int(Topic.SIGNALS)}/{partition}/{offset}".encode(),
            value=quarantined.frame(record),
            partition=partition % self._counts[Topic.QUARANTINE],
        )
        return sent

    async def _begin_again(self) -> None:
        """After a rebalance: what was known of partitions is forgotten, what is known of risk is said again."""
        self._partitions.forget()
        self.watch.rebalanced()
        self._unsaid.set()

    async def _say_again(self) -> None:
        # Beside the folding, never before it: with a million subjects this takes minutes.
        while not self.app.should_stop:
            if await self.app.wait_for_stopped(self._unsaid.wait()):
                return
            self._unsaid.clear()
            said = 0
            async for keys in pieces(self._facts.data):
                for key in keys:
                    async with self._saying:
                        # Read anew: a signal may have been folded since the piece was.
                        if (frame := held(self._facts.data, key)) is not None:
                            self._facts.send_changelog(decode_known(frame).signal_partition, key, frame)
                            await self._say(key, frame)
                said += len(keys)
                if self._unsaid.is_set() or self.app.should_stop:
                    break
                await self.app.sleep(0.05)
            LOGGER.info("said %d facts again", said)

    async def _look_on(self) -> None:
        await self._partitions.look_on(self._watermark_s)

    async def _mark(self, partition: int, at: int) -> None:
        source = f"{SOURCE}#{partition}/{self._counts[Topic.SIGNALS]}"
        frame = watermark.frame(Watermark(source=source, at=at))
        for number in range(self._counts[Topic.RISK]):
            await self._risk.send(key=f"watermark/{source}".encode(), value=frame, partition=number)

    def live(self) -> bool:
        """Return whether the app looked at its partitions lately; until its first look it counts as live."""
        return not self._partitions.looked_at or monotonic() - self._partitions.looked_at < self._stall_s

    def ready(self) -> bool:
        """Return whether the app has its partitions and looks after them."""
        return self._partitions.looked_at > 0 and self.live()

    def measure(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return exposition(self.watch)

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
