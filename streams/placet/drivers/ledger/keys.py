"""The keys of a provenance log: private halves among the secrets, verifier keys beside the log for whoever wants them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.drivers.keyfile import KEY_BYTES, read_secret, write_secret
from placet.drivers.ledger.folder import OWN, FolderReader
from placet.errors import Corrupted, Unavailable
from placet.ports import Entropy, TileStore
from placet.provenance.ledger import STATE
from placet.provenance.notes import Ed25519Signer, Ed25519Verifier

VKEYS = f"{OWN}/vkeys"
"""Every verifier key the log was ever signed with, a line each, the newest last."""
_NAME = re.compile(r"ledger-([1-9][0-9]{0,5})\.key")


class LedgerKeys(NamedTuple):
    """What a log is signed with, one key or during a rotation two, and all by which it may have been."""

    signers: tuple[Ed25519Signer, ...]
    known: tuple[Ed25519Verifier, ...]


def ensure_ledger_keys(secrets: Path, store: TileStore, origin: str, entropy: Entropy) -> LedgerKeys:
    """Return the keys of a log, the first made where there is no log yet; what is new among them stands in VKEYS then.

    Raise `Unavailable` where a log is there and no key for it: a new one would begin another log.
    """
    if not private_keys(secrets):
        if store.get(STATE) is not None:
            raise Unavailable(f"{secrets}: no private key of this log: expected ledger-1.key or a later one")
        make_private_key(secrets, entropy)
    signers = tuple(Ed25519Signer(origin, _private(path)) for path in private_keys(secrets))
    there = store.get(VKEYS)
    lines = _lines(there or b"")
    fresh = [signer.vkey for signer in signers if signer.vkey not in lines]
    if fresh:
        lines += fresh
        if not store.swap(VKEYS, there, "".join(f"{line}\n" for line in lines).encode()):
            raise Corrupted(f"{VKEYS}: another notary writes this log")
    return LedgerKeys(signers, _verifiers(lines))


def known_keys(store: FolderReader | TileStore) -> list[str]:
    """Return the verifier keys that lie beside a log, the newest last; raise `Unavailable` where none does."""
    lines = _lines(store.get(VKEYS) or b"")
    if not lines:
        raise Unavailable(f"{VKEYS}: no verifier keys beside this log; give one with --vkey")
    return lines


def private_keys(secrets: Path) -> list[Path]:
    """Return the private keys of the log among the secrets, the oldest first."""
    found = {int(match[1]): path for path in secrets.glob("ledger-*.key") if (match := _NAME.fullmatch(path.name))}
    return [found[number] for number in sorted(found)]


def make_private_key(secrets: Path, entropy: Entropy) -> Path:
    """Make the next private key of the log; it signs beside the older ones from the notary's next start on."""
    numbers = [int(path.name[7:].split(".")[0]) for path in secrets.glob("ledger-[0-9]*.*")]
    path = secrets / f"ledger-{max(numbers, default=0) + 1}.key"
    write_secret(path, entropy.draw(KEY_BYTES))
    return path


def retire_private_key(path: Path) -> None:
    """Sign with a key no more from the notary's next start on; what it signed stays good."""
    path.rename(path.with_suffix(".retired"))


def vkey_in(path: Path, origin: str) -> str:
    """Return the verifier key of a private one."""
    return Ed25519Signer(origin, _private(path)).vkey


def _private(path: Path) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(read_secret(path))


def _lines(data: bytes) -> list[str]:
    return [line for line in data.decode("utf-8", "replace").split("\n") if line]


def _verifiers(lines: Sequence[str]) -> tuple[Ed25519Verifier, ...]:
    try:
        return tuple(map(Ed25519Verifier.read, lines))
    except ValueError as fault:
        raise Corrupted(f"{VKEYS}: {fault}") from None
