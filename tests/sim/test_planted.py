"""Bugs planted in a replaced seam: the simulation finds each within a few seeds, and says by what."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest

from placet.context.tables import Tables
from placet.decision.desk import Desk
from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.intake import Intake
from placet.drivers.kafka.reader import Reader
from placet.drivers.kafka.transactor import Send, Transactor
from placet.model.topics import Topic
from placet.ports import Rec
from tests.sim.group import Membership
from tests.sim.story import SimStory

SEEDS_MOST = 60
Patch = pytest.MonkeyPatch


def no_fencing(patch: Patch) -> None:
    """Every start takes an id of its own, and positions are committed by whoever says so."""
    numbers = count()
    patch.setattr(Connection, "transactional_id", lambda self, slot: f"{slot}-{next(numbers)}")
    patch.setattr(Intake, "membership", lambda self: Membership("placet-worker", -1, "", ""))


def restore_bounded_by_what_is_stable(patch: Patch) -> None:
    """A restore asks for its end with a client that does not see what is still open (KAFKA-10167)."""
    bounds = Reader.bounds

    def short(self: Reader, topic: Topic, partition: int) -> tuple[int, int]:
        return bounds(self, topic, partition)[0], self.stable_end(topic, partition)

    patch.setattr(Reader, "bounds", short)


def forget_the_sweep_at_failover(patch: Patch) -> None:
    patch.setattr(Desk, "wake", lambda self: None)


def commit_before_send(patch: Patch) -> None:
    """The positions of a batch are committed, and then what it says."""
    commit = Transactor.commit

    def early(self: Transactor, sends: Iterable[Send], positions: list[Any], member: Any) -> None:
        commit(self, [], positions, member)
        commit(self, sends, positions, member)

    patch.setattr(Transactor, "commit", early)


def ignore_watermarks(patch: Patch) -> None:
    """Every record counts as word from its feed, also where feeds write watermarks and those alone do."""
    hear = Tables.hear

    def deaf(self: Tables, rec: Rec) -> None:
        heard = self.marks.get((rec.topic, rec.partition), (0, 0))[1]
        hear(self, rec)
        self.marks[rec.topic, rec.partition] = (rec.offset + 1, max(heard, rec.at))

    patch.setattr(Tables, "hear", deaf)


def decide_before_it_was_read(patch: Patch) -> None:
    """What an intent asks to be read first is not waited for."""
    patch.setattr(Tables, "covers", lambda self, positions: True)


PLANTS: list[tuple[Callable[[Patch], None], tuple[str, ...]]] = [
    (no_fencing, ("Corrupted: ", "READER: ", "SEALS: ")),
    (restore_bounded_by_what_is_stable, ("Corrupted: ", "READER: ", "SEALS: ", "RESTORE: ")),
    (forget_the_sweep_at_failover, ("SWEEP: ",)),
    (commit_before_send, ("Corrupted: ", "V1: ")),
    (ignore_watermarks, ("WATERMARK: ",)),
    (decide_before_it_was_read, ("V3: ",)),
]
"""Each bug, and what may be the first to name it."""


def findings(plant: Callable[[Patch], None], seed: int) -> list[str]:
    """Return what is found in the story of `seed` with the bug in it."""
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        return SimStory(seed).tell().violations


@pytest.mark.slow
@pytest.mark.parametrize(("plant", "named"), PLANTS, ids=[plant.__name__ for plant, _ in PLANTS])
def test_a_planted_bug_is_found(plant: Callable[[Patch], None], named: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for seed in range(SEEDS_MOST):
        texts = [text.partition(": ")[2] if text[:3] in {"a: ", "b: "} else text for text in findings(plant, seed)]
        if any(text.startswith(named) for text in texts):
            return
        seen.update(texts)
    raise AssertionError(f"not found in {SEEDS_MOST} seeds; what was found instead: {sorted(seen)[:10]}")
