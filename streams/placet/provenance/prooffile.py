"""A tlog-proof (C2SP tlog-proof): one text that proves offline that a leaf stands in a log somebody signed for."""

from base64 import b64decode, b64encode
from typing import NamedTuple

HEADER = "c2sp.org/tlog-proof@v1"
BYTES_MAX = 1_000_000
LINE_MAX = 65_536
HASHES_MOST = 63


class ProofFile(NamedTuple):
    """What a tlog-proof says: `extra` is for whoever knows the log, `checkpoint` a signed note as it was published."""

    leaf: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    @property
    def text(self) -> bytes:
        """Return the file."""
        extra = "" if self.extra is None else f"extra {b64encode(self.extra).decode()}\n"
        path = "".join(f"{b64encode(node).decode()}\n" for node in self.path)
        return f"{HEADER}\n{extra}index {self.leaf}\n{path}\n".encode() + self.checkpoint


def fits_a_line(extra: bytes) -> bool:
    """Say whether others read a proof that carries `extra`: its line must not be longer than LINE_MAX."""
    return len("extra ") + 4 * (-(-len(extra) // 3)) < LINE_MAX


def read_proof(data: bytes) -> ProofFile:
    """Return what a file says; nothing of it is verified. Raise ValueError where it is no tlog-proof."""
    if len(data) > BYTES_MAX:
        raise ValueError(f"a proof of {len(data)} bytes, expected {BYTES_MAX} at most")
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank or not checkpoint.endswith(b"\n") or max(map(len, head.split(b"\n"))) > LINE_MAX:
        raise ValueError("no proof: expected its lines, a blank line, and a checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ValueError("a proof with other signs than ASCII before its checkpoint") from None
    if lines.pop(0) != HEADER:
        raise ValueError(f"no proof: expected `{HEADER}` in the first line")
    extra = _decoded(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
    word, _, number = (lines.pop(0) if lines else "").partition(" ")
    if word != "index" or not _number(number):
        raise ValueError("no proof: expected `index` and a number after the header")
    path = tuple(map(_decoded, lines))
    if len(path) > HASHES_MOST or any(len(node) != 32 for node in path):
        raise ValueError(f"a proof with a hash that is not of 32 bytes, or with more than {HASHES_MOST}")
    return ProofFile(int(number), path, checkpoint, extra)


def _number(text: str) -> bool:
    return len(text) < 20 and text.isascii() and text.isdigit() and str(int(text)) == text and int(text) < 1 << 63


def _decoded(line: str) -> bytes:
    try:
        data = b64decode(line, validate=True)
    except ValueError:
        data = b""
    if b64encode(data).decode() != line:
        raise ValueError(f"`{line[:80]}` is not base64")
    return data
