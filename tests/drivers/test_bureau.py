"""What a worker keeps of context that nobody takes: all of it where it refuses it, a bounded part where another does."""

import pytest

from placet.drivers import bureau
from placet.errors import Unsure
from placet.model.reasons import Reason
from placet.model.topics import Topic
from tests.support.world import World


def assign(world: World, monkeypatch: pytest.MonkeyPatch, *partitions: int) -> None:
    monkeypatch.setattr(world.memory, "assigned", lambda: frozenset(partitions))


def garbage(world: World, count: int) -> None:
    for number in range(count):
        world.context(Topic.RISK, b"\x00\x00\x00\x00\x11%d" % number, f"k{number}")


def test_who_does_not_refuse_forgets_past_a_bound_and_reads_again_before_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bureau, "POISON_MOST", 3)
    world = World(partitions=2)
    assign(world, monkeypatch, 1)
    world.step()
    garbage(world, 3)
    world.step()
    assert len(world.loop.bureau.poison) == 3
    garbage(world, 1)
    assert world.step() == []
    assert world.loop.bureau.poison == []
    assign(world, monkeypatch, 0, 1)
    with pytest.raises(Unsure, match="read again"):
        world.loop.step(0)
    world.restart()
    assert [each.record.reason for each in world.step()] == [Reason.UNDECODABLE] * 4


def test_who_refuses_keeps_what_it_has_not_refused_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bureau, "POISON_MOST", 3)
    world = World(partitions=2)
    world.step()
    garbage(world, 10)
    assert len(world.step()) == 10
    assert world.loop.bureau.poison == []
