"""A log that grows, a witness of it, and a clock that stands."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.drivers.ledger.folder import FolderStore
from placet.drivers.metrics import Watch
from placet.drivers.witness.witness import Witness
from placet.provenance.checkpoint import Checkpoint, sign_checkpoint
from placet.provenance.cosignature import Cosigner
from placet.provenance.notes import Ed25519Signer, Ed25519Verifier
from placet.provenance.proofs import TileTree
from placet.provenance.witnessing import Asked, place_of
from tests.provenance.logs import DictLog

ORIGIN = "example.com/log"
SIGNER = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"l" * 32))
LOGS = {ORIGIN: [Ed25519Verifier.read(SIGNER.vkey)]}
COSIGNER = Cosigner("w.example/a", Ed25519PrivateKey.from_private_bytes(b"a" * 32))
PLACE = place_of(ORIGIN)
NOW_S = 1_700_000_000


class Still:
    """A clock that stands."""

    def now_ms(self) -> int:
        return NOW_S * 1000


def log_of(word: str, size: int) -> DictLog:
    log = DictLog()
    log.add([f"{word} {number}".encode() for number in range(size)])
    return log


def note_of(size: int, word: str = "leaf") -> bytes:
    return sign_checkpoint(Checkpoint(ORIGIN, size, log_of(word, size).edge.root()), [SIGNER])


def call(old: int, size: int, word: str = "leaf") -> bytes:
    path = TileTree(size, log_of(word, size).read).consistency(old) if 0 < old < size else []
    return Asked(old, tuple(path), note_of(size, word)).data


def witness_in(store: FolderStore | Path, watch: Watch | None = None) -> Witness:
    store = FolderStore(store) if isinstance(store, Path) else store
    return Witness(store, COSIGNER, LOGS, Still(), watch or Watch())
