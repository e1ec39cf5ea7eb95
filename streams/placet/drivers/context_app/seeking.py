"""What Faust's consumer leaves out: where it begins, and what it was delivered and did not hand on."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from faust.transport.drivers import aiokafka
from faust.types import TP

CHANGELOG = "-changelog"
POLL_S = 0.1


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

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109  it is Faust's own
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
