"""Bugs planted in a replaced seam: the sweep, with the auditor or the restore, finds each by name within a few seeds."""

from collections.abc import Callable, Mapping

import pytest

from placet.decision import intake
from placet.decision.changes import Changes
from placet.decision.desk import Desk
from placet.decision.settled import SettledTable
from placet.decision.vault import Vault
from placet.errors import Corrupted, Unavailable, Unsure
from placet.model.codec import seal
from placet.ports import Emits, Message, Restored
from tests.faults import worker
from tests.faults.journals import MEMORY
from tests.faults.script import Died, FaultyJournal, Way
from tests.faults.story import Story
from tests.faults.worker import Worker

SEEDS_MOST = 40
STILL_S = 10.0
"""How long a worker with a bug may decide nothing."""
Patch = pytest.MonkeyPatch
Inputs = Mapping[int, Mapping[int, int]]


class Anywhere(int):
    """A partition that no other differs from."""

    def __ne__(self, other: object) -> bool:
        return False

    __eq__ = int.__eq__
    __hash__ = int.__hash__


def skip_the_dedupe(patch: Patch, story: Story) -> None:
    patch.setattr(SettledTable, "find", lambda self, slot: None)


def act_before_the_commit(patch: Patch, story: Story) -> None:
    """The executors hear what is about to be committed, and nothing of what was."""
    commit = FaultyJournal.commit

    def shown(self: FaultyJournal, emits: Mapping[int, Emits], inputs: Inputs) -> None:
        for said in emits.values():
            for message in said.decisions:
                story.executors.hear(message.value or b"")
        commit(self, emits, inputs)

    patch.setattr(FaultyJournal, "commit", shown)
    patch.setattr(story.executors, "listen", lambda: None)
    # Only a claim that is decided otherwise the second time shows it: commits are lost, and then the lease is over.
    story.faults = [("commit", Way.LOST), ("commit", Way.BEFORE)]
    story.pace = (0, 100, 5_000)


def _restore(patch: Patch, short: Callable[[Restored], Restored]) -> None:
    restore = FaultyJournal.restore
    patch.setattr(FaultyJournal, "restore", lambda self, partition: short(restore(self, partition)))


def restore_short_of_the_last_change(patch: Patch, story: Story) -> None:
    def short(found: Restored) -> Restored:
        whole = list(found.changes)
        changes = [rec for rec in whole if not (rec.key or b"").startswith(b"k/")]
        return Restored([rec for rec in whole if rec not in changes[-1:]], found.tail, found.inputs)

    _restore(patch, short)


def restore_short_of_the_last_batch(patch: Patch, story: Story) -> None:
    _restore(patch, lambda found: Restored(found.changes, [], found.inputs))


def restore_without_its_end_seal(patch: Patch, story: Story) -> None:
    _restore(patch, lambda found: Restored(found.changes, found.tail[:-1], found.inputs))


def restore_nothing_at_all(patch: Patch, story: Story) -> None:
    _restore(patch, lambda found: Restored([], [], {}))


def forget_a_seal(patch: Patch, story: Story) -> None:
    """Every seventh commit leaves its Seals out."""
    commit, count = FaultyJournal.commit, iter(range(1, 1 << 30))

    def unsealed(self: FaultyJournal, emits: Mapping[int, Emits], inputs: Inputs) -> None:
        if next(count) % 7 == 0:
            for said in emits.values():
                said.decisions = [m for m in said.decisions if (m.value or b"")[:5] != seal.HEADER]
        commit(self, emits, inputs)

    patch.setattr(FaultyJournal, "commit", unsealed)


def commit_without_positions(patch: Patch, story: Story) -> None:
    commit = FaultyJournal.commit
    patch.setattr(FaultyJournal, "commit", lambda self, emits, inputs: commit(self, emits, {}))


def go_on_after_an_answer_was_lost(patch: Patch, story: Story) -> None:
    def turn(self: Worker, wait_ms: int = 0) -> bool:
        try:
            self.loop.step(wait_ms)
        except (Unavailable, Unsure):
            return False  # taken for `nothing was committed`
        except Died:
            self.restart()
            return False
        return True

    patch.setattr(Worker, "turn", turn)


def keep_what_was_not_committed(patch: Patch, story: Story) -> None:
    patch.setattr(Desk, "drop", Desk.keep)


def forget_to_close(patch: Patch, story: Story) -> None:
    messages = Changes.messages

    def leaky(self: Changes, *given: object) -> list[Message]:
        self.closed = []
        return messages(self, *given)  # type: ignore[arg-type]

    patch.setattr(Changes, "messages", leaky)


def use_a_nonce_twice(patch: Patch, story: Story) -> None:
    begin = Vault.begin

    def fixed(self: Vault, entropy: object) -> None:
        begin(self, entropy)  # type: ignore[arg-type]
        self._prefix = bytes(8)

    patch.setattr(Vault, "begin", fixed)


def accept_another_partition(patch: Patch, story: Story) -> None:
    patch.setattr(intake, "partition_of", lambda key, partitions: Anywhere())


PLANTS: list[tuple[Callable[[Patch, Story], None], tuple[str, ...]]] = [
    (skip_the_dedupe, ("V1: ",)),
    (act_before_the_commit, ("V11: ",)),
    (restore_short_of_the_last_change, ("Corrupted: the desk's changes end at",)),
    (restore_short_of_the_last_batch, ("Corrupted: ", "SEALS: ")),
    (restore_without_its_end_seal, ("Corrupted: ",)),
    (restore_nothing_at_all, ("SEALS: ",)),
    (forget_a_seal, ("Corrupted: ", "SEALS: ")),
    (commit_without_positions, ("Corrupted: ", "V1: ")),
    (go_on_after_an_answer_was_lost, ("SEALS: ", "V1: ")),
    (keep_what_was_not_committed, ("Corrupted: ", "SEALS: ", "V1: ", "V20: ")),
    (forget_to_close, ("V20: ",)),
    (use_a_nonce_twice, ("OWN: a nonce used",)),
    (accept_another_partition, ("V2: ",)),
]
"""Each bug, and who may be the first to name it."""


def findings(plant: Callable[[Patch, Story], None], seed: int) -> list[str]:
    """Return what is found in the story of `seed` with the bug in it."""
    story = Story(seed, MEMORY)
    with pytest.MonkeyPatch.context() as patch:
        plant(patch, story)
        patch.setattr(worker, "PATIENCE_S", STILL_S)
        try:
            return story.tell().violations
        except Corrupted as fault:
            return [f"Corrupted: {fault}"]
        except AssertionError as still:
            return [
                f"STILL: {still}"
            ]  # a bug may also let a worker decide nothing any more; another seed has to name it
        finally:
            story.handle.close()


@pytest.mark.slow
@pytest.mark.parametrize(("plant", "named"), PLANTS, ids=[plant.__name__ for plant, _ in PLANTS])
def test_a_planted_bug_is_found(plant: Callable[[Patch, Story], None], named: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for seed in range(SEEDS_MOST):
        texts = findings(plant, seed)
        if any(text.startswith(named) for text in texts):
            return
        seen.update(texts)
    raise AssertionError(f"not found in {SEEDS_MOST} seeds; what was found instead: {sorted(seen)[:10]}")
