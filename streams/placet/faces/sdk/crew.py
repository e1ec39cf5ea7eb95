"""Where the handlers of an executor run: plain ones in threads, `async` ones in an event loop of their own."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from placet.faces.sdk.steps import Flow, adrive, drive

Over = Callable[[Exception | None], None]


class Crew:
    """Runs flows. `close` waits for all of them."""

    def __init__(self, name: str, workers: int) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(workers, name)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def work(self, flow: Flow[Any], handler: Callable[..., Any], over: Over) -> None:
        """Run `flow` where `handler` belongs, and tell `over` how it went."""
        if inspect.iscoroutinefunction(handler):
            asyncio.run_coroutine_threadsafe(self._adriven(flow, over), self._async_loop())
        else:
            self._pool.submit(self._driven, flow, over)

    def close(self) -> None:
        """Wait for what runs, and end."""
        self._pool.shutdown(wait=True)
        if self._loop is not None and self._thread is not None:
            asyncio.run_coroutine_threadsafe(_idle(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @staticmethod
    def _driven(flow: Flow[Any], over: Over) -> None:
        try:
            drive(flow)
        except Exception as error:  # noqa: BLE001  the outcome has said it to everybody else
            over(error)
        else:
            over(None)

    @staticmethod
    async def _adriven(flow: Flow[Any], over: Over) -> None:
        try:
            await adrive(flow)
        except Exception as error:  # noqa: BLE001  the outcome has said it to everybody else
            over(error)
        else:
            over(None)

    def _async_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name=f"{self._name}-async", daemon=True)
            self._thread.start()
        return self._loop


async def _idle() -> None:
    """End when every other task of this loop has."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)
