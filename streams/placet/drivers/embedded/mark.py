"""A note beside the rows of how much has been durable, so that a folder that lost its newest files is found out.

RocksDB takes a list of files that is cut short for one whose last entry was
being written, and forgets the rest. The mark outlives that: what was durable
once must be there for ever.
"""

import os
from pathlib import Path
from typing import Final

from placet.errors import Corrupted

NAME: Final = "placet-mark"


def read_mark(folder: Path) -> int:
    """Return the change number that is known to have been durable; 0 in a folder never marked."""
    try:
        text = (folder / NAME).read_text("ascii")
        return int(text)
    except FileNotFoundError:
        return 0
    except ValueError as error:
        raise Corrupted(f"{folder / NAME}: holds no number") from error


def write_mark(folder: Path, sequence: int) -> None:
    """Replace the mark, whole or not at all."""
    draft = folder / (NAME + ".new")
    with draft.open("w", encoding="ascii") as file:
        file.write(f"{sequence}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / NAME)


def check_mark(folder: Path, mark: int, sequence: int) -> None:
    """Raise `Corrupted` when the folder holds less than was durable once."""
    if sequence < mark:
        raise Corrupted(
            f"{folder}: holds changes up to {sequence}, but {mark} were durable once: the newest files are lost"
        )
