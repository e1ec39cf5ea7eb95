"""What scenarios write into the topics while the load is on, and what they count in them."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import time

from placet.drivers.kafka import KafkaLog
from placet.errors import Unavailable, Unsure
from placet.model import codec
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.faults.cluster.cast import PARTITIONS
from tests.faults.cluster.site import Site
from tests.faults.journals import whole

REST_S = 0.05


def said(site: Site) -> Counter[object]:
    """Count what was decided so far: by state of verdicts, by reason, by name of record, and stops."""
    counts: Counter[object] = Counter()
    log = KafkaLog(site.connection)
    try:
        for partition in range(PARTITIONS):
            for rec in whole(log, Topic.DECISIONS, partition):
                record = codec.decode_any(rec.value or b"")
                counts[type(record).__name__] += 1
                if type(record).__name__ in ("Verdict", "Refusal"):
                    counts[Reason(record.reason)] += 1
                if type(record).__name__ == "Verdict":
                    counts[State(record.state)] += 1
                    counts["stop"] += record.stop
    finally:
        log.close()
    return counts


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
