"""A provenance log read back file by file, by C2SP's texts alone: checkpoint, entry bundles, every hash tile, and the root."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from placet.faces.auditor.hashes import leaf_hash, root_of, sha256

Get = Callable[[str], bytes | None]
SPAN = 256
FLAWS_MAX = 20


class Unsound(ValueError):
    """This is no checkpoint that a known key has signed."""


class Head(NamedTuple):
    """What a checkpoint says."""

    origin: str
    size: int
    root: bytes


class Flaw(NamedTuple):
    """One thing that does not agree, and the file it was found in."""

    path: str
    text: str


def open_head(note: bytes, vkeys: Sequence[str]) -> Head:
    """Return what a checkpoint says; raise Unsound unless a key of `vkeys` signed it, and no signature of one is wrong."""
    try:
        body, _, tail = note.decode().rpartition("\n\n")
        body += "\n"
        lines = [line.split(" ") for line in tail.removesuffix("\n").split("\n")]
        known = {_key_of(vkey) for vkey in vkeys}
        good = 0
        for dash, name, encoded in lines:
            data = base64.b64decode(encoded, validate=True)
            for key_name, key_id, public in known:
                if dash == "—" and (name, data[:4]) == (key_name, key_id):
                    Ed25519PublicKey.from_public_bytes(public).verify(data[4:], body.encode())
                    good += 1
        if not good:
            raise Unsound("no known key signed the checkpoint")
        origin, size, root = body.split("\n")[:3]
        head = Head(origin, int(size), base64.b64decode(root, validate=True))
    except InvalidSignature:
        raise Unsound("the signature of a known key over the checkpoint is wrong") from None
    except Unsound:
        raise
    except (ValueError, IndexError) as fault:
        raise Unsound(f"not a checkpoint: {fault}") from None
    if len(head.root) != 32 or head.size < 0 or str(head.size) != size:
        raise Unsound("not a checkpoint: its size or its root has not the form it must have")
    return head


def _key_of(vkey: str) -> tuple[str, bytes, bytes]:
    name, given, encoded = vkey.split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    key_id = sha256(name.encode() + b"\n" + key)[:4]
    if key[0] != 1 or len(key) != 33 or key_id.hex() != given:
        raise ValueError(f"`{vkey}` is no Ed25519 verifier key")
    return name, key_id, key[1:]


class LogWalk:
    """A log of `size` leaves walked once. What does not agree is counted, and the first of it kept in `flaws`."""

    def __init__(self, get: Get, size: int) -> None:
        self._get = get
        self.size = size
        self.flaws: list[Flaw] = []
        self.flawed = 0
        self.bytes_read = 0
        self._rows: list[list[bytes]] = []
        self._done: list[int] = []
        self._peaks: list[tuple[int, bytes]] = []

    def fail(self, path: str, text: str) -> None:
        """Count a flaw."""
        self.flawed += 1
        if len(self.flaws) < FLAWS_MAX:
            self.flaws.append(Flaw(path, text))

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Yield each leaf that is there with its index, having compared its bundle with the tiles above it."""
        for number in range(-(-self.size // SPAN)):
            width = min(SPAN, self.size - number * SPAN)
            entries = self._bundle(number, width)
            hashes = [leaf_hash(entry) for entry in entries]
            if len(hashes) != width:
                # Without the bundle its hashes still stand in the tile: the rest of the tree can be looked at.
                hashes = self._tile(0, number, width) or [bytes(32)] * width
            for at, one in enumerate(hashes):
                # Before it is taken in, the root so far is that of the leaves before it.
                if at < len(entries):
                    yield number * SPAN + at, entries[at]
                self._peak(one)
            self._climb(0, hashes)

    def expect_root(self, root: bytes, path: str = "checkpoint") -> None:
        """Hold, after all leaves, that partial tiles are what is above them and that the root is this one."""
        for level, row in enumerate(self._rows):
            if row and self._tile(level, self._done[level], len(row)) != row:
                self.fail(_path(str(level), self._done[level], len(row)), "is not the hashes of what lies below it")
        self.expect_prefix(root, path)

    def expect_prefix(self, root: bytes, path: str) -> None:
        """Hold that the leaves taken in so far have this root."""
        found = sha256(b"")
        for at, (_, node) in enumerate(reversed(self._peaks)):
            found = node if at == 0 else sha256(b"\x01" + node + found)
        if found != root:
            self.fail(path, "says another root than its leaves have")

    def _climb(self, level: int, hashes: list[bytes]) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._done.append(0)
        row = self._rows[level]
        row += hashes
        if len(row) < SPAN:
            return
        if self._tile(level, self._done[level], SPAN) != row:
            self.fail(_path(str(level), self._done[level], SPAN), "is not the hashes of what lies below it")
        self._done[level] += 1
        self._rows[level] = []
        self._climb(level + 1, [root_of(row)])

    def _peak(self, node: bytes) -> None:
        """Take one leaf hash in: of two subtrees of one height the tree makes one above them."""
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            node = hashlib.sha256(b"\x01" + self._peaks.pop()[1] + node).digest()
            height += 1
        self._peaks.append((height, node))

    def _bundle(self, number: int, width: int) -> list[bytes]:
        data, path = self._read("entries", number, width)
        if data is None:
            self.fail(path, "is missing")
            return []
        found: list[bytes] = []
        at = 0
        while at + 2 <= len(data) and len(found) < width:
            end = at + 2 + (data[at] << 8 | data[at + 1])
            if end > len(data):
                break
            found.append(data[at + 2 : end])
            at = end
        if len(found) != width or (at != len(data) and not self._whole(path, width)):
            self.fail(path, f"holds {len(found)} whole entries in {at} of {len(data)} bytes, expected {width}")
            return []
        return found

    def _tile(self, level: int, number: int, width: int) -> list[bytes]:
        data, path = self._read(str(level), number, width)
        if data is None:
            self.fail(path, "is missing")
            return []
        if len(data) != 32 * width and not (self._whole(path, width) and len(data) == 32 * SPAN):
            self.fail(path, f"has {len(data)} bytes, expected {32 * width}")
        return [data[at : at + 32] for at in range(0, 32 * width, 32)]

    def _whole(self, path: str, width: int) -> bool:
        """Whether a full tile was read where a partial one is wanted: the log has grown since its checkpoint."""
        return width < SPAN and ".p/" not in path

    def _read(self, level: str, number: int, width: int) -> tuple[bytes | None, str]:
        path = _path(level, number, width)
        data = self._get(path)
        if data is None and width < SPAN:
            path = _path(level, number, SPAN)
            data = self._get(path)
        self.bytes_read += len(data or b"")
        return data, path if data is not None else _path(level, number, width)


def _path(level: str, number: int, width: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join(["tile", level, *(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == SPAN else f"{path}.p/{width}"
