"""What scenarios write into the topics while the load is on, and what they count in them."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import time
from typing import Any

from placet.drivers.kafka import KafkaLog
from placet.errors import Unavailable, Unsure
from placet.model import codec
from placet.model.codec.refusal import Refusal
from placet.model.codec.verdict import Verdict
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.faults.cluster.cast import PARTITIONS
from tests.faults.cluster.site import Site
from tests.faults.journals import from_on

REST_S = 0.05


def said(site: Site) -> Counter[object]:
    """Count what was decided so far: by state of verdicts, by reason, by name of record, and stops."""
    log = KafkaLog(site.connection)
    try:
        for partition in range(PARTITIONS):
            for rec in from_on(log, Topic.DECISIONS, partition, site.counted[partition]):
                _count(site.counts, codec.decode_any(rec.value or b""))
                site.counted[partition] = rec.offset + 1
    finally:
        log.close()
    return site.counts.copy()


def _count(counts: Counter[object], record: Any) -> None:
    counts[type(record).__name__] += 1
    if isinstance(record, (Verdict, Refusal)):
        counts[Reason(record.reason)] += 1
    if isinstance(record, Verdict):
        counts[State(record.state)] += 1
        counts["stop"] += record.stop


@contextmanager
def writing(site: Site, write: Callable[[KafkaLog, int], None]) -> Iterator[Counter[str]]:
    """Have `write` called with a log and a number that grows, again and again while the block lasts; count the calls."""
    stop, counts = Event(), Counter[str]()

    def run() -> None:
        log = KafkaLog(site.connection)
        while not stop.wait(REST_S):
            try:
                write(log, counts["written"])
            except (Unavailable, Unsure):
                continue
            counts["written"] += 1
        log.close()

    thread = Thread(target=run)
    thread.start()
    try:
        yield counts
    finally:
        stop.set()
        thread.join()


def now_ms() -> int:
    """Return this machine's clock."""
    return int(time() * 1000)
