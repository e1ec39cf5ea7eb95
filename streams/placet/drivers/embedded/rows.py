"""The rows of one folder as they are read, and what an error of RocksDB means for the one who called."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition
from typing import Final

from rocksdict import DbClosedError, Rdict, RdictIter, ReadOptions

from placet.drivers.embedded.layout import COLUMNS, INDEX
from placet.errors import Corrupted, PlacetError, Unavailable

Row = tuple[bytes, bytes]
"""A key and its value."""

OWNED: Final = (
    "another process or an earlier part of this one owns this journal; "
    "talk to it with --url, or read beside it with audit, show or tail"
)


def meaning(error: BaseException, folder: Path) -> PlacetError:
    """Return what an error of RocksDB says, in our words: by what its catcher does next.

    RocksDB gives a text only. What contradicts a checksum, cannot be understood
    or is missing is `Corrupted`; the rest leaves the folder as it was.
    """
    text = " ".join(str(error).split())
    if "LOCK" in text and text.startswith("IO error"):
        return Unavailable(f"{folder}: {OWNED}")
    if isinstance(error, DbClosedError):
        return Unavailable(f"{folder}: the journal is closed")
    if text.startswith("IO error") and "No such file" not in text:
        return Unavailable(f"{folder}: {text}")
    return Corrupted(f"{folder}: {text}")


@contextmanager
def speaking_of(folder: Path) -> Iterator[None]:
    """Raise what RocksDB raises inside as one of our errors."""
    try:
        yield
    except (PlacetError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of the binding is no `Exception`
        raise meaning(error, folder) from error


class Rows:
    """Reads of one open folder, from any thread. Every value that comes back has passed RocksDB's checksum."""

    def __init__(self, db: Rdict, folder: Path) -> None:
        self.folder = folder
        self._db = db
        self._columns = {name: db if name == INDEX else db.get_column_family(name) for name in COLUMNS}
        self._options = ReadOptions()
        self._options.set_verify_checksums(v=True)
        self._walks = 0
        self._walked = Condition()

    def get(self, column: str, key: bytes) -> bytes | None:
        """Return the value of `key`, or None."""
        rows = self._column(column)
        try:
            value: bytes | None = rows.get(key, None, self._options)
            return value
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of the binding is no `Exception`
            raise meaning(error, self.folder) from error

    def scan(self, column: str, prefix: bytes, start: bytes = b"", *, floor: bool = False) -> Iterator[Row]:
        """Yield the rows under `prefix` upwards from `start`; with `floor` from the last one not above it."""
        with self._walk(column) as rows:
            if floor:
                rows.seek_for_prev(start)
            if not (floor and rows.valid() and rows.key().startswith(prefix)):
                rows.status()
                rows.seek(start or prefix)
            while rows.valid() and (key := rows.key()).startswith(prefix):
                yield key, rows.value()
                rows.next()
            rows.status()

    def scan_back(self, column: str, prefix: bytes) -> Iterator[Row]:
        """Yield the rows under `prefix` downwards from the last."""
        with self._walk(column) as rows:
            rows.seek_for_prev(prefix + b"\xff" * 16)
            while rows.valid() and (key := rows.key()).startswith(prefix):
                yield key, rows.value()
                rows.prev()
            # An iterator that meets a bad block just ends; only its status tells.
            rows.status()

    def last_key(self, column: str) -> bytes | None:
        """Return the greatest key of a column."""
        with self._walk(column) as rows:
            rows.seek_to_last()
            rows.status()
            return bytes(rows.key()) if rows.valid() else None

    def sequence(self) -> int:
        """Return the number of the latest change that is seen here."""
        with speaking_of(self.folder):
            return self._db.latest_sequence_number()

    @contextmanager
    def _walk(self, column: str) -> Iterator[RdictIter]:
        # The folder stays open as long as any iterator lives, so `close` waits for each.
        rows = self._column(column)
        with self._walked:
            self._walks += 1
        walker = None
        try:
            with speaking_of(self.folder):
                walker = rows.iter(self._options)
                yield walker
        finally:
            del walker
            with self._walked:
                self._walks -= 1
                self._walked.notify_all()

    def _column(self, name: str) -> Rdict:
        try:
            return self._columns[name]
        except KeyError:
            raise Unavailable(f"{self.folder}: the journal is closed") from None

    def close(self) -> None:
        """Give the folder back, once nobody is in the middle of reading it."""
        columns, self._columns = self._columns, {}
        with self._walked:
            self._walked.wait_for(lambda: self._walks == 0)
        with speaking_of(self.folder):
            for name, column in columns.items():
                if name != INDEX:
                    column.close()
            self._db.close()
