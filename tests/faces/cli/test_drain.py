"""A worker asked to end under load ends in order: what it decided is committed and sealed, and another goes on from there."""

import json
import signal
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions

from broker import Broker
from placet.drivers.entropy import SystemEntropy
from placet.drivers.kafka import Connection, KafkaLog
from placet.drivers.kafka.topics import apply_topics
from placet.drivers.keyfile import ensure_keys
from placet.model.codec import seal
from placet.model.topics import Topic
from placet.ports import Message, Rec
from tests.drivers.kafka.stand import until
from tests.faces.cli.test_processes import process

PARTITIONS = 2
LOAD = 10_000


def probe(url: str, path: str) -> int:
    try:
        with urlopen(url + path, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def sealed(log: KafkaLog, partition: int) -> tuple[list[Rec], Any]:
    """Return what the last visible Seal of a partition closes, and that Seal."""
    records: list[Rec] = []
    end = log.end(int(Topic.DECISIONS), partition)
    while (at := records[-1].offset + 1 if records else 0) < end:
        records += log.read(int(Topic.DECISIONS), partition, at, 5_000, 1_000)
    # While a worker goes on, a read may end in the middle of what it commits next.
    while records[-1].key != b"seal":
        records.pop()
    return [rec for rec in records if rec.key != b"seal"], seal.decode(records[-1].value or b"")


def positions(connection: Connection) -> Mapping[tuple[str, int], int]:
    group = ConsumerGroupTopicPartitions(connection.prefix + connection.group)
    admin = connection.outside.admin(connection.client())
    told = admin.list_consumer_group_offsets([group])[group.group_id].result(30)
    return {(one.topic, one.partition): one.offset for one in told.topic_partitions}


@pytest.mark.slow
def test_a_worker_asked_to_end_under_load_leaves_everything_sealed(broker: Broker, tmp_path: Path) -> None:
    connection = Connection(broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")
    apply_topics(connection, partitions=PARTITIONS)
    ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", SystemEntropy())
    log = KafkaLog(connection)
    asked = 0

    def ask(count: int) -> None:
        """Append so many to each partition. No desk can read them: each is refused once, an answer like any other."""
        nonlocal asked
        for number in range(count * PARTITIONS):
            log.append_async(int(Topic.INTENTS), number % PARTITIONS, [Message(b"t/a", b"not an intent")])
        log.flush()
        asked += count

    ask(LOAD)
    env = {"PLACET_PREFIX": connection.prefix, "PLACET_METRICS_PORT": "0", "PLACET_LOG_FORMAT": "json"}
    command = ("worker", "--bootstrap", broker.bootstrap, "--data", tmp_path)
    title = connection.title(Topic.INTENTS)
    with process(*command, env=env) as (worker, said):
        until(lambda: log.end(int(Topic.DECISIONS), 0), lambda end: end > 1_000)
        worker.send_signal(signal.SIGTERM)

        def ended() -> bool:
            ask(100)
            return worker.poll() is not None

        # However fast it is, there is more to decide when it ends.
        until(ended)
        ask(1)
        out, err = worker.communicate()
        assert (worker.returncode, out) == (0, "")
        told = [json.loads(line) for line in err.splitlines()]
        events = [line["event"] for line in told if line["logger"] == "placet.worker"]
        assert [event for event in events if event != "set aside"] == [
            "worker up",
            "draining: the batch under way is the last",
            "worker down",
        ]
        assert {line["slot"] for line in told} == {said["slot"]}
    answered = []
    for partition in range(PARTITIONS):

        def stands(partition: int = partition) -> tuple[int, int, int]:
            answers, last = sealed(log, partition)
            inputs = {one.topic: one.offset for one in last.inputs}
            committed = positions(connection).get((title, partition), 0)
            return len(answers), inputs.get(int(Topic.INTENTS), 0), max(committed, 0)

        # A commit is acknowledged before its markers are written everywhere.
        answered.append(until(stands, lambda found: len(set(found)) == 1)[0])
    assert sum(answered) > 0
    assert max(answered) < asked
    with process(*command, env=env) as (worker, said):
        until(lambda: probe(said["url"], "/readyz"), lambda code: code == 200)
        assert probe(said["url"], "/livez") == 200
        until(
            lambda: sum(len(sealed(log, partition)[0]) for partition in range(PARTITIONS)),
            lambda n: n >= asked * PARTITIONS,
        )
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert [len(sealed(log, partition)[0]) for partition in range(PARTITIONS)] == [asked] * PARTITIONS
    log.close()


@pytest.mark.slow
def test_the_context_app_is_ready_when_it_has_its_partitions_and_ends_in_order(broker: Broker, tmp_path: Path) -> None:
    connection = Connection(broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")
    apply_topics(connection, partitions=1)
    ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", SystemEntropy())
    env = {"PLACET_PREFIX": connection.prefix, "PLACET_METRICS_PORT": "0", "PLACET_LOG_FORMAT": "json"}
    with process("context", "--bootstrap", broker.bootstrap, "--data", tmp_path, env=env) as (context, said):
        until(lambda: probe(said["url"], "/readyz"), lambda code: code == 200)
        assert probe(said["url"], "/livez") == 200
        with urlopen(f"{said['url']}/metrics", timeout=10) as answer:
            assert b"placet_signals_total" in answer.read()
        context.send_signal(signal.SIGTERM)
        out, err = context.communicate(timeout=60)
        assert (context.returncode, out) == (0, "")
    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert (events[0], events[-1]) == ("context up", "context down")
