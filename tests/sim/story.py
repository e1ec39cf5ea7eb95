"""One seeded story on a simulated cluster: a town at work, slots that die and fight, and everything held at the end."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random

from placet.faces.auditor import audit
from placet.model.topics import CONTEXT, INPUTS, Topic
from tests.faults import town
from tests.faults.fleet import Fleet
from tests.faults.story import Own, remembered
from tests.faults.tally import Ending
from tests.sim.anew import Anew
from tests.sim.cluster import Cluster
from tests.sim.heard import heard_no_later_than_they_said
from tests.sim.link import Calm, Link
from tests.sim.people import ForgetfulLog, SealedExecutors
from tests.sim.process import Process, Settings
from tests.sim.producer import SimProducer
from tests.sim.swarm import Kind, Swarm
from tests.sim.timeline import Timeline
from tests.sim.town_log import TownLog, lay_topics

PACES = ((5, 50, 150), (5, 100, 1_000), (20, 900, 3_000), (100, 2_500, 7_000))
"""How long it takes from one turn of the town to the next, ms."""
PATIENCE_MS = 180_000
SLOTS = ("a", "b")


@dataclass
class Told(Ending):
    """What became of a story: what was struck, and what was noticed of it where the old protocol allows no more."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    detections: list[str] = field(default_factory=list)
    late: int = 0
    cpu_s: float = 0.0
    digest: str = ""


class SimStory:
    """Tells the story of `seed`, the same each time. With `old` the cluster speaks as before KIP-890."""

    def __init__(self, seed: int, *, old: bool = False) -> None:
        self.seed = seed
        self.old = old
        self.random = Random(seed)
        self.time = Timeline(self.random.choice)
        self.swarm = Swarm(self.random, self.time, old=old)
        self.cluster = Cluster(self.time, self.swarm.delay, old=old)
        self.cluster.transactions.cleanup_ms = self.random.choice((100.0, 1_000.0, 4_000.0))
        partitions = self.random.choice((1, 2, 3))
        lay_topics(self.cluster, partitions)
        self.log = TownLog(self.cluster)
        self.settings = Settings(self.cluster, self.random, self.swarm, seed, partitions)
        writers = ForgetfulLog(self.cluster, self.random, self.swarm)
        self.fleet = Fleet(self.random, lambda: writers, self.time.now_ms)
        self.executors = SealedExecutors(self.random, self.fleet, lambda: self.log, self.time.now_ms)
        self.executors.begin()
        self.pace = self.random.choice(PACES)
        self.slots = SLOTS[: self.random.choice((1, 1, 2))]
        self.processes: list[Process] = []
        self.extras: list[tuple[float, Process]] = []
        self.hanging = 0
        self._strangers: list[SimProducer] = []

    def tell(self) -> Told:
        """Go through it, heal, drain, and check."""
        told = Told(self.seed)
        try:
            self.processes = [Process(self.settings, slot) for slot in self.slots]
            self._post()
            for _ in range(self.random.randint(12, 30)):
                for _ in range(self.random.randrange(6)):
                    self.fleet.act()
                self._post()
                self._upset()
                self.time.pause(self.random.choice(self.pace))
                self.executors.listen()
            self._heal()
            self._drain(told)
            self._check(told)
        finally:
            for process in [*self.processes, *(process for _, process in self.extras)]:
                process.end()
            self.time.end()
        told.kinds = self.swarm.struck
        told.late = self.cluster.transactions.late
        told.digest = sha256(repr([partition.entries for partition in self.cluster.every()]).encode()).hexdigest()
        return told

    def _post(self) -> None:
        self.fleet.post()

    # What goes wrong with the town as a whole

    def _upset(self) -> None:
        draw, swarm = self.random.random, self.swarm
        for until, process in list(self.extras):
            if self.time.now >= until:
                process.end()
                self.extras.remove((until, process))
        if swarm.has(Kind.TWIN) and draw() < 0.06:
            swarm.strike(Kind.TWIN)
            self._extra(self.random.choice(self.slots))
        if swarm.has(Kind.REBALANCE) and draw() < 0.08:
            swarm.strike(Kind.REBALANCE)
            self._extra(f"c{len(self.extras)}")
        if swarm.has(Kind.HANGING) and draw() < 0.06:
            swarm.strike(Kind.HANGING)
            self._hang()
        if swarm.has(Kind.COMPACTION) and draw() < 0.2:
            swarm.strike(Kind.COMPACTION)
            # Only what placet itself writes: of the context, compaction keeps less than those knew who heard all of it.
            for partition in self.cluster.topics[Topic.DESK.title]:
                partition.compact()

    def _extra(self, slot: str) -> None:
        until = self.time.now + self.random.choice((300, 3_000, 9_000))
        self.extras.append((until, Process(self.settings, slot)))

    def _hang(self) -> None:
        """Leave a transaction open above what is stable, until the broker ends it."""
        self.hanging += 1
        config = {"transactional.id": f"stranger-{self.hanging}", "transaction.timeout.ms": 6_000}
        stranger = SimProducer(config, Link(self.cluster, Calm()))
        stranger.init_transactions(30)
        stranger.begin_transaction()
        for partition in range(self.settings.partitions):
            for topic in (Topic.DECISIONS, Topic.DESK, Topic.CASES):
                stranger.produce(topic.title, b"never", bytes(8), partition)
        stranger.flush(1)
        self._strangers.append(stranger)

    # The end

    def _heal(self) -> None:
        self.swarm.heal()
        for _, process in self.extras:
            process.end()
        self.extras.clear()

    def _drain(self, told: Told) -> None:
        """Let everything there is be decided and swept. What is never done is a violation."""
        until = self.time.now + PATIENCE_MS
        quiet = 0
        while quiet < 3:
            self._post()
            self.executors.listen()
            self.time.pause(700)
            ended = [p for p in self.processes if p.ended is not None]
            if ended:
                self._note(told, [f"{p.slot}: {type(p.ended).__name__}: {p.ended}" for p in ended])
                return
            if self.old and self.cluster.transactions.settled():
                self.cluster.abort_hanging()
            quiet = quiet + 1 if self._idle() else 0
            if self.time.now > until:
                self._note(told, [f"V18: not drained after {PATIENCE_MS} ms: {self._behind()}"])
                return

    def _note(self, told: Told, found: list[str]) -> None:
        """Take what was noticed: under the old protocol that is all anybody can ask for."""
        (told.detections if self.old else told.violations).extend(found)

    def _idle(self) -> bool:
        places = [place for p in self.processes if p.loop is not None for place in p.loop.bureau.places.values()]
        swept = all(
            not len(place.desk.sweeps) and not place.desk.book.heard and not place.desk.book.freed for place in places
        )
        poison = any(p.loop is not None and p.loop.bureau.poison and 0 in p.loop.bureau.places for p in self.processes)
        served = sorted(place.partition for place in places) == list(range(self.settings.partitions))
        return self._stable() and served and swept and not poison and self._heard() and not self._behind()

    def _heard(self) -> bool:
        """Return whether whoever serves partition 0 has read all context there is: it refuses what nobody takes of it."""
        loops = [p.loop for p in self.processes if p.loop is not None and 0 in p.loop.bureau.places]
        read = [{(mark.topic, mark.partition): mark.offset for mark in loop.bureau.marks} for loop in loops]
        return all(marks.get((topic, 0), 0) >= self.log.end(topic, 0) for marks in read for topic in CONTEXT)

    def _behind(self) -> dict[str, int]:
        positions = self.cluster.group("placet-worker").positions
        return {
            f"{topic.title}/{partition}": left
            for topic in INPUTS
            for partition in range(self.settings.partitions)
            if (left := self.log.end(topic, partition) - positions.get((topic.title, partition), 0)) > 0
        }

    def _settle(self, until: float) -> None:
        """Let every process give its disk back, and every transaction come to its end: markers come one by one."""
        self.time.pause(1)
        while not (self._stable() and all(one.task.done for one in self.processes)) and self.time.now < until:
            if self.old and self.cluster.transactions.settled():
                self.cluster.abort_hanging()
            self.time.pause(100)

    def _stable(self) -> bool:
        return all(partition.stable == partition.next for partition in self.cluster.every())

    def _check(self, told: Told) -> None:
        own = Ending(self.seed)
        found = Told(self.seed)
        drained = not told.violations and not told.detections
        until = self.time.now + PATIENCE_MS
        while any(process.committing for process in self.processes) and self.time.now < until:
            self.time.pause(1)
        before = {
            number: remembered(place.desk.book)
            for process in self.processes
            if process.loop is not None
            for number, place in process.loop.bureau.places.items()
        }
        for process in self.processes:
            process.end()
        self._settle(until)
        found.hold(audit(self.log, town.KEY_FILE, town.KEK, drained=drained))
        found.violations += [f"READER: {failure}" for failure in self.executors.failure.values()]
        heard_no_later_than_they_said(self.log, own)
        checks = Own(self.log, own)
        if drained:
            checks.answered_once()
            checks.refused_once()
            checks.nonces()
            Anew(self.processes[0], self.cluster, self.log, self.seed, PATIENCE_MS).hold(found, before)
        acted = Ending(self.seed)
        Own(self.log, acted).acted_once(self.executors.acts)
        told.checked += found.checked + own.checked + acted.checked
        self._note(told, found.violations)
        # Under the old protocol what the auditor, a restore or a reader names is found; what only we see is not.
        told.violations += acted.violations
        if not told.detections:
            told.violations += own.violations
