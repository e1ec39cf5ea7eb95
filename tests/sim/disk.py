"""The disk of a process, in memory: what a database kept of its writes when the process, or the machine, ends."""

from collections.abc import Iterator
from pathlib import Path

from rocksdict import Options

from placet.drivers.kafka.outside import Disk


class SimBatch:
    """Writes that come together."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, bytes, bytes]] = []

    def put(self, key: bytes, value: bytes) -> None:
        self.writes.append(("put", key, value))

    def delete(self, key: bytes) -> None:
        self.writes.append(("delete", key, b""))

    def delete_range(self, start: bytes, end: bytes) -> None:
        self.writes.append(("delete_range", start, end))


class SimDatabase:
    """The part of `rocksdict.Rdict` that a warm copy uses."""

    def __init__(self, disk: "SimDisk", folder: str) -> None:
        self._disk = disk
        self._folder = folder

    @property
    def _rows(self) -> dict[bytes, bytes]:
        return self._disk.folders[self._folder]

    def get(self, key: bytes, default: bytes | None = None) -> bytes | None:
        return self._rows.get(key, default)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        batch = SimBatch()
        batch.put(key, value)
        self.write(batch)

    def write(self, batch: SimBatch) -> None:
        self._disk.before_write()
        rows = self._rows
        for what, key, value in batch.writes:
            if what == "put":
                rows[key] = value
            elif what == "delete":
                rows.pop(key, None)
            else:
                for row in [row for row in rows if key <= row < value]:
                    del rows[row]

    def items(self, from_key: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        yield from sorted((key, value) for key, value in self._rows.items() if key >= from_key)

    def close(self) -> None:
        self._disk.locked.pop(self._folder, None)


class SimDisk(Disk):
    """`placet.drivers.kafka.outside.Disk` of one slot. A copy of it may be put back later, or nothing at all."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[bytes, bytes]] = {}
        self.locked: dict[str, bool] = {}
        self.failing = False

    def open(self, folder: Path, options: Options) -> SimDatabase:  # type: ignore[override]
        name = str(folder)
        if name in self.locked:
            raise RuntimeError("IO error: lock hold by current process")
        self.locked[name] = True
        self.folders.setdefault(name, {})
        return SimDatabase(self, name)

    def batch(self) -> SimBatch:  # type: ignore[override]
        return SimBatch()

    def remove(self, folder: Path) -> None:
        self.folders.pop(str(folder), None)

    def before_write(self) -> None:
        if self.failing:
            raise RuntimeError("IO error: No space left on device")

    def copy(self) -> dict[str, dict[bytes, bytes]]:
        """Return all that is on it now."""
        return {folder: dict(rows) for folder, rows in self.folders.items()}

    def put_back(self, folders: dict[str, dict[bytes, bytes]]) -> None:
        """Hold just this: an old copy, or nothing; whoever had it open is gone."""
        self.folders = {folder: dict(rows) for folder, rows in folders.items()}
        self.locked.clear()
