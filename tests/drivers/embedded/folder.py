"""What the tests of the embedded journal stand on: a folder, its owner, and disks on which things go wrong."""

import gc
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from placet.drivers.clock import SystemClock
from placet.drivers.embedded import Embedded, EmbeddedSettings
from placet.drivers.embedded.disk import Change, Disk
from placet.errors import PlacetError
from placet.ports import Clock, Feed, Journal, Log

SMALL = EmbeddedSettings(free_bytes_min=1, poll_ms=2)


def crash(owner: Embedded, folder: Path) -> None:
    """Leave in `folder` what a kill at this moment leaves, and let go of it.

    The binding writes its memory out and gives the lock back when its last
    object goes. So the files are copied first, and put in place afterwards.
    """
    image = folder.with_name(folder.name + ".image")
    while not _copied(folder, image):
        shutil.rmtree(image, ignore_errors=True)
    disk = owner._disk
    disk._columns.clear()
    disk._handles.clear()
    disk._db = None  # type: ignore[assignment]
    gc.collect()
    shutil.rmtree(folder)
    image.rename(folder)


def _copied(folder: Path, image: Path) -> bool:
    """Copy a folder at rest; return whether it was: RocksDB may be putting files away in the background meanwhile."""
    before = _files(folder)
    try:
        shutil.copytree(folder, image)
    except (shutil.Error, FileNotFoundError):
        return False
    return _files(folder) == before


def _files(folder: Path) -> dict[str, int]:
    """Return the files of a folder and their sizes, without RocksDB's diary."""
    sizes: dict[str, int] = {}
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            sizes[path.name] = path.stat().st_size
    return {name: size for name, size in sizes.items() if not name.startswith("LOG")}


class Folder:
    """One folder and its owner of the moment: `Handle` of the contract."""

    def __init__(
        self,
        path: Path,
        settings: EmbeddedSettings = SMALL,
        clock: Clock | None = None,
        disk: type[Disk] = Disk,
    ) -> None:
        self.path = path
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.disk = disk
        self.owner = self._open()

    def _open(self) -> Embedded:
        return Embedded(self.disk.own(self.path, self.settings), self.clock, self.settings)

    def journal(self) -> Journal:
        return self.owner.journal()

    def feed(self) -> Feed:
        return self.owner.feed()

    def log(self) -> Log:
        return self.owner.log()

    def reopen(self) -> None:
        crash(self.owner, self.path)
        self.owner = self._open()

    def close(self) -> None:
        self.owner.close()


class Faulty(Disk):
    """A disk with something in the way of each write and fsync; `full` leaves no room."""

    before_write: Callable[[], None] | None = None
    after_write: Callable[[], None] | None = None
    before_sync: Callable[[], None] | None = None
    after_sync: Callable[[], None] | None = None
    full = False

    def write(self, changes: Sequence[Change]) -> None:
        _fire(self.before_write)
        super().write(changes)
        _fire(self.after_write)

    def sync(self) -> None:
        _fire(self.before_sync)
        super().sync()
        _fire(self.after_sync)

    def free_bytes(self) -> int:
        return 0 if self.full else super().free_bytes()


def _fire(fault: Callable[[], None] | None) -> None:
    if fault is not None:
        fault()


class Step:
    """A clock that says what it is told."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now


def outcome(look: Callable[[], Any]) -> Any:
    """Return what `look` returns, or the failure of ours that it ends with. Anything else is raised."""
    try:
        return look()
    except PlacetError as failure:
        return failure
