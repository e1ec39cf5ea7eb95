"""Asking one witness over HTTP (C2SP tlog-witness): a head, and the proof that it goes on from what the witness has seen."""

import threading
from collections.abc import Sequence
from enum import StrEnum
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from placet.errors import Corrupted
from placet.provenance.checkpoint import Checkpoint
from placet.provenance.cosignature import CosignatureVerifier
from placet.provenance.notes import NoteSignature, verify
from placet.provenance.proofs import TileTree
from placet.provenance.tree import Read
from placet.provenance.witnessing import CONFLICT, GOOD, PATH, UNPROVED, Asked

ANSWER_BYTES_MAX: Final = 64 * 1024
_SIZE_DIGITS: Final = 19


class Result(StrEnum):
    """How a witness took a head."""

    COSIGNED = "cosigned"
    SILENT = "silent"  # it did not answer, or not in time
    REFUSED = "refused"  # it does not know this log or its key, or answered what is no cosignature
    AHEAD = "ahead"  # it has seen more of this log than there is: the log was rolled back, or has another writer
    FORK = "fork"  # it has seen another log under this name


class Said(NamedTuple):
    """What came of asking: the line it signed, or why there is none."""

    result: Result
    line: NoteSignature | None = None
    why: str = ""


class WitnessClient:
    """One witness as a log asks it. It remembers which size the witness has cosigned last, and learns it where it is wrong."""

    def __init__(self, verifier: CosignatureVerifier, url: str, wait_s: float) -> None:
        """Ask at the submission prefix `url`; raise ValueError where that is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"witness `{verifier.name}`: `{url}` is no URL, expected http(s)://HOST[:PORT][/PREFIX]")
        self.verifier = verifier
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=wait_s)
        self._path = parts.path.rstrip("/") + PATH
        self._seen = 0
        self._busy = threading.Lock()

    def ask(self, note: bytes, head: Checkpoint, read: Read) -> Said:
        """Return what the witness says to `head`, whose checkpoint is `note`; `read` gives the tiles of its tree."""
        # One that has not yet answered to the last head is not asked again meanwhile.
        if not self._busy.acquire(blocking=False):
            return Said(Result.SILENT, None, "has not answered to an earlier head yet")
        try:
            return self._ask(note, head, read, learnt=False)
        except ValueError as fault:
            raise Corrupted(f"no proof can be made from the tiles of {head.size} leaves: {fault}") from fault
        except (OSError, HTTPException) as error:
            self._connection.close()
            return Said(Result.SILENT, None, str(error) or type(error).__name__)
        finally:
            self._busy.release()

    def _ask(self, note: bytes, head: Checkpoint, read: Read, *, learnt: bool) -> Said:
        if self._seen > head.size:
            return Said(Result.AHEAD, None, f"has cosigned {self._seen} leaves, the log has {head.size}")
        path: Sequence[bytes] = ()
        if 0 < self._seen < head.size:
            path = TileTree(head.size, read).consistency(self._seen)
        status, body = self._post(Asked(self._seen, tuple(path), note).data)
        if status == GOOD:
            return self._take(note, head, body)
        if status == CONFLICT and (size := _size_in(body)) is not None and size != self._seen and not learnt:
            self._seen = size
            return self._ask(note, head, read, learnt=True)
        why = f"{status}: {body.decode('utf-8', 'replace').strip()[:200]}"
        return Said(Result.FORK if status in (CONFLICT, UNPROVED) else Result.REFUSED, None, why)

    def _take(self, note: bytes, head: Checkpoint, body: bytes) -> Said:
        try:
            found = verify(note + body, [self.verifier]).signatures[0]
        except ValueError as fault:
            return Said(Result.REFUSED, None, f"its answer is no cosignature: {fault}")
        self._seen = head.size
        return Said(Result.COSIGNED, found)

    def _post(self, data: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", self._path, data, {"Content-Type": "text/plain; charset=utf-8"})
        with self._connection.getresponse() as response:
            body = response.read(ANSWER_BYTES_MAX + 1)
            if len(body) > ANSWER_BYTES_MAX:
                self._connection.close()
                return response.status, b""
            return response.status, body

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


def _size_in(body: bytes) -> int | None:
    text = body.removesuffix(b"\n")
    fits = text.isdigit() and len(text) <= _SIZE_DIGITS and body.endswith(b"\n")
    return int(text) if fits and str(int(text)).encode() == text else None
