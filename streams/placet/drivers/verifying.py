"""What a process beside the desk does: verify signatures, and nothing else."""

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Claimed = tuple[bytes, bytes, bytes]
"""A public key of 32 bytes, a signature, and the message it is said to cover."""


def verified(claimed: Sequence[Claimed]) -> list[bool]:
    """Return of each signature whether its key made it (Ed25519, RFC 8032)."""
    return [_holds(*one) for one in claimed]


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
