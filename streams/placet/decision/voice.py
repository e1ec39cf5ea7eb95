"""How a desk says things: decision records in order of their seq, each in its exact bytes."""

from hashlib import sha256

from placet.context.halts import Halt
from placet.decision.vault import Lock
from placet.model.codec import case, halted, quarantined, refusal, repeat, verdict
from placet.model.codec._wire import LONG
from placet.model.codec.halted import Halted
from placet.model.codec.quarantined import Quarantined
from placet.model.codec.refusal import Refusal
from placet.model.codec.repeat import Repeat
from placet.model.merkle import leaf_hash
from placet.model.topics import Topic
from placet.ports import Emits, Message, Rec

NOTHING = b"\x00"
"""An empty array, a null, or bytes of length 0, in Avro."""
QUARANTINED_BELOW = 200
"""Reasons below this number are faults of the record itself: its bytes are kept aside."""
DETAIL_MAX = 400
HALTED_KEY = b"halted"
VERDICT_LEAF = b"\0" + verdict.FINGERPRINT
"""Begins the leaf of every verdict (RFC 6962 §2.1): its fingerprint, then its payload."""


class Voice:
    """Speaks for one desk during one batch. `leaves` are the leaf hashes of its records, for the Seal's root."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self._partition = LONG[partition]
        self.seq = 0
        self.instant = 0
        self.emits = Emits()
        self.leaves: list[bytes] = []

    def begin(self, seq: int, instant: int) -> None:
        self.seq, self.instant = seq, instant
        self.emits = Emits()
        self.leaves = []

    def verdict(self, key: bytes, payload: bytes) -> int:
        """Emit a Verdict, spliced with the next seq; return that seq."""
        self.emits.decisions.append(tuple.__new__(Message, (key, verdict.HEADER + payload, None)))
        self.leaves.append(sha256(VERDICT_LEAF + payload).digest())
        self.seq = seq = self.seq + 1
        return seq - 1

    def case(self, key: bytes, lock: Lock, nonce: bytes, sealed: bytes) -> None:
        """Emit the encrypted case of the verdict that is emitted next."""
        value = b"".join(
            (
                case.HEADER,
                lock.owner,
                self._partition,
                LONG[self.seq],
                lock.key_id,
                nonce,
                LONG[len(sealed)],
                sealed,
            )
        )
        self.emits.cases.append(tuple.__new__(Message, (key, value, None)))

    def repeat(
        self, rec: Rec, tenant: str, authority: str, identity: tuple[bytes, int], first_seq: int, key: bytes
    ) -> None:
        """Emit a pointer to the first answer."""
        payload = repeat.encode(
            Repeat(
                tenant=tenant,
                authority=authority,
                id=identity[0],
                attempt=identity[1],
                partition=self.partition,
                seq=self.seq,
                instant=self.instant,
                cause_topic=rec.topic,
                cause_offset=rec.offset,
                asked_at=rec.at,
                first_seq=first_seq,
                first_offset=-1,
            )
        )
        self.emits.decisions.append(Message(key, repeat.HEADER + payload))
        self.leaves.append(leaf_hash(repeat.FINGERPRINT + payload))
        self.seq += 1

    def refusal(
        self,
        rec: Rec,
        reason: int,
        detail: str,
        identity: tuple[str, str, bytes, int] = ("", "", b"", 0),
        key: bytes = b"",
        retry_after_ms: int = 0,
    ) -> None:
        """Emit the one refusal of a record; a faulty one is kept aside in its exact bytes."""
        tenant, authority, intent_id, attempt = identity
        payload = refusal.encode(
            Refusal(
                partition=self.partition,
                seq=self.seq,
                instant=self.instant,
                cause_topic=rec.topic,
                cause_partition=rec.partition,
                cause_offset=rec.offset,
                asked_at=rec.at,
                reason=reason,
                detail=detail[:DETAIL_MAX],
                raw_digest=sha256(rec.value or b"").digest(),
                tenant=tenant,
                authority=authority,
                id=intent_id,
                attempt=attempt,
                retry_after_ms=retry_after_ms,
            )
        )
        self.emits.decisions.append(Message(key, refusal.HEADER + payload))
        self.leaves.append(leaf_hash(refusal.FINGERPRINT + payload))
        self.seq += 1
        if reason < QUARANTINED_BELOW:
            self._quarantine(rec, reason, detail[:DETAIL_MAX])

    def halted(self, halt: Halt, *, resumed: bool) -> None:
        """Emit that a halt stands in this partition from here on, or that it stands no more."""
        payload = halted.encode(
            Halted(
                tenant=halt.tenant,
                id=halt.id,
                scope=halt.scope,
                resumed=resumed,
                partition=self.partition,
                seq=self.seq,
                instant=self.instant,
                cause_topic=Topic.CONTROLS,
                cause_partition=halt.place[0],
                cause_offset=halt.place[1],
                by=halt.by,
                reason=halt.reason[:DETAIL_MAX],
            )
        )
        self.emits.decisions.append(Message(HALTED_KEY, halted.HEADER + payload))
        self.leaves.append(leaf_hash(halted.FINGERPRINT + payload))
        self.seq += 1

    def _quarantine(self, rec: Rec, reason: int, detail: str) -> None:
        kept = Quarantined(rec.topic, rec.partition, rec.offset, rec.at, reason, detail, rec.key, rec.value)
        place = f"{rec.topic}/{rec.partition}/{rec.offset}".encode()
        self.emits.quarantine.append(Message(place, quarantined.frame(kept), rec.trace))
