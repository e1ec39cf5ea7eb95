"""Where concrete drivers are chosen: everything behind a desk, once over a folder and once over Kafka."""

import sys
from collections.abc import Callable

from placet.context.tables import Tables
from placet.decision.desk import Desk
from placet.decision.library import Library
from placet.decision.settings import DeskSettings
from placet.drivers import kafka as kafka_drivers
from placet.drivers.ahead import Ahead
from placet.drivers.bureau import Bureau
from placet.drivers.clock import SystemClock
from placet.drivers.embedded import EmbeddedLog, EmbeddedReader, EmbeddedSettings, open_owner, open_reader
from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import Keys, ensure_keys
from placet.drivers.ledger.anchor import Anchor
from placet.drivers.ledger.folder import FolderStore
from placet.drivers.ledger.keys import ensure_ledger_keys
from placet.drivers.ledger.ledger import Ledger
from placet.drivers.ledger.notary import Notary, NotaryRunning
from placet.drivers.ledger.sources import FolderSource, Source
from placet.drivers.loop import Loop
from placet.drivers.memory import few_heaps
from placet.drivers.metrics import Watch
from placet.drivers.running import Running, Stack
from placet.drivers.settings import Settings
from placet.drivers.witness.panel import WitnessedLedger, panel_of
from placet.errors import Unavailable
from placet.model.topics import Topic
from placet.ports import Clock, Entropy, Feed, Journal, Log
from placet.provenance.leaf import LOGGED

SWITCH_S = 0.0005
"""How long a thread may keep the others of a folder's process waiting, s. Python's own 5 ms is more than a whole answer
takes: writers, readers and the loop share one process here."""


def embedded(
    settings: Settings,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    watch: Watch | None = None,
    keeps_past: bool = False,
) -> Stack:
    """Return a stack over the folder `settings.data`, made with its keys on the first start.

    `keeps_past` is for who runs a notary over it, which gives up again what it has logged.
    Raises `Unavailable` when another process owns the folder, `Corrupted` when it contradicts itself.
    """
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    sys.setswitchinterval(SWITCH_S)
    settings.data.mkdir(parents=True, exist_ok=True)
    owner = open_owner(
        settings.journal_dir,
        clock,
        EmbeddedSettings(
            partitions=settings.folder_partitions,
            cluster=settings.cluster,
            sync=settings.wal_sync,
            keep_past=keeps_past,
        ),
    )
    try:
        keys = ensure_keys(settings.keys_file, settings.secrets_dir, entropy)
        journal, feed, log = owner.journal(), owner.feed(), owner.log()
        watch = watch or Watch()
        loop = loop_over(journal, feed, log.partitions, keys, settings, clock, entropy, watch)
    except BaseException:
        owner.close()
        raise
    return Stack(journal, feed, log, loop, settings, keys, watch, _once(loop.close, owner.close))


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
        loop = loop_over(journal, feed, log.partitions, keys, settings, clock, entropy, watch)
    except BaseException:
        close()
        raise
    return Stack(journal, feed, log, loop, settings, keys, watch, _once(loop.close, close))


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


def _once(*closes: Callable[[], None]) -> Callable[[], None]:
    """Return what calls each of `closes`, in order, so that a second call does nothing."""
    left = list(reversed(closes))

    def close() -> None:
        while left:
            left.pop()()

    return close


def loop_over(
    journal: Journal,
    feed: Feed,
    partitions: Callable[[int], int],
    keys: Keys,
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    watch: Watch,
) -> Loop:
    """Return the loop that decides the partitions of `journal` as `settings` say; `partitions` says how many a topic has."""
    ring, kek = keys.ring.apart(settings.skew_ms_max), keys.kek()
    tables, library = Tables(ring, partitions), Library(ring, partitions(Topic.POLICIES))
    decided = partitions(Topic.INTENTS)
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
        return Desk(partition, decided, tables, library, ring, kek, desk_settings)

    ahead = Ahead(ring, settings.verify_workers, settings.record_bytes_max) if settings.verify_workers else None
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
        ahead=ahead,
    )


def notary_over(stack: Stack, *, clock: Clock | None = None, entropy: Entropy | None = None) -> NotaryRunning:
    """Return a running notary over the folder of `stack`, which keeps its past; it must be stopped before the stack."""
    log = stack.log
    assert isinstance(log, EmbeddedLog)
    ledger = _ledger(stack.settings, entropy or SystemEntropy(), stack.watch)
    try:
        source = FolderSource(log.beside(), ledger.state.places)
    except BaseException:
        ledger.close()
        raise
    return _noting(source, ledger, stack.settings, clock or SystemClock(), stack.watch)


def notary(settings: Settings, watch: Watch) -> NotaryRunning:
    """Return a running notary over the cluster `settings.bootstrap`, with its log in `settings.ledger_dir`."""
    ledger = _ledger(settings, SystemEntropy(), watch)
    try:
        source = kafka_drivers.KafkaSource(cluster(settings), LOGGED, ledger.state.places)
    except BaseException:
        ledger.close()
        raise
    return _noting(source, ledger, settings, SystemClock(), watch)


def _ledger(settings: Settings, entropy: Entropy, watch: Watch) -> Ledger:
    store = FolderStore(settings.ledger_dir)
    try:
        keys = ensure_ledger_keys(settings.secrets_dir, store, settings.origin, entropy)
        anchor, holder = Anchor(settings.secrets_dir / "ledger.head"), entropy.draw(8).hex()
        if settings.witnesses is None:
            return Ledger(store, settings.origin, keys.signers, keys.known, holder, anchor=anchor)
        panel = panel_of(settings.witnesses, store, watch, settings.witness_ms_max)
        return WitnessedLedger(store, settings.origin, keys.signers, keys.known, holder, panel, anchor)
    except BaseException:
        store.close()
        raise


def _noting(source: Source, ledger: Ledger, settings: Settings, clock: Clock, watch: Watch) -> NotaryRunning:
    notary = Notary(source, ledger, clock, watch, checkpoint_ms=settings.checkpoint_ms)
    return NotaryRunning(notary, watch, stalled_ms_max=settings.stalled_ms_max)


def house(settings: Settings) -> Running:
    """Return all of one process on the folder `settings.data`, running: desks, signals folded, and the provenance log."""
    stack = embedded(settings, keeps_past=settings.notary)
    try:
        notary = notary_over(stack) if settings.notary else None
    except BaseException:
        stack.close()
        raise
    return Running(stack, folds=True, notary=notary)


def serve(stack: Stack) -> Running:
    """Return a running stack over a folder, signals folded in process."""
    return Running(stack, folds=True)


def work(settings: Settings, watch: Watch) -> Running:
    """Return a running worker on Kafka, which makes itself anew after every commit whose answer was lost."""
    return Running(kafka(settings, watch=watch), make=lambda: kafka(settings, watch=watch))
