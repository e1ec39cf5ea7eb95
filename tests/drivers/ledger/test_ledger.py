"""One log and its writer: what it goes on from, and what it refuses to sign over."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.drivers.ledger.anchor import Anchor
from placet.drivers.ledger.folder import FREE_BYTES_MIN, FolderReader, FolderStore
from placet.drivers.ledger.ledger import Ledger
from placet.errors import Corrupted, Unavailable, Unsure
from placet.model.merkle import EMPTY
from placet.ports import Rec
from placet.provenance.checkpoint import open_checkpoint
from placet.provenance.leaf import Move, encode_record
from placet.provenance.ledger import STATE, read_state
from placet.provenance.notes import Ed25519Signer, Ed25519Verifier
from placet.provenance.tiles import CHECKPOINT
from tests.drivers.ledger.faulty import (
    KNOWN,
    ORIGIN,
    SIGNER,
    FaultyFolder,
    checkpoint_in,
    drive,
    expect_whole,
    opened,
    records,
)


def made(folder: Path, count: int, rounds: list[int]) -> list[bytes]:
    store = FaultyFolder(folder)
    notes = list(drive(opened(store), records(count), rounds))
    store.close()
    return notes


def test_an_empty_log_says_so_and_goes_on(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "log")
    ledger = opened(store)
    head = open_checkpoint(store.get(CHECKPOINT) or b"", ORIGIN, KNOWN)[0]
    assert (head.size, head.root) == (0, EMPTY)
    list(drive(ledger, records(3), [2]))
    store.close()
    expect_whole(tmp_path / "log", records(3), [])


def test_parts_go_once_the_full_tile_is_published(tmp_path: Path) -> None:
    made(tmp_path, 300, [10, 20, 200])
    # 300 records and four cuts are 304 leaves: one full tile, and 48 beyond it.
    assert FolderReader(tmp_path).list("tile/") == [
        "tile/0/000",
        "tile/0/001.p/48",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/48",
    ]


def test_parts_of_every_published_size_stay_until_then(tmp_path: Path) -> None:
    made(tmp_path, 30, [10, 20])
    assert FolderReader(tmp_path).list("tile/0/") == ["tile/0/000.p/11", "tile/0/000.p/32"]


def test_one_process_holds_a_log(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(Unavailable, match="another notary holds this log"):
        FolderStore(tmp_path)
    store.close()
    FolderStore(tmp_path).close()


def test_a_second_writer_that_the_lock_does_not_see_stops_the_first(tmp_path: Path) -> None:
    """As on a shared disk whose locks do not reach another machine: the state is what is compared and swapped."""
    first = FaultyFolder(tmp_path)
    one = opened(first, "one")
    list(drive(one, records(5), [5]))
    first.close()
    second = FaultyFolder(tmp_path)
    two = opened(second, "two")
    first._lock = second._lock
    with pytest.raises(Corrupted, match="another notary writes this log"):
        list(drive(one, records(9), [4]))
    list(drive(two, records(7), [2]))
    second.close()
    expect_whole(tmp_path, records(7), [])


def test_offsets_left_out_or_taken_twice_are_never_signed_over(tmp_path: Path) -> None:
    store = FaultyFolder(tmp_path)
    ledger = opened(store)
    list(drive(ledger, records(5), [5]))
    for start, end in ((4, 6), (6, 7), (5, 5)):
        with pytest.raises(Corrupted, match="the log is at 5"):
            ledger.commit([], [Move(4, 0, start, end, 0)], 0)
    list(drive(ledger, records(6), [1]))
    store.close()
    expect_whole(tmp_path, records(6), [])


def test_after_a_failed_flush_nothing_is_tried_again(tmp_path: Path) -> None:
    store = FaultyFolder(tmp_path)
    ledger = opened(store)
    store._at, store._mode = store.steps + 3, "failed"
    with pytest.raises(Unsure, match="Input/output error"):
        list(drive(ledger, records(5), [5]))
    with pytest.raises(Unsure, match="refusing to sign"):
        list(drive(ledger, records(5), [5]))
    with pytest.raises(Unsure, match="refusing work"):
        store.put([("a", b"")])


def test_a_disk_that_is_nearly_full_is_not_begun_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FaultyFolder(tmp_path)
    ledger = opened(store)

    def full(folder: object) -> object:
        return type("State", (), {"f_bavail": FREE_BYTES_MIN - 1, "f_frsize": 1})

    with monkeypatch.context() as patched:
        patched.setattr("os.statvfs", full)
        with pytest.raises(Unavailable, match="nothing was written"):
            list(drive(ledger, records(5), [5]))
    list(drive(ledger, records(5), [5]))
    store.close()
    expect_whole(tmp_path, records(5), [])


def test_a_checkpoint_that_was_not_published_is_published_by_the_next_start(tmp_path: Path) -> None:
    notes = made(tmp_path, 9, [4, 5])
    (tmp_path / CHECKPOINT).write_bytes(notes[0])
    store = FaultyFolder(tmp_path)
    opened(store)
    assert store.get(CHECKPOINT) == notes[1]


def test_a_log_that_was_put_back_as_a_whole_is_not_gone_on_with(tmp_path: Path) -> None:
    folder, older, anchor = tmp_path / "log", tmp_path / "older", Anchor(tmp_path / "secrets" / "head")

    def run(count: int) -> None:
        store = FaultyFolder(folder)
        try:
            list(drive(Ledger(store, ORIGIN, [SIGNER], KNOWN, "one", anchor=anchor), records(count), []))
        finally:
            store.close()

    run(5)
    shutil.copytree(folder, older)
    run(9)
    shutil.rmtree(folder)
    older.rename(folder)
    with pytest.raises(Corrupted, match=r"ledger head is 6 leaves, the checkpoint kept apart from it says 11"):
        run(9)
    # Nothing at all is older still; and another log of the same length is another log.
    shutil.rmtree(folder)
    with pytest.raises(Corrupted, match=r"ledger head is 0 leaves, the checkpoint kept apart from it says 11"):
        run(9)
    made(tmp_path / "other", 10, [])
    (tmp_path / "other").rename(tmp_path / "moved")
    folder = tmp_path / "moved"
    with pytest.raises(
        Corrupted, match="the first 11 leaves do not have the root in the checkpoint kept apart from it"
    ):
        run(20)


def test_an_anchor_that_is_one_checkpoint_old_is_no_fault(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path / "head")
    notes = made(tmp_path / "log", 9, [4, 5])
    anchor.keep(notes[0])
    store = FaultyFolder(tmp_path / "log")
    list(drive(Ledger(store, ORIGIN, [SIGNER], KNOWN, "two", anchor=anchor), records(12), []))
    store.close()
    assert anchor.note() == checkpoint_in(tmp_path / "log")


def flip(path: str, at: int = 5) -> Callable[[Path], None]:
    def bend(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[at] ^= 1
        (folder / path).write_bytes(data)

    return bend


def rolled_back_state(folder: Path) -> None:
    older = folder.parent / "older"
    made(older, 9, [4, 5])
    (folder / STATE).write_bytes((older / STATE).read_bytes())


def forked(folder: Path) -> None:
    other = folder.parent / "other"
    store = FaultyFolder(other)
    list(drive(opened(store), records(299, size=21), [4, 5]))
    store.close()
    (folder / CHECKPOINT).write_bytes((other / CHECKPOINT).read_bytes())


def state_with(**changed: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        said = json.loads((folder / STATE).read_bytes())
        (folder / STATE).write_text(json.dumps(said | changed))

    return change


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        (lambda folder: (folder / STATE).unlink(), "is missing beside a log"),
        (rolled_back_state, "do not have the root|refusing to sign a shorter log|missing"),
        (forked, "do not have the root in checkpoint"),
        (flip(CHECKPOINT), "checkpoint"),
        (flip(CHECKPOINT, -5), "signature"),
        (flip("tile/0/001.p/47"), "leaf 256 is not what its tile says"),
        (flip("tile/entries/001.p/47"), "leaf 256 is not what its tile says"),
        (flip("tile/1/000.p/1"), "do not have the root"),
        (lambda folder: (folder / "tile/0/001.p/47").unlink(), r"tile/0/001\.p/47: missing"),
        (lambda folder: (folder / "tile/0/001.p/47").write_bytes(b"x"), "a tile of 1 bytes"),
        (lambda folder: (folder / STATE).write_bytes(b"{"), "not the state of a log"),
        (state_with(format=2), "format 2"),
        (state_with(size=302), "its checkpoint says 303 leaves"),
        (state_with(root="A" * 43 + "="), "or another root"),
        (state_with(places=[[4, 0]]), "not the state of a log"),
        (state_with(checkpoint="x"), "no note"),
    ],
)
def test_a_log_whose_parts_disagree_is_not_gone_on_with(
    bend: Callable[[Path], None], says: str, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    made(folder, 300, [4, 5])
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    bend(folder)
    bent = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert before != bent
    store = FaultyFolder(folder)
    with pytest.raises(Corrupted, match=says):
        opened(store)
    store.close()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == bent


def test_a_log_of_another_name_or_key_is_not_gone_on_with(tmp_path: Path) -> None:
    made(tmp_path, 3, [3])
    other = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    store = FaultyFolder(tmp_path)
    with pytest.raises(Corrupted, match="no known key"):
        Ledger(store, ORIGIN, [other], [Ed25519Verifier.read(other.vkey)], "x")
    with pytest.raises(Corrupted, match=r"expected one of `example\.com/other`"):
        Ledger(store, "example.com/other", [SIGNER], KNOWN, "x")
    # Who takes over from the old key still knows it, and signs with both while others learn the new one.
    known = [*KNOWN, Ed25519Verifier.read(other.vkey)]
    rotated = Ledger(store, ORIGIN, [SIGNER, other], known, "x")
    (note,) = drive(rotated, records(5), [])
    assert open_checkpoint(note, ORIGIN, [known[1]])[0].size == 7


def test_the_same_records_and_cuts_give_the_same_log(tmp_path: Path) -> None:
    assert made(tmp_path / "a", 300, [4, 5]) == made(tmp_path / "b", 300, [4, 5])


def test_a_state_gives_back_what_it_was(tmp_path: Path) -> None:
    made(tmp_path, 300, [4])
    state = read_state((tmp_path / STATE).read_bytes())
    assert (state.size, state.cuts, state.before, dict(state.places)) == (302, 2, 5, {(4, 0): 300})
    assert read_state(state.data) == state


def test_a_path_that_names_a_folder_or_nothing_is_nothing(tmp_path: Path) -> None:
    made(tmp_path, 300, [4])
    reader = FolderReader(tmp_path)
    assert reader.get("tile") is None
    assert reader.get("tile/0/000/001") is None
    with pytest.raises(Unavailable, match="no provenance log here"):
        FolderReader(tmp_path / "none")


def test_a_watermark_moves_the_log_and_is_no_leaf(tmp_path: Path) -> None:
    store = FaultyFolder(tmp_path)
    ledger = opened(store)
    rec = Rec(8, 0, 0, 0, b"k", b"\x00\xff")
    leaf = encode_record(rec)
    assert leaf is not None
    ledger.commit([leaf], [Move(8, 0, 0, 3, 1)], 0)
    assert ledger.state.places == {(8, 0): 3}
    assert ledger.state.size == 2
