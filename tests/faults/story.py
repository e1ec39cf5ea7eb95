"""One seeded story: a town at work, a worker that dies on the way, and everything held against what was recorded."""

from collections import Counter
from hashlib import sha256
from random import Random
from typing import Any

from placet.decision.book import Book
from placet.decision.settings import DeskSettings
from placet.decision.settled import REST
from placet.faces.auditor import audit
from placet.model.codec import open_frame, refusal, repeat, verdict
from placet.model.reasons import State
from placet.model.topics import CONTEXT, INPUTS, Topic
from placet.ports import Log
from tests.faults import town
from tests.faults.executors import Act, Executors, act_of
from tests.faults.fleet import Fleet
from tests.faults.journals import Make, whole
from tests.faults.script import APPEND, POINTS, Died, Fault, FaultyLog, Script, Way
from tests.faults.tally import Ending
from tests.faults.worker import Worker

STEPS = ((0, 5, 100), (0, 5, 100, 900, 2_500), (0, 5, 900, 5_000), (0, 100, 2_500, 35_000))
"""How long it takes from one turn to the next, ms, in a story that is quick, and in ones that outlast leases and waits."""


class Story:
    """Tells the story of `seed` on what `make` makes. The same seed tells the same story."""

    def __init__(self, seed: int, make: Make) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.clock = make.clock()
        self.wait_ms = make.wait_ms
        self.script = Script()
        self.handle = make.handle(self.random.choice((1, 2, 3)), self.clock)
        settings = DeskSettings(sweep_most=self.random.choice((1, 3, 2_000)), session_ms_max=60_000)
        self.worker = Worker(self.handle, self.clock, self.script, settings, seed, self.random.choice((1, 4, 20, 500)))
        self.fleet = Fleet(self.random, self.log, self.clock.now_ms)
        self.executors = Executors(self.random, self.fleet, self.log, self.clock.now_ms)
        # Swarm testing: each seed also draws which faults there are at all, and how many.
        places = [(point, way) for point in (*POINTS, APPEND) for way in Way]
        self.faults = self.random.sample(places, self.random.randint(3, len(places)))
        self.pace = self.random.choice(STEPS)
        self._rate = self.random.choice((0.2, 0.5, 0.9))

    def log(self) -> Log:
        """Return the topics as everybody but the worker has them."""
        return FaultyLog(self.handle.log(), self.script)

    def tell(self) -> Ending:
        """Go through it, heal, drain, and check."""
        self._post()
        for _ in range(self.random.randint(15, 40)):
            if self.random.random() < self._rate:
                self.script.arm(*self._draw())
            for _ in range(self.random.randrange(6)):
                self.fleet.act()
            self._post()
            self.worker.turn(self.wait_ms)
            self.executors.listen()
            self.clock.pass_ms(self.random.choice(self.pace))
        self.script.heal()
        for _ in range(4):
            self._post()
            self.worker.drain(self.wait_ms)
            self.executors.listen()
            self.clock.pass_ms(1_000)
        self._post()
        self.worker.drain(self.wait_ms)
        ending = Ending(self.seed, self.script.struck)
        self._check(ending)
        return ending

    def _draw(self) -> list[Fault]:
        count = self.random.choice((1, 1, 2, 3))
        return [Fault(*self.random.choice(self.faults), self.random.choice((1, 1, 1, 2, 4))) for _ in range(count)]

    def _post(self) -> None:
        try:
            self.fleet.post()
        except Died:  # who writes into a folder is part of its owner's process
            self.worker.restart()

    def _check(self, ending: Ending) -> None:
        log = self.handle.log()
        ending.hold(audit(log, town.KEY_FILE, town.KEK, drained=True))
        own = Own(log, ending)
        own.answered_once()
        own.acted_once(self.executors.acts)
        own.refused_once()
        own.nonces()
        self._same_when_restored(ending)

    def _same_when_restored(self, ending: Ending) -> None:
        """Hold what the desks remember against what is read back of it."""
        before = {partition: remembered(place.desk.book) for partition, place in self.worker.loop.bureau.places.items()}
        self.worker.restart()
        self.worker.serve(before.keys())
        for partition, place in self.worker.loop.bureau.places.items():
            after = remembered(place.desk.book)
            ending.checked += len(after)
            for what in before[partition]:
                if before[partition][what] != after[what]:
                    text = f"{before[partition][what]!r:.300} became {after[what]!r:.300}"
                    ending.violations.append(f"RESTORE: partition {partition}: {what}: {text}")


def remembered(book: Book) -> dict[str, Any]:
    """Return what a desk must know again after a restore."""
    instant = book.instant
    return {
        "seq": book.seq,
        "ordinal": book.changes.ordinal,
        "open": dict(sorted(book.leases.open.items())),
        "sessions": dict(sorted(book.sessions.items())),
        "meters": book.meters.rows(),
        "settled": [row for row in book.settled.rows() if REST.unpack(row[16:])[1] > (instant or 0)],
    }


class Own:
    """A few invariants in few lines, read from the topics alone: whoever doubts the auditor can doubt these too."""

    def __init__(self, log: Log, ending: Ending) -> None:
        self._log = log
        self._ending = ending
        self._answers: Counter[tuple[int, int, int]] = Counter()
        self._claimed: set[Act] = set()
        for partition in range(log.partitions(Topic.DECISIONS)):
            for rec in whole(log, Topic.DECISIONS, partition):
                self._take(partition, rec.value or b"")

    def _take(self, partition: int, value: bytes) -> None:
        name, _ = open_frame(value)
        if name == "verdict":
            said = verdict.decode(value)
            if said.cause_topic in INPUTS:
                self._answers[said.cause_topic, partition, said.cause_offset] += 1
            if said.state == State.CLAIMED and not said.stop:
                self._claimed.add(act_of(said))
        elif name == "repeat":
            again = repeat.decode(value)
            self._answers[again.cause_topic, partition, again.cause_offset] += 1
        elif name == "refusal":
            no = refusal.decode(value)
            self._answers[no.cause_topic, no.cause_partition, no.cause_offset] += 1

    def _hold(self, holds: bool, text: str) -> None:
        self._ending.checked += 1
        if not holds:
            self._ending.violations.append(f"OWN: {text}")

    def answered_once(self) -> None:
        """Every input record has one answer."""
        for topic in INPUTS:
            for partition in range(self._log.partitions(topic)):
                for rec in whole(self._log, topic, partition):
                    count = self._answers[int(topic), partition, rec.offset]
                    self._hold(count == 1, f"{count} answers to {topic.title}/{partition}@{rec.offset}")

    def refused_once(self) -> None:
        """Every context record that no reader may take is refused once; nothing else of the context is."""
        for topic in CONTEXT:
            for rec in whole(self._log, topic, 0):
                count = self._answers[int(topic), 0, rec.offset]
                bad = b"/poison/" in (rec.key or b"")
                # A verdict may name a context record as its cause: only INPUTS and refusals are counted here.
                self._hold(count == bad, f"{count} refusals of {topic.title}/0@{rec.offset}, expected {int(bad)}")

    def acted_once(self, acts: Counter[Act]) -> None:
        """Everything done rests on a committed claim of its own, and was done once."""
        done: Counter[tuple[str, str, bytes, int, bytes]] = Counter()
        for act, count in acts.items():
            self._hold(act in self._claimed, f"acted without a committed claim: {act}")
            done[act[:5]] += count
        for attempt, count in done.items():
            self._hold(count == 1, f"acted {count} times on {attempt}")

    def nonces(self) -> None:
        """No data key meets a nonce twice."""
        seen: Counter[bytes] = Counter()
        for partition in range(self._log.partitions(Topic.CASES)):
            for rec in whole(self._log, Topic.CASES, partition):
                case = town.case_of(rec.value or b"")
                seen[case.data_key + case.nonce] += 1
        for pair, count in seen.items():
            self._hold(count == 1, f"a nonce used {count} times under one data key: {sha256(pair).hexdigest()[:12]}")


def replay(journal: str, seed: int) -> str:
    """Return the command that tells one story again."""
    return f"again: .venv/bin/python -m tests.faults --journal {journal} --seed {seed}"
