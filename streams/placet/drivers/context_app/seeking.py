"""Where a consumer begins: also of a partition whose group has committed nothing yet."""

from collections.abc import Mapping

from faust.transport.drivers import aiokafka
from faust.types import TP

CHANGELOG = "-changelog"


class Consumer(aiokafka.Consumer):
    """Faust's consumer, which seeks before it folds, and here always does.

    aiokafka seeks to no position that was never committed and leaves the
    partition where it is. Faust has dropped by then what it fetched while its
    tables were read back: a worker that was killed before its first commit
    would never fold what came meanwhile.
    """

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every partition to its committed position, or else to the first record that is kept."""
        positions = dict(await super().seek_to_committed())
        # A changelog is read from where its table ends, which is not for the group to say.
        never = [tp for tp, offset in positions.items() if not (offset or 0) > 0 and not tp.topic.endswith(CHANGELOG)]
        if never:
            begins = dict(await self.earliest_offsets(*never))
            await self.seek_wait(begins)
            positions |= begins
        return positions
