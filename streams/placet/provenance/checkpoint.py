"""Checkpoints (C2SP tlog-checkpoint): the head of a log as a signed note of origin, size and root."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from placet.provenance.notes import Note, Signer, Verifier, sign, verify

SIZE_MAX = (1 << 63) - 1


class Checkpoint(NamedTuple):
    """The head of a log: whose, of how many leaves, and their root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def read_checkpoint(text: str) -> Checkpoint:
    """Return the head that a note's text says; lines after the root are left. Raise ValueError where it says none."""
    lines = text.split("\n")
    if len(lines) < 4:
        raise ValueError("no checkpoint: expected an origin, a size and a root, a line each")
    origin, number, encoded = lines[:3]
    if not origin:
        raise ValueError("a checkpoint without an origin")
    if "" in lines[3:-1]:
        raise ValueError("a checkpoint with an empty extension line")
    fits = number.isascii() and number.isdigit() and len(number) < 20
    if not fits or str(int(number)) != number or int(number) > SIZE_MAX:
        raise ValueError(f"`{number[:40]}` is no size of a log")
    try:
        root = b64decode(encoded, validate=True)
    except ValueError:
        root = b""
    if len(root) != 32 or b64encode(root).decode() != encoded:
        raise ValueError(f"`{encoded[:80]}` is no root of a log: expected 32 bytes in base64")
    return Checkpoint(origin, int(number), root)


def sign_checkpoint(head: Checkpoint, signers: Iterable[Signer]) -> bytes:
    """Return the note of a head; the log's own key first, during a rotation the other after it."""
    return sign(head.text, signers).encode()


def open_checkpoint(data: bytes, origin: str, known: Sequence[Verifier]) -> tuple[Checkpoint, Note]:
    """Return the head of the log `origin`, and the note that says it; raise ValueError as `verify` and `read_checkpoint` do."""
    note = verify(data, known)
    head = read_checkpoint(note.text)
    if head.origin != origin:
        raise ValueError(f"a checkpoint of `{head.origin}`, expected one of `{origin}`")
    return head, note
