"""Decisions of one partition as an outsider may believe them: held back until the Seal that covers them has verified."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from placet.errors import Corrupted, PoisonRecord
from placet.model.codec import BY_HEADER, Reader, open_frame
from placet.model.codec.seal import Seal
from placet.model.merkle import leaf_hash, root_of
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Rec
from placet.provenance.seal import DOMAIN, NO_ROOT, SIGNATURE_SIZE

DECISIONS = ("verdict", "repeat", "refusal", "halted", "review")
"""What a Seal closes."""
PENDING_MOST = 100_000


class Sealed(NamedTuple):
    """One decision record under a verified Seal. `name` is verdict, repeat or refusal."""

    rec: Rec
    name: str
    record: Any


class SealedReader:
    """Checks one partition of decisions, read in order of offset.

    With `genesis` reading starts at the very first record. Otherwise the first
    Seal is the anchor: of a batch that was entered in its middle nothing is
    believed. From then on sequence numbers, Seals and roots are without a gap;
    `Corrupted` says where they are not, and nothing after that is believed.

    A record of a schema that this package does not read, of a newer desk, can be
    neither understood nor hashed: nothing is believed of its batch, and the next
    Seal that can be read is the anchor from then on. `unread` are the ids met.
    """

    def __init__(self, partition: int, ring: KeyRing, *, cluster: str | None = None, genesis: bool = False) -> None:
        self.partition = partition
        self.seal: Seal | None = None
        self.unread: set[int] = set()
        self._torn = False
        self._ring = ring
        self._cluster = cluster
        self._genesis = genesis
        self._held: list[Sealed] = []
        self._hashes: list[bytes] = []
        self._failure: Corrupted | None = None

    def feed(self, recs: Sequence[Rec]) -> list[Sealed]:
        """Take what was read next; return what has now been sealed."""
        if self._failure is not None:
            raise self._failure
        out: list[Sealed] = []
        for rec in recs:
            try:
                out += self._take(rec)
            except PoisonRecord as error:
                raise self._fail(rec, str(error)) from error
        return out

    def _take(self, rec: Rec) -> list[Sealed]:
        value = rec.value or b""
        try:
            name, _ = open_frame(value)
        except PoisonRecord as error:
            if error.reason != Reason.SCHEMA_UNKNOWN:
                raise
            return self._tear(value)
        reader: Reader = BY_HEADER[value[:5]]
        if name == "seal":
            return self._close(rec, value, reader)
        if name not in DECISIONS:
            raise self._fail(rec, f"a {name} record, expected {', '.join(DECISIONS)} or seal")
        record = reader.decode(value)
        if self._torn:
            return []
        due = self._due()
        if record.partition != self.partition or (due is not None and record.seq != due):
            raise self._fail(rec, f"partition {record.partition} seq {record.seq}, expected {self.partition} seq {due}")
        if len(self._held) >= PENDING_MOST:
            raise self._fail(rec, f"{PENDING_MOST} records without a seal")
        self._held.append(Sealed(rec, name, record))
        self._hashes.append(leaf_hash(reader.FINGERPRINT + value[5:]))
        return []

    def _due(self) -> int | None:
        """Return the seq that must come next, or None before the first record of a reader without an anchor."""
        if self._held:
            return int(self._held[-1].record.seq) + 1
        if self.seal is not None:
            return self.seal.seq_to
        return 0 if self._genesis else None

    def _tear(self, value: bytes) -> list[Sealed]:
        """Pass over a batch that holds what cannot be read: up to the next Seal that can."""
        self.unread.add(int.from_bytes(value[1:5], "big"))
        self._held, self._hashes, self._torn = [], [], True
        return []

    def _close(self, rec: Rec, value: bytes, reader: Reader) -> list[Sealed]:
        seal: Seal = reader.decode(value)
        signed = DOMAIN + reader.FINGERPRINT + value[5:-SIGNATURE_SIZE]
        self._ring.check(seal.kid, signed, seal.signature, ("seal",))
        last, held = self.seal, self._held
        if seal.partition != self.partition:
            raise self._fail(rec, f"a seal of partition {seal.partition}, expected {self.partition}")
        if self._cluster not in (None, seal.cluster):
            raise self._fail(rec, f"a seal of cluster `{seal.cluster}`, expected `{self._cluster}`")
        if last is not None and (seal.epoch < last.epoch or seal.instant < last.instant):
            raise self._fail(rec, f"epoch {seal.epoch} at {seal.instant} after {last.epoch} at {last.instant}")
        if self._torn:
            return self._mend(rec, seal)
        if last is None and self._genesis:
            self._follows(rec, seal, NO_ROOT, 0)
        elif last is not None:
            self._follows(rec, seal, last.root, last.seq_to)
        elif held and held[0].record.seq > seal.seq_from and held[-1].record.seq + 1 == seal.seq_to:
            held, self._hashes = [], []  # entered in the middle of this batch: only its end is known
        if held or last is not None or self._genesis:
            first = held[0].record.seq if held else seal.seq_from
            if (first, first + len(held)) != (seal.seq_from, seal.seq_to):
                raise self._fail(
                    rec, f"a seal over seq {seal.seq_from} to {seal.seq_to}, expected {first} to {first + len(held)}"
                )
            if root_of(self._hashes) != seal.root:
                raise self._fail(rec, f"the root of seq {seal.seq_from} to {seal.seq_to} is another one")
        self._cluster, self.seal = seal.cluster, seal
        self._held, self._hashes = [], []
        return held

    def _mend(self, rec: Rec, seal: Seal) -> list[Sealed]:
        """Take a Seal as the anchor after a batch that was passed over; what was sealed before does not come again."""
        if self.seal is not None and seal.seq_from < self.seal.seq_to:
            raise self._fail(rec, f"a seal from seq {seal.seq_from}, expected {self.seal.seq_to} or more")
        self._cluster, self.seal, self._torn = seal.cluster, seal, False
        return []

    def _follows(self, rec: Rec, seal: Seal, root: bytes, seq: int) -> None:
        if seal.previous_root != root or seal.seq_from != seq:
            raise self._fail(
                rec,
                f"a seal from seq {seal.seq_from} after root {seal.previous_root.hex()[:16]}, "
                f"expected seq {seq} after root {root.hex()[:16]}",
            )

    def _fail(self, rec: Rec, what: str) -> Corrupted:
        self._failure = Corrupted(f"{Topic.DECISIONS.title}/{rec.partition}@{rec.offset}: {what}")
        return self._failure
