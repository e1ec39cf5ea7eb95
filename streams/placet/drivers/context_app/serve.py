"""The context app as a process: until it is told to end."""

import asyncio
import gc
import signal
from collections.abc import Callable
from pathlib import Path

from placet.drivers.context_app.app import ContextApp
from placet.drivers.kafka.connection import Connection
from placet.model.proof import KeyRing


def run_context(
    connection: Connection,
    slot: str,
    data: Path,
    ring: KeyRing,
    *,
    skew_ms_max: int = 2_000,
    watermark_ms: int = 1_000,
    begun: Callable[[ContextApp], None] | None = None,
) -> None:
    """Serve in this process until SIGTERM or SIGINT. The arguments are those of `ContextApp`; `begun` is called with it."""

    async def serve() -> None:
        ending = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ending.set)
        app = ContextApp(connection, slot, data, ring, skew_ms_max=skew_ms_max, watermark_ms=watermark_ms)
        if begun is not None:
            begun(app)
        # What was imported is never garbage, and to look it through takes a tenth of a second in which nothing is folded.
        gc.collect()
        gc.freeze()
        await app.run(ending)

    asyncio.run(serve())
