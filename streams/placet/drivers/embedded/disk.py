"""A folder on the disk: opened, made, and the narrow port through which everything in it is changed."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    WriteBatch,
    WriteOptions,
)

from placet.drivers.embedded.layout import (
    COLUMNS,
    FORMAT,
    INDEX,
    KEPT,
    META_CLUSTER,
    META_FORMAT,
    META_PARTITIONS,
    PLACE,
    RUNS,
    partition_counts,
)
from placet.drivers.embedded.mark import check_mark, read_mark, write_mark
from placet.drivers.embedded.rows import Rows, speaking_of
from placet.drivers.embedded.settings import MIB, EmbeddedSettings
from placet.errors import Corrupted, Unavailable

Change = tuple[str, bytes, bytes | None]
"""A column, a key, and the value it gets; None removes the row."""

_SHARES: Final = {RUNS: 4, KEPT: 2, INDEX: 1}
"""Quarters of the write buffer one column may fill before it goes to a file."""


class Disk(Rows):
    """A folder held by its owner. `write`, `sync` and `free_bytes` are all that a fault can be put under."""

    def __init__(self, db: Rdict, folder: Path) -> None:
        super().__init__(db, folder)
        self._handles = {name: db.get_column_family_handle(name) for name in COLUMNS}
        self._unsynced = WriteOptions()

    @classmethod
    def own(cls, folder: Path, settings: EmbeddedSettings) -> Self:
        """Open `folder` as its only owner, making it when it is absent or empty.

        Raise `Unavailable` when somebody owns it, `Corrupted` when it cannot be read.
        """
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            _make(folder, settings)
        _expect_journal(folder)
        disk = cls(_open(folder, settings), folder)
        try:
            check_mark(folder, read_mark(folder), disk.sequence())
        except Corrupted:
            disk.close()
            raise
        return disk

    def write(self, changes: Sequence[Change]) -> None:
        """Hand the changes to the operating system, all of them or none; not yet durable."""
        batch = WriteBatch(raw_mode=True)
        for column, key, value in changes:
            if value is None:
                batch.delete(key, self._handles[column])
            else:
                batch.put(key, value, self._handles[column])
        self._db.write(batch, self._unsynced)

    def sync(self) -> None:
        """Make durable whatever was written before. Other threads run meanwhile: the interpreter is let go."""
        self._db.flush_wal(sync=True)

    def mark(self, sequence: int) -> None:
        """Note that everything up to this change is durable."""
        # An older mark is as true as a newer one: not being able to write it loses a check and no data.
        with suppress(OSError):
            write_mark(self.folder, sequence)

    def free_bytes(self) -> int:
        """Return the room left on the disk."""
        state = os.statvfs(self.folder)
        return state.f_bavail * state.f_frsize

    def close(self) -> None:
        """Write memory to files, so that the next opening is fast, and give the folder back."""
        self._handles.clear()
        super().close()


class Beside(Rows):
    """A folder read beside its owner, or with none. It never writes there; its own notes go to a temporary folder."""

    def __init__(self, folder: Path) -> None:
        _expect_journal(folder)
        mark = read_mark(folder)
        self._scratch = tempfile.TemporaryDirectory(prefix="placet-reader-")
        options = Options(raw_mode=True)
        # What the owner deletes stays readable as long as it was opened before.
        options.set_max_open_files(-1)
        try:
            with speaking_of(folder):
                columns = dict.fromkeys(COLUMNS, options)
                db = Rdict(str(folder), options, columns, AccessType.secondary(self._scratch.name))
            super().__init__(db, folder)
            self.catch_up()
            check_mark(folder, mark, self.sequence())
        except BaseException:
            self._scratch.cleanup()
            raise

    def catch_up(self) -> None:
        """See what the owner has written since."""
        with speaking_of(self.folder):
            self._db.try_catch_up_with_primary()

    def close(self) -> None:
        """Give everything back."""
        super().close()
        self._scratch.cleanup()


def _expect_journal(folder: Path) -> None:
    if not folder.is_dir():
        raise Unavailable(f"{folder}: no journal here")
    if not (folder / "CURRENT").is_file():
        raise Corrupted(f"{folder}/CURRENT: missing; expected a journal, or an empty folder to make one in")


def _make(folder: Path, settings: EmbeddedSettings) -> None:
    """Make a folder whole beside its place and move it there, so that a crash leaves no half of one."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
        try:
            disk = Disk(_open(draft, settings, new=True), draft)
            disk.write(_first_rows(settings))
            disk.sync()
            disk.close()
            draft.rename(folder)
            _sync_folder(folder.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise Unavailable(f"{folder}: cannot make a journal here: {error.strerror or error}") from error


def _first_rows(settings: EmbeddedSettings) -> list[Change]:
    cluster = settings.cluster or secrets.token_hex(8)
    counts = partition_counts(settings.partitions)
    return [
        (INDEX, META_FORMAT, bytes([FORMAT])),
        (INDEX, META_CLUSTER, cluster.encode()),
        (INDEX, META_PARTITIONS, b"".join(PLACE.pack(topic, count) for topic, count in counts.items())),
    ]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _open(folder: Path, settings: EmbeddedSettings, *, new: bool = False) -> Rdict:
    cache = Cache(settings.cache_bytes)
    with speaking_of(folder):
        columns = {name: _options(settings, cache, name, new=new) for name in COLUMNS}
        return Rdict(str(folder), _options(settings, cache, INDEX, new=new), columns)


def _options(settings: EmbeddedSettings, cache: Cache, column: str, *, new: bool) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(new)
    options.create_missing_column_families(new)
    # A record cut short at the end of the log is a write that never came to an end. Anything else is said.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    options.set_paranoid_checks(enabled=True)
    options.set_max_open_files(settings.open_files_max)
    options.set_max_total_wal_size(settings.wal_bytes_max)
    options.set_db_write_buffer_size(settings.write_buffer_bytes)
    options.set_write_buffer_size(settings.write_buffer_bytes * _SHARES[column] // 8)
    options.set_max_write_buffer_number(3)
    options.set_max_background_jobs(2)
    # Values are encrypted, signed or digests: compressing them costs more than it saves.
    options.set_compression_type(DBCompressionType.none())
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(MIB)
    options.set_stats_dump_period_sec(0)
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_format_version(5)
    options.set_block_based_table_factory(table)
    return options
