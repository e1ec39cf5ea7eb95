"""Seals: the signed close of each batch, chained so that a gap, a repeat or a change of the past shows."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.errors import Corrupted, PoisonRecord
from placet.model.codec import BY_HEADER, HEADERS, READERS, seal
from placet.model.codec.seal import Mark, Position, Seal
from placet.model.merkle import leaf_hash, root_of
from placet.model.proof import KeyRing
from placet.ports import Rec

DOMAIN = b"placet/seal/1"
SIGNATURE_SIZE = 64
NO_ROOT = bytes(32)
FIRST_EPOCH = 1

SEALS = HEADERS["seal"]
FINGERPRINTS: dict[bytes, bytes] = {
    reader.HEADER: reader.FINGERPRINT
    for name in ("verdict", "repeat", "refusal", "halted", "review")
    for reader in READERS[name]
}
"""Framing of a decision record to the fingerprint that its leaf begins with."""


class SealKey(NamedTuple):
    """What a desk's Seals are signed with."""

    kid: str
    private: Ed25519PrivateKey


class SealChain:
    """The Seals of one partition. `close` makes the next one, which counts once it is kept."""

    def __init__(self, cluster: str, partition: int, key: SealKey, last: Seal | None) -> None:
        self._cluster = cluster
        self._partition = partition
        self._key = key
        self._root = NO_ROOT if last is None else last.root
        self._next_root = self._root
        self.epoch = FIRST_EPOCH if last is None else last.epoch + 1

    def close(
        self,
        said: Sequence[bytes],
        seq_to: int,
        read_cut: Sequence[Mark],
        swept_cut: Sequence[Mark],
        inputs: Iterable[tuple[int, int]],
        instant: int,
        desk_ordinal: int,
    ) -> bytes:
        """Return the framed Seal over a batch.

        `said` holds the leaf hash of each record in order of seq;
        `inputs` are (topic, one past the last record decided).
        """
        self._next_root = root_of(said)
        unsigned = seal.encode(
            Seal(
                cluster=self._cluster,
                partition=self._partition,
                epoch=self.epoch,
                seq_from=seq_to - len(said),
                seq_to=seq_to,
                previous_root=self._root,
                root=self._next_root,
                read_cut=tuple(read_cut),
                swept_cut=tuple(swept_cut),
                inputs=tuple(Position(topic, self._partition, offset) for topic, offset in sorted(inputs)),
                instant=instant,
                desk_ordinal=desk_ordinal,
                kid=self._key.kid,
                signature=bytes(SIGNATURE_SIZE),
            )
        )[:-SIGNATURE_SIZE]
        return seal.HEADER + unsigned + self._key.private.sign(DOMAIN + seal.FINGERPRINT + unsigned)

    def keep(self) -> None:
        """The last Seal is committed: the next one follows it."""
        self._root = self._next_root


def leaf_of(value: bytes) -> bytes:
    """Return the leaf hash of a framed decision record; raise Corrupted where it is none."""
    fingerprint = FINGERPRINTS.get(value[:5])
    if fingerprint is None:
        raise Corrupted(f"a record with framing {value[:5].hex()} among the decisions")
    return leaf_hash(fingerprint + value[5:])


def last_seal(tail: Sequence[Rec], keys: KeyRing) -> Seal | None:
    """Return the Seal that ends `tail`, having checked its signature, and the batch it closes against root and count.

    `tail` is empty in a partition never served. Raise Corrupted where it does
    not end in a Seal of a pinned key, or holds more or other records than that
    Seal says.
    """
    if not tail:
        return None
    values = [rec.value or b"" for rec in tail]
    place = f"placet.decisions/{tail[-1].partition}@{tail[-1].offset}"
    if values[-1][:5] not in SEALS:
        raise Corrupted(f"{place}: the last decision is not sealed")
    try:
        reader = BY_HEADER[values[-1][:5]]
        closed: Seal = reader.decode(values[-1])
        signed = DOMAIN + reader.FINGERPRINT + values[-1][5:-SIGNATURE_SIZE]
        keys.check(closed.kid, signed, closed.signature, ("seal",))
    except PoisonRecord as fault:
        raise Corrupted(f"{place}: {fault}") from None
    batch: list[bytes] = []
    for value in reversed(values[:-1]):
        if value[:5] in SEALS:
            break
        batch.insert(0, leaf_of(value))
    if len(batch) != closed.seq_to - closed.seq_from:
        raise Corrupted(f"{place}: the seal closes {closed.seq_to - closed.seq_from} records, {len(batch)} are there")
    if root_of(batch) != closed.root:
        raise Corrupted(f"{place}: the batch does not have the root that its seal says")
    return closed
