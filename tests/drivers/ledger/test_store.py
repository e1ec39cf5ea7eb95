"""What every store of a log promises, held of the folder and of one that has nothing but conditional puts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from placet.drivers.ledger.folder import FolderStore
from placet.drivers.ledger.ledger import Ledger
from placet.errors import Corrupted, Unavailable
from placet.faces.auditor.fsck import check
from placet.ports import TileStore
from placet.provenance.ledger import STATE
from tests.drivers.ledger.faulty import KNOWN, ORIGIN, SIGNER, drive, records


class Bucket:
    """Objects by key as object stores have them: put if absent, put if it is still what was read."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get(self, path: str) -> bytes | None:
        return self.objects.get(path)

    def put(self, files: Sequence[tuple[str, bytes]]) -> list[str]:
        return [path for path, data in files if self.objects.setdefault(path, data) != data]

    def swap(self, path: str, before: bytes | None, after: bytes) -> bool:
        if self.objects.get(path) != before:
            return False
        self.objects[path] = after
        return True

    def list(self, prefix: str) -> Sequence[str]:
        return sorted(path for path in self.objects if path.startswith(prefix))

    def remove(self, paths: Sequence[str]) -> None:
        for path in paths:
            self.objects.pop(path, None)

    def expect_room(self, size: int) -> None:
        """There is always room."""

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TileStore]:
    made: TileStore = FolderStore(tmp_path / "log") if request.param == "folder" else Bucket()
    yield made
    made.close()


def test_a_file_is_put_where_nothing_or_the_same_lies_and_never_over_another(store: TileStore) -> None:
    assert store.put([("tile/0/000", b"one"), ("tile/1/000.p/1", b"two")]) == []
    assert store.put([("tile/0/000", b"one"), ("tile/1/000.p/1", b"other"), ("checkpoint", b"three")]) == [
        "tile/1/000.p/1"
    ]
    assert [store.get(path) for path in ("tile/0/000", "tile/1/000.p/1", "checkpoint")] == [b"one", b"two", b"three"]


def test_a_swap_wants_to_find_exactly_what_was_read(store: TileStore) -> None:
    assert not store.swap("a", b"", b"1")
    assert store.get("a") is None
    assert store.swap("a", None, b"1")
    assert not store.swap("a", None, b"2")
    assert not store.swap("a", b"0", b"2")
    assert store.swap("a", b"1", b"2")
    assert store.get("a") == b"2"


def test_paths_are_listed_by_how_they_begin_and_gone_when_removed(store: TileStore) -> None:
    for path in ("tile/0/001", "tile/0/000.p/9", "tile/0/000.p/10", "tile/0/000", "tile/1/000"):
        assert store.put([(path, b"x")]) == []
    assert list(store.list("tile/0/000.p/")) == ["tile/0/000.p/10", "tile/0/000.p/9"]
    assert list(store.list("tile/0/")) == ["tile/0/000", "tile/0/000.p/10", "tile/0/000.p/9", "tile/0/001"]
    store.remove(["tile/0/000.p/9", "tile/0/000.p/10", "tile/0/007"])
    assert list(store.list("tile/")) == ["tile/0/000", "tile/0/001", "tile/1/000"]
    assert list(store.list("tile/2/")) == []


def opened(store: TileStore, holder: str) -> Ledger:
    return Ledger(store, ORIGIN, [SIGNER], KNOWN, holder)


def test_a_log_is_kept_in_any_store(store: TileStore) -> None:
    list(drive(opened(store, "one"), records(200), [10, 150]))
    list(drive(opened(store, "two"), records(600), [300]))
    report = check(store.get, [SIGNER.vkey])
    assert report is not None
    assert (report.flaws, report.size) == ([], 605)


def test_of_two_writers_of_a_bucket_the_later_one_goes_on_and_the_other_signs_nothing_more() -> None:
    bucket = Bucket()
    first = opened(bucket, "one")
    list(drive(first, records(5), []))
    # Before the second took over, the first had begun a cut that came to no end: its full bundle lies there.
    second = opened(bucket, "two")
    assert bucket.put([("tile/entries/000", b"of the first")]) == []
    before = dict(bucket.objects)
    with pytest.raises(Corrupted, match="another notary writes this log"):
        list(drive(first, records(300), []))
    assert {path: bucket.objects[path] for path in (STATE, "checkpoint")} == {
        path: before[path] for path in (STATE, "checkpoint")
    }
    list(drive(second, records(400), []))
    report = check(bucket.get, [SIGNER.vkey])
    assert report is not None
    assert (report.flaws, report.size) == ([], 402)


def test_a_folder_that_was_given_back_takes_nothing_more(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.close()
    store.close()
    for call in (lambda: store.put([("a", b"")]), lambda: store.swap("a", None, b""), lambda: store.expect_room(1)):
        with pytest.raises(Unavailable, match="this log is closed"):
            call()
