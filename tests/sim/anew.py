"""A process that begins anew remembers what those before it did, and has heard every change they had."""

from pathlib import Path

from placet.decision.arrow import CLOCK
from placet.drivers.kafka import KafkaFeed, KafkaJournal
from placet.drivers.loop import Loop
from placet.errors import Corrupted, Unavailable
from placet.model.codec import verdict
from placet.model.reasons import State
from placet.model.topics import Topic
from tests.faults.story import remembered
from tests.faults.tally import Ending
from tests.faults.worker import SeededEntropy
from tests.sim.cluster import Cluster
from tests.sim.link import Calm, Link
from tests.sim.process import Process
from tests.sim.town_log import TownLog, connection_over

Remembered = dict[int, dict[str, object]]
"""By partition: what a desk remembers, by what it is."""


class Anew:
    """`first` begun once more on the same disk, when everybody has ended."""

    def __init__(self, first: Process, cluster: Cluster, log: TownLog, seed: int, patience_ms: float) -> None:
        self._first = first
        self._cluster = cluster
        self._time = cluster.timeline
        self._log = log
        self._seed = seed
        self._patience_ms = patience_ms

    def hold(self, found: Ending, before: Remembered) -> None:
        """Hold what the desks remembered before against what is read back, then that nothing is left to hear."""
        loop = self._restored(found, set(before))
        if loop is None:
            return
        for number, place in loop.bureau.places.items():
            after = remembered(place.desk.book)
            found.checked += len(after)
            for what, known in before[number].items():
                if known != after[what]:
                    text = f"{known!r:.300} became {after[what]!r:.300}"
                    found.violations.append(f"RESTORE: partition {number}: {what}: {text}")
        self._nothing_left_to_hear(found, loop)

    def _restored(self, found: Ending, wanted: set[int]) -> Loop | None:
        connection = connection_over(Link(self._cluster, Calm(), self._first.slot), self._first.disk)
        journal = KafkaJournal(connection, self._first.slot, data=Path("data"), clock=self._time)
        loop = self._first.build(journal, KafkaFeed(connection), SeededEntropy(self._seed, 0))
        until = self._time.now + self._patience_ms
        while loop.bureau.places.keys() != wanted:
            try:
                loop._assign()
            except Unavailable:
                pass
            except Corrupted as failure:
                found.violations.append(f"CORRUPTED: {failure}")
                return None
            self._time.pause(100)
            if self._time.now > until:
                found.violations.append(f"V18: restored {sorted(loop.bureau.places)}, expected {sorted(wanted)}")
                return None
        return loop

    def _nothing_left_to_hear(self, found: Ending, loop: Loop) -> None:
        """Decide everything open again: what is taken back only now was granted under a context that has changed."""
        before = {number: self._log.end(Topic.DECISIONS, number) for number in loop.bureau.places}
        for place in loop.bureau.places.values():
            found.checked += len(place.desk.book.leases.open)
            place.desk.sweeps.touch_all(CLOCK)
        while any(len(place.desk.sweeps) for place in loop.bureau.places.values()):
            loop.step(0)
        self._time.pause(100)
        for number, at in before.items():
            for rec in self._log.read(Topic.DECISIONS, number, at, 1 << 30, 0):
                if (rec.value or b"")[:5] == verdict.HEADER:
                    said = verdict.decode(rec.value or b"")
                    if said.state == State.REVOKED or said.stop:
                        found.violations.append(f"SWEEP: {number}@{rec.offset}: a change was not heard before")
