"""Public keys as verifiers hold them: pinned beforehand, or put on record; when they may sign, and when they fell."""

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PURPOSES = frozenset({"seal", "operator", "executor", "agent", "approver", "feed", "directory"})
NAMING = frozenset({"feed", "directory"})
"""Whose records name a source, and whose keys therefore say which."""
KeyPlace = tuple[str, str]
"""Under which a key on record is found: the tenant whose records it signs, empty for all, and its kid."""


class PinnedKey(NamedTuple):
    """One public key that is known: whose it is, and what it may sign."""

    kid: str
    issuer: str
    purpose: str
    public: bytes  # 32 bytes (RFC 8032 §5.1.5)
    tenant: str = ""  # whose records it may sign; empty: of every tenant
    sources: tuple[
        str, ...
    ] = ()  # in whose name a feed or a directory may speak besides its issuer's; a last `*` stands for any rest

    def speaks_as(self, source: str) -> bool:
        """Return whether a record of this key may name `source` as the one who knows; an operator may name anyone."""
        return (
            source == self.issuer
            or self.purpose == "operator"
            or any(source == one or (one[-1:] == "*" and source.startswith(one[:-1])) for one in self.sources)
        )


class KnownKey(NamedTuple):
    """A key that can be verified with. It takes what was appended from `not_before` to `not_after`, ms; 0: no bound."""

    key: PinnedKey
    public: Ed25519PublicKey
    not_before: int = 0
    not_after: int = 0

    def covers(self, at: int, skew_ms_max: int) -> bool:
        """Return whether a record appended at `at` lies in its time, by clocks that differ by at most `skew_ms_max`."""
        return self.not_before - skew_ms_max <= at and (not self.not_after or at <= self.not_after + skew_ms_max)


class Fallen(NamedTuple):
    """That a key is not believed any more: since which append time, ms, and the fact that says so."""

    since: int
    fact: bytes


def known_key(key: PinnedKey, not_before: int = 0, not_after: int = 0) -> KnownKey:
    """Return a key that can be verified with; raise ValueError for a purpose not in `PURPOSES` or a key not of 32 bytes."""
    if key.purpose not in PURPOSES:
        raise ValueError(f"key `{key.kid}` is for `{key.purpose}`, expected one of {', '.join(sorted(PURPOSES))}")
    if len(key.public) != 32:
        raise ValueError(f"key `{key.kid}` has {len(key.public)} bytes, expected 32")
    return KnownKey(key, Ed25519PublicKey.from_public_bytes(key.public), not_before, not_after)
