"""A worker is live while it makes progress of any kind, and ready only while it serves what it has read back."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from placet.drivers.metrics import Watch
from placet.drivers.running import Running
from placet.drivers.settings import Settings
from placet.errors import Corrupted, Unavailable, Unsure

LONG_AGO_S = 3_600


class Script:
    """A loop that does what a test says until it is told to stop."""

    def __init__(self, does: Callable[["Script", Any], None] | None = None) -> None:
        self.turned_at = 0.0
        self.restoring = False
        self.bureau = SimpleNamespace(places={})
        self._does = does

    def run(self, stop: threading.Event, _wait_ms: int, on_unavailable: Callable[[Unavailable], None]) -> None:
        if self._does is not None:
            self._does(self, on_unavailable)
        stop.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Script], Running]]:
    made: list[Running] = []

    def begin(loop: Script) -> Running:
        stack: Any = SimpleNamespace(
            loop=loop, settings=Settings(data=tmp_path, stalled_ms_max=60_000), watch=Watch(), close=lambda: None
        )
        made.append(Running(stack))
        return made[-1]

    yield begin
    for one in made:
        one.stop()


def test_before_its_first_turn_a_worker_is_live_and_not_ready(start: Callable[[Script], Running]) -> None:
    running = start(Script())
    assert (running.live(), running.ready()) == (True, False)


def test_a_worker_that_serves_is_live_and_ready(start: Callable[[Script], Running]) -> None:
    loop = Script()
    running = start(loop)
    loop.turned_at, loop.bureau.places = time.monotonic(), {0: object()}
    assert (running.live(), running.ready()) == (True, True)


def test_a_worker_without_partitions_is_live_and_not_ready(start: Callable[[Script], Running]) -> None:
    loop = Script()
    running = start(loop)
    loop.turned_at = time.monotonic()
    assert (running.live(), running.ready()) == (True, False)


def test_a_loop_that_hangs_is_not_live(start: Callable[[Script], Running]) -> None:
    loop = Script()
    running = start(loop)
    loop.turned_at, loop.bureau.places = time.monotonic() - LONG_AGO_S, {0: object()}
    assert (running.live(), running.ready()) == (False, False)


def test_a_long_restore_is_live_and_not_ready(start: Callable[[Script], Running]) -> None:
    loop = Script()
    running = start(loop)
    loop.turned_at, loop.bureau.places = time.monotonic() - LONG_AGO_S, {0: object()}
    loop.restoring = True
    assert (running.live(), running.ready()) == (True, False)


def test_a_worker_that_waits_for_its_cluster_is_live_and_not_ready(start: Callable[[Script], Running]) -> None:
    waited = threading.Event()

    def wait(loop: Script, on_unavailable: Callable[[Unavailable], None]) -> None:
        loop.turned_at, loop.bureau.places = time.monotonic() - LONG_AGO_S, {0: object()}
        on_unavailable(Unavailable("no broker"))
        waited.set()

    running = start(Script(wait))
    assert waited.wait(30)
    assert (running.live(), running.ready()) == (True, False)


def test_a_loop_that_has_ended_is_neither(start: Callable[[Script], Running]) -> None:
    def die(loop: Script, _: object) -> None:
        loop.turned_at, loop.bureau.places = time.monotonic(), {0: object()}
        raise Corrupted("two things disagree")

    running = start(Script(die))
    assert running.ended.wait(30)
    assert (running.live(), running.ready()) == (False, False)


def test_an_ending_that_waits_for_a_broker_is_not_waited_for(tmp_path: Path) -> None:
    broker_answers = threading.Event()
    stack: Any = SimpleNamespace(
        loop=Script(), settings=Settings(data=tmp_path), watch=Watch(), close=broker_answers.wait
    )
    running = Running(stack)
    assert running.stop(0.01) is False
    broker_answers.set()
    assert running.stop() is True


def test_what_nobody_foresaw_ends_the_loop_for_a_restart_and_is_called_no_contradiction(
    start: Callable[[Script], Running],
) -> None:
    def starve(_loop: Script, _on_unavailable: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    running = start(Script(starve))
    assert running.ended.wait(10)
    assert isinstance(running.failure, Unsure)
    assert "Too many open files" in str(running.failure)
    assert not running.live()
