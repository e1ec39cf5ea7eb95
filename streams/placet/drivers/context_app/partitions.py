"""The partitions of signals that one worker owns: folded in order, looked at from outside, quiet up to an instant."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

import faust
from faust.transport.drivers import aiokafka

from placet.drivers.context_app.progress import Progress
from placet.drivers.context_app.unbroken import Turn, Unbroken
from placet.errors import Unavailable
from placet.ports import Clock

LOGGER = logging.getLogger("placet.context")
_ANSWER_S = 10.0
GONE: type[Exception] = aiokafka.IllegalStateError  # type: ignore[attr-defined]
"""A partition was taken away between two questions."""


class Partitions:
    """How far each partition is. `mark` is told of each when it is quiet, and up to when (ms).

    `waiting` is the queue of what was fetched. A partition that stands still
    for `stall_s` while there are signals in it is an error.
    """

    def __init__(
        self,
        app: faust.App,
        topic: str,
        stall_s: float,
        clock: Clock,
        mark: Callable[[int, int], Awaitable[None]],
    ) -> None:
        self.looked_at = 0.0
        self.waiting: Any = None
        self._app = app
        self._topic = topic
        self._stall_s = stall_s
        self._clock = clock
        self._mark = mark
        self._progress: dict[int, Progress] = {}
        self._sorting = False

    def forget(self) -> None:
        """After a rebalance: Faust seeks after this, and until it has, it may deliver from anywhere."""
        consumer: Any = self._app.consumer
        consumer.begins.clear()
        self._progress.clear()

    async def in_turn(self, events: Sequence[Any]) -> list[tuple[Any, Progress]]:
        """Return which of `events` may be folded now, each with its partition's progress; others will be delivered again.

        What is missing before one is asked for.
        """
        # What is neither waiting any more nor in turn yet is still on its way.
        self._sorting = True
        try:
            return [(one, progress) for one in events if (progress := await self._turn(one.message)) is not None]
        finally:
            self._sorting = False

    def still(self, turns: Sequence[tuple[Any, Progress]]) -> list[tuple[Any, Progress]]:
        """Return which of `turns` are still to be folded here: after a rebalance they will be delivered again, to whom it may be."""
        return [turn for turn in turns if self._progress.get(turn[0].message.partition) is turn[1]]

    async def _turn(self, message: Any) -> Progress | None:
        consumer: Any = self._app.consumer
        tp = message.tp
        if (progress := self._progress.get(tp.partition)) is None:
            progress = self._progress[tp.partition] = Progress()
        order = progress.order
        order.begin(consumer.begins.get(tp))
        turn = order.admit(message.offset)
        if turn is Turn.FOLD:
            progress.hear(message.offset)
            if hole := order.take(message.offset):
                await consumer.pass_over(tp, hole)
            return progress
        consumer.leave(message)
        if turn is Turn.AGAIN:
            LOGGER.info("%s/%d: %s is missing before %d: read again", *tp, order.next, message.offset)
            await self._read_again(tp, order)
        return None

    def settle(self, partition: int) -> None:
        """What a signal of the partition led to is kept: acknowledge what may be."""
        if progress := self._progress.get(partition):
            progress.acks.settle()

    async def look_on(self, every_s: float) -> None:
        """Look at the partitions until the app ends. Raise `Unavailable` when the broker does not answer, or one is stuck."""
        # Not a timer: what it asks of the consumer may take longer than its interval.
        unanswered_s = 0.0
        while not self._app.should_stop:
            began = monotonic()
            try:
                await self._look(every_s)
                unanswered_s = 0.0
            except GONE:
                pass  # the next look is at what is left
            except TimeoutError:
                unanswered_s += _ANSWER_S
                if unanswered_s > self._stall_s:
                    raise Unavailable(f"no answer about the ends of {self._topic}") from None
            await self._app.sleep(max(0.0, every_s - (monotonic() - began)))

    async def _look(self, every_s: float) -> None:
        """Ask where the signals end, and say of each partition up to when it is quiet."""
        now = self._clock.now_ms()
        consumer: Any = self._app.consumer
        mine = [tp for tp in consumer.assignment() if tp.topic == self._topic]
        for gone in self._progress.keys() - {tp.partition for tp in mine}:
            del self._progress[gone]
        # Asked anew and after the clock was read: what is quiet is known by the broker's word, not by its silence.
        # And all at once: each question waits for a poll to end.
        questions = (consumer.highwaters(*mine), consumer.earliest_offsets(*mine), *map(consumer.position, mine))
        ends, firsts, *positions = await asyncio.wait_for(asyncio.gather(*questions), _ANSWER_S) if mine else ({}, {})
        waiting = self._sorting or self.waiting is None or not self.waiting.empty()
        for tp, position in zip(mine, positions, strict=True):
            progress = self._progress.setdefault(tp.partition, Progress())
            progress.order.begin(consumer.begins.get(tp))
            committed = max(firsts[tp], consumer._committed_offset.get(tp) or 0)  # noqa: SLF001 - it tells nobody
            progress.aim(now, ends[tp], committed, position or 0, waiting, every_s)
            if progress.missed:
                LOGGER.info("%s/%d: nothing came from %s on: read again", *tp, progress.order.next)
                await self._read_again(tp, progress.order)
            if progress.stuck_s > self._stall_s:
                raise Unavailable(
                    f"{tp.topic}/{tp.partition}: there are signals up to {ends[tp]}, but none was folded for"
                    f" {progress.stuck_s:.0f} s"
                )
        for partition, progress in list(self._progress.items()):
            if (at := progress.quiet()) is not None:
                await self._mark(partition, at)
        self.looked_at = monotonic()

    async def _read_again(self, tp: Any, order: Unbroken) -> None:
        if order.next is not None:
            with suppress(GONE):
                await self._app.consumer.seek_wait({tp: order.next})
