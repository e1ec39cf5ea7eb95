"""Killed at any instant, cut off from the power at any byte: a batch is there whole or not at all."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from placet.drivers.clock import SystemClock
from placet.drivers.embedded import Embedded, open_owner
from placet.errors import Unsure
from tests.drivers.embedded.folder import Faulty, crash
from tests.drivers.embedded.victim import SETTINGS, consistent, decide

ROOT = Path(__file__).parents[3]


class Enough(Exception):
    """A crash of the process, played in this one."""


def victim(folder: Path, point: str, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.drivers.embedded.victim", str(folder), point, str(number)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def acknowledged(lines: list[str]) -> tuple[int, int]:
    return sum(line.startswith("asked") for line in lines), sum(line.startswith("decided") for line in lines)


def examined(folder: Path) -> tuple[int, int]:
    owner = open_owner(folder, SystemClock(), SETTINGS)
    try:
        return consistent(owner)
    finally:
        owner.close()


@pytest.mark.slow
@pytest.mark.parametrize("call", [1, 2, 7, 8])
@pytest.mark.parametrize("point", ["before_write", "after_write", "before_sync", "after_sync"])
def test_killed_at_a_call_it_leaves_whole_batches(tmp_path: Path, point: str, call: int) -> None:
    process = victim(tmp_path / "journal", point, call)
    lines = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == -9
    # Odd calls are appends, even ones commits: so many of each were acknowledged before this one.
    assert acknowledged(lines) == (call // 2, (call - 1) // 2)
    # What was handed to the operating system outlives the process, acknowledged or not.
    seen = 0 if point == "before_write" else 1
    assert examined(tmp_path / "journal") == ((call - 1 + seen + 1) // 2, (call - 1 + seen) // 2)


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 30, 61])
def test_killed_from_outside_it_keeps_all_that_was_acknowledged(tmp_path: Path, after: int) -> None:
    process = victim(tmp_path / "journal", "outside", 0)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after)]
    process.kill()
    lines += process.stdout.read().splitlines()
    process.stdout.close()
    process.wait(60)
    asked, decided = acknowledged(lines)
    found = examined(tmp_path / "journal")
    assert (asked, decided) <= found <= (asked + 1, decided + 1)
    assert found[0] - found[1] in (0, 1)


def test_a_power_cut_at_any_byte_after_the_last_fsync_leaves_whole_batches(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    disk = Faulty.own(folder, SETTINGS)
    owner = Embedded(disk, SystemClock(), SETTINGS)
    wal = max(folder.glob("*.log"))
    durable: list[int] = []

    def note() -> None:
        durable.append(wal.stat().st_size)
        if len(durable) == 8:
            raise OSError("the power is gone")

    disk.after_sync = note
    with pytest.raises(Unsure):
        decide(owner, str)
    crash(owner, folder)
    whole = wal.read_bytes()
    assert len(whole) == durable[-1]
    draw = random.Random(20261123)
    cuts = (
        {draw.randrange(durable[0], durable[-1]) for _ in range(60)} | set(durable) | {size - 1 for size in durable[1:]}
    )
    for cut in sorted(cuts):
        left = tmp_path / "cut"
        shutil.copytree(folder, left)
        (left / wal.name).write_bytes(whole[:cut])
        writes = sum(size <= cut for size in durable)
        assert examined(left) == ((writes + 1) // 2, writes // 2), cut
        shutil.rmtree(left)


def test_left_without_a_close_it_opens_with_all_that_was_committed(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    owner = open_owner(folder, SystemClock(), SETTINGS)
    lines: list[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        if len(lines) == 10:
            raise Enough

    with pytest.raises(Enough):
        decide(owner, heard)
    crash(owner, folder)
    assert examined(folder) == (5, 5)
