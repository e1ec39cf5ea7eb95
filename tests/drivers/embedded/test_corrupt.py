"""A folder that was tampered with, or lost a part, is said to be: never a wrong record, never a foreign error."""

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from placet.drivers.clock import SystemClock
from placet.drivers.embedded import open_owner, open_reader
from placet.drivers.embedded.layout import INDEX, KEPT, META_CLUSTER, META_FORMAT, NUMBER, ROW, RUNS, end_row, input_row
from placet.errors import Corrupted
from placet.model.topics import Topic
from placet.ports import Emits, Message
from tests.drivers.embedded.folder import SMALL, Folder, crash, outcome
from tests.drivers.whole import whole

TINY = replace(SMALL, write_buffer_bytes=1 << 16)


def fill(folder: Folder) -> None:
    log, journal = folder.log(), folder.journal()
    for batch in range(12):
        log.append(Topic.INTENTS, 0, [Message(b"t/a", b"i%d" % batch * 400)])
        log.append(Topic.RISK, 0, [Message(b"s%d" % (batch % 5), b"r%d" % batch)])
        said = Emits(
            [Message(b"t/a", b"d%d" % batch * 900), Message(b"seal", b"\x00\x00\x00\x00\x09")],
            [Message(b"t/a", b"c%d" % batch * 700)],
            [Message(batch.to_bytes(8, "big"), b"change %d" % batch)],
        )
        journal.commit({0: said}, {0: {Topic.INTENTS: batch + 1}})


def everything(path: Path) -> Any:
    """Return all that a folder says when it is opened and used."""
    owner = open_owner(path, SystemClock(), TINY)
    try:
        log = owner.log()
        topics = [log.read(topic, 0, 0, 1_000, 0) for topic in Topic]
        return owner.cluster, topics, whole(owner.journal(), 0), owner.feed().catch_up()
    finally:
        owner.close()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that was closed in order: tables, no log."""
    folder = Folder(tmp_path_factory.mktemp("stored") / "journal", TINY)
    fill(folder)
    folder.close()
    return folder.path


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose owner was killed: what it wrote is in the log only."""
    folder = Folder(tmp_path_factory.mktemp("logged") / "journal", SMALL)
    fill(folder)
    crash(folder.owner, folder.path)
    return folder.path


def flip(data: bytearray, draw: random.Random) -> None:
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def blot(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data))
    data[at : at + 64] = draw.randbytes(len(data[at : at + 64]))


def shorten(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data)) :]


@pytest.mark.parametrize("damage", [flip, blot, shorten])
@pytest.mark.parametrize("pattern", ["*.sst", "MANIFEST-*", "CURRENT"])
def test_damage_to_a_file_is_said_or_changes_nothing(
    stored: Path, tmp_path: Path, pattern: str, damage: Callable[[bytearray, random.Random], None]
) -> None:
    whole = everything(shutil.copytree(stored, tmp_path / "whole"))
    draw = random.Random(f"{pattern} {damage.__name__}")
    said = 0
    for number in range(15):
        copy = shutil.copytree(stored, tmp_path / f"{number}")
        victim = draw.choice(sorted(copy.glob(pattern)))
        data = bytearray(victim.read_bytes())
        damage(data, draw)
        victim.write_bytes(data)
        found = outcome(lambda: everything(copy))  # noqa: B023
        if isinstance(found, Exception):
            assert isinstance(found, Corrupted), found
            assert str(found).startswith(str(copy))
            said += 1
        else:
            assert found == whole
        shutil.rmtree(copy)
    assert said >= 5


@pytest.mark.parametrize("damage", [flip, blot])
def test_damage_to_the_log_is_said(
    logged: Path, tmp_path: Path, damage: Callable[[bytearray, random.Random], None]
) -> None:
    draw = random.Random(damage.__name__)
    for number in range(20):
        copy = shutil.copytree(logged, tmp_path / f"{number}")
        wal = max(copy.glob("*.log"))
        data = bytearray(wal.read_bytes())
        damage(data, draw)
        wal.write_bytes(data)
        with pytest.raises(Corrupted, match=str(copy)):
            everything(copy)
        shutil.rmtree(copy)


@pytest.mark.parametrize("pattern", ["*.sst", "MANIFEST-*", "CURRENT"])
def test_a_missing_file_is_said_and_nothing_is_made_in_its_place(stored: Path, tmp_path: Path, pattern: str) -> None:
    copy = shutil.copytree(stored, tmp_path / "journal")
    for victim in sorted(copy.glob(pattern))[:1]:
        victim.unlink()
    left = {path.name for path in copy.glob("*.sst")}
    with pytest.raises(Corrupted, match=str(copy)):
        everything(copy)
    with pytest.raises(Corrupted, match=str(copy)):
        open_reader(copy)
    assert {path.name for path in copy.glob("*.sst")} == left


CONTRADICTIONS = {
    "no row `cluster`; expected a journal of placet": (INDEX, META_CLUSTER, None),
    "written in format 02, known is 01": (INDEX, META_FORMAT, b"\x02"),
    "placet.intents/0 should end at 13, its last run ends at 12": (
        INDEX,
        end_row(Topic.INTENTS, 0),
        (13).to_bytes(8, "big") + bytes(16),
    ),
    "placet.intents/0 is decided up to 99, and ends at 12": (INDEX, input_row(0, Topic.INTENTS), NUMBER.pack(99)),
    "placet.intents/0@4 is missing, the end is 12": (INDEX, ROW.pack(Topic.INTENTS, 0, 4), None),
    "placet.desk/0@5 is missing": (KEPT, ROW.pack(Topic.DESK, 0, 5), None),
    "placet.risk/0 should keep 5 records, 4 are there": (KEPT, ROW.pack(Topic.RISK, 0, 9), None),
    "run 0 is missing": (RUNS, NUMBER.pack(0), None),
    "row of topic 1 partition 0 offset 0: cut short at 3 bytes": (RUNS, NUMBER.pack(0), b"abc"),
    "row of topic 8 partition 0 offset 11: says that it is": (
        KEPT,
        ROW.pack(Topic.RISK, 0, 11),
        b"\x01\x01" + bytes(24),
    ),
}


@pytest.mark.parametrize("said", CONTRADICTIONS)
def test_rows_that_contradict_each_other_are_said(tmp_path: Path, said: str) -> None:
    folder = Folder(tmp_path / "journal")
    fill(folder)
    folder.owner._disk.write([CONTRADICTIONS[said]])
    folder.close()
    with pytest.raises(Corrupted) as raised:
        everything(folder.path)
    assert str(raised.value).startswith(f"{folder.path}: ")
    assert said in str(raised.value)


def test_a_folder_that_lost_what_was_durable_once_is_said(stored: Path, tmp_path: Path) -> None:
    older = Folder(tmp_path / "journal")
    older.close()
    (older.path / "placet-mark").write_bytes((stored / "placet-mark").read_bytes())
    for opened in (lambda: open_owner(older.path, SystemClock(), SMALL), lambda: open_reader(older.path)):
        with pytest.raises(Corrupted, match=f"{older.path}: holds changes up to .* were durable once"):
            opened()


@pytest.mark.parametrize("text", ["", "many", "1\x00"])
def test_a_mark_that_cannot_be_read_is_said(stored: Path, tmp_path: Path, text: str) -> None:
    copy = shutil.copytree(stored, tmp_path / "journal")
    (copy / "placet-mark").write_text(text)
    with pytest.raises(Corrupted, match="placet-mark: holds no number"):
        everything(copy)


def test_positions_without_any_decision_are_said(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    folder.log().append(Topic.INTENTS, 0, [Message(b"t/a", b"asked")])
    folder.owner._disk.write([(INDEX, input_row(0, Topic.INTENTS), NUMBER.pack(1))])
    folder.close()
    with pytest.raises(Corrupted, match=r"partition 0: decided up to .*, but there is no decision"):
        everything(folder.path)
