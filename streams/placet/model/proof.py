"""Prove who wrote a record: one Ed25519 signature over the Merkle root of the writer's batch.

What is signed is `placet/batch/1`, the size of the batch (4 bytes) and its
root; a leaf is `placet/<record>/1`, the schema's fingerprint and the payload
before the proof. The algorithm is fixed; the key comes from the pinned keys or
the record is refused. A signature says who wrote, not that it was committed.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from placet.errors import PoisonRecord
from placet.model.merkle import KnownTree, leaf_hash, levels_of, path_in, root_from_path
from placet.model.reasons import Reason

PURPOSES = frozenset({"seal", "operator", "executor", "agent", "approver", "feed"})
_TREES_MOST, _NODES_MOST = 4096, 32768  # at most about 20 MB


class Proof(NamedTuple):
    """Who wrote a record, as in every schema that ends with a proof: `intent.Proof(*proof)` is that record's own."""

    issuer: str
    kid: str
    index: int  # type: ignore[assignment]
    size: int
    path: bytes
    signature: bytes


class Proved(Protocol):
    """What each codec's `Proof` has."""

    @property
    def issuer(self) -> str:
        """Principal id of the writer."""

    @property
    def kid(self) -> str:
        """Id of the pinned key."""

    @property
    def index(self) -> int:
        """Place of the record in the writer's batch, from 0."""

    @property
    def size(self) -> int:
        """How many records the batch has."""

    @property
    def path(self) -> bytes:
        """Audit path, 32 bytes a node, leaf side first."""

    @property
    def signature(self) -> bytes:
        """Ed25519 over the batch."""


class PinnedKey(NamedTuple):
    """One public key that is known beforehand: whose it is, and what it may sign."""

    kid: str
    issuer: str
    purpose: str
    public: bytes  # 32 bytes (RFC 8032 §5.1.5)
    tenant: str = ""  # whose records it may sign; empty: of every tenant
    sources: tuple[str, ...] = ()  # in whose name a feed may speak besides its issuer's; a last `*` stands for any rest

    def speaks_as(self, source: str) -> bool:
        """Return whether a record of this key may name `source` as the one who knows; an operator may name anyone."""
        return (
            source == self.issuer
            or self.purpose == "operator"
            or any(source == one or (one[-1:] == "*" and source.startswith(one[:-1])) for one in self.sources)
        )


class KeyRing:
    """The pinned keys. Checks writers' proofs, one signature for a whole batch of a writer."""

    def __init__(self, keys: Iterable[PinnedKey]) -> None:
        """Take the keys; raise ValueError for a `kid` given twice, a purpose not in `PURPOSES` or a key not of 32 bytes."""
        self._keys: dict[str, tuple[PinnedKey, Ed25519PublicKey]] = {}
        self._trees: dict[tuple[str, int, bytes], KnownTree] = {}
        self._nodes = 0
        for key in keys:
            if key.kid in self._keys:
                raise ValueError(f"key `{key.kid}` is given twice")
            if key.purpose not in PURPOSES:
                raise ValueError(
                    f"key `{key.kid}` is for `{key.purpose}`, expected one of {', '.join(sorted(PURPOSES))}"
                )
            if len(key.public) != 32:
                raise ValueError(f"key `{key.kid}` has {len(key.public)} bytes, expected 32")
            self._keys[key.kid] = key, Ed25519PublicKey.from_public_bytes(key.public)

    def verify(
        self,
        name: str,
        fingerprint: bytes,
        unsigned: bytes,
        proof: Proved | None,
        purposes: Collection[str],
        tenant: str,
    ) -> str:
        """Return who wrote the record `name` with the payload `unsigned` before its proof.

        The key must be pinned for the proof's issuer, for one of `purposes`, and
        for the `tenant` that the record says it is of. Raise PoisonRecord
        (WRITER_UNPROVED, or TENANT_MISMATCH) otherwise.
        """
        if proof is None:
            raise _unproved("a record without proof of its writer")
        kid = proof.kid
        pinned, key = self._found(kid, purposes)
        issuer, bound = pinned.issuer, pinned.tenant
        if issuer != proof.issuer:
            raise _unproved(f"key `{kid}` is not of the issuer `{proof.issuer}`")
        if bound and bound != tenant:
            raise PoisonRecord(f"key `{kid}` is of tenant `{bound}`, not of `{tenant}`", Reason.TENANT_MISMATCH)
        leaf = leaf_hash(b"placet/%b/1%b%b" % (name.encode(), fingerprint, unsigned))
        # A tree that is remembered only spares work: what it does not hold is checked as if it were not there, so
        # that the answer never depends on what was seen before.
        batch = (kid, proof.size, proof.signature)
        tree = self._trees.get(batch)
        if tree is not None:
            kept = len(tree.nodes)
            if tree.holds(leaf, proof.index, proof.path):
                self._nodes += len(tree.nodes) - kept
                if self._nodes > _NODES_MOST:
                    self._forget()
                return issuer
        try:
            root = root_from_path(leaf, proof.index, proof.size, proof.path)
        except ValueError as fault:
            raise _unproved(str(fault)) from None
        _check(key, proof.signature, _batch(proof.size, root), kid)
        if tree is None:
            self._trees[batch] = KnownTree(root, proof.size)
            self._nodes += 1
            self._forget()
        return issuer

    def _forget(self) -> None:
        while len(self._trees) > _TREES_MOST or self._nodes > _NODES_MOST:
            self._nodes -= len(self._trees.pop(next(iter(self._trees))).nodes)

    def check(self, kid: str, message: bytes, signature: bytes, purposes: Collection[str]) -> str:
        """Return whose signature of `message` this is, as of a Seal; raise PoisonRecord (WRITER_UNPROVED) otherwise."""
        pinned, key = self._found(kid, purposes)
        _check(key, signature, message, kid)
        return pinned.issuer

    def purpose_of(self, kid: str) -> str:
        """Return what a pinned key may sign, or an empty text where it is not pinned."""
        known = self._keys.get(kid)
        return "" if known is None else known[0].purpose

    def tenant_of(self, kid: str) -> str:
        """Return whose records alone a pinned key may sign, or an empty text where it may sign those of all."""
        known = self._keys.get(kid)
        return "" if known is None else known[0].tenant

    def speaks_as(self, kid: str, source: str) -> bool:
        """Return whether a pinned key may name `source` as the one who knows."""
        known = self._keys.get(kid)
        return known is not None and known[0].speaks_as(source)

    def _found(self, kid: str, purposes: Collection[str]) -> tuple[PinnedKey, Ed25519PublicKey]:
        pinned, key = self._keys.get(kid, (None, None))
        if pinned is None or key is None:
            raise _unproved(f"no key `{kid[:64]}` among the {len(self._keys)} that are pinned")
        if pinned.purpose not in purposes:
            raise _unproved(f"key `{kid}` is for `{pinned.purpose}`, expected {' or '.join(sorted(purposes))}")
        return pinned, key


class Signer:
    """One private key and whose it is. `private` is 32 bytes (RFC 8032 §5.1.5)."""

    def __init__(self, kid: str, issuer: str, private: bytes) -> None:
        self.kid = kid
        self.issuer = issuer
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self.public = self._key.public_key().public_bytes_raw()

    def pinned(self, purpose: str) -> PinnedKey:
        """Return the public half, to be pinned for one purpose."""
        return PinnedKey(self.kid, self.issuer, purpose, self.public)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of `message`, which begins with a domain of its own."""
        return self._key.sign(message)

    def sign_batch(self, name: str, fingerprint: bytes, unsigned: Sequence[bytes]) -> list[Proof]:
        """Return the proofs of a batch of records `name`, from each one's payload before the proof, with one signature."""
        if not unsigned:
            return []
        domain = b"placet/%b/1%b" % (name.encode(), fingerprint)
        levels = levels_of([leaf_hash(domain + each) for each in unsigned])
        size = len(unsigned)
        signature = self._key.sign(_batch(size, levels[-1][0]))
        return [Proof(self.issuer, self.kid, index, size, path_in(levels, index), signature) for index in range(size)]


def _batch(size: int, root: bytes) -> bytes:
    return b"placet/batch/1" + size.to_bytes(4, "big") + root


def _check(key: Ed25519PublicKey, signature: bytes, message: bytes, kid: str) -> None:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        raise _unproved(f"the signature is not by key `{kid}`") from None


def _unproved(says: str) -> PoisonRecord:
    return PoisonRecord(says, Reason.WRITER_UNPROVED)
