"""Signatures verified beside the desk: what is decided is the same with a pool, without one, and with one that fails."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from placet.drivers import ahead as ahead_module
from placet.drivers.ahead import Ahead
from placet.drivers.verifying import verified
from placet.model.codec import open_frame
from placet.model.proof import KeyRing, Signer, batch_message
from placet.model.topics import Topic
from tests.support.world import World

BYTES_MAX = 65_536
STRANGER = Signer("ada-1", "agent:ada", b"z" * 32)


class Here:
    """A pool that does the work here, and counts it; `lies` says what it answers instead."""

    def __init__(self, *_: Any, lies: Any = None, **__: Any) -> None:
        self.asked: list[int] = []
        self.submitted = 0
        self.lies = lies

    def submit(self, work: Any, claimed: Any) -> Future[Any]:
        self.submitted += 1
        if claimed:
            self.asked.append(len(claimed))
        done: Future[Any] = Future()
        if isinstance(self.lies, Exception):
            done.set_exception(self.lies)
        else:
            done.set_result(work(claimed) if self.lies is None else [self.lies] * len(claimed))
        return done

    def shutdown(self, **_: Any) -> None:
        pass


def story(world: World) -> list[tuple[str, Any]]:
    """Decide intents signed one by one and in a batch, one of a stranger and one that was changed, and return what is said."""
    world.step()
    frames = [world.signed("intent", world.intent(), world.agent) for _ in range(6)]
    frames.append(world.signed("intent", world.intent(), STRANGER))
    frames.append(frames[0][:-1] + bytes([frames[0][-1] ^ 1]))
    for frame in frames:
        world.send(Topic.INTENTS, frame)
    return [(each.name, each.record) for each in world.step()]


def with_pool(monkeypatch: pytest.MonkeyPatch, pool: Any, workers: int = 1) -> tuple[World, Ahead]:
    monkeypatch.setattr(ahead_module, "ProcessPoolExecutor", lambda *_, **__: pool)
    world = World()
    ahead = Ahead(world.loop.bureau.keys, workers, BYTES_MAX)
    world.loop.verify_with(ahead)
    return world, ahead


@pytest.fixture
def alone() -> list[tuple[str, Any]]:
    return story(World())


def test_what_a_pool_verified_is_not_verified_again(
    monkeypatch: pytest.MonkeyPatch, alone: list[tuple[str, Any]]
) -> None:
    pool = Here()
    world, ahead = with_pool(monkeypatch, pool)
    assert story(world) == alone
    assert [name for name, _ in alone] == ["verdict"] * 6 + ["refusal"] * 2
    assert (pool.asked, ahead.verified) == ([8], 6)


@pytest.mark.parametrize("lies", [False, RuntimeError("died"), TimeoutError(), OSError("no processes left")])
def test_a_pool_that_fails_changes_nothing_but_the_time(
    monkeypatch: pytest.MonkeyPatch, alone: list[tuple[str, Any]], lies: Any
) -> None:
    world, ahead = with_pool(monkeypatch, Here(lies=lies))
    assert story(world) == alone
    assert ahead.verified == 0


def test_after_a_failure_the_pool_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Here(lies=RuntimeError("died"))
    world, _ = with_pool(monkeypatch, pool)
    story(world)
    story(world)
    assert pool.submitted == 1


def test_nobody_waits_for_processes_that_have_not_begun(
    monkeypatch: pytest.MonkeyPatch, alone: list[tuple[str, Any]]
) -> None:
    pool = Here()
    monkeypatch.setattr(pool, "submit", lambda *_: Future())
    world, ahead = with_pool(monkeypatch, pool)
    assert story(world) == alone
    assert ahead.verified == 0


def test_only_signatures_of_known_keys_are_looked_at_once_and_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead_module, "MOST", 5)
    monkeypatch.setattr(ahead_module, "CHUNK", 4)
    pool = Here()
    world, ahead = with_pool(monkeypatch, pool)
    unknown = Signer("nobody", "agent:ada", b"y" * 32)
    for signer in (unknown, *[world.agent] * 9):
        world.send(Topic.INTENTS, world.signed("intent", world.intent(), signer))
    world.send(Topic.INTENTS, None)
    world.send(Topic.INTENTS, b"\x00nonsense")
    records = world.memory.read(Topic.INTENTS, 0, 0, 99, 0)
    ahead.look(records)
    assert (pool.asked, ahead.verified) == ([4, 1], 5)
    ahead.look(records[:6])
    assert pool.asked == [4, 1]
    assert open_frame(records[0].value or b"")[0] == "intent"


def test_none_are_asked_where_there_are_no_workers_or_few_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Here()
    for workers, count in ((0, 9), (1, 3)):
        world, ahead = with_pool(monkeypatch, pool, workers)
        for _ in range(count):
            world.send(Topic.INTENTS, world.signed("intent", world.intent(), world.agent))
        ahead.look(world.memory.read(Topic.INTENTS, 0, 0, 99, 0))
    assert pool.submitted == 0


def test_what_is_verified_is_what_the_ring_would_verify() -> None:
    signer, root = Signer("k", "agent:a", b"k" * 32), bytes(range(32))
    message = batch_message(7, root)
    good = (signer.public, signer.sign(message), message)
    wrong = (signer.public, signer.sign(message), batch_message(8, root))
    assert verified([good, wrong, (bytes(31), good[1], message), (good[0], b"", message)]) == [
        True,
        False,
        False,
        False,
    ]
    ring = KeyRing([signer.pinned("agent")])
    assert not ring.remembers(signer.public, 7, good[1])
    ring.remember(signer.public, 7, good[1], root)
    assert ring.remembers(signer.public, 7, good[1])


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, Ahead]]:
    monkeypatch.setattr(ahead_module, "ANSWER_S", 120.0)
    world = World()
    ahead = Ahead(world.loop.bureau.keys, 1, BYTES_MAX)
    world.loop.verify_with(ahead)
    try:
        yield world, ahead
    finally:
        ahead.close()


def test_a_process_verifies_and_one_that_is_killed_is_done_without(
    real: tuple[World, Ahead], alone: list[tuple[str, Any]]
) -> None:
    world, ahead = real
    ahead.warm(120)
    assert story(world) == alone
    assert ahead.verified == 6
    pool: Any = ahead._pool
    (process,) = pool._processes.values()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    said = story(world)
    assert [name for name, _ in said] == [name for name, _ in alone]
    ahead.close()
    assert ahead._pool is None
