"""The newest checkpoint kept apart from its log: a log that was put back to an older state is not gone on with."""

import os
from pathlib import Path

from placet.errors import Unavailable, Unsure


class Anchor:
    """One file. It may be older than the log, after a crash by one checkpoint; it is never newer.

    Whoever puts back log and anchor together is seen by nobody here, and by a witness.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self) -> bytes | None:
        """Return the checkpoint that was kept last, None where none was."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"{self._path}: cannot be read: {error.strerror or error}") from error

    def keep(self, note: bytes) -> None:
        """Keep a checkpoint in the place of the one before; raise `Unsure` where that fails."""
        draft = self._path.with_name(f"{self._path.name}.draft")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as error:
            raise Unsure(f"{self._path}: {error.strerror or error}: it may have been written or not") from error
