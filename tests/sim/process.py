"""One slot of workers: processes that serve, die and begin anew, put together as `wiring` does it, over simulated ports."""

from collections.abc import Mapping
from pathlib import Path
from random import Random

from placet.decision.settings import DeskSettings
from placet.drivers.kafka import KafkaFeed, KafkaJournal
from placet.drivers.loop import Loop
from placet.errors import Unavailable, Unsure
from placet.ports import Clock, Emits, Feed, Journal
from tests.faults.script import Died, Fault, FaultyClock, FaultyEntropy, FaultyFeed, FaultyJournal, Script, Way
from tests.faults.worker import SeededEntropy, build
from tests.sim.cluster import Cluster
from tests.sim.disk import SimDisk
from tests.sim.link import Link
from tests.sim.swarm import Kind, Swarm
from tests.sim.timeline import Task, Timeline
from tests.sim.town_log import connection_over

WAIT_MS = 200
AGAIN_MS_MIN, AGAIN_MS_MAX = 50, 2_000


class OwnClock(Clock):
    """A process's own reading of the time, which the swarm may put out."""

    def __init__(self, timeline: Timeline, random: Random) -> None:
        self._timeline = timeline
        self._random = random
        self._off = 0
        self._stood: tuple[float, int] | None = None

    def now_ms(self) -> int:
        if self._stood is not None:
            until, said = self._stood
            if self._timeline.now < until:
                return said
            self._stood = None
        return self._timeline.now_ms() + self._off

    def put_out(self) -> None:
        """Stand still for a while, or be ahead or behind from now on; at times by more than is allowed."""
        if self._random.random() < 0.5:
            self._stood = self._timeline.now + self._random.choice((300, 1_500, 6_000)), self.now_ms()
        else:
            self._off = self._random.choice((-2_500, -1_500, -200, 200, 1_500))

    def put_right(self) -> None:
        self._off, self._stood = 0, None


class Watched(FaultyJournal):
    """A journal that tells whether a batch is on its way: until then its desks are as they are in the topics."""

    committing = False

    def commit(self, emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:
        self.committing = True
        try:
            super().commit(emits, inputs)
        finally:
            self.committing = False


class Settings:
    """What all processes of one story have in common."""

    def __init__(self, cluster: Cluster, random: Random, swarm: Swarm, seed: int, partitions: int) -> None:
        self.cluster = cluster
        self.random = random
        self.swarm = swarm
        self.seed = seed
        self.partitions = partitions
        self.desk = DeskSettings(sweep_most=random.choice((1, 3, 2_000)), session_ms_max=60_000)
        self.batch_most = random.choice((1, 4, 20, 500))
        self.seal_idle_ms = random.choice((1_000, 4_000, 20_000))
        self.lives = 0


class Process:
    """A slot in a task of its own. `loop` is the one that runs now, if any."""

    def __init__(self, settings: Settings, slot: str, disk: SimDisk | None = None) -> None:
        self.slot = slot
        self.disk = disk or SimDisk()
        self.loop: Loop | None = None
        self.journal: Watched | None = None
        self.link = Link(settings.cluster, settings.swarm, slot)
        self.clock = OwnClock(settings.cluster.timeline, settings.random)
        self.restarts = 0
        self._settings = settings
        self._time = settings.cluster.timeline
        self._random = settings.random
        self._script = Script()
        self._ending = False
        self.task: Task = self._time.start(slot, self._run)

    @property
    def ended(self) -> BaseException | None:
        """Return what ended this slot for good: `Corrupted`, or what nobody expected."""
        return self.task.failure

    @property
    def committing(self) -> bool:
        """Return whether a batch is on its way."""
        return self.loop is not None and self.journal is not None and self.journal.committing

    def end(self) -> None:
        """Die, and do not begin anew."""
        self._ending = True
        self._script.heal()
        self.link.die()
        self._time.wake(self.task)

    def _run(self) -> None:
        while not self._ending:
            self.link = Link(self._settings.cluster, self._settings.swarm, self.slot)
            copy = self.disk.copy()
            try:
                self._live()
            except Died:
                self.restarts += 1
            finally:
                self.loop = None
                self.link.die()
            self._lose_disk(copy)
            if not self._ending:
                self._time.pause(self._random.choice((1, 50, 500, 3_000, 9_000)))

    def _lose_disk(self, copy: dict[str, dict[bytes, bytes]]) -> None:
        swarm = self._settings.swarm
        self.disk.locked.clear()
        self.disk.failing = False
        if swarm.has(Kind.DISK_EMPTY) and self._random.random() < 0.5:
            swarm.strike(Kind.DISK_EMPTY)
            self.disk.put_back({})
        elif swarm.has(Kind.DISK_OLD) and self._random.random() < 0.5:
            swarm.strike(Kind.DISK_OLD)
            self.disk.put_back(copy)

    def _live(self) -> None:
        """Run one process to its end, as `wiring.Running` does."""
        stack: list[KafkaJournal | KafkaFeed] = []
        again = AGAIN_MS_MIN
        while not self._ending:
            try:
                if not stack:
                    self.loop = self._made(stack)
                assert self.loop is not None
                self._upset()
                self.loop.step(WAIT_MS)
                again = AGAIN_MS_MIN
            except (Unavailable, Unsure) as error:
                if isinstance(error, Unsure) or self.loop is None:
                    self.loop = None
                    while stack:
                        stack.pop().close()
                self._time.pause(again)
                self.link.check()
                again = min(AGAIN_MS_MAX, again * 2)

    def _made(self, stack: list[KafkaJournal | KafkaFeed]) -> Loop:
        connection = connection_over(self.link, self.disk)
        settings = self._settings
        feed = KafkaFeed(connection)
        stack.append(feed)
        journal = KafkaJournal(connection, self.slot, data=Path("data"), clock=self.clock)
        stack.append(journal)
        settings.lives += 1
        return self.build(journal, feed, SeededEntropy(settings.seed, settings.lives))

    def build(self, journal: Journal, feed: Feed, entropy: SeededEntropy) -> Loop:
        """Return the shipped loop over these ports."""
        script, settings = self._script, self._settings
        self.journal = Watched(journal, script)
        return build(
            self.journal,
            FaultyFeed(feed, script),
            FaultyClock(self.clock, script),
            FaultyEntropy(entropy, script),
            settings.partitions,
            settings.desk,
            settings.batch_most,
        )

    def _upset(self) -> None:
        """Let something go wrong with what this process has for itself: a port, its clock, its disk."""
        swarm, draw = self._settings.swarm, self._random.random
        if swarm.has(Kind.PORT) and draw() < 0.01:
            swarm.strike(Kind.PORT)
            point = self._random.choice(("clock", "entropy", "take", "commit", "feed"))
            self._script.arm(Fault(point, self._random.choice((Way.BEFORE, Way.AFTER))))
        if swarm.has(Kind.CLOCK) and draw() < 0.02:
            swarm.strike(Kind.CLOCK)
            self.clock.put_out()
        if swarm.has(Kind.DISK_FULL) and draw() < 0.01:
            swarm.strike(Kind.DISK_FULL)
            self.disk.failing = True
        if swarm.healed:
            self._script.heal()
            self.clock.put_right()
