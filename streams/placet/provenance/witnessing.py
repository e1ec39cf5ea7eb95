"""What a witness is asked and what it answers (C2SP tlog-witness): cosign a head only where it goes on from the last one."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from placet.model.merkle import EMPTY
from placet.provenance.checkpoint import Checkpoint, read_checkpoint
from placet.provenance.notes import Verifier, split, verify
from placet.provenance.proofs import consistent

PATH: Final = "/add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
ASKED_BYTES_MAX: Final = 256 * 1024
HASHES_MOST: Final = 63
GOOD, UNREAD, UNSIGNED, UNKNOWN, CONFLICT, UNPROVED = 200, 400, 403, 404, 409, 422
"""The status codes of tlog-witness."""


class Asked(NamedTuple):
    """One call of add-checkpoint: the size the asker believes was cosigned last, a proof from there, and the checkpoint."""

    old: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def data(self) -> bytes:
        """Return the body of the call."""
        path = "".join(f"{b64encode(node).decode()}\n" for node in self.path)
        return f"old {self.old}\n{path}\n".encode() + self.checkpoint


class Judged(NamedTuple):
    """What a witness makes of a call. `head` is to be cosigned.

    `against` says how the checkpoint, signed by its log, contradicts what was cosigned, or fails to prove that it does not.
    """

    status: int
    said: str
    head: Checkpoint | None = None
    origin: str = ""
    against: str = ""

    @property
    def kind(self) -> str:
        """Return the content type of `said`."""
        return SIZE_TYPE if self.status == CONFLICT else TEXT_TYPE


def place_of(origin: str) -> str:
    """Return the name under which a witness keeps and shows what it saw of a log: SHA-256 of its origin, in hex."""
    return sha256(origin.encode()).hexdigest()


def read_asked(data: bytes) -> Asked:
    """Return what a body asks; raise ValueError where it is no call."""
    head, blank, checkpoint = data.partition(b"\n\n")
    lines = head.split(b"\n")
    word, _, number = lines[0].partition(b" ")
    if not blank or word != b"old" or not _is_size(number):
        raise ValueError("no call: expected `old N`, a proof, an empty line and a checkpoint")
    if len(lines) - 1 > HASHES_MOST:
        raise ValueError(f"a proof of {len(lines) - 1} hashes, expected {HASHES_MOST} at most")
    path = []
    for line in lines[1:]:
        try:
            node = b64decode(line, validate=True)
        except ValueError:
            node = b""
        if len(node) != 32 or b64encode(node) != line:
            raise ValueError("a hash of the proof that is not 32 bytes in base64")
        path.append(node)
    return Asked(int(number), tuple(path), checkpoint)


def judge(data: bytes, logs: Mapping[str, Sequence[Verifier]], latest_of: Callable[[str], Checkpoint | None]) -> Judged:
    """Return what to make of a call; `logs` are the keys by origin, `latest_of` gives the head that was cosigned last."""
    try:
        asked = read_asked(data)
        text, _ = split(asked.checkpoint)
        head = read_checkpoint(text)
    except ValueError as fault:
        return Judged(UNREAD, f"{fault}\n")
    keys = logs.get(head.origin)
    if keys is None:
        return Judged(UNKNOWN, f"`{head.origin}` is no log that is witnessed here\n")
    try:
        verify(asked.checkpoint, keys)
    except ValueError as fault:
        return Judged(UNSIGNED, f"{fault}\n")
    return _judge_head(asked, head, latest_of(head.origin) or Checkpoint(head.origin, 0, EMPTY))


def _judge_head(asked: Asked, head: Checkpoint, latest: Checkpoint) -> Judged:
    origin, size, root = latest
    # Its own signature stands under both, whatever the asker says of the past: nobody else could have made this.
    fork = ""
    if head.size == size and head.root != root:
        fork = f"two roots over {size} leaves: {_short(root)} was cosigned, {_short(head.root)} is signed as well"
    if asked.old > head.size:
        return Judged(UNREAD, f"old {asked.old} is past the checkpoint of {head.size} leaves\n", None, origin, fork)
    if asked.old != size or fork:
        return Judged(CONFLICT, f"{size}\n", None, origin, fork)
    proved = not asked.path if size in (0, head.size) else consistent(size, head.size, root, head.root, asked.path)
    if proved:
        return Judged(GOOD, "", head, origin)
    said = f"the proof does not lead from the root over {size} leaves, cosigned here, to the one over {head.size}"
    return Judged(UNPROVED, f"{said}\n", None, origin, "" if head == latest else said)


def _short(root: bytes) -> str:
    return b64encode(root).decode()[:12]


def _is_size(number: bytes) -> bool:
    return number.isdigit() and len(number) < 20 and str(int(number)).encode() == number and int(number) < 1 << 63
