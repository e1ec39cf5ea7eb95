"""Context read back by a process that decides nothing, as every desk takes it: keys first, and nothing that is refused."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from placet.context.facts import said_in
from placet.context.roll import rank_of
from placet.context.tables import PRINCIPAL, Tables
from placet.errors import PoisonRecord
from placet.model.codec.principal import Principal
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Log, Rec

READ_MOST, READ_MS = 2_000, 5_000


def heard(log: Log, ring: KeyRing, topics: Iterable[Topic], wanted: Callable[[Rec], bool] = lambda _: True) -> Tables:
    """Return what is known of `topics`, of the records that are `wanted`, by the pinned keys of `ring` and those on record.

    Blocks for its reads.
    """
    tables = Tables(ring.apart(), log.partitions)
    records = [*_all(log, Topic.KEYS), *(rec for topic in topics for rec in _all(log, topic) if wanted(rec))]
    for rec in sorted(records, key=lambda rec: rank_of(rec, ring.pinned)):
        with suppress(PoisonRecord):  # a desk has refused it
            tables.fold(rec)
    return tables


def newest_principal(log: Log, ring: KeyRing, tenant: str, name: str) -> Principal | None:
    """Return what was said last of a principal by whoever may say it, or None. Blocks for its reads."""
    begins = f"{tenant}/{name}/".encode()
    tables = heard(log, ring, (Topic.PRINCIPALS,), lambda rec: (rec.key or b"").startswith(begins))
    row = tables.principals.get(f"{PRINCIPAL}{tenant}/{name}")
    said: list[Principal] = [] if row is None else [record for record, _ in said_in(row.facts)]
    return max(said, key=lambda one: (one.observed_at, one.source), default=None)


def _all(log: Log, topic: Topic) -> Iterator[Rec]:
    for partition in range(log.partitions(topic)):
        offset, end = 0, log.end(topic, partition)
        while offset < end and (recs := log.read(topic, partition, offset, min(READ_MOST, end - offset), READ_MS)):
            yield from recs
            offset = recs[-1].offset + 1
