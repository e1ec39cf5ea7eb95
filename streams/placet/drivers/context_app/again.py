"""All facts of a table, piece by piece: a million of them are never in memory at once, and no database is held open."""

from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

MOST = 500
"""Facts said again at once, before signals have their turn."""


async def pieces(store: Any) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Yield the keys of all facts in `store`, by partition; what comes or goes meanwhile may or may not be among them."""
    for partition in sorted(store._dbs):  # noqa: SLF001 - Faust's own iteration holds databases open
        after = b""
        while (database := store._dbs.get(partition)) is not None:  # noqa: SLF001
            keys = database.keys(from_key=after) if after else database.keys()
            piece = [key for key in islice(keys, MOST + 1) if key != after]
            # An iterator that lives keeps a database open that a rebalance takes away and brings back.
            del keys, database
            if not piece:
                break
            after = piece[-1]
            yield partition, [key for key in piece if key != store.offset_key]
