"""A deciding process at work: its parts together, its loop in a thread, and how it says that it lives."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from placet.drivers.clock import SystemClock
from placet.drivers.keyfile import Keys
from placet.drivers.logs import logger
from placet.drivers.loop import Loop
from placet.drivers.metrics import Watch, exposition
from placet.drivers.settings import Settings
from placet.drivers.signals import SignalFolder
from placet.errors import PlacetError, Unavailable, Unsure
from placet.model.reasons import ReviewState
from placet.model.topics import INPUTS
from placet.ports import Feed, Journal, Log

LOGGER = logger("worker")
AGAIN_S_MIN, AGAIN_S_MAX = 0.05, 2.0


@dataclass(slots=True)
class Stack:
    """All that one deciding process is made of. `close` gives everything back, in order."""

    journal: Journal
    feed: Feed
    log: Log
    loop: Loop
    settings: Settings
    keys: Keys
    watch: Watch
    close: Callable[[], None]


class Running:
    """A stack at work: its loop in a thread, and on a folder the folding of signals in another.

    `Unsure` is answered as it asks: everything is given back and made again,
    which only `make` can do; without it, on `Corrupted`, and on what nobody
    foresaw, the loop has ended and `failure` says why.
    """

    def __init__(self, stack: Stack, *, make: Callable[[], Stack] | None = None, folds: bool = False) -> None:
        self.stack = stack
        self.failure: PlacetError | None = None
        self.ended = threading.Event()
        self._make = make
        self._stop = threading.Event()
        self._measuring = threading.Lock()
        self._folder = SignalFolder(stack.log, stack.keys.ring, stack.watch, stack.settings) if folds else None
        self._again_s = AGAIN_S_MIN
        self._waited_at = 0.0
        self._thread = threading.Thread(target=self._run, name="placet-loop", daemon=True)
        self._thread.start()
        if self._folder is not None:
            self._folder.start()

    def stop(self, within_s: float | None = None) -> bool:
        """End after the batch under way, and give everything back; return whether that was over `within_s`.

        May be called more than once. A client can wait for a broker longer than anybody waits for a process.
        """
        ending = threading.Thread(target=self._end, name="placet-ending", daemon=True)
        ending.start()
        ending.join(within_s)
        return not ending.is_alive()

    def _end(self) -> None:
        self._stop.set()
        if self._folder is not None:
            self._folder.stop()
        self._thread.join()
        self.stack.close()

    def live(self) -> bool:
        """Return whether the loop makes progress: a turn, a restore, or a wait for a cluster that does not answer.

        To start again would help with none of the three.
        """
        if self.ended.is_set():
            return False
        loop = self.stack.loop
        return loop.restoring or not loop.turned_at or self._since(max(loop.turned_at, self._waited_at))

    def ready(self) -> bool:
        """Return whether the loop took a turn lately and serves partitions, each of them restored."""
        loop = self.stack.loop
        served = bool(loop.bureau.places) and not loop.restoring
        return served and self.live() and self._since(loop.turned_at)

    def _since(self, at: float) -> bool:
        return at > 0 and time.monotonic() - at < self.stack.settings.stalled_ms_max / 1000

    def measure(self) -> bytes:
        """Return all metrics in Prometheus' text format, with how far the desks are behind as of now."""
        with self._measuring:
            stack = self.stack
            with contextlib.suppress(PlacetError):
                stack.watch.lag(
                    {
                        (topic.title, place.partition): max(
                            0, stack.log.end(topic, place.partition) - place.inputs.get(topic, 0)
                        )
                        for place in list(stack.loop.bureau.places.values())
                        for topic in INPUTS
                    }
                )
            places = list(stack.loop.bureau.places.values())
            pending = [since for place in places for since in place.desk.pending()]
            stack.watch.waiting(pending, SystemClock().now_ms())
            reviews = [state for place in places for state in place.desk.reviews()]
            stack.watch.reviewing(len(reviews), reviews.count(ReviewState.OVERDUE))
            return exposition(stack.watch)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self.stack.loop.run(self._stop, self.stack.settings.batch_wait_ms, self._waited)
                except Unsure as error:
                    if self._make is None:
                        raise
                    LOGGER.warning("starting again: an answer was lost", why=str(error))
                    self.stack.watch.aborted()
                    self._remake(self._make)
        except PlacetError as error:
            self.failure = error
            LOGGER.error("the loop ended", kind=type(error).__name__, why=str(error))  # noqa: TRY400  it is no surprise
        except Exception as error:
            # No descriptor left, no memory, a fault of our own: nobody knows where the batch stands, the journal does.
            self.failure = Unsure(f"the loop ended: {type(error).__name__}: {error}")
            LOGGER.exception("the loop ended")
        finally:
            self.ended.set()

    def _remake(self, make: Callable[[], Stack]) -> None:
        self.stack.close()
        while not self._stop.is_set():
            try:
                self.stack = make()
            except (Unavailable, Unsure):
                self._wait()
            else:
                self._again_s = AGAIN_S_MIN
                return

    def _waited(self, nothing: Unavailable) -> None:
        LOGGER.warning("batch put off: nothing was committed", why=str(nothing))
        self._wait()

    def _wait(self) -> None:
        self._stop.wait(self._again_s)
        self._waited_at = time.monotonic()
        self._again_s = min(AGAIN_S_MAX, self._again_s * 2)
