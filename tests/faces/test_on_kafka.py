"""The same faces over a real broker: a worker decides, an agent asks, an executor acts once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker import Broker
from placet import Agent, Executor, connect, guarded, wiring
from placet.drivers.entropy import SystemEntropy
from placet.drivers.kafka.topics import apply_topics
from placet.drivers.keyfile import FIRST_KEYS, Keys, ensure_keys
from placet.drivers.metrics import Watch
from placet.drivers.running import Running
from placet.drivers.settings import Settings
from placet.errors import Unsure
from placet.faces.sdk.connection import Connection
from placet.model.reasons import State
from placet.model.topics import Topic
from tests.faces.shop import Furniture, until
from tests.support.world import AGENT, EXECUTOR, PERSON, TENANT


@pytest.fixture
def settings(broker: Broker, tmp_path: Path) -> Settings:
    made = Settings(
        data=tmp_path / "data",
        bootstrap=broker.bootstrap,
        prefix=f"{tmp_path.name.replace('_', '-')[-40:]}.",
        partitions=2,
        replicas=1,
        seal_idle_ms=500,
    )
    ensure_keys(made.keys_file, made.secrets_dir, SystemEntropy(), (*FIRST_KEYS, ("executor", EXECUTOR)))
    apply_topics(wiring.cluster(made), partitions=made.partitions, replication=1)
    return made


@pytest.fixture
def running(settings: Settings) -> Iterator[Running]:
    worker = wiring.work(settings, Watch())
    yield worker
    worker.stop()
    assert worker.failure is None


@pytest.fixture
def connection(running: Running, settings: Settings) -> Iterator[Connection]:
    with connect(bootstrap=settings.bootstrap, settings=settings) as opened:
        furniture = Furniture(opened.log, Keys(settings.keys_file, settings.secrets_dir))
        furniture.all()
        yield opened


def agent_of(connection: Connection) -> Agent:
    return Agent(connection, tenant=TENANT, actor=AGENT, authority=PERSON, mandate="m1")


def test_a_guarded_function_runs_over_kafka(connection: Connection) -> None:
    agent = agent_of(connection)
    until("the pack is active", lambda: agent.ask("shop.refund", "order/7", {"amount": 1}).granted)
    with Executor(connection, name=EXECUTOR) as executor:

        @guarded(agent=agent, executor=executor, action="shop.refund", resource="order/7")
        def refund(amount: int) -> int:
            return amount

        assert refund(amount=4_000) == 1_000


def test_a_handler_reads_the_arguments_asked_over_kafka(connection: Connection) -> None:
    agent = agent_of(connection)
    until("the pack is active", lambda: agent.ask("shop.refund", "order/7", {"amount": 1}).granted)
    seen: list[Any] = []
    with Executor(connection, name=EXECUTOR, tenant=TENANT) as executor:
        executor.on("shop.*")(lambda grant: seen.append(grant.arguments))
        answer = agent.ask("shop.refund", "order/7", {"amount": 3}, audience=EXECUTOR)
        until("run", lambda: {"amount": 3} in seen)
        until("done", lambda: agent.hear(answer, timeout_ms=1_000).state is State.DONE)


def test_a_worker_whose_commit_was_lost_makes_itself_anew(
    running: Running, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = agent_of(connection)
    until("the pack is active", lambda: agent.ask("shop.refund", "order/7", {"amount": 1}).granted)
    first, journal = running.stack, running.stack.journal
    commit = journal.commit

    def lost(*args: Any) -> None:
        commit(*args)
        raise Unsure("the answer was lost")

    monkeypatch.setattr(journal, "commit", lost)
    answer = agent.ask("shop.refund", "order/7", {"amount": 2})
    assert answer.granted
    until("a new stack", lambda: running.stack is not first)
    again = agent.ask("shop.refund", "order/7", {"amount": 2})
    assert again.granted
    # One answer each, whatever became of the commit.
    ends = [connection.log.end(Topic.DECISIONS, partition) for partition in range(2)]
    assert sum(ends) > 0
    until("ready again", running.ready)
