"""The context app killed and frozen under load, beside a worker that decides: no permit rests on risk that is silent."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broker import Broker
from placet import Agent, Feed, connect, wiring
from placet.drivers.entropy import SystemEntropy
from placet.drivers.kafka.topics import apply_topics
from placet.drivers.keyfile import Keys, ensure_keys
from placet.drivers.metrics import Watch
from placet.drivers.settings import Settings
from placet.faces.sdk.models import Answer
from placet.model.codec import risk, watermark
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.watermark import Watermark
from placet.model.keys import partition_of
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from placet.ports import Rec
from tests.drivers.kafka.stand import until
from tests.faces.shop import Furniture
from tests.support.world import AGENT, PACK, PERSON, TENANT

ROOT = Path(__file__).parents[3]
HEARD_MS = 2_000
"""How long the feed of risk may be silent before nothing is permitted on its word."""
SILENT = PACK | {
    "pack.yaml": PACK["pack.yaml"] + f"  - {{fact: actor.risk, heard_ms: {HEARD_MS}, else: deny}}\n",
    "rules.yaml": """\
rules:
  - {id: refund, because: refund, on: [shop.refund], when: "actor.risk.score < 70", effect: permit}
""",
}
pytestmark = pytest.mark.slow


class Town(Furniture):
    """A worker at work in this process, any number of context apps in others, and an agent that asks."""

    def __init__(self, bootstrap: str, folder: Path, context_partitions: int) -> None:
        self.settings = Settings(
            data=folder / "data",
            bootstrap=bootstrap,
            prefix=f"{uuid.uuid4().hex[:10]}.",
            partitions=1,
            replicas=1,
        )
        ensure_keys(self.settings.keys_file, self.settings.secrets_dir, SystemEntropy())
        self.cluster = wiring.cluster(self.settings)
        apply_topics(self.cluster, partitions=1, replication=1, context_partitions=context_partitions)
        self.running = wiring.work(self.settings, Watch())
        self.connection = connect(bootstrap=bootstrap, settings=self.settings)
        super().__init__(self.connection.log, Keys(self.settings.keys_file, self.settings.secrets_dir))
        self.contexts: dict[str, subprocess.Popen[bytes]] = {}
        self.expected: dict[tuple[str, str], tuple[int, int]] = {}
        self.agent = Agent(self.connection, tenant=TENANT, actor=AGENT, authority=PERSON, mandate="m1")
        self._draw = random.Random(4)
        self._ending = threading.Event()
        self._feed = threading.Thread(target=self._load, daemon=True)

    def start(self, slot: str) -> None:
        """Start the context app of `slot`, or start it again."""
        command = [sys.executable, "-m", "placet.faces.cli", "context", "--slot", slot, "--metrics-port", "0"]
        settings = self.settings
        told = {
            "PLACET_BOOTSTRAP": settings.bootstrap,
            "PLACET_PREFIX": settings.prefix,
            "PLACET_DATA": str(settings.data),
            "PLACET_WATERMARK_MS": "200",
        }
        self.contexts[slot] = subprocess.Popen(command, cwd=ROOT, env=os.environ | told, stdout=subprocess.DEVNULL)

    def signal(self, slot: str, number: int) -> None:
        self.contexts[slot].send_signal(number)

    def load(self) -> None:
        """Let a hundred signals a second come, of subjects nobody asks about."""
        self._feed.start()

    def risk(self, score: int, subject: str = AGENT) -> int:
        return self.say(subject, "siem", score, self.now())

    def say(self, subject: str, source: str, score: int, at: int) -> int:
        """Publish a signal where its subject's are folded, and note what must stand in the end."""
        record = RiskSignal(TENANT, subject, source, f"e-{self.now()}", score, at, 0, "seen", None)
        known = self.expected.get((subject, source), (0, 0))
        key = f"{TENANT}/{subject}"
        offset = self.write(Topic.SIGNALS, key, "risk_signal", record, "feed")
        self.expected[subject, source] = max(known, (at, score))
        return offset

    def _load(self) -> None:
        while not self._ending.wait(0.01):
            subject = f"agent:{self._draw.randrange(40)}"
            late = self._draw.choice([0, 0, 30_000])
            self.say(subject, self._draw.choice(["edr", "idp"]), self._draw.randrange(101), self.now() - late)

    def calm(self) -> None:
        """Let no more signals come."""
        self._ending.set()
        self._feed.join()

    def ask(self, timeout_ms: int = 30_000) -> Answer:
        return self.agent.ask("shop.refund", "order/7", {"amount": 1}, timeout_ms=timeout_ms, deadline_ms=300_000)

    def heard(self) -> list[Rec]:
        """Return everything that was said of risk."""
        found: list[Rec] = []
        for partition in range(self.log.partitions(Topic.RISK)):
            at, end = 0, self.log.end(Topic.RISK, partition)
            while at < end:
                recs = self.log.read(Topic.RISK, partition, at, 2_000, 1_000)
                found += recs
                at = recs[-1].offset + 1
        return found

    def known(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return what a reader of the compacted topic ends at."""
        facts = [risk.decode(rec.value) for rec in self.heard() if rec.value and rec.value[:5] == risk.HEADER]
        return {(fact.subject, fact.source): (fact.event_at, fact.score) for fact in facts}

    def close(self) -> None:
        self._ending.set()
        for process in self.contexts.values():
            process.kill()
            process.wait(60)
        self.connection.close()
        self.running.stop()


@contextmanager
def living(bootstrap: str, folder: Path, pack: dict[str, str], context_partitions: int = 1) -> Iterator[Town]:
    made = Town(bootstrap, folder, context_partitions)
    try:
        made.all(pack)
        yield made
    finally:
        made.close()
    assert made.running.failure is None


@pytest.fixture
def town(request: pytest.FixtureRequest, broker: Broker, tmp_path: Path) -> Iterator[Town]:
    with living(broker.bootstrap, tmp_path, SILENT, getattr(request, "param", 1)) as made:
        yield made


@pytest.fixture
def waiting(broker: Broker, tmp_path: Path) -> Iterator[Town]:
    """A town whose pack waits for a silent feed, and whose signals lie in two partitions."""
    patient = SILENT["pack.yaml"].replace("else: deny}", "else: defer}").replace("20000", "300000")
    pack = SILENT | {"pack.yaml": patient}
    with living(broker.bootstrap, tmp_path, pack, 2) as made:
        yield made


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_while_the_context_app_is_gone_permits_end_and_on_return_nothing_is_lower(town: Town, number: int) -> None:
    town.load()
    town.risk(10)
    town.start("context-0")
    answers: list[Answer] = []

    def asked() -> Answer:
        answers.append(town.ask())
        return answers[-1]

    until(lambda: owners(town))
    until(asked, lambda answer: answer.granted)
    town.signal("context-0", number)
    # Nobody folds this now. What was said of risk up to here may be rested on for a while, and no longer.
    town.risk(95)
    grave_at = town.now()
    until(asked, lambda answer: answer.reason == Reason.FACT_SILENT)

    if number == signal.SIGKILL:
        town.contexts["context-0"].wait(60)
        town.start("context-0")
    else:
        town.signal("context-0", signal.SIGCONT)
    # What rests on living risk again rests on all that was said meanwhile.
    until(asked, lambda answer: answer.reason == Reason.NO_RULE)
    assert [answer for answer in answers if answer.granted and answer.instant > grave_at + HEARD_MS] == []
    town.calm()
    assert until(town.known, lambda facts: facts == town.expected) == town.expected


@pytest.mark.parametrize("town", [2], indirect=True)
def test_an_app_that_goes_on_does_not_cover_for_one_that_is_frozen(town: Town) -> None:
    # Of two partitions of signals each app has one; a subject of each is asked about.
    town.risk(10)
    for slot in ("context-0", "context-1"):
        town.start(slot)
    other = next(name for n in range(9) if partition_of(f"{TENANT}/{(name := f'agent:x{n}')}".encode(), 2) != mine())
    until(town.ask, lambda answer: answer.granted)
    until(lambda: owners(town), lambda found: len(found) == 2)
    town.signal("context-1", signal.SIGSTOP)
    until(town.ask, lambda answer: answer.reason == Reason.FACT_SILENT)
    town.say(other, "siem", 5, town.now())
    town.signal("context-1", signal.SIGCONT)
    until(town.ask, lambda answer: answer.granted)


@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_a_feed_that_died_is_silent_though_the_app_lives_and_after_the_app_was_killed(waiting: Town, disk: str) -> None:
    town = waiting

    def feed() -> Feed:
        return Feed(town.connection, Topic.SIGNALS, "siem", every_s=0.2)

    town.risk(10)
    town.start("context-0")
    with feed():
        until(town.ask, lambda answer: answer.granted)
    died_at = town.now()
    deferred = until(lambda: town.ask(3_000), lambda answer: answer.waiting)
    assert (deferred.state, deferred.reason) == (State.DEFERRED, Reason.FACT_SILENT)
    assert deferred.instant > died_at

    town.signal("context-0", signal.SIGKILL)
    town.contexts["context-0"].wait(60)
    if disk == "lost":
        shutil.rmtree(town.settings.data / "context-context-0")
    said = len(marks(town))
    town.start("context-0")
    until(lambda: len(marks(town)), lambda count: count > said + 2 * 2)
    # It lives and says so, of both partitions: no further than the feed was heard.
    assert max(mark.at for mark in marks(town)) <= died_at
    assert town.ask(3_000).reason == Reason.FACT_SILENT
    with feed():
        assert until(lambda: town.agent.hear(deferred, timeout_ms=500), lambda answer: not answer.waiting).granted
    feed().retire()
    retired_at = town.now()
    until(lambda: min(owners(town).values()), lambda at: at > retired_at + HEARD_MS)
    assert town.ask().granted


def mine() -> int:
    return partition_of(f"{TENANT}/{AGENT}".encode(), 2)


def owners(town: Town) -> dict[str, int]:
    """Return the parts of the feed that were heard, each with its newest instant."""
    return {mark.source: mark.at for mark in marks(town)}


def marks(town: Town) -> list[Watermark]:
    """Return what the context app said of how far risk is heard."""
    return [watermark.decode(rec.value) for rec in town.heard() if rec.value and rec.value[:5] == watermark.HEADER]
