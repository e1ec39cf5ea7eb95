"""The broker of the tests is a real one: it keeps its own time, commits transactions, and survives a kill."""

import shutil
import socket
from pathlib import Path

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker, free_port, render
from jars import BrokerError, jars, missing

HERE = Path(__file__).parent.parent.parent / "ops" / "broker"


def commit_one(bootstrap: str, topic: str, value: bytes) -> Message:
    """Return the delivery report of one record that was committed in a transaction of its own."""
    reports: list[Message] = []
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"one-{topic}"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, value, timestamp=1_000, on_delivery=lambda _, message: reports.append(message))
    producer.commit_transaction(30)
    (report,) = reports
    assert report.error() is None
    return report


def read_committed(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """Return the first `count` committed values of partition 0."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "isolation.level": "read_committed"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        return [message.value() for message in consumer.consume(count, timeout=30)]
    finally:
        consumer.close()


def make_topic(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)


def test_a_transaction_commits_and_the_broker_gives_the_time(broker: Broker) -> None:
    make_topic(broker.bootstrap, "one-answer")
    kind, at_ms = commit_one(broker.bootstrap, "one-answer", b"placet").timestamp()
    assert kind == TIMESTAMP_LOG_APPEND_TIME
    assert at_ms > 1_000_000_000_000  # not the 1,000 that the producer claimed
    assert read_committed(broker.bootstrap, "one-answer", 1) == [b"placet"]


def test_a_topic_nobody_made_is_not_made_by_asking_for_it(broker: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.list_topics("never-made", timeout=30)
    assert "never-made" not in admin.list_topics(timeout=30).topics


@pytest.mark.broker
@pytest.mark.slow
def test_what_was_committed_is_read_after_a_kill_and_a_new_start_forgets_it(tmp_path: Path) -> None:
    node = again = Broker(tmp_path).start()
    try:
        make_topic(node.bootstrap, "kept")
        commit_one(node.bootstrap, "kept", b"before")
        node.kill()
        assert node.running() == []
        # Another process that knows only the folder finds the same cluster.
        again = Broker.found(tmp_path)
        assert again.bootstrap == node.bootstrap
        again.start(keep=True)
        assert read_committed(again.bootstrap, "kept", 1) == [b"before"]
        again.start()
        admin = AdminClient({"bootstrap.servers": again.bootstrap})
        assert "kept" not in admin.list_topics(timeout=30).topics
    finally:
        again.stop()


def test_three_nodes_know_each_other_and_keep_two_copies_in_sync(tmp_path: Path) -> None:
    text = render(node=2, port=21_000, nodes=3, data=tmp_path)
    lines = text.splitlines()
    assert "node.id=2" in lines
    assert "advertised.listeners=PLAINTEXT://127.0.0.1:21010" in lines
    assert "controller.quorum.voters=1@127.0.0.1:21001,2@127.0.0.1:21011,3@127.0.0.1:21021" in lines
    assert "default.replication.factor=3" in lines
    assert "min.insync.replicas=2" in lines


def test_a_jar_that_is_not_the_listed_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(HERE / "pom.xml", tmp_path)
    (tmp_path / "jars.sha256").write_text(f"{'0' * 64}  kafka.jar\n")
    (tmp_path / "bin").mkdir()
    for name, does in (("java", ":"), ("mvn", 'for a; do last="$a"; done; echo planted > "${last#*=}/kafka.jar"')):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PLACET_CACHE", str(tmp_path / "cache"))
    with pytest.raises(BrokerError, match=r"not the jars of jars\.sha256: kafka\.jar"):
        jars(tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []  # nothing half fetched stays


def test_a_machine_without_java_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing(HERE) == "`java` is not on the path; a broker needs a Java runtime, 17 or newer"


def test_a_port_that_is_taken_is_passed_over() -> None:
    taken = free_port()
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", taken))
        holder.listen()
        assert free_port() != taken
