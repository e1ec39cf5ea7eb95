"""The warm disk is a shortcut: right, or thrown away."""

from pathlib import Path

import pytest

from placet.drivers.kafka.warm import WarmDisk
from placet.errors import Unavailable
from placet.ports import Message

HOUR_MS = 3_600_000


def key(ordinal: int) -> bytes:
    return ordinal.to_bytes(8, "big")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "warm"


def filled(folder: Path, identity: bytes = b"this") -> WarmDisk:
    """Return a disk that holds changes 1 and 2 of partition 0 up to offset 10, and one of partition 1."""
    disk = WarmDisk(folder, identity, HOUR_MS)
    disk.replace(0, [(key(1), b"one"), (key(2), b"two")], 10, 1_000)
    disk.replace(1, [(key(7), b"seven")], 3, 1_000)
    return disk


def test_what_was_kept_is_there_after_opening_again(folder: Path) -> None:
    filled(folder).close()
    disk = WarmDisk(folder, b"this", HOUR_MS)
    assert disk.load(0, 0, 10, 2_000) == (10, {key(1): b"one", key(2): b"two"})
    assert disk.load(1, 0, 3, 2_000) == (3, {key(7): b"seven"})
    assert disk.load(2, 0, 3, 2_000) is None
    disk.close()


def test_a_commit_adds_changes_and_a_tombstone_takes_one_away(folder: Path) -> None:
    disk = filled(folder)
    disk.keep({0: [Message(key(3), b"three"), Message(key(1), None)]}, {}, 2_000)
    assert disk.load(0, 0, 20, 3_000) == (10, {key(2): b"two", key(3): b"three"})
    disk.keep({}, {0: 17}, 3_000)
    assert disk.load(0, 0, 20, 4_000) == (17, {key(2): b"two", key(3): b"three"})
    disk.close()


@pytest.mark.parametrize(
    ("low", "end", "now_ms"),
    [
        (0, 9, 2_000),  # the topic ends before what is covered: it is another one
        (11, 20, 2_000),  # what follows is no longer kept
        (0, 20, 1_001 + HOUR_MS),  # tombstones in between may be gone
        (0, 20, 999),  # the clock went back: no age can be told
    ],
)
def test_a_copy_that_cannot_be_continued_is_not_used(folder: Path, low: int, end: int, now_ms: int) -> None:
    disk = filled(folder)
    assert disk.load(0, low, end, now_ms) is None
    disk.close()


def test_a_copy_of_another_topic_is_thrown_away(folder: Path) -> None:
    filled(folder).close()
    disk = WarmDisk(folder, b"other", HOUR_MS)
    assert disk.load(0, 0, 10, 2_000) is None
    disk.close()


@pytest.mark.parametrize("pattern", ["CURRENT", "MANIFEST-*", "*.log", "*.sst"])
def test_a_damaged_copy_is_thrown_away_or_whole(folder: Path, pattern: str) -> None:
    disk = filled(folder)
    disk.close()
    for file in folder.glob(pattern):
        file.write_bytes(b"\xff" * file.stat().st_size)
    disk = WarmDisk(folder, b"this", HOUR_MS)
    assert disk.load(0, 0, 10, 2_000) in (None, (10, {key(1): b"one", key(2): b"two"}))
    # And it serves again.
    disk.replace(0, [(key(5), b"five")], 12, 3_000)
    assert disk.load(0, 0, 12, 3_000) == (12, {key(5): b"five"})
    disk.close()


def test_replacing_leaves_nothing_of_before_and_other_partitions_alone(folder: Path) -> None:
    disk = filled(folder)
    disk.replace(0, [(key(9), b"nine")], 40, 2_000)
    assert disk.load(0, 0, 40, 2_000) == (40, {key(9): b"nine"})
    assert disk.load(1, 0, 3, 2_000) == (3, {key(7): b"seven"})
    disk.close()


def test_a_second_owner_of_the_folder_is_refused_and_the_first_keeps_it(folder: Path) -> None:
    disk = filled(folder)
    with pytest.raises(Unavailable, match="another process has this slot's folder open"):
        WarmDisk(folder, b"this", HOUR_MS)
    assert disk.load(1, 0, 3, 2_000) == (3, {key(7): b"seven"})
    disk.close()
