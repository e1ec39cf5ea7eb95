"""The warm disk is a shortcut: right, or thrown away."""

from pathlib import Path
from typing import Any

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


class Unreadable:
    """A database whose rows cannot be read any more."""

    def __init__(self, db: Any, items: Any) -> None:
        self.close = db.close
        self.items = items


def load(disk: WarmDisk, partition: int, low: int, end: int, now_ms: int) -> tuple[int, dict[bytes, bytes]] | None:
    """Return (covered, changes by key) of what may be used, or nothing."""
    covered = disk.covered(partition, low, end, now_ms)
    return None if covered is None else (covered, dict(disk.changes(partition)))


def replace(disk: WarmDisk, partition: int, changes: dict[bytes, bytes], covered: int, now_ms: int) -> None:
    """Hold exactly `changes`, as a restore does that reads the topic anew."""
    disk.clear(partition)
    disk.keep({partition: [Message(*change) for change in changes.items()]}, {}, now_ms)
    disk.keep({}, {partition: covered}, now_ms)


def filled(folder: Path, identity: bytes = b"this") -> WarmDisk:
    """Return a disk that holds changes 1 and 2 of partition 0 up to offset 10, and one of partition 1."""
    disk = WarmDisk(folder, identity, HOUR_MS)
    replace(disk, 0, {key(1): b"one", key(2): b"two"}, 10, 1_000)
    replace(disk, 1, {key(7): b"seven"}, 3, 1_000)
    return disk


def test_what_was_kept_is_there_after_opening_again(folder: Path) -> None:
    filled(folder).close()
    disk = WarmDisk(folder, b"this", HOUR_MS)
    assert load(disk, 0, 0, 10, 2_000) == (10, {key(1): b"one", key(2): b"two"})
    assert load(disk, 1, 0, 3, 2_000) == (3, {key(7): b"seven"})
    assert load(disk, 2, 0, 3, 2_000) is None
    disk.close()


def test_a_commit_adds_changes_and_a_tombstone_takes_one_away(folder: Path) -> None:
    disk = filled(folder)
    disk.keep({0: [Message(key(3), b"three"), Message(key(1), None)]}, {}, 2_000)
    assert load(disk, 0, 0, 20, 3_000) == (10, {key(2): b"two", key(3): b"three"})
    disk.keep({}, {0: 17}, 3_000)
    assert load(disk, 0, 0, 20, 4_000) == (17, {key(2): b"two", key(3): b"three"})
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
    assert load(disk, 0, low, end, now_ms) is None
    disk.close()


def test_a_copy_of_another_topic_is_thrown_away(folder: Path) -> None:
    filled(folder).close()
    disk = WarmDisk(folder, b"other", HOUR_MS)
    assert load(disk, 0, 0, 10, 2_000) is None
    disk.close()


@pytest.mark.parametrize("pattern", ["CURRENT", "MANIFEST-*", "*.log", "*.sst"])
def test_a_damaged_copy_is_thrown_away_or_whole(folder: Path, pattern: str) -> None:
    disk = filled(folder)
    disk.close()
    for file in folder.glob(pattern):
        file.write_bytes(b"\xff" * file.stat().st_size)
    disk = WarmDisk(folder, b"this", HOUR_MS)
    assert load(disk, 0, 0, 10, 2_000) in (None, (10, {key(1): b"one", key(2): b"two"}))
    # And it serves again.
    replace(disk, 0, {key(5): b"five"}, 12, 3_000)
    assert load(disk, 0, 0, 12, 3_000) == (12, {key(5): b"five"})
    disk.close()


def test_replacing_leaves_nothing_of_before_and_other_partitions_alone(folder: Path) -> None:
    disk = filled(folder)
    replace(disk, 0, {key(9): b"nine"}, 40, 2_000)
    assert load(disk, 0, 0, 40, 2_000) == (40, {key(9): b"nine"})
    assert load(disk, 1, 0, 3, 2_000) == (3, {key(7): b"seven"})
    disk.close()


def test_a_second_owner_of_the_folder_is_refused_and_the_first_keeps_it(folder: Path) -> None:
    disk = filled(folder)
    with pytest.raises(Unavailable, match="another process has this slot's folder open"):
        WarmDisk(folder, b"this", HOUR_MS)
    assert load(disk, 1, 0, 3, 2_000) == (3, {key(7): b"seven"})
    disk.close()


def test_more_changes_than_are_read_at_once_come_in_the_order_of_their_keys(folder: Path) -> None:
    disk = filled(folder)
    many = {key(ordinal): b"%d" % ordinal for ordinal in range(100)}
    replace(disk, 0, many, 100, 2_000)
    assert list(disk.changes(0)) == list(many.items())
    assert list(disk.changes(1)) == [(key(7), b"seven")]
    disk.close()


def test_a_copy_that_ends_half_way_is_said_and_made_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = filled(folder)

    def broken(**_: object) -> object:
        raise RuntimeError("Corruption: block checksum mismatch")

    monkeypatch.setattr(disk, "_db", Unreadable(disk._db, broken))
    with pytest.raises(Unavailable, match="made anew"):
        list(disk.changes(0))
    assert disk.serves
    assert load(disk, 0, 0, 10, 2_000) is None
    disk.close()
