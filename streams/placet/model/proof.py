"""Prove who wrote a record: one Ed25519 signature over the Merkle root of the writer's batch.

What is signed is `placet/batch/1`, the size of the batch (4 bytes) and its
root; a leaf is `placet/<record>/1`, the schema's fingerprint and the payload
before the proof. The algorithm is fixed; the key is a pinned one or one on record,
or the record is refused. A signature says who wrote, not that it was committed.
"""

from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from placet.errors import PoisonRecord
from placet.model.merkle import KnownTree, leaf_hash, levels_of, path_in, root_from_path
from placet.model.pinned import PURPOSES, Fallen, KeyPlace, KnownKey, PinnedKey, known_key
from placet.model.reasons import Reason

__all__ = ["MISSED_MOST", "PURPOSES", "KeyRing", "PinnedKey", "Proof", "Proved", "Signer", "batch_message"]
_TREES_MOST, _NODES_MOST = 4096, 32768  # at most about 20 MB
MISSED_MOST = 4096
KID_MOST = 128


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
        """Id of the key."""

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


class KeyRing:
    """The keys that are believed: the pinned ones, and those on record. One signature does for a whole batch of a writer.

    `known` and `fallen` are what `context.writers` makes of the records of keys,
    by tenant and kid; whoever reads no such record believes the pinned keys alone.
    `skew_ms_max` is by how much clocks may differ where a key's time begins or ends.
    `lasting` says of a key when the first and the last record that lasts was taken from it, `missed` which keys such records wanted.
    """

    def __init__(self, keys: Iterable[PinnedKey], skew_ms_max: int = 0) -> None:
        """Take the keys; raise ValueError for a `kid` given twice, a purpose not in `PURPOSES` or a key not of 32 bytes."""
        self.pinned: dict[str, KnownKey] = {}
        self.known: dict[KeyPlace, KnownKey] = {}
        self.fallen: dict[KeyPlace, Fallen] = {}
        self.lasting: dict[KeyPlace, tuple[int, int]] = {}
        self.missed: set[KeyPlace] = set()
        self.skew_ms_max = skew_ms_max
        self._trees: dict[tuple[bytes, int, bytes], KnownTree] = {}
        self._nodes = 0
        for key in keys:
            if key.kid in self.pinned:
                raise ValueError(f"key `{key.kid}` is given twice")
            self.pinned[key.kid] = known_key(key)

    def apart(self, skew_ms_max: int | None = None) -> "KeyRing":
        """Return a ring of the same pinned keys for another reader of the records of keys, with its own bound on skew."""
        skew = self.skew_ms_max if skew_ms_max is None else skew_ms_max
        return KeyRing([known.key for known in self.pinned.values()], skew)

    def verify(
        self,
        name: str,
        fingerprint: bytes,
        unsigned: bytes,
        proof: Proved | None,
        purposes: Collection[str],
        tenant: str,
        at: int,
        *,
        lasts: bool = False,
    ) -> str:
        """Return who wrote the record `name`, appended at `at` (ms), with the payload `unsigned` before its proof.

        The key must be known for the proof's issuer, for one of `purposes`, and
        for the `tenant` that the record says it is of; `at` must lie in its time.
        A key that fell proves nothing any more; only a record that `lasts`, as
        context does, stands where it was appended before that. Raise PoisonRecord
        (WRITER_UNPROVED, KEY_COMPROMISED or TENANT_MISMATCH) otherwise.
        """
        if proof is None:
            raise _unproved("a record without proof of its writer")
        kid = proof.kid
        found = self.find(kid, tenant) if self.known else self.pinned.get(kid)
        if found is None or found.key.purpose not in purposes:
            if lasts:
                self.miss(tenant, kid)
            found = _for(found, kid, len(self.pinned) + len(self.known), purposes)
        key = found.key
        if key.issuer != proof.issuer:
            raise _unproved(f"key `{kid}` is not of the issuer `{proof.issuer}`")
        if key.tenant and key.tenant != tenant:
            raise PoisonRecord(f"key `{kid}` is not one of the tenant `{tenant}`", Reason.TENANT_MISMATCH)
        place = (key.tenant, kid)
        if self.known or self.fallen:
            try:
                self._stands(found, place, at, lasts)
            except PoisonRecord:
                if lasts:
                    self.miss(tenant, kid)
                raise
        # RFC 6962 §2.1: a leaf begins with 0.
        leaf = sha256(b"\x00placet/%b/1%b%b" % (name.encode(), fingerprint, unsigned)).digest()
        # A tree that is remembered only spares work: what it does not hold is checked as if it were not there, so
        # that the answer never depends on what was seen before.
        tree = self._trees.get((key.public, proof.size, proof.signature))
        kept = 0 if tree is None else len(tree.nodes)
        if tree is not None and tree.holds(leaf, proof.index, proof.path):
            self._nodes += len(tree.nodes) - kept
            if self._nodes > _NODES_MOST:
                self._forget()
        else:
            self._signed(found, leaf, proof)
        if lasts:
            first, last = self.lasting.get(place, (at, at))
            self.lasting[place] = (min(at, first), max(at, last))
        return key.issuer

    def miss(self, tenant: str, kid: str) -> None:
        """Remember that a record that lasts wanted a key to prove what it does not, or not yet."""
        if len(self.missed) < MISSED_MOST and len(kid) <= KID_MOST and len(tenant) <= 256:
            self.missed.add((tenant, kid))

    def find(self, kid: str, tenant: str) -> KnownKey | None:
        """Return the key that proves records of `tenant` under `kid`: the pinned one, the tenant's own, or one of all."""
        pinned = self.pinned.get(kid)
        if pinned is not None:
            return self.known.get((pinned.key.tenant, kid), pinned) if self.known else pinned
        return self.known.get((tenant, kid)) or self.known.get(("", kid))

    def fell(self, kid: str, tenant: str) -> Fallen | None:
        """Return why the key under `kid` is not believed any more for `tenant`, or None where it is, or is not known."""
        found = self.pinned.get(kid)
        if found is not None:
            return self.fallen.get((found.key.tenant, kid))
        own = (tenant, kid)
        return self.fallen.get(own if own in self.known or own in self.fallen else ("", kid))

    def _stands(self, found: KnownKey, place: KeyPlace, at: int, lasts: bool) -> None:
        fallen = self.fallen.get(place)
        if fallen is not None and not (lasts and at < fallen.since):
            raise PoisonRecord(f"key `{place[1]}` is compromised since {fallen.since}", Reason.KEY_COMPROMISED)
        if not found.covers(at, self.skew_ms_max):
            ends = found.not_after or "no end"
            raise _unproved(
                f"key `{place[1]}` signs from {found.not_before} to {ends}, the record was appended at {at}"
            )

    def _signed(self, found: KnownKey, leaf: bytes, proof: Proved) -> None:
        """Raise PoisonRecord where the signature of a batch does not cover a leaf; remember the batch where it does."""
        try:
            root = root_from_path(leaf, proof.index, proof.size, proof.path)
        except ValueError as fault:
            raise _unproved(str(fault)) from None
        _check(found.public, proof.signature, batch_message(proof.size, root), proof.kid)
        self.remember(found.key.public, proof.size, proof.signature, root)

    def remember(self, public: bytes, size: int, signature: bytes, root: bytes) -> None:
        """Take the word of whoever verified it that `signature` by the key `public` covers a batch of `size` and `root`."""
        if (public, size, signature) not in self._trees:
            self._trees[public, size, signature] = KnownTree(root, size)
            self._nodes += 1
            self._forget()

    def remembers(self, public: bytes, size: int, signature: bytes) -> bool:
        """Return whether a batch's signature was verified, and is not forgotten yet."""
        return (public, size, signature) in self._trees

    def _forget(self) -> None:
        while len(self._trees) > _TREES_MOST or self._nodes > _NODES_MOST:
            self._nodes -= len(self._trees.pop(next(iter(self._trees))).nodes)

    def check(self, kid: str, message: bytes, signature: bytes, purposes: Collection[str]) -> str:
        """Return whose signature of `message` this is, as of a Seal; raise PoisonRecord (WRITER_UNPROVED) otherwise.

        Only pinned keys prove it.
        """
        key, public, _, _ = _for(self.pinned.get(kid), kid, len(self.pinned), purposes)
        _check(public, signature, message, kid)
        return key.issuer

    def purpose_of(self, kid: str, tenant: str) -> str:
        """Return what a key may sign of `tenant`, or an empty text where it is not known."""
        known = self.find(kid, tenant)
        return "" if known is None else known.key.purpose

    def tenant_of(self, kid: str, tenant: str) -> str:
        """Return whose records alone a key that signs those of `tenant` may sign, or an empty text where it may sign those of all."""
        known = self.find(kid, tenant)
        return "" if known is None else known.key.tenant

    def speaks_as(self, kid: str, source: str, tenant: str) -> bool:
        """Return whether a key may name `source` as the one who knows something of `tenant`."""
        known = self.find(kid, tenant)
        return known is not None and known.key.speaks_as(source)


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
        signature = self._key.sign(batch_message(size, levels[-1][0]))
        return [Proof(self.issuer, self.kid, index, size, path_in(levels, index), signature) for index in range(size)]


def batch_message(size: int, root: bytes) -> bytes:
    """Return what is signed of a batch of `size` records under `root`."""
    return b"placet/batch/1" + size.to_bytes(4, "big") + root


def _for(found: KnownKey | None, kid: str, among: int, purposes: Collection[str]) -> KnownKey:
    if found is None:
        raise _unproved(f"no key `{kid[:64]}` among the {among} that are known")
    if found.key.purpose not in purposes:
        raise _unproved(f"key `{kid}` is for `{found.key.purpose}`, expected {' or '.join(sorted(purposes))}")
    return found


def _check(key: Ed25519PublicKey, signature: bytes, message: bytes, kid: str) -> None:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        raise _unproved(f"the signature is not by key `{kid}`") from None


def _unproved(says: str) -> PoisonRecord:
    return PoisonRecord(says, Reason.WRITER_UNPROVED)
