"""A worker that is frozen or killed leaves nothing half said, and another goes on."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from broker import Broker
from placet.errors import Unavailable, Unsure
from tests.drivers.kafka.stand import INTENTS, SEAL, Stand, said, serve, taken

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


class Child:
    """A worker process; every way to end it is here."""

    def __init__(self, stand: Stand, slot: str, point: str) -> None:
        command = [sys.executable, "-m", "tests.drivers.kafka.child"]
        arguments = [stand.connection.bootstrap, stand.connection.prefix, slot, point]
        self.process = subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def wait_until_stopped(self) -> None:
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"ended instead of stopping: {status}"

    def resume(self) -> str:
        """Let it go on, and return what it says."""
        os.kill(self.process.pid, signal.SIGCONT)
        told, _ = self.process.communicate(timeout=60)
        return told.strip()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def asked(stand: Stand) -> Stand:
    stand.ask("one", "two")
    return stand


@pytest.mark.parametrize("point", ["stopped before commit", "stopped in transaction"])
def test_a_worker_frozen_past_its_session_commits_nothing_when_it_wakes(asked: Stand, point: str) -> None:
    child = Child(asked, "a", point)
    try:
        child.wait_until_stopped()
        other = asked.journal("b")
        assert serve(other)[0].inputs[INTENTS] == 0
        assert taken(other) == ["one", "two"]
        other.commit({0: said("by the other", ordinal=1)}, {0: {INTENTS: 2}})
        assert child.resume() in {"Unavailable", "Unsure"}
        assert asked.decisions() == [b"by the other", SEAL + b"by the other"]
        restored = serve(asked.reopened(other))[0]
        assert [rec.value for rec in restored.changes] == [b"change 1"]
        assert restored.inputs[INTENTS] == 2
    finally:
        child.end()


def test_a_worker_killed_in_a_transaction_starts_again_as_if_it_had_not_begun_it(asked: Stand) -> None:
    child = Child(asked, "a", "killed in transaction")
    try:
        assert child.process.wait(60) == -signal.SIGKILL
        again = asked.journal("a")
        restored = serve(again)[0]
        assert (restored.changes, restored.tail, restored.inputs[INTENTS]) == ([], [], 0)
        assert taken(again) == ["one", "two"]
        again.commit({0: said("after all")}, {0: {INTENTS: 2}})
        assert asked.decisions() == [b"after all", SEAL + b"after all"]
    finally:
        child.end()


@pytest.mark.broker
def test_a_broker_that_dies_and_comes_back_ends_in_one_answer(tmp_path: Path) -> None:
    node = Broker(tmp_path / "broker").start()
    stand = Stand(node.bootstrap, tmp_path)
    stand.connection = replace(stand.connection, transaction_ms=2_000)
    try:
        stand.ask("one", "two")
        journal = stand.journal(data=tmp_path)
        serve(journal)
        assert taken(journal) == ["one", "two"]
        journal.commit({0: said("first", ordinal=1)}, {0: {INTENTS: 1}})
        node.kill()
        with pytest.raises((Unavailable, Unsure)):
            journal.commit({0: said("second", ordinal=2)}, {0: {INTENTS: 2}})
        node.start(keep=True)
        again = stand.reopened(journal)
        assert serve(again)[0].inputs[INTENTS] == 1
        assert taken(again) == ["two"]
        again.commit({0: said("second", ordinal=2)}, {0: {INTENTS: 2}})
        assert stand.decisions() == [b"first", SEAL + b"first", b"second", SEAL + b"second"]
    finally:
        stand.close()
        node.stop()
