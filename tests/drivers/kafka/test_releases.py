"""Two releases in one run on a real broker: a later worker decides what agents and executors of this one ask and do."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from broker import Broker
from placet import Agent, Executor, connect, wiring
from placet.drivers.entropy import SystemEntropy
from placet.drivers.kafka.topics import apply_topics
from placet.drivers.keyfile import FIRST_KEYS, Keys, Purpose, ensure_keys
from placet.drivers.settings import Settings
from placet.faces.sdk.connection import Connection
from placet.faces.sdk.errors import NoAnswer
from placet.faces.sdk.models import Answer
from placet.model.codec import decode_as
from placet.model.codec import intent as intent_codec
from placet.model.keys import key_of
from placet.model.reasons import State
from placet.model.topics import Topic
from placet.ports import Message
from tests.faces.shop import Furniture, until
from tests.support.release import ASKED, Release, released, widened
from tests.support.world import AGENT, EXECUTOR, PERSON, TENANT

ROOT = Path(__file__).parents[3]
ENV = {name: value for name, value in os.environ.items() if not name.startswith("PLACET_")}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return released(tmp_path_factory.mktemp("later"), ASKED)


class Site:
    """A cluster with its topics, the keys, and a shop that this release has furnished."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.settings = Settings(
            data=folder / "data",
            bootstrap=broker.bootstrap,
            prefix=f"{folder.name.replace('_', '-')[-40:]}.",
            partitions=2,
            replicas=1,
        )
        writers: tuple[tuple[Purpose, str], ...] = (("executor", EXECUTOR), ("agent", AGENT))
        ensure_keys(self.settings.keys_file, self.settings.secrets_dir, SystemEntropy(), (*FIRST_KEYS, *writers))
        apply_topics(wiring.cluster(self.settings), partitions=2, replication=1)

    def env(self, root: Path) -> Mapping[str, str]:
        """Return the environment in which `placet` is the package below `root`."""
        return {
            **ENV,
            "PYTHONPATH": str(root / "streams"),
            "PLACET_DATA": str(self.settings.data),
            "PLACET_BOOTSTRAP": self.settings.bootstrap,
            "PLACET_PREFIX": self.settings.prefix,
            "PLACET_METRICS_PORT": "0",
            "PLACET_SEAL_IDLE_MS": "500",
        }

    def verb(self, root: Path, *words: str) -> tuple[int, Any]:
        """Run a verb of the package below `root`; return its exit code and its JSON."""
        command = [sys.executable, "-m", "placet.faces.cli", *words, "--json"]
        ended = subprocess.run(
            command, env=self.env(root), cwd=root, capture_output=True, text=True, check=False, timeout=120
        )
        assert ended.stdout, ended.stderr
        return ended.returncode, json.loads(ended.stdout)

    @contextmanager
    def worker(self, root: Path) -> Iterator[None]:
        """Let the worker of the package below `root` decide, and end it in order."""
        running = subprocess.Popen(
            [sys.executable, "-m", "placet.faces.cli", "worker", "--json"],
            env=self.env(root),
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert running.stdout is not None
            assert running.stdout.readline(), running.communicate()[1]
            yield
            running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=60)
            assert running.returncode == 0, said
        finally:
            if running.poll() is None:
                running.kill()
                running.communicate()


class Shop:
    """An agent and an executor of this release."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.plain = Agent(connection, tenant=TENANT, actor=AGENT, authority=PERSON, mandate="m1", session="s1")
        signer = connection.signer("agent", AGENT)
        self.signing = Agent(connection, tenant=TENANT, actor=AGENT, authority=PERSON, mandate="m1", signer=signer)
        self.ran: list[Any] = []

    def ask(self, amount: int, agent: Agent | None = None) -> Answer:
        asker, arguments = agent or self.plain, {"amount": amount}
        return asker.ask("shop.refund", "order/7", arguments, audience=EXECUTOR, timeout_ms=5_000)

    def carry_out(self, executor: Executor, answer: Answer) -> None:
        """Claim what was granted, run it, and hear that the desk knows."""
        assert answer.granted
        executor.perform(answer, lambda grant: self.ran.append(grant.arguments["amount"]))
        until("done", lambda: self.plain.hear(answer, timeout_ms=1_000).state is State.DONE)

    def ask_later(self, release: Release, amount: int) -> Any:
        """Ask as an agent of a later release would, and return what becomes of it."""
        intent = self.plain.intent("shop.refund", "order/7", {"amount": amount}, audience=EXECUTOR)
        grown = release.module("model.codec").decode_any(intent_codec.frame(intent))
        value = release.module("model.codec").BY_NAME["intent"].frame(grown)
        log, key = self.connection.log, key_of(TENANT, PERSON)
        partition = self.connection.partition(TENANT, PERSON)
        start = log.end(Topic.DECISIONS, partition)
        log.append(Topic.INTENTS, partition, [Message(key, value)])
        found: list[Any] = []

        def answered() -> bool:
            found.extend(self._said(partition, start, intent.id))
            return bool(found)

        until("an answer", answered)
        return found[0]

    def _said(self, partition: int, start: int, name: bytes) -> list[Any]:
        recs = self.connection.log.read(Topic.DECISIONS, partition, start, 1_000, 100)
        return [said for rec in recs if (said := decode_as("verdict", rec.value)) is not None and said.id == name]


def test_a_later_worker_goes_on_with_agents_and_executors_of_this_release(
    broker: Broker, tmp_path: Path, later: Release
) -> None:
    site = Site(broker, tmp_path)
    with connect(bootstrap=site.settings.bootstrap, settings=site.settings) as connection:
        Furniture(connection.log, Keys(site.settings.keys_file, site.settings.secrets_dir)).all()
        shop = Shop(connection)
        with Executor(connection, name=EXECUTOR, tenant=TENANT) as executor:
            with site.worker(ROOT):
                until("the pack is active", lambda: shop.ask(1).granted)
                shop.carry_out(executor, shop.ask(2))
                waits, before = shop.ask(6_000), shop.ask(3)
            with site.worker(later.folder):
                shop.carry_out(executor, before)
                shop.carry_out(executor, shop.ask(4))
                shop.carry_out(executor, shop.ask(3_000, shop.signing))
                assert shop.ask_later(later, 5).state == State.GRANTED
                during = shop.ask(6, shop.signing)
            with site.worker(later.folder):
                shop.carry_out(executor, during)
                shop.carry_out(executor, shop.ask(7))
                assert waits.waiting
                assert shop.plain.withdraw(waits).state is State.WITHDRAWN
        assert shop.ran == [2, 3, 4, 1_000, 6, 7]
    assert site.verb(later.folder, "schema", "check")[0] == 0
    code, report = site.verb(later.folder, "audit", "--every", "--drained")
    assert (code, report["clean"]) == (0, True), report
    assert report["read"]["verdict"] >= 20
    checked = {check["name"]: check["checked"] for check in report["checks"]}
    assert min(checked[name] for name in ("V2", "V5", "V20", "WRITERS")) > 0


def test_what_a_worker_that_was_upgraded_too_early_says_is_not_acted_on(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    early = released(tmp_path / "early", dict.fromkeys(("verdict", "seal"), widened("partition")))
    site = Site(broker, tmp_path)
    with connect(bootstrap=site.settings.bootstrap, settings=site.settings) as connection:
        Furniture(connection.log, Keys(site.settings.keys_file, site.settings.secrets_dir)).all()
        shop, ran = Shop(connection), list[Any]()
        with Executor(connection, name=EXECUTOR, tenant=TENANT) as executor, site.worker(early.folder):
            executor.on("shop.*")(ran.append)
            with pytest.raises(NoAnswer):
                shop.ask(1)
            assert connection.log.end(Topic.DECISIONS, connection.partition(TENANT, PERSON)) > 1
            executor.check()
        assert ran == []
        assert connection.log.end(Topic.OUTCOMES, connection.partition(TENANT, PERSON)) == 0
    assert "which this package does not read" in caplog.text
