"""The context plane on Kafka: a Faust app that folds risk signals into facts, at least once."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from faust.contrib.asgi import faust_app_running

from placet.drivers.aside import set_aside
from placet.drivers.clock import SystemClock
from placet.drivers.context_app.again import pieces
from placet.drivers.context_app.broker import make_app
from placet.drivers.context_app.facts import Facts
from placet.drivers.context_app.feeds import is_feed
from placet.drivers.context_app.fold import Folder, appended_at
from placet.drivers.context_app.outbox import hand_over
from placet.drivers.context_app.partitions import Partitions
from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.topics import apply_compacted, partition_counts
from placet.drivers.metrics import Count, Watch, exposition
from placet.errors import PoisonRecord, Unavailable
from placet.model.codec import watermark
from placet.model.codec.watermark import Watermark
from placet.model.context_keys import watermark_key
from placet.model.keys import partition_of
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Clock

LOGGER = logging.getLogger("placet.context")
SOURCE = "placet-context"
NEVER = 1
"""Up to when risk is heard of a feed that has yet to speak for all its parts; 0 would take the app out of the feeds."""
MOST = 250
"""Signals folded at once, before all else has its turn: some 20 ms."""
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
    silent. Where feeds mark a partition, it is never past the oldest of their
    watermarks: that the app lives says nothing of them. A partition that stands
    still for the connection's `stall_ms` while there are signals in it ends the
    process.
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
        table: Any = self.app.Table(
            "facts", key_type=bytes, value_type=bytes, partitions=counts[Topic.SIGNALS], options=dict(_STORE)
        )
        self._facts: Facts = table
        self._facts.on_recover(self._begin_again)
        self.app.agent(self._topic(self._signals), name="fold", concurrency=1)(self._fold)
        self._folder = Folder(self._facts.known, ring, skew_ms_max, counts[Topic.SIGNALS], counts[Topic.RISK])
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
            turns = await self._partitions.in_turn(self._all_waiting(event))
            async with self._saying:
                # A partition that was taken away meanwhile is folded by whoever has it now.
                turns = [turn for turn in self._partitions.still(turns) if self._facts.owned(turn[0].message.partition)]
                if not turns:
                    continue
                try:
                    done = await self._hear([event for event, _ in turns])
                except Exception as error:
                    # Faust would go on behind them, and signals that were in turn once are not delivered again here.
                    await self.app.crash(error)
                    raise
            # INVARIANT: an offset is acknowledged only after what it led to: the fact said, and the fact kept.
            for one, progress in turns:
                progress.sent(one, done)
            done.add_done_callback(partial(self._delivered, [one.message for one, _ in turns]))

    def _all_waiting(self, first: Any) -> list[Any]:
        """Return `first` and what waits behind it, up to `MOST`: a batch is as long as the last one took."""
        found, queue = [first], self._partitions.waiting
        while len(found) < MOST and not queue.empty():
            event = queue.get_nowait()
            # As Faust does: what was fetched before a rebalance will be delivered again.
            if self.app.flow_control.is_active() and event.message.generation_id == self.app.consumer_generation_id:
                found.append(event)
        return found

    def _delivered(self, messages: Sequence[Any], done: "asyncio.Future[Any]") -> None:
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            # Without these offsets nothing after them is committed; a restart folds from here on again.
            LOGGER.error("%s/%d@%d: not written: %s", SOURCE, messages[0].partition, messages[0].offset, error)
            self.app.loop.create_task(self.app.crash(error))
            return
        for partition in {message.partition for message in messages}:
            self._partitions.settle(partition)

    async def _hear(self, events: Sequence[Any]) -> "asyncio.Future[Any]":
        """Fold `events`, and return what ends when all that this leads to is with all replicas."""
        folded = self._folder.fold(event.message for event in events)
        self.folded += folded.taken
        self._facts._verify_source_topic_partitions(self._signals)  # noqa: SLF001 - Faust does at each write
        for partition, facts in folded.kept.items():
            self._facts.put(partition, facts)
        age_ms = self._clock.now_ms() - appended_at(events[-1].message)
        self.watch.context("signals", folded.taken, len(folded.poison), age_ms)
        answers: list[Awaitable[Any]] = await self._say(folded.said)
        for partition, facts in folded.kept.items():
            answers += await self._facts.keep(partition, facts)
        answers += [await self._set_aside(message, poison) for message, poison in folded.poison]
        return asyncio.gather(*answers)

    async def _say(self, said: Mapping[int, Iterable[tuple[bytes, bytes]]]) -> list[Awaitable[Any]]:
        title = self._risk.get_topic_name()
        return [
            answer for partition, facts in said.items() for answer in await hand_over(self.app, title, partition, facts)
        ]

    async def _set_aside(self, message: Any, poison: PoisonRecord) -> Awaitable[Any]:
        self.quarantined += 1
        self.watch.batch(Count(refused={poison.reason: 1}))  # type: ignore[arg-type]
        partition, offset, at = message.partition, message.offset, appended_at(message)
        count = self._counts[Topic.QUARANTINE]
        aside = set_aside(partition, offset, at, message.key, message.value, poison, count)
        sent: Awaitable[Any] = await self._quarantine.send(key=aside.key, value=aside.value, partition=aside.partition)
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
            async for partition, keys in pieces(self._facts.data):
                said += len(keys)
                await asyncio.gather(*await self._say_piece(partition, keys))
                if self._unsaid.is_set() or self.app.should_stop:
                    break
                await self.app.sleep(0.05)
            LOGGER.info("said %d facts again", said)

    async def _say_piece(self, partition: int, keys: Sequence[bytes]) -> list[Awaitable[Any]]:
        async with self._saying:
            if not self._facts.owned(partition):
                return []
            # Read anew: a signal may have been folded since the piece was.
            facts = {key: frame for key in keys if (frame := self._facts.known(partition, key)) is not None}
            said: dict[int, list[tuple[bytes, bytes]]] = {}
            for key, frame in facts.items():
                if is_feed(key):
                    continue
                said.setdefault(partition_of(key, self._counts[Topic.RISK]), []).append((key, frame))
            return [*await self._facts.keep(partition, facts), *await self._say(said)]

    async def _look_on(self) -> None:
        await self._partitions.look_on(self._watermark_s)

    async def _mark(self, partition: int, at: int) -> None:
        # Before the table is read back, a feed that is silent may not be known yet.
        if not (self.app.tables.actives_ready and self._facts.owned(partition)):
            return
        if feeds := self._facts.feeds(partition):
            at = max(NEVER, min(at, feeds.heard_at))
        said = Watermark(source=f"{SOURCE}#{partition}/{self._counts[Topic.SIGNALS]}", at=at)
        key, frame = watermark_key(said), watermark.frame(said)
        for number in range(self._counts[Topic.RISK]):
            await self._risk.send(key=key, value=frame, partition=number)

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
