"""A log's folder under faults: each write, flush and rename in turn fails, fails and is kept, or is the last of its process."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.drivers.ledger.folder import FolderReader, FolderStore
from placet.drivers.ledger.ledger import Ledger
from placet.errors import PlacetError, Unsure
from placet.faces.auditor.logged import Cuts
from placet.faces.auditor.tlog import LogWalk, open_head
from placet.ports import Rec, TileStore
from placet.provenance.leaf import Move, encode_record
from placet.provenance.notes import Ed25519Signer, Ed25519Verifier
from placet.provenance.tiles import CHECKPOINT

ORIGIN = "example.com/placet"
SIGNER = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KNOWN = [Ed25519Verifier.read(SIGNER.vkey)]


class Killed(BaseException):
    """The process is gone."""


class FaultyFolder(FolderStore):
    """A folder in which step `at` goes wrong as `mode` says; it flushes nothing really, but remembers what was flushed."""

    def __init__(self, folder: Path, at: int = -1, mode: str = "") -> None:
        self._at, self._mode, self.steps = at, mode, 0
        self._unflushed: list[tuple[Path, bytes | None]] = []
        self._raw: set[Path] = set()
        super().__init__(folder)

    def _step(self, do: Callable[[], None]) -> None:
        here, self.steps = self.steps, self.steps + 1
        if here != self._at:
            return do()
        if self._mode in ("kept", "killed after"):
            do()
        if self._mode.startswith("killed"):
            raise Killed
        raise OSError(5, "Input/output error")

    def _write(self, draft: Path, data: bytes) -> None:
        def do() -> None:
            super(FaultyFolder, self)._write(draft, data)
            self._raw.add(draft)

        self._step(do)

    def _flush_all(self, drafts: Sequence[Path]) -> None:
        # One after another, so that a step is the same one each time.
        for draft in drafts:
            self._flush(draft)

    def _flush(self, draft: Path) -> None:
        self._step(lambda: self._raw.discard(draft))

    def _rename(self, draft: Path, place: Path) -> None:
        assert draft not in self._raw, "renamed before it was flushed"

        def do() -> None:
            self._unflushed.append((place, place.read_bytes() if place.exists() else None))
            super(FaultyFolder, self)._rename(draft, place)

        self._step(do)

    def _flush_folder(self, folder: Path) -> None:
        def do() -> None:
            self._unflushed = [one for one in self._unflushed if one[0].parent != folder]

        self._step(do)

    def lose_power(self) -> None:
        """Undo every rename that no flush of its folder made durable."""
        for place, before in reversed(self._unflushed):
            if before is None:
                place.unlink(missing_ok=True)
            else:
                place.write_bytes(before)


class FaultyPort:
    """A store behind which call `at` that changes something is lost, or is kept and reported as failed all the same."""

    def __init__(self, store: TileStore, at: int = -1, mode: str = "") -> None:
        self._store, self._at, self._mode, self.calls = store, at, mode, 0
        self._broken = False

    def _call(self, do: Callable[[], Any]) -> Any:
        if self._broken:
            raise Unsure("refusing work; open it again")
        here, self.calls = self.calls, self.calls + 1
        if here != self._at:
            return do()
        self._broken = True
        if self._mode == "kept":
            do()
        raise Unsure("no answer")

    def get(self, path: str) -> bytes | None:
        return self._store.get(path)

    def list(self, prefix: str) -> Sequence[str]:
        return self._store.list(prefix)

    def put(self, files: Sequence[tuple[str, bytes]]) -> Sequence[str]:
        found: Sequence[str] = self._call(lambda: self._store.put(files))
        return found

    def swap(self, path: str, before: bytes | None, after: bytes) -> bool:
        return bool(self._call(lambda: self._store.swap(path, before, after)))

    def remove(self, paths: Sequence[str]) -> None:
        self._call(lambda: self._store.remove(paths))

    def expect_room(self, size: int) -> None:
        self._store.expect_room(size)

    def close(self) -> None:
        self._store.close()


def records(count: int, size: int = 20) -> list[Rec]:
    return [Rec(4, 0, offset, 0, b"acme/ada", b"\x00\xff\xff\xff\xff" + bytes(size)) for offset in range(count)]


def opened(store: TileStore, holder: str = "one") -> Ledger:
    return Ledger(store, ORIGIN, [SIGNER], KNOWN, holder)


def drive(ledger: Ledger, recs: Sequence[Rec], rounds: Sequence[int]) -> Iterator[bytes]:
    """Commit the records from where the log is, as many a cut as `rounds` say, and the rest; yield each checkpoint."""
    left = list(rounds)
    while (at := ledger.state.places.get((4, 0), 0)) < len(recs):
        taken = recs[at : at + (left.pop(0) if left else len(recs))]
        leaves = [leaf for rec in taken if (leaf := encode_record(rec)) is not None]
        yield ledger.commit(leaves, [Move(4, 0, at, at + len(taken), len(leaves))], 1_000 + at).checkpoint


def expect_whole(folder: Path, recs: Sequence[Rec], shown: Sequence[bytes]) -> None:
    """Hold the log against its records and against every checkpoint anybody was shown, by the auditor's own code."""
    reader = FolderReader(folder)
    note = reader.get(CHECKPOINT)
    assert note is not None
    head = open_head(note, [SIGNER.vkey])
    walk = LogWalk(reader.get, head.size)
    cuts = Cuts(lambda index, text: walk.fail(f"leaf {index}", text))
    found = []
    for index, leaf in walk.leaves():
        _, taken = cuts.take(index, leaf)
        if taken is not None:
            found.append(leaf)
    cuts.finish(head.size)
    walk.expect_root(head.root)
    assert walk.flaws == []
    assert found == [encode_record(rec) for rec in recs]
    for old in shown:
        before = open_head(old, [SIGNER.vkey])
        assert before.size <= head.size
        earlier = LogWalk(reader.get, before.size)
        assert sum(1 for _ in earlier.leaves()) == before.size
        earlier.expect_root(before.root)
        assert earlier.flaws == []


def checkpoint_in(folder: Path) -> bytes | None:
    return FolderReader(folder).get(CHECKPOINT)


def story(folder: Path, recs: Sequence[Rec], rounds: Sequence[int], at: int, mode: str, power: bool) -> int:
    """Run a log into the fault at step `at`, open it again as a new process would, end the work, and hold the whole."""
    shown: list[bytes] = []
    steps = -1
    store = FaultyFolder(folder, at, mode)
    try:
        shown += drive(opened(store), recs, rounds)
        steps = store.steps
    except (Killed, PlacetError):
        if power:
            store.lose_power()
    finally:
        store.close()
        note = checkpoint_in(folder)
        if note is not None:
            shown.append(note)
    store = FaultyFolder(folder)
    ledger = opened(store, "two")
    shown.append(ledger.state.checkpoint)
    shown += drive(ledger, recs, rounds[1:])
    store.close()
    expect_whole(folder, recs, shown)
    assert not any(name.endswith(".draft") for _, _, names in os.walk(folder / "tile") for name in names if mode == "")
    return steps
