"""The begun-set: which grants were begun, on disk before the action is, so that a crash never begins one twice."""

import fcntl
import os
import struct
import threading
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Self

from placet.errors import Corrupted, Unavailable

MAGIC = b"placet begun 1\n\x00"
# digest of the grant, its end in ms since 1970, CRC-32 of both
_ROW = struct.Struct(">16sqI")
_BODY = struct.Struct(">16sq")
BORN = b"born\0\0\0\0"
KEEP_MS = 86_400_000
"""How long after its end a grant is remembered, against clocks that are wrong by less."""


class BegunSet:
    """An append-only file of grants that were begun; one process at a time.

    It also keeps where each partition of decisions ended at its birth: of what
    was granted before, it cannot know whether it was begun. A row is on disk before `begin` returns true. A torn last row belongs to a
    `begin` that never returned, so nothing was done for it, and it is cut off.
    """

    def __init__(self, path: Path, now_ms: int) -> None:
        self._path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise Unavailable(f"{path}: another executor process holds it; each has its own") from None
        try:
            if os.fstat(self._file).st_ino != path.stat().st_ino:
                raise Unavailable(f"{path}: was replaced by another executor process that has just ended; start again")
            self._until = self._load(now_ms)
        except BaseException:
            os.close(self._file)
            raise

    def begin(self, tenant: str, authority: str, intent: bytes, attempt: int, until_ms: int) -> bool:
        """Return true once, ever, for a grant: whoever hears it may act. `until_ms` is when the grant ends."""
        digest = sha256(b"\0".join((tenant.encode(), authority.encode(), intent, str(attempt).encode()))).digest()[:16]
        with self._lock:
            if digest in self._until:
                return False
            # Crash before the fsync returns: the row may be there, the action was not begun, the outcome is unknown.
            self._keep(digest, until_ms)
        return True

    def born(self, partition: int, end: int) -> int:
        """Return the offset from which on this set knows what was begun in `partition`: `end`, when asked first, ever."""
        with self._lock:
            known = self._until.get(_birth(partition))
            if known is None:
                self._keep(_birth(partition), end)
            return end if known is None else known

    def close(self) -> None:
        """Let another process have the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self, digest: bytes, number: int) -> None:
        self._until[digest] = number
        body = _BODY.pack(digest, number)
        try:
            os.write(self._file, body + zlib.crc32(body).to_bytes(4, "big"))
            os.fsync(self._file)
        except OSError as error:
            raise Unavailable(f"{self._path}: cannot be written: {error.strerror}") from None

    def _load(self, now_ms: int) -> dict[bytes, int]:
        size = os.fstat(self._file).st_size
        data = os.pread(self._file, size, 0)
        if not data:
            self._rewrite({})
            return {}
        if not data.startswith(MAGIC):
            if MAGIC.startswith(data):  # the very first write was torn
                self._rewrite({})
                return {}
            raise Corrupted(f"{self._path}: is not a begun-set")
        until: dict[bytes, int] = {}
        end = len(MAGIC) + (size - len(MAGIC)) // _ROW.size * _ROW.size
        for start in range(len(MAGIC), end, _ROW.size):
            digest, until_ms, check = _ROW.unpack_from(data, start)
            if zlib.crc32(data[start : start + _BODY.size]) != check:
                if start + _ROW.size == end:
                    break
                raise Corrupted(f"{self._path}:{start}: a row does not match its checksum")
            until[digest] = until_ms
        kept = {
            digest: until_ms
            for digest, until_ms in until.items()
            if until_ms + KEEP_MS > now_ms or digest.startswith(BORN)
        }
        if len(kept) * _ROW.size + len(MAGIC) != size:
            self._rewrite(kept)
        os.lseek(self._file, 0, os.SEEK_END)
        return kept

    def _rewrite(self, rows: dict[bytes, int]) -> None:
        """Leave exactly `rows`. The new file is whole on disk before it takes the place of the old one, lock included."""
        staged = self._path.with_name(self._path.name + ".new")
        fresh = os.open(staged, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        fcntl.flock(fresh, fcntl.LOCK_EX | fcntl.LOCK_NB)
        bodies = (_BODY.pack(digest, until_ms) for digest, until_ms in rows.items())
        os.write(fresh, MAGIC + b"".join(body + zlib.crc32(body).to_bytes(4, "big") for body in bodies))
        os.fsync(fresh)
        staged.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        os.close(self._file)
        self._file = fresh


def _birth(partition: int) -> bytes:
    return BORN + partition.to_bytes(8, "big")
