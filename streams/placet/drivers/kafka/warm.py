"""A local copy of desk changes, so that a restart reads only the rest of the changelog."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from rocksdict import BlockBasedOptions, Cache, Options, Rdict

from placet.drivers.kafka.connection import LOGGER
from placet.drivers.kafka.outside import Disk
from placet.errors import Unavailable
from placet.ports import Message

_IDENTITY = b"identity"
_FORMAT = b"1/"
_MARK = struct.Struct(">qq")
_AT_ONCE = 16


class WarmDisk:
    """Desk changes of the partitions a slot has served, each with the changelog offset they cover.

    A mark (covered, written at) says that every change before the offset
    `covered` of `placet.desk` is here; it is written in one piece with what it
    covers. A copy that is damaged, of another topic, ahead of it, or older than
    tombstones are kept is thrown away: it is never more than a shortcut, so
    whatever goes wrong here costs time only.
    """

    def __init__(self, folder: Path, identity: bytes, age_ms_max: int, disk: Disk | None = None) -> None:
        self._disk = disk or Disk()
        self._folder = folder
        self._identity = _FORMAT + identity
        self._age_ms_max = age_ms_max
        self._db: Rdict | None = self._open()

    def _open(self) -> Rdict | None:
        """Return the copy as it was left, or an empty one; nothing where the disk takes neither."""
        db: Rdict | None = None
        try:
            db = self._disk.open(self._folder, _options())
            if db.get(_IDENTITY, self._identity) == self._identity:
                db[_IDENTITY] = self._identity
                return db
        except Exception as error:
            if "lock" in str(error).lower():
                raise Unavailable(f"{self._folder}: another process has this slot's folder open") from error
            LOGGER.warning("%s: thrown away, does not open: %s", self._folder, error)
        try:
            if db is not None:
                db.close()
            self._disk.remove(self._folder)
            db = self._disk.open(self._folder, _options())
            db[_IDENTITY] = self._identity
        except Exception as error:  # noqa: BLE001 - rocksdict raises nothing narrower
            LOGGER.warning("%s: no copy is kept: %s", self._folder, error)
            if db is not None:
                db.close()
            return None
        return db

    @property
    def serves(self) -> bool:
        """Whether there is a copy, or may come to be one."""
        return self._db is not None

    def covered(self, partition: int, low: int, end: int, now_ms: int) -> int | None:
        """Return how far the copy of `partition` covers the changelog, or nothing when it must be read anew.

        `low` and `end` are what the topic holds now.
        """
        if self._db is None:
            return None
        try:
            mark = self._db.get(_mark_key(partition))
            if mark is None:
                return None
            covered, written_at = _MARK.unpack(mark)
            if low <= covered <= end and 0 <= now_ms - written_at <= self._age_ms_max:
                return int(covered)
            LOGGER.warning(
                "%s: partition %d covers %d of [%d, %d]: read anew", self._folder, partition, covered, low, end
            )
        except Exception as error:  # noqa: BLE001 - rocksdict raises nothing narrower
            LOGGER.warning("%s: thrown away, does not read: %s", self._folder, error)
            self._start_anew()
        return None

    def changes(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield what is held of `partition`, by key. Raise `Unavailable` where it does not read: it is thrown away then."""
        if self._db is None:
            raise Unavailable(f"{self._folder}: there is no copy any more")
        prefix = start = _prefix(partition)
        try:
            # A slice at a time: an iterator that somebody forgets half way would keep the folder locked.
            while slice_ := [
                (key, value)
                for key, value in islice(self._db.items(from_key=start), _AT_ONCE)
                if isinstance(key, bytes) and key.startswith(prefix)
            ]:
                yield from ((key[len(prefix) :], value) for key, value in slice_)
                start = slice_[-1][0] + b"\0"
        except Exception as error:
            LOGGER.warning("%s: thrown away, does not read: %s", self._folder, error)
            self._start_anew()
            raise Unavailable(f"{self._folder}: the copy does not read, and is made anew") from error

    def clear(self, partition: int) -> None:
        """Hold nothing of `partition`, its mark neither: until the next one a restore reads the topic."""
        if self._db is None:
            return
        batch = self._disk.batch()
        batch.delete(_mark_key(partition))
        batch.delete_range(_prefix(partition), _prefix(partition + 1))
        try:
            self._db.write(batch)
        except Exception as error:  # noqa: BLE001 - rocksdict raises nothing narrower
            self._give_up(error)

    def keep(self, changes: Mapping[int, Sequence[Message]], covered: Mapping[int, int], now_ms: int) -> None:
        """Hold what a commit changed, and with it how far the changelog is covered from now on."""
        if self._db is None:
            return
        batch = self._disk.batch()
        for partition, messages in changes.items():
            prefix = _prefix(partition)
            for key, value, _ in messages:
                if value is None:
                    batch.delete(prefix + (key or b""))
                else:
                    batch.put(prefix + (key or b""), value)
        for partition, offset in covered.items():
            batch.put(_mark_key(partition), _MARK.pack(offset, now_ms))
        try:
            self._db.write(batch)
        except Exception as error:  # noqa: BLE001 - rocksdict raises nothing narrower
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        # Without its marks the copy would pass for whole, so it goes at once.
        LOGGER.warning("%s: not written any more: %s", self._folder, error)
        self.close()
        self._disk.remove(self._folder)

    def _start_anew(self) -> None:
        self.close()
        self._disk.remove(self._folder)
        self._db = self._open()

    def close(self) -> None:
        """Give the folder back."""
        if self._db is not None:
            self._db.close()
            self._db = None


def _options() -> Options:
    options = Options(raw_mode=True)
    options.set_write_buffer_size(8 << 20)
    options.set_max_write_buffer_number(2)
    options.set_max_open_files(128)
    options.set_keep_log_file_num(2)
    blocks = BlockBasedOptions()
    blocks.set_block_cache(Cache(8 << 20))
    options.set_block_based_table_factory(blocks)
    return options


def _prefix(partition: int) -> bytes:
    return b"c" + partition.to_bytes(4, "big")


def _mark_key(partition: int) -> bytes:
    return b"m" + partition.to_bytes(4, "big")
