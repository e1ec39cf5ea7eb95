"""Where history is read from: a folder, a server or a cluster, with the keys, packs and settings that a replay needs."""

from collections.abc import Iterator
from contextlib import contextmanager

from placet.context.writers import Writers
from placet.decision.settings import DeskSettings
from placet.drivers.keyfile import KEK_NAME, read_keys, read_secret
from placet.drivers.settings import Settings
from placet.errors import PoisonRecord, Unavailable
from placet.faces.cli.journal import read_all
from placet.faces.cli.place import Place
from placet.faces.cli.reading import reading, settings_of
from placet.faces.cli.verb import Exit, Failure
from placet.faces.replay.opened import CaseKeys
from placet.faces.replay.settled import Settled
from placet.faces.replay.shelf import Shelf
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Log


@contextmanager
def opened(place: Place) -> Iterator[tuple[Log, Settled]]:
    """Open a journal to read, and what all its partitions share."""
    settings = settings_of(place)
    kek = _kek(settings)
    with reading(place) as log:
        yield log, settled_of(log, read_keys(settings.keys_file).ring(), kek, desk_settings(settings))


def settled_of(log: Log, ring: KeyRing, kek: bytes, settings: DeskSettings) -> Settled:
    """Return what all partitions of `log` share: data keys, packs, and who holds which key."""
    partitions = log.partitions(Topic.DECISIONS)
    keys = CaseKeys(kek)
    for partition in range(partitions):
        keys.learn(read_all(log, Topic.DESK, partition))
    policies = [rec for part in range(log.partitions(Topic.POLICIES)) for rec in read_all(log, Topic.POLICIES, part)]
    known = ring.apart()
    writers, parts = Writers(known), log.partitions(Topic.KEYS)
    for part in range(parts):
        for rec in read_all(log, Topic.KEYS, part):
            try:
                writers.fold(rec, rec.value or b"", parts)
            except PoisonRecord:
                continue  # nobody took it
    return Settled(keys, Shelf(policies), known, settings, partitions)


def desk_settings(settings: Settings) -> DeskSettings:
    """Return what the desks of an installation are told."""
    return DeskSettings(
        deadline_ms_max=settings.deadline_ms_max,
        lag_ms_max=settings.lag_ms_max,
        retry_ms=settings.retry_ms,
        approval_ms=settings.approval_ms,
        parked_most=settings.parked_most,
        pending_most=settings.pending_most,
        held_most=settings.held_most,
        record_bytes_max=settings.record_bytes_max,
        session_ms_max=settings.session_ms_max,
    )


def _kek(settings: Settings) -> bytes:
    try:
        return read_secret(settings.secrets_dir / KEK_NAME)
    except Unavailable as error:
        hint = "PLACET_SECRETS names the folder of the key-encryption key: cases do not open without it"
        raise Failure(Exit.NOT_RUN, str(error), hint) from error
