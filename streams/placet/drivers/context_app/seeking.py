"""What Faust's consumer leaves out: where it begins, what it was delivered and did not hand on, and that there are many."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from typing import Any

from faust.transport.drivers import aiokafka
from faust.types import TP

CHANGELOG = "-changelog"
POLL_S = 0.1
FETCH_MS = 50
"""How long a broker may keep a fetch until there is something. Of a partition that is not in it nothing is heard meanwhile."""
ENOUGH = 1_000
"""Messages that wait to be folded before more are fetched. At three times as many Faust fetches nothing for a second."""
PAUSE_S = 0.005
BREATH = 100
"""Messages handed on before others have their turn."""


class Nowhere(MutableMapping[TP, int | None]):
    """Remembers nothing."""

    def __getitem__(self, _: TP) -> None:
        return None

    def __setitem__(self, _: TP, offset: int | None) -> None:
        pass

    def __delitem__(self, _: TP) -> None:
        pass

    def __iter__(self) -> Iterator[TP]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Thread(aiokafka.AIOKafkaConsumerThread):
    """Faust's thread around the client. Faust lets a broker keep a fetch for 1.5 s, and there is one at a time."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        client: Any = super()._create_worker_consumer(transport)
        client._fetch_max_wait_ms = FETCH_MS  # noqa: SLF001 - it is no setting of Faust's
        return client


class Consumer(aiokafka.Consumer):
    """Faust's consumer, which hands on all it is delivered, and says where it began.

    Faust remembers the newest offset of a partition, also that of a message it
    handed to nobody because partitions were moving, drops what is older when
    that is delivered anew, and counts the rest as done. Here nothing is dropped
    and nothing is done but what was acknowledged or passed over: whoever folds
    looks after the order.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.begins: dict[TP, int] = {}
        self._read_offset = Nowhere()

    def _new_consumer_thread(self) -> Thread:
        return Thread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109  it is Faust's own
        """Hand on what was fetched, and yield what Faust is to hand on.

        Faust waits for each message in four tasks: for one that need not wait
        this costs more than to fold it. Of a changelog it only has to hear how
        far it was read.
        """
        read_back: dict[TP, list[Any]] = {}
        handed_on = 0
        async for tp, message in super().getmany(timeout):
            if tp.topic.endswith(CHANGELOG):
                read_back.setdefault(tp, []).append(message)
            elif self._goes_at_once(tp):
                await self.callback(message)
                handed_on += 1
                if handed_on % BREATH == 0:
                    await asyncio.sleep(0)
            else:
                yield tp, message
        for tp, messages in read_back.items():
            tables: Any = self.app.tables
            table = tables._changelogs.get(tp.topic)  # noqa: SLF001
            if table is not None and table.owned(tp.partition):
                table.read_back(tp, messages)
            yield tp, messages[-1]

    def _goes_at_once(self, tp: TP) -> bool:
        """Return whether a message of `tp` can be handed on without waiting for anything."""
        buffer = self.app.producer.buffer
        free = self.flow_active and self.app.flow_control.is_active() and buffer.size <= buffer.max_messages
        return free and not any(queue.full() for queue in self._queues(tp))

    def _queues(self, *partitions: TP) -> Iterator[Any]:
        topics: Any = self.app.topics
        index = topics._tp_index  # noqa: SLF001 - where a message goes is told by nothing else
        return (channel.queue for tp in partitions for channel in index.get(tp, ()))

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109  it is Faust's own
        if any(queue.qsize() > ENOUGH for queue in self._queues(*active_partitions)):
            await asyncio.sleep(PAUSE_S)
            return {}
        # Whatever else is asked of the consumer waits for a poll to end, and that is asked several times a second.
        return await super()._getmany(active_partitions, min(timeout, POLL_S))

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every partition to its committed position, or else to the first record that is kept.

        aiokafka seeks to no position that was never committed and leaves the
        partition where it is: behind what was fetched and dropped meanwhile.
        """
        positions = dict(await super().seek_to_committed())
        # A changelog is read from where its table ends, which is not for the group to say.
        signals = [tp for tp in positions if not tp.topic.endswith(CHANGELOG)]
        never = [tp for tp in signals if not (positions[tp] or 0) > 0]
        if never:
            begins = dict(await self.earliest_offsets(*never))
            await self.seek_wait(begins)
            positions |= begins
        self.begins |= {tp: positions[tp] for tp in signals}
        return positions

    async def pass_over(self, tp: TP, hole: range) -> None:
        """Count offsets as done that nobody has to fold."""
        if hole:
            await self._add_gap(tp, hole[0], hole[-1])

    def leave(self, message: Any) -> None:
        """Forget a message that will be delivered once more: nobody is to wait for its acknowledgement."""
        self._unacked_messages.discard(message)
