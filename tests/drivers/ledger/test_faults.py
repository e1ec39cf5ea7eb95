"""Every step of a log's writing under every fault: no state from which it does not go on, no leaf lost, none twice."""

from pathlib import Path

import pytest

from placet.drivers.ledger.ledger import Ledger
from placet.errors import Corrupted, Unsure
from placet.provenance.ledger import STATE
from tests.drivers.ledger.faulty import (
    FaultyFolder,
    FaultyPort,
    checkpoint_in,
    drive,
    expect_whole,
    opened,
    records,
    story,
)

ROUNDS = [1, 3, 255, 2, 300]
RECS = records(sum(ROUNDS) + 5)
MODES = ["failed", "kept", "killed", "killed after"]


@pytest.mark.slow
@pytest.mark.parametrize("power", [False, True], ids=["process", "power"])
@pytest.mark.parametrize("mode", MODES)
def test_no_fault_leaves_a_log_that_cannot_go_on(mode: str, power: bool, tmp_path: Path) -> None:
    at = 0
    while (steps := story(tmp_path / str(at), RECS, ROUNDS, at, mode, power)) < 0:
        at += 1
    # The first story without a fault is the one whose fault lay past its end: every step had its turn.
    assert at == steps > 100


@pytest.mark.parametrize("mode", ["lost", "kept"])
def test_a_store_that_does_not_answer_has_kept_it_or_not(mode: str, tmp_path: Path) -> None:
    at = 0
    while _unanswered(tmp_path / str(at), at, mode):
        at += 1
    # Opening writes the state and the checkpoint, each of five cuts and the rest at least tiles, state and checkpoint.
    assert at >= 2 + 6 * 3


def _unanswered(folder: Path, at: int, mode: str) -> bool:
    """Run a log on a store whose call `at` gets no answer, open it again, end the work; return whether there was such a call."""
    shown: list[bytes] = []
    broken = False
    store = FaultyPort(FaultyFolder(folder), at, mode)
    try:
        shown += drive(opened(store), RECS, ROUNDS)
    except Unsure:
        broken = True
    store.close()
    shown += [note] if (note := checkpoint_in(folder)) else []
    clean = FaultyFolder(folder)
    shown += drive(opened(clean, "two"), RECS, ROUNDS[1:])
    clean.close()
    expect_whole(folder, RECS, shown)
    return broken


def test_what_a_commit_without_an_end_has_left_is_written_over(tmp_path: Path) -> None:
    store = FaultyFolder(tmp_path)
    ledger = opened(store)
    for path in ("tile/entries/000", "tile/0/000", "tile/0/001.p/45"):
        assert store.put([(path, b"left over")]) == []
    assert store.put([("tile/0/000", b"other")]) == ["tile/0/000"]
    list(drive(ledger, records(300), []))
    store.close()
    expect_whole(tmp_path, records(300), [])


def published_early(self: Ledger, found: bytes | None) -> None:
    note = self.state.checkpoint
    if getattr(self, "_published", None) not in (None, note):
        self._publish(note)
    if not self._store.swap(STATE, found, self.state.data):
        raise AssertionError(STATE)


def tiles_after(self: Ledger, files: list[tuple[str, bytes]]) -> None:
    self.late = [*getattr(self, "late", ()), *files]  # type: ignore[attr-defined]


def sweep_with_tiles(self: Ledger) -> None:
    self._store.put(self.__dict__.pop("late", []))


PLANTED: dict[str, tuple[dict[str, object], str, bool]] = {
    "the checkpoint before the state": ({"_swap_state": published_early}, "killed", False),
    "the tiles after the checkpoint": ({"_put": tiles_after, "_sweep": sweep_with_tiles}, "killed", False),
}


@pytest.mark.parametrize(("bug", "mode", "power"), PLANTED.values(), ids=PLANTED)
def test_a_planted_order_is_found(
    bug: dict[str, object], mode: str, power: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, method in bug.items():
        monkeypatch.setattr(Ledger, name, method)
    with pytest.raises((Corrupted, AssertionError)):  # noqa: PT012 - whichever step it is that shows it
        for at in range(100):
            story(tmp_path / str(at), RECS, ROUNDS, at, mode, power)


def test_a_folder_that_is_not_flushed_loses_what_was_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaultyFolder, "_flush_folder", lambda self, folder: self._step(lambda: None))
    with pytest.raises((Corrupted, AssertionError)):  # noqa: PT012 - whichever step it is that shows it
        for at in range(100):
            story(tmp_path / str(at), RECS, ROUNDS, at, "killed", True)
