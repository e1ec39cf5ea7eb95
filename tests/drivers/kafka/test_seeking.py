"""Where the context app begins to read: at what is committed, else at the beginning, and never where it happens to be."""

import asyncio
from typing import Any

from faust.types import TP

from placet.drivers.context_app.seeking import Consumer

COMMITTED, NEVER, AT_ZERO = TP("placet.signals", 0), TP("placet.signals", 1), TP("placet.signals", 2)
TABLE = TP("placet-context-facts-changelog", 0)


class Thread:
    """What a consumer asks of its thread, and where each partition was sought to."""

    def __init__(self) -> None:
        self.sought: dict[TP, int] = {}

    async def seek_to_committed(self) -> dict[TP, int | None]:
        # As aiokafka does: only a position above 0 is sought.
        self.sought[COMMITTED] = 41
        return {COMMITTED: 41, NEVER: None, AT_ZERO: 0, TABLE: None}

    async def earliest_offsets(self, *partitions: TP) -> dict[TP, int]:
        return {tp: {NEVER: 7, AT_ZERO: 0}[tp] for tp in partitions}

    async def seek_wait(self, positions: dict[TP, int]) -> None:
        self.sought |= positions


def test_a_partition_that_was_never_committed_is_read_from_its_beginning() -> None:
    thread: Any = Thread()
    consumer = Consumer.__new__(Consumer)
    consumer._thread = thread
    consumer.begins = {}
    found = asyncio.run(consumer.seek_to_committed())
    assert thread.sought == {COMMITTED: 41, NEVER: 7, AT_ZERO: 0}
    assert found == {COMMITTED: 41, NEVER: 7, AT_ZERO: 0, TABLE: None}
    assert consumer.begins == {COMMITTED: 41, NEVER: 7, AT_ZERO: 0}
