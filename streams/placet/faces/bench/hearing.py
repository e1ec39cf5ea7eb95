"""What a reader of committed decisions and facts hears, and when: one thread a partition, wall clock in ms."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from placet import wiring
from placet.drivers.kafka import KafkaLog
from placet.drivers.settings import Settings
from placet.errors import Unavailable
from placet.model.codec import halted, risk, seal, verdict
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.ports import Rec

HOLDING = (State.GRANTED, State.CLAIMED)
READ_MOST, READ_MS = 2_000, 50


@dataclass(slots=True)
class Moved:
    """How many open intents one context record has moved, and when the last of them was heard."""

    count: int = 0
    last: int = 0


class Hearing:
    """Reads from where the topics end now.

    `answered` says when each intent's first answer was heard, by id, and
    `permitted` which of them may run; `moved` what a context record revoked or stopped, by topic and offset; `facts` the
    append time and offset of each subject's newest risk; `halted` and
    `swept_at` when each partition said so.
    """

    def __init__(self, settings: Settings) -> None:
        self.answered: dict[bytes, int] = {}
        self.permitted: set[bytes] = set()
        self.moved: dict[tuple[int, int], Moved] = {}
        self.facts: dict[str, tuple[int, int]] = {}
        self.halted: dict[int, int] = {}
        self.swept_at: dict[int, int] = {}
        self._swept: dict[int, dict[int, tuple[int, int]]] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        connection = wiring.cluster(settings)
        self._threads = []
        for topic, take in ((Topic.DECISIONS, self._decided), (Topic.RISK, self._fact)):
            log = KafkaLog(connection)
            for partition in range(log.partitions(topic)):
                start = log.end(topic, partition)
                reader = threading.Thread(target=self._read, args=(KafkaLog(connection), topic, partition, start, take))
                self._threads.append(reader)
            log.close()
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def until(self, holds: Callable[[], bool], patience_s: float) -> None:
        """Return when `holds`; raise `Unavailable` when it does not in time."""
        late = time.monotonic() + patience_s
        while not holds():
            if time.monotonic() > late:
                raise Unavailable(f"nothing more was heard for {patience_s:.0f} s")
            time.sleep(0.02)

    def swept(self, topic: Topic, offset: int) -> bool:
        """Return whether every partition has swept its leases under `topic` up to `offset`; note when it had."""
        with self._lock:
            for partition, marks in self._swept.items():
                found, at = marks.get(int(topic), (0, 0))
                if found >= offset:
                    self.swept_at.setdefault(partition, at)
            return bool(self._swept) and self.swept_at.keys() == self._swept.keys()

    def _read(self, log: KafkaLog, topic: Topic, partition: int, offset: int, take: Callable[[Rec, int], None]) -> None:
        while not self._stop.is_set():
            recs = log.read(topic, partition, offset, READ_MOST, READ_MS)
            now = time.time_ns() // 1_000_000
            with self._lock:
                for rec in recs:
                    take(rec, now)
            offset = recs[-1].offset + 1 if recs else offset
        log.close()

    def _decided(self, rec: Rec, now: int) -> None:
        value = rec.value or b""
        if value[:5] == verdict.HEADER:
            said = verdict.decode(value)
            if said.previous_seq < 0:
                self.answered[said.id] = now
                if said.state in HOLDING:
                    self.permitted.add(said.id)
            elif said.state == State.REVOKED or said.stop:
                moved = self.moved.setdefault((said.cause_topic, said.cause_offset), Moved())
                moved.count, moved.last = moved.count + 1, now
        elif value[:5] == seal.HEADER:
            marks = self._swept.setdefault(rec.partition, {})
            for mark in seal.decode(value).swept_cut:
                if mark.offset > marks.get(mark.topic, (0, 0))[0]:
                    marks[mark.topic] = (mark.offset, now)
        elif value[:5] == halted.HEADER:
            self.halted[rec.partition] = now

    def _fact(self, rec: Rec, now: int) -> None:  # noqa: ARG002  what is appended says when itself
        if rec.value is not None and rec.value[:5] == risk.HEADER:
            self.facts[risk.decode(rec.value).subject] = (rec.at, rec.offset)
