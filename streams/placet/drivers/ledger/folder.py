"""A provenance log in a local folder: every file whole or not there, and durable once it can be named."""

import fcntl
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from placet.errors import Unavailable, Unsure

OWN = ".placet"
"""Where a log keeps what is its writer's alone; never served."""
LOCK = f"{OWN}/lock"
FREE_BYTES_MIN = 64 * 1024 * 1024
"""Room that stays on the disk: a log that meets a full disk half way must be opened anew."""
FLUSHED_AT_ONCE = 16
_DRAFT = ".draft"


class FolderReader:
    """The files of a log for reading, whether or not its writer is at work."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise Unavailable(f"{folder}: no provenance log here")
        self.folder = folder

    def get(self, path: str) -> bytes | None:
        try:
            return (self.folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise Unavailable(f"{self.folder / path}: cannot be read: {error.strerror or error}") from error

    def list(self, prefix: str) -> list[str]:
        top = self.folder / prefix.rpartition("/")[0]
        found = []
        for folder, _, names in os.walk(top):
            inner = Path(folder).relative_to(self.folder).as_posix()
            found += [name if inner == "." else f"{inner}/{name}" for name in names if not name.endswith(_DRAFT)]
        return sorted(path for path in found if path.startswith(prefix))


class FolderStore(FolderReader):
    """`ports.TileStore` over a folder, held by one process at a time.

    A file is written beside its place, flushed, renamed, and its folder flushed:
    what a fault can be put under are `_write`, `_flush`, `_rename` and `_flush_folder`.
    After any of them failed, nobody can say what is on the disk.
    """

    def __init__(self, folder: Path) -> None:
        """Hold `folder`, making it where it is missing; raise `Unavailable` where another process holds it."""
        try:
            (folder / OWN).mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise Unavailable(f"{folder}: cannot hold a provenance log here: {error.strerror or error}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise Unavailable(f"{folder}: another notary holds this log") from error
        super().__init__(folder)
        self._broken = ""
        self._beside = ThreadPoolExecutor(FLUSHED_AT_ONCE, "placet-ledger-flush")

    def put(self, files: Sequence[tuple[str, bytes]]) -> list[str]:
        self._check()
        wanted, others = [], []
        for path, data in files:
            there = self.get(path)
            # The same may lie there since a crash that came before its folder was flushed: it is written anew.
            if there is None or there == data:
                wanted.append((path, data))
            else:
                others.append(path)
        self._place(wanted)
        return others

    def swap(self, path: str, before: bytes | None, after: bytes) -> bool:
        self._check()
        if self.get(path) != before:
            return False
        self._place([(path, after)])
        return True

    def remove(self, paths: Sequence[str]) -> None:
        self._check()
        for path in paths:
            with suppress(OSError):
                (self.folder / path).unlink(missing_ok=True)
        for folder in {(self.folder / path).parent for path in paths}:
            # Drafts of a crash lie beside the parts they were to become; a folder of parts goes with the last.
            if folder.name.endswith(".p"):
                with suppress(OSError):
                    for draft in folder.glob(f"*{_DRAFT}"):
                        draft.unlink()
                    folder.rmdir()

    def expect_room(self, size: int) -> None:
        self._check()
        state = os.statvfs(self.folder)
        free = state.f_bavail * state.f_frsize
        if free < size + FREE_BYTES_MIN:
            raise Unavailable(
                f"{self.folder}: {free} bytes free on the disk, expected {size + FREE_BYTES_MIN}; nothing was written"
            )

    def close(self) -> None:
        self._beside.shutdown()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _check(self) -> None:
        if self._broken:
            raise Unsure(f"{self.folder}: refusing work since {self._broken}; open it again")
        if self._lock < 0:
            raise Unavailable(f"{self.folder}: this log is closed")

    def _place(self, files: Sequence[tuple[str, bytes]]) -> None:
        try:
            touched = self._make_folders({(self.folder / path).parent for path, _ in files})
            drafts = []
            for path, data in files:
                place = self.folder / path
                draft = place.with_name(place.name + _DRAFT)
                drafts.append((draft, place))
                self._write(draft, data)
            self._flush_all([draft for draft, _ in drafts])
            for draft, place in drafts:
                self._rename(draft, place)
                touched.add(place.parent)
            for folder in sorted(touched):
                self._flush_folder(folder)
        except BaseException as error:
            # A flush that failed is never tried again: the kernel has dropped the pages and would say yes.
            self._broken = f"a write failed ({error})"
            if isinstance(error, OSError):
                raise Unsure(f"{self.folder}: {error.strerror or error}: it may have been written or not") from error
            raise

    def _make_folders(self, folders: Iterable[Path]) -> set[Path]:
        touched = set()
        for folder in sorted(folders):
            missing = [one for one in (folder, *folder.parents) if not one.is_dir()]
            for one in reversed(missing):
                one.mkdir(exist_ok=True)
                touched.add(one.parent)
        return touched

    def _write(self, draft: Path, data: bytes) -> None:
        draft.write_bytes(data)

    def _flush_all(self, drafts: Sequence[Path]) -> None:
        # Side by side the file system makes one commit of its own for many of them: some four times as fast.
        for _ in self._beside.map(self._flush, drafts):
            pass

    def _flush(self, draft: Path) -> None:
        _flush(draft)

    def _rename(self, draft: Path, place: Path) -> None:
        draft.replace(place)

    def _flush_folder(self, folder: Path) -> None:
        _flush(folder)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
