"""A provenance log with something bent in it: every kind of bending is found, and by which file."""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from placet.drivers.ledger.folder import FolderReader
from placet.faces.auditor.fsck import LogReport, check
from placet.faces.auditor.tlog import LogWalk, open_head
from placet.provenance.checkpoint import Checkpoint, sign_checkpoint
from placet.provenance.leaf import Move, encode_cut
from placet.provenance.tiles import CHECKPOINT
from tests.drivers.ledger.faulty import ORIGIN, SIGNER, FaultyFolder, drive, opened, records
from tests.provenance.logs import DictLog, PublishedLog


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """A log of 600 records in three cuts, and the checkpoints that were shown of it."""
    folder = tmp_path_factory.mktemp("log")
    store = FaultyFolder(folder)
    notes = list(drive(opened(store), records(600), [10, 300]))
    store.close()
    return folder, notes


def checked(folder: Path, since: dict[str, bytes] | None = None) -> LogReport:
    report = check(FolderReader(folder).get, [SIGNER.vkey], since)
    assert report is not None
    return report


def test_a_sound_log_is_said_to_be_sound(sound: tuple[Path, list[bytes]]) -> None:
    folder, notes = sound
    report = checked(folder, {str(at): note for at, note in enumerate(notes)})
    assert (report.flaws, report.size, report.cuts) == ([], 603, 3)


def flip(path: str, at: int) -> Callable[[Path], object]:
    def bend(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[at] ^= 0x10
        (folder / path).write_bytes(data)

    return bend


def cut_short(path: str, size: int) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes()[:size])


def swapped(folder: Path) -> None:
    path = folder / "tile/entries/001"
    data = path.read_bytes()
    one = struct.unpack_from(">H", data)[0] + 2
    path.write_bytes(data[one : 2 * one] + data[:one] + data[2 * one :])


def signed(head: Checkpoint) -> Callable[[Path], object]:
    return lambda folder: (folder / CHECKPOINT).write_bytes(sign_checkpoint(head, [SIGNER]))


def longer(path: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes() + data)


BENT: list[tuple[str, Callable[[Path], object], str]] = [
    ("a leaf's byte", flip("tile/entries/000", 400), "tile/0/000"),
    ("the last leaf's byte", flip("tile/entries/002.p/91", -1), "tile/0/002.p/91"),
    ("a leaf's length", flip("tile/entries/001", 1), "tile/entries/001"),
    ("a leaf of a partial bundle", flip("tile/entries/002.p/91", 9), "tile/0/002.p/91"),
    ("a hash", flip("tile/0/001", 0), "tile/0/001"),
    ("the last hash of a tile", flip("tile/0/000", -1), "tile/0/000"),
    ("a hash of a partial tile", flip("tile/0/002.p/91", 40), "tile/0/002.p/91"),
    ("a hash of the level above", flip("tile/1/000.p/2", 40), "tile/1/000.p/2"),
    ("a bundle cut short", cut_short("tile/entries/001", -1), "tile/entries/001"),
    ("an empty bundle", cut_short("tile/entries/001", 0), "tile/entries/001"),
    ("a tile cut short", cut_short("tile/0/001", -32), "tile/0/001"),
    ("an empty tile", cut_short("tile/1/000.p/2", 0), "tile/1/000.p/2"),
    ("a bundle gone", lambda folder: (folder / "tile/entries/001").unlink(), "tile/entries/001"),
    ("a tile gone", lambda folder: (folder / "tile/0/000").unlink(), "tile/0/000"),
    ("a partial tile gone", lambda folder: (folder / "tile/0/002.p/91").unlink(), "tile/0/002.p/91"),
    ("two leaves swapped", swapped, "tile/0/001"),
    ("bytes after a bundle", longer("tile/entries/001", bytes(2)), "tile/entries/001"),
    ("bytes after a tile", longer("tile/0/001", bytes(32)), "tile/0/001"),
    ("a checkpoint's size", flip(CHECKPOINT, len(ORIGIN) + 1), "checkpoint"),
    ("a checkpoint's root", flip(CHECKPOINT, len(ORIGIN) + 8), "checkpoint"),
    ("a checkpoint's signature", flip(CHECKPOINT, -20), "checkpoint"),
    ("a checkpoint cut short", cut_short(CHECKPOINT, 30), "checkpoint"),
    ("another root signed", signed(Checkpoint(ORIGIN, 603, bytes(32))), "checkpoint"),
]


@pytest.mark.parametrize(("bend", "where"), [row[1:] for row in BENT], ids=[row[0] for row in BENT])
def test_whatever_is_bent_is_found_where_it_is(
    bend: Callable[[Path], object], where: str, sound: tuple[Path, list[bytes]], tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    shutil.copytree(sound[0], folder)
    bend(folder)
    report = checked(folder)
    assert where in [flaw.path for flaw in report.flaws]


def test_a_log_rolled_back_or_forked_does_not_extend_what_was_kept(
    sound: tuple[Path, list[bytes]], tmp_path: Path
) -> None:
    folder, notes = sound
    older = tmp_path / "older"
    store = FaultyFolder(older)
    list(drive(opened(store), records(310), [10]))
    store.close()
    assert [flaw.text for flaw in checked(older, {"kept": notes[2]}).flaws] == [
        "says 603 leaves, the log has 312: it was cut short"
    ]
    forked = tmp_path / "forked"
    store = FaultyFolder(forked)
    other = list(drive(opened(store), records(600, size=21), [10, 300]))
    store.close()
    assert [flaw.path for flaw in checked(folder, {"kept": notes[1], "other": other[1]}).flaws] == ["other"]
    assert "no known key" in checked(folder, {"kept": PublishedLog().checkpoints[3]}).flaws[0].text


def flaws_of(entries: list[bytes]) -> list[str]:
    log = DictLog()
    log.add(entries)
    log.files[CHECKPOINT] = sign_checkpoint(Checkpoint(ORIGIN, len(entries), log.edge.root()), [SIGNER])
    report = check(log.files.get, [SIGNER.vkey])
    assert report is not None
    return [f"{flaw.path}: {flaw.text}" for flaw in report.flaws]


def leaf(offset: int, topic: int = 4, partition: int = 0) -> bytes:
    return b"\x01\x02" + struct.pack(">BIQ", topic, partition, offset) + bytes(32) + b"\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([leaf(0)], "leaf 0: a leaf that no cut has taken in"),
        ([encode_cut(0, 0, 5, [Move(4, 0, 0, 2, 2)]), leaf(0)], "leaf 2: cut 0 took 1 leaves in that are not there"),
        ([encode_cut(0, 0, 5, [Move(4, 0, 0, 2, 1)]), leaf(0), leaf(1)], "leaf 2: a leaf that no cut has taken in"),
        (
            [encode_cut(0, 0, 5, [Move(4, 0, 0, 2, 2)]), leaf(1), leaf(0)],
            "leaf 2: is placet.decisions/0@0, expected placet.decisions/0 from 2 to 2",
        ),
        (
            [encode_cut(0, 0, 5, [Move(4, 0, 0, 1, 1)]), leaf(0, partition=1)],
            "leaf 1: is placet.decisions/1@0, expected placet.decisions/0 from 0 to 1",
        ),
        ([encode_cut(1, 0, 5, [])], "leaf 0: cut 1 at 0 of instant 5, expected 0 at 0, not earlier"),
        ([encode_cut(0, 3, 5, [])], "leaf 0: cut 0 at 3 of instant 5, expected 0 at 0, not earlier"),
        (
            [encode_cut(0, 0, 5, []), encode_cut(1, 1, 4, [])],
            "leaf 1: cut 1 at 1 of instant 4, expected 1 at 1, not earlier",
        ),
        (
            [encode_cut(0, 0, 5, [Move(4, 0, 0, 2, 0)]), encode_cut(1, 1, 5, [Move(4, 0, 3, 4, 0)])],
            "leaf 1: cut 1 takes placet.decisions/0 from 3 to 4, the log was at 2",
        ),
        (
            [encode_cut(0, 0, 5, [Move(4, 0, 1, 2, 0)])],
            "leaf 0: cut 0 takes placet.decisions/0 from 1 to 2, the log was at 0",
        ),
        (
            [encode_cut(0, 0, 5, [Move(1, 0, 0, 2, 0)])],
            "leaf 0: cut 0 takes placet.intents/0 from 0 to 2, the log was at 0",
        ),
        (
            [encode_cut(0, 0, 5, [Move(4, 1, 0, 2, 0), Move(4, 0, 0, 2, 0)])],
            "leaf 0: cut 0 does not name its partitions in order, once each",
        ),
        ([encode_cut(0, 0, 5, [Move(4, 0, 0, 1, 1)]), b"\x01\x07"], "leaf 1: no leaf of a record: begins with 0107"),
        ([encode_cut(0, 0, 5, [])[:-1]], "leaf 0: a cut of 25 bytes"),
    ],
)
def test_leaves_that_their_cuts_do_not_account_for_are_found(entries: list[bytes], says: str) -> None:
    assert says in flaws_of(entries)


def test_the_published_log_is_walked_like_ours() -> None:
    log = PublishedLog()
    for size, note in log.checkpoints.items():
        head = open_head(note, [log.vkey])
        assert head.size == size
        walk = LogWalk(log.files.get, size)
        assert [leaf for _, leaf in walk.leaves()] == log.leaves[:size]
        walk.expect_root(head.root)
        assert walk.flaws == []


def test_a_log_without_a_checkpoint_is_none() -> None:
    assert check(lambda path: None, [SIGNER.vkey]) is None
