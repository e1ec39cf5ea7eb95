"""Acknowledgements in order, for a consumer that commits over gaps."""

import asyncio
from collections import deque
from typing import Any


class InOrder:
    """Acknowledges events of one partition in the order in which they came.

    Faust commits the end of the first run of acknowledged offsets, also when
    what lies before that run is not acknowledged yet. `settled` is one past the
    last offset acknowledged here, None before there is one.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Any, asyncio.Future[Any]]] = deque()
        self.settled: int | None = None

    @property
    def idle(self) -> bool:
        """Return whether nothing that was added waits."""
        return not self._waiting

    def add(self, event: Any, done: "asyncio.Future[Any]") -> None:
        self._waiting.append((event, done))

    def settle(self) -> None:
        """Acknowledge the oldest, up to the first that did not end well, or not yet."""
        while self._waiting and _ended_well(self._waiting[0][1]):
            event = self._waiting.popleft()[0]
            self.settled = event.message.offset + 1
            event.ack()


def _ended_well(done: "asyncio.Future[Any]") -> bool:
    return done.done() and not done.cancelled() and done.exception() is None
