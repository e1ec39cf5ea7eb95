"""A broker that has just begun to lead tells its end late: what cannot be seen yet is waited for, and what stays away is lost."""

from collections.abc import Callable

import pytest

from placet.drivers.loop import BEHIND_LOOKS
from placet.errors import Corrupted, Unavailable
from placet.model.topics import Topic
from placet.ports import Restored
from tests.support.world import World


def changes_missing(found: Restored) -> Restored:
    return Restored(list(found.changes)[:-1], found.tail, found.inputs)


def positions_ahead(found: Restored) -> Restored:
    return Restored(found.changes, found.tail, {**found.inputs, int(Topic.INTENTS): found.inputs[Topic.INTENTS] + 1})


def positions_behind(found: Restored) -> Restored:
    return Restored(found.changes, found.tail, {**found.inputs, int(Topic.INTENTS): found.inputs[Topic.INTENTS] - 1})


def seen(world: World, less: Callable[[Restored], Restored], looks: int) -> None:
    """Let a world begin anew, and see less than there is so many times."""
    whole, left = world.memory.restore, looks

    def restore(partition: int) -> Restored:
        nonlocal left
        left -= 1
        return less(whole(partition)) if left >= 0 else whole(partition)

    world.memory.restore = restore  # type: ignore[method-assign]
    world.restart()


@pytest.mark.parametrize("less", [changes_missing, positions_ahead, positions_behind])
def test_what_is_not_to_be_seen_yet_is_looked_for_again_and_nothing_is_decided_before(
    less: Callable[[Restored], Restored],
) -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    seen(world, less, 3)
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"looked \d times of 20"):
            world.loop.step(0)
    (again,) = world.ask(asked)
    assert again.name == "repeat"


@pytest.mark.parametrize("less", [changes_missing, positions_ahead, positions_behind])
def test_what_stays_away_is_lost(less: Callable[[Restored], Restored]) -> None:
    world = World()
    world.ask(world.intent())
    seen(world, less, BEHIND_LOOKS)
    for _ in range(BEHIND_LOOKS - 1):
        with pytest.raises(Unavailable):
            world.loop.step(0)
    with pytest.raises(Corrupted):
        world.loop.step(0)
