"""Where concrete drivers are chosen: everything behind a desk, once over a folder and once over Kafka."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from placet.context.tables import Tables
from placet.decision.desk import Desk
from placet.decision.library import Library
from placet.decision.settings import DeskSettings
from placet.drivers import kafka as kafka_drivers
from placet.drivers.bureau import Bureau
from placet.drivers.clock import SystemClock
from placet.drivers.embedded import EmbeddedReader, EmbeddedSettings, open_owner, open_reader
from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import Keys, ensure_keys
from placet.drivers.logs import logger
from placet.drivers.loop import Loop
from placet.drivers.memory import few_heaps
from placet.drivers.metrics import Watch, exposition
from placet.drivers.settings import Settings
from placet.drivers.signals import SignalFolder
from placet.errors import Corrupted, PlacetError, Unavailable, Unsure
from placet.model.topics import INPUTS, Topic
from placet.ports import Clock, Entropy, Feed, Journal, Log

LOGGER = logger("worker")
AGAIN_S_MIN, AGAIN_S_MAX = 0.05, 2.0
SWITCH_S = 0.0005
"""How long a thread may keep the others of a folder's process waiting, s. Python's own 5 ms is more than a whole answer
takes: writers, readers and the loop share one process here."""


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


def embedded(
    settings: Settings, *, clock: Clock | None = None, entropy: Entropy | None = None, watch: Watch | None = None
) -> Stack:
    """Return a stack over the folder `settings.data`, made with its keys on the first start.

    Raises `Unavailable` when another process owns the folder, `Corrupted` when it contradicts itself.
    """
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    sys.setswitchinterval(SWITCH_S)
    settings.data.mkdir(parents=True, exist_ok=True)
    owner = open_owner(
        settings.journal_dir,
        clock,
        EmbeddedSettings(partitions=settings.folder_partitions, cluster=settings.cluster, sync=settings.wal_sync),
    )
    try:
        keys = ensure_keys(settings.keys_file, settings.secrets_dir, entropy)
        journal, feed, log = owner.journal(), owner.feed(), owner.log()
        watch = watch or Watch()
        loop = loop_over(journal, feed, log.partitions(Topic.INTENTS), keys, settings, clock, entropy, watch)
    except BaseException:
        owner.close()
        raise
    return Stack(journal, feed, log, loop, settings, keys, watch, _once(owner.close))


def kafka(
    settings: Settings, *, clock: Clock | None = None, entropy: Entropy | None = None, watch: Watch | None = None
) -> Stack:
    """Return a stack over the cluster `settings.bootstrap`, whose topics `placet topics apply` has made.

    Private keys must lie in the secrets folder: a worker makes none.
    """
    few_heaps()
    clock, entropy, watch = clock or SystemClock(), entropy or SystemEntropy(), watch or Watch()
    keys = Keys(settings.keys_file, settings.secrets_dir)
    connection = cluster(settings)
    opened: list[Journal | Feed | Log] = []

    def close() -> None:
        for one in reversed(opened):
            one.close()

    try:
        log = kafka_drivers.KafkaLog(connection)
        opened.append(log)
        feed = kafka_drivers.KafkaFeed(connection)
        opened.append(feed)
        journal = kafka_drivers.KafkaJournal(
            connection, settings.slot, data=settings.data, cluster=settings.cluster, clock=clock
        )
        opened.append(journal)
        loop = loop_over(journal, feed, log.partitions(Topic.INTENTS), keys, settings, clock, entropy, watch)
    except BaseException:
        close()
        raise
    return Stack(journal, feed, log, loop, settings, keys, watch, _once(close))


def log(settings: Settings) -> Log:
    """Return the topics of the cluster `settings.bootstrap`. `append` is for any thread, the rest for one."""
    return kafka_drivers.KafkaLog(cluster(settings))


def beside(settings: Settings) -> EmbeddedReader:
    """Return the topics of the folder `settings.data` for reading, whether or not an owner is at work in it."""
    return open_reader(settings.journal_dir)


def cluster(settings: Settings) -> kafka_drivers.Connection:
    """Return the Kafka cluster of the settings; nothing is connected yet."""
    if not settings.bootstrap:
        raise Unavailable("no Kafka cluster named: set PLACET_BOOTSTRAP=HOST:PORT")
    return kafka_drivers.Connection(
        settings.bootstrap,
        prefix=settings.prefix,
        options=settings.kafka,
        session_ms=settings.member_ms_max,
        transaction_ms=settings.transaction_ms_max,
    )


def _once(close: Callable[[], None]) -> Callable[[], None]:
    """Return `close` so that a second call does nothing."""
    left = [close]
    return lambda: left.pop()() if left else None


def loop_over(
    journal: Journal,
    feed: Feed,
    partitions: int,
    keys: Keys,
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    watch: Watch,
) -> Loop:
    """Return the loop that decides `partitions` partitions of `journal` as `settings` say."""
    ring, kek = keys.ring, keys.kek()
    tables, library = Tables(ring), Library(ring)
    desk_settings = DeskSettings(
        deadline_ms_max=settings.deadline_ms_max,
        lag_ms_max=settings.lag_ms_max,
        retry_ms=settings.retry_ms,
        approval_ms=settings.approval_ms,
        sweep_most=settings.sweep_most,
        parked_most=settings.parked_most,
        pending_most=settings.pending_most,
        held_most=settings.held_most,
        record_bytes_max=settings.record_bytes_max,
        session_ms_max=settings.session_ms_max,
    )

    def desk_of(partition: int) -> Desk:
        return Desk(partition, partitions, tables, library, ring, kek, desk_settings)

    bureau = Bureau(tables, library, desk_of, journal.cluster, keys.seal_key(), ring)
    return Loop(
        journal,
        feed,
        bureau,
        clock,
        entropy,
        watch,
        batch_most=settings.batch_most,
        seal_idle_ms=settings.seal_idle_ms,
        skew_ms_max=settings.skew_ms_max,
    )


class Running:
    """A stack at work: its loop in a thread, and on a folder the folding of signals in another.

    `Unsure` is answered as it asks: everything is given back and made again,
    which only `make` can do; without it, or on `Corrupted`, the loop has ended
    and `failure` says why.
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
            # Whoever waits for the loop must hear of it.
            self.failure = Corrupted(f"the loop ended: {type(error).__name__}: {error}")
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


def serve(stack: Stack) -> Running:
    """Return a running stack over a folder, signals folded in process."""
    return Running(stack, folds=True)


def work(settings: Settings, watch: Watch) -> Running:
    """Return a running worker on Kafka, which makes itself anew after every commit whose answer was lost."""
    return Running(kafka(settings, watch=watch), make=lambda: kafka(settings, watch=watch))
