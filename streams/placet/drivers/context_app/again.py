"""All facts of a table, piece by piece: a million of them are never in memory at once, and no database is held open."""

from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

MOST = 200
"""Facts said again at once, before signals have their turn."""


def held(store: Any, key: bytes) -> bytes | None:
    """Return what `store` holds under `key`, in whichever partition."""
    return next((found for db in _databases(store) if (found := db.get(key)) is not None), None)


async def pieces(store: Any) -> AsyncIterator[list[bytes]]:
    """Yield the keys of all facts in `store`; what comes or goes meanwhile may or may not be among them."""
    for number in range(len(_databases(store))):
        after = b""
        while number < len(databases := _databases(store)):
            keys = databases[number].keys(from_key=after) if after else databases[number].keys()
            piece = [key for key in islice(keys, MOST + 1) if key != after]
            # An iterator that lives keeps a database open that a rebalance takes away and brings back.
            del keys, databases
            if not piece:
                break
            after = piece[-1]
            yield [key for key in piece if key != store.offset_key]


def _databases(store: Any) -> list[Any]:
    return [db for _, db in sorted(store._dbs.items())]  # noqa: SLF001 - Faust's own iteration holds databases open
