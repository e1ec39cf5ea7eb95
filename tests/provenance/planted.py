"""A log in a folder, and everything that may be wrong with it: what was done to the files, and the words that must name it."""

import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.ports import Rec
from placet.provenance.checkpoint import Checkpoint, sign_checkpoint
from placet.provenance.leaf import Move, encode_cut, encode_record
from placet.provenance.notes import Ed25519Signer
from placet.provenance.prooffile import ProofFile
from placet.provenance.proofs import TileTree
from tests.provenance.logs import DictLog

ORIGIN = "placet.example/log"
SIGNER = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
STRANGER = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))
ELSEWHERE = Ed25519Signer("other.example/log", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
SIZE = 700
EARLIER = 300
"""The size of the checkpoint that somebody has kept."""


CUT = 100
"""Leaves from one cut to the next, itself included."""


def leaf(number: int, key: bytes = b"acme/ada") -> bytes:
    cut, within = divmod(number, CUT)
    if within == 0:
        start, end = cut * (CUT - 1), (cut + 1) * (CUT - 1)
        return encode_cut(cut, number, 1_000 + cut, [Move(4, 0, start, end, CUT - 1)])
    made = encode_record(Rec(4, 0, cut * (CUT - 1) + within - 1, 0, key, b"\0\xff\xff\xff\xffsomething"))
    assert made is not None
    return made


def grown(size: int = SIZE, *, other_from: int | None = None) -> DictLog:
    """Return a log of `size` leaves; from `other_from` on they are others."""
    log = DictLog()
    log.add([leaf(n, b"acme/eve" if other_from is not None and n >= other_from else b"acme/ada") for n in range(size)])
    return log


def head(log: DictLog, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, log.edge.size, log.edge.root())


def lay(folder: Path, log: DictLog, signer: Ed25519Signer = SIGNER) -> Path:
    """Write a log as it is published."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in log.files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    (folder / "checkpoint").write_bytes(sign_checkpoint(head(log), [signer]))
    return folder


def proof_of(log: DictLog, index: int) -> ProofFile:
    tree = TileTree(log.edge.size, log.read)
    return ProofFile(index, tuple(tree.inclusion(index)), sign_checkpoint(head(log), [SIGNER]), leaf(index))


class Planted(NamedTuple):
    """One thing that is wrong with a folder. `said` are words of the refusal.

    `since`: it shows only beside a checkpoint that was seen earlier. `strict`: others in the tlog world let it pass.
    """

    name: str
    plant: Callable[[Path], object]
    said: str
    since: bool = False
    strict: bool = False


def _flip(path: str, at: int, bit: int = 1) -> Callable[[Path], object]:
    def plant(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[at] ^= bit
        (folder / path).write_bytes(data)

    return plant


def _bytes(path: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes(change((folder / path).read_bytes()))


def _gone(path: str) -> Callable[[Path], object]:
    return lambda folder: (folder / path).unlink()


def _text(old: str, new: str) -> Callable[[Path], object]:
    return _bytes("checkpoint", lambda data: data.replace(old.encode(), new.encode(), 1))


def _signed(head: Checkpoint, signer: Ed25519Signer = SIGNER, more: str = "") -> Callable[[Path], object]:
    def plant(folder: Path) -> None:
        text = head.text + more
        line = b64encode(signer.key_id + signer.sign(text)).decode()
        (folder / "checkpoint").write_text(f"{text}\n— {signer.name} {line}\n")

    return plant


def _laid(log: DictLog, signer: Ed25519Signer = SIGNER) -> Callable[[Path], object]:
    def plant(folder: Path) -> None:
        shutil.rmtree(folder)
        lay(folder, log, signer)

    return plant


def _swapped(folder: Path, one: str, other: str) -> None:
    first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
    (folder / one).write_bytes(second)
    (folder / other).write_bytes(first)


def _leaves_swapped(data: bytes) -> bytes:
    # Leaves 10 and 11 are of one length, so nothing else moves.
    assert len(leaf(10)) == len(leaf(11))
    return data.replace(leaf(10), b"<ten>").replace(leaf(11), leaf(10)).replace(b"<ten>", leaf(11))


ENTRIES, PART = "tile/entries/000", "tile/entries/002.p/188"
HASHES, HASH_PART, ABOVE = "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"
LOG = grown()
FOLDERS = (
    Planted("a bit of a leaf", _flip(ENTRIES, 9), r"tile/entries/000: leaf 0 is not the one logged"),
    Planted("a bit of a late leaf", _flip(PART, -1), r"tile/entries/002\.p/188: leaf 699 is not the one logged"),
    Planted("a bit of a length", _flip(ENTRIES, 1), r"tile/entries/000: (cut short|ends after|\d+ bytes after)"),
    Planted("a bit of a tile", _flip(HASHES, 40), r"tile/0/001: hash 1 is not that of leaf 257"),
    Planted("a bit of a partial tile", _flip(HASH_PART, 0), r"tile/0/002\.p/188: hash 0 is not that of leaf 512"),
    Planted("a bit of an upper tile", _flip(ABOVE, 33), r"tile/1/000\.p/2: hash 1 is not that over tile/0/001"),
    Planted("a bit of leaf and tile", lambda f: (_flip(ENTRIES, 9)(f), _flip("tile/0/000", 0)(f)), r"leaf 0 is not that of tile/0/000, and neither leads"),
    Planted("a truncated tile", _bytes(HASHES, lambda d: d[:-32]), r"tile/0/001: 8160 bytes: expected 256 hashes"),
    Planted("a truncated upper tile", _bytes(ABOVE, lambda d: d[:-1]), r"tile/1/000\.p/2: 63 bytes: expected 2 hashes"),
    Planted("a truncated bundle", _bytes(PART, lambda d: d[:-1]), r"tile/entries/002\.p/188: cut short in entry 187"),
    Planted("a bundle of fewer entries", _bytes(PART, lambda d: d[: -2 - len(leaf(699))]), r"002\.p/188: ends after 187 entries"),
    Planted("a missing tile", _gone(HASHES), r"tile/0/001: missing"),
    Planted("a missing upper tile", _gone(ABOVE), r"tile/1/000\.p/2: missing"),
    Planted("a missing bundle", _gone(ENTRIES), r"tile/entries/000: missing"),
    Planted("a missing checkpoint", _gone("checkpoint"), r"checkpoint: missing"),
    Planted("garbage behind a tile", _bytes(HASHES, lambda d: d + bytes(32)), r"tile/0/001: 8224 bytes: expected 256"),
    Planted("garbage behind a bundle", _bytes(ENTRIES, lambda d: d + b"\0\1x"), r"tile/entries/000: 3 bytes after its last", strict=True),
    Planted("two leaves swapped", _bytes(ENTRIES, _leaves_swapped), r"leaves 10 and 11 stand in each other's place"),
    Planted("two tiles swapped", lambda f: _swapped(f, "tile/0/000", HASHES), r"tile/0/000: hash 0 is not that of leaf 0"),
    Planted("two bundles swapped", lambda f: _swapped(f, ENTRIES, "tile/entries/001"), r"leaf 0 is not the one logged"),
    Planted("a bit of the root", _text(b64encode(LOG.edge.root()).decode(), b64encode(bytes(32)).decode()), r"checkpoint: the signature of .* is not over this text"),
    Planted("another size", _text("700", "701"), r"checkpoint: the signature of .* is not over this text"),
    Planted("a bit of the signature", _bytes("checkpoint", lambda d: d[:-10] + bytes([d[-10] ^ 1]) + d[-9:]), r"checkpoint: (the signature of|no signed note)"),
    Planted("no signature", _bytes("checkpoint", lambda d: d[: d.index(b"\n\n") + 2]), r"checkpoint: no signed note"),
    Planted("a root of another log, signed", _signed(Checkpoint(ORIGIN, SIZE, bytes(32))), r"checkpoint: signs root A{43}= over 700 leaves"),
    Planted("a larger size, signed", _signed(Checkpoint(ORIGIN, SIZE + 1, LOG.edge.root())), r"\.p/189: missing: the checkpoint of 701 leaves"),
    Planted("a size of another form", _signed(Checkpoint(ORIGIN, "0700", LOG.edge.root())), r"checkpoint: size `0700`", strict=True),  # type: ignore[arg-type]
    Planted("lines behind the root", _signed(head(LOG), more="more\n"), r"checkpoint: 4 lines: expected origin, size and root", strict=True),
    Planted("the key of a stranger", _signed(head(LOG), STRANGER), r"checkpoint: not signed by the key given"),
    Planted("the log of another", _signed(head(LOG, "other.example/log"), ELSEWHERE), r"checkpoint: of `other\.example/log`, and not signed"),
    Planted("another origin under the same name", _signed(head(LOG, "other.example/log")), r"its origin is `other\.example/log`: expected `placet"),
    Planted("a log rolled back", _laid(grown(200)), r"200 leaves, and .* signs 300: the log was rolled back", since=True),
    Planted("a log rewritten before what was seen", _laid(grown(other_from=299)), r"a fork: the first 300 leaves have root", since=True),
)  # fmt: skip


def _line(text: bytes, number: int, new: bytes) -> bytes:
    lines = text.split(b"\n")
    lines[number] = new
    return b"\n".join(lines)


PROVED = 258
PROOF = proof_of(LOG, PROVED).text
PROOFS = (
    ("a bit of its record", lambda p: _line(p, 1, b"extra " + b64encode(leaf(257))), r"does not lead to the signed root"),
    ("a bit of a hash", lambda p: _line(p, 5, b64encode(bytes(32))), r"does not lead to the signed root"),
    ("another index", lambda p: _line(p, 2, b"index 259"), r"does not lead to the signed root"),
    ("an index beyond", lambda p: _line(p, 2, b"index 700"), r"leaf 700 is not in a tree of 700"),
    ("an index of another form", lambda p: _line(p, 2, b"index 0258"), r"index `0258`"),
    ("no index", lambda p: _line(p, 2, b"leaf 258"), r"no index line"),
    ("a hash too few", lambda p: p.replace(p.split(b"\n")[4] + b"\n", b"", 1), r"a path of 9 hashes: leaf 258 of 700 has one of 10"),
    ("a hash too many", lambda p: _line(p, 3, b64encode(bytes(32)) + b"\n" + p.split(b"\n")[3]), r"a path of 11 hashes"),
    ("a hash of 31 bytes", lambda p: _line(p, 3, b64encode(bytes(31))), r"hash 1 of the path: expected 32 bytes"),
    ("a record that is not base64", lambda p: _line(p, 1, b"extra !"), r"extra data is not base64"),
    ("another header", lambda p: _line(p, 0, b"c2sp.org/tlog-proof@v2"), r"no tlog-proof"),
    ("cut off", lambda p: p[: p.index(b"\n\n")], r"no empty line between"),
    ("a checkpoint cut off", lambda p: p[: p.rindex(b"\n\n") + 1], r"checkpoint: no signed note"),
    ("a bit of its checkpoint", lambda p: p.replace(b"\n700\n", b"\n701\n"), r"the signature of .* is not over this text"),
)  # fmt: skip
"""What was done to the text of a proof, and the words that must name it."""
