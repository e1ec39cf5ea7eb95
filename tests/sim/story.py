"""One seeded story on a simulated cluster: a town at work, slots that die and fight, and everything held at the end."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random

from placet.decision.arrow import CLOCK
from placet.drivers.kafka import KafkaFeed, KafkaJournal
from placet.drivers.loop import Loop
from placet.errors import Corrupted, PlacetError, PoisonRecord, Unavailable, Unsure
from placet.faces.auditor import audit
from placet.faces.sdk.sealed import SealedReader
from placet.model.codec import seal, verdict, watermark
from placet.model.reasons import State
from placet.model.topics import CONTEXT, INPUTS, Topic
from placet.ports import Message
from tests.faults import town
from tests.faults.executors import Executors
from tests.faults.fleet import Fleet
from tests.faults.story import Own, remembered
from tests.faults.tally import Ending
from tests.faults.worker import SeededEntropy
from tests.sim.cluster import Cluster
from tests.sim.link import Calm, Link
from tests.sim.process import Process, Settings
from tests.sim.producer import SimProducer
from tests.sim.swarm import Kind, Swarm
from tests.sim.timeline import Timeline
from tests.sim.town_log import TownLog, connection_over, lay_topics

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


class SealedExecutors(Executors):
    """Executors that believe what is sealed, as the shipped ones do, and stop where Seals and decisions disagree."""

    failure: dict[int, PlacetError]

    def begin(self) -> None:
        self._readers: dict[int, SealedReader] = {}
        self.failure = {}

    def listen(self) -> None:
        if self._random.random() < 0.05:
            self._nonces.clear()  # died: whoever comes after does not know what was begun
        log = self._log()
        for partition in range(log.partitions(Topic.DECISIONS)):
            if partition in self.failure:
                continue
            reader = self._readers.setdefault(partition, SealedReader(partition, town.ring(), genesis=True))
            found = log.read(Topic.DECISIONS, partition, self._read.get(partition, 0), 1 << 30, 0)
            if not found:
                continue
            self._read[partition] = found[-1].offset + 1
            try:
                for one in reader.feed(found):
                    self.hear(one.rec.value or b"")
            except Corrupted as failure:
                self.failure[partition] = failure


class ForgetfulLog(TownLog):
    """Writers' own road: what they wrote is there, and at times they are not told."""

    def __init__(self, cluster: Cluster, random: Random, swarm: Swarm) -> None:
        super().__init__(cluster)
        self._random = random
        self._swarm = swarm

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        first = super().append(topic, partition, messages)
        if self._swarm.has(Kind.WRITERS) and self._random.random() < 0.05:
            self._swarm.strike(Kind.WRITERS)
            raise Unsure("nobody tells what became of it")
        return first


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
        swept = all(not len(place.desk.sweeps) and not place.desk.book.heard for place in places)
        poison = any(p.loop is not None and p.loop.bureau.poison and 0 in p.loop.bureau.places for p in self.processes)
        stable = all(partition.stable == partition.next for partition in self.cluster.every())
        served = sorted(place.partition for place in places) == list(range(self.settings.partitions))
        return stable and served and swept and not poison and not self._behind()

    def _behind(self) -> dict[str, int]:
        positions = self.cluster.group("placet-worker").positions
        return {
            f"{topic.title}/{partition}": left
            for topic in INPUTS
            for partition in range(self.settings.partitions)
            if (left := self.log.end(topic, partition) - positions.get((topic.title, partition), 0)) > 0
        }

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
        self.time.pause(1)
        found.hold(audit(self.log, town.KEY_FILE, town.KEK, drained=drained))
        found.violations += [f"READER: {failure}" for failure in self.executors.failure.values()]
        heard_no_later_than_they_said(self.log, own)
        checks = Own(self.log, own)
        if drained:
            checks.answered_once()
            checks.refused_once()
            checks.nonces()
            self._same_when_restored(found, before)
        acted = Ending(self.seed)
        Own(self.log, acted).acted_once(self.executors.acts)
        told.checked += found.checked + own.checked + acted.checked
        self._note(told, found.violations)
        # Under the old protocol what the auditor, a restore or a reader names is found; what only we see is not.
        told.violations += acted.violations
        if not told.detections:
            told.violations += own.violations

    def _same_when_restored(self, found: Told, before: dict[int, dict[str, object]]) -> None:
        """Hold what the desks remembered against what a process that begins anew reads back."""
        first = self.processes[0]
        link = Link(self.cluster, Calm(), first.slot)
        connection = connection_over(link, first.disk)
        feed = KafkaFeed(connection)
        journal = KafkaJournal(connection, first.slot, data=Path("data"), clock=self.time)
        loop = first.build(journal, feed, SeededEntropy(self.seed, 0))
        until = self.time.now + PATIENCE_MS
        while loop.bureau.places.keys() != before.keys():
            try:
                loop._assign()
            except Unavailable:
                pass
            except Corrupted as failure:
                found.violations.append(f"CORRUPTED: {failure}")
                return
            self.time.pause(100)
            if self.time.now > until:
                found.violations.append(f"V18: restored {sorted(loop.bureau.places)}, expected {sorted(before)}")
                return
        for number, place in loop.bureau.places.items():
            after = remembered(place.desk.book)
            found.checked += len(after)
            for what, known in before[number].items():
                if known != after[what]:
                    text = f"{known!r:.300} became {after[what]!r:.300}"
                    found.violations.append(f"RESTORE: partition {number}: {what}: {text}")
        self._nothing_left_to_hear(found, loop)

    def _nothing_left_to_hear(self, found: Told, loop: Loop) -> None:
        """Decide everything open again: what is taken back only now was granted under a context that has changed."""
        before = {number: self.log.end(Topic.DECISIONS, number) for number in loop.bureau.places}
        for place in loop.bureau.places.values():
            found.checked += len(place.desk.book.leases.open)
            place.desk.sweeps.touch_all(CLOCK)
        while any(len(place.desk.sweeps) for place in loop.bureau.places.values()):
            loop.step(0)
        self.time.pause(100)
        for number, at in before.items():
            for rec in self.log.read(Topic.DECISIONS, number, at, 1 << 30, 0):
                if (rec.value or b"")[:5] == verdict.HEADER:
                    said = verdict.decode(rec.value or b"")
                    if said.state == State.REVOKED or said.stop:
                        found.violations.append(f"SWEEP: {number}@{rec.offset}: a change was not heard before")


def heard_no_later_than_they_said(log: TownLog, own: Ending) -> None:
    """Hold for each Seal that no feed counts as alive past its last watermark that was read, where there is one."""
    marks = {
        int(topic): [
            (rec.offset, rec.at) for rec in log.read(topic, 0, 0, 1 << 30, 0) if is_watermark(rec.value or b"")
        ]
        for topic in CONTEXT
    }
    for partition in range(log.partitions(Topic.DECISIONS)):
        for rec in log.read(Topic.DECISIONS, partition, 0, 1 << 30, 0):
            if (rec.value or b"")[:5] != seal.HEADER:
                continue
            for mark in seal.decode(rec.value or b"").read_cut:
                said = [at for offset, at in marks[mark.topic] if offset < mark.offset]
                own.checked += 1
                if said and mark.heard_at > said[-1]:
                    title = Topic(mark.topic).title
                    own.violations.append(f"WATERMARK: {partition}@{rec.offset}: {title} heard after it was last alive")


def is_watermark(value: bytes) -> bool:
    """Return whether this is word from a feed; one that cannot be read says nothing."""
    if value[:5] != watermark.HEADER:
        return False
    with suppress(PoisonRecord):
        watermark.decode(value)
        return True
    return False
