"""How a desk says things: decision records in order of their seq, each in its exact bytes."""

from hashlib import sha256

from placet.context.halts import Halt
from placet.decision.answer import Answer
from placet.decision.arrow import NEVER, Cause, Said
from placet.decision.intake import Asked
from placet.decision.vault import Vault, commitment
from placet.model.codec import case, halted, quarantined, refusal, repeat, review, verdict
from placet.model.codec._wire import LONG, long
from placet.model.codec.halted import Halted
from placet.model.codec.quarantined import Quarantined
from placet.model.codec.refusal import Refusal
from placet.model.codec.repeat import Repeat
from placet.model.codec.review import Review
from placet.model.codec.verdict import Obligation
from placet.model.merkle import leaf_hash
from placet.model.topics import Topic
from placet.policy.evaluate import Finding
from placet.ports import Emits, Message, Rec

NOTHING = b"\x00"
"""An empty array, a null, or bytes of length 0, in Avro."""
Encoded = tuple[bytes, bytes, bytes]
"""Rules, missing facts and obligations of a finding."""
NO_FINDING: Encoded = (NOTHING, NOTHING, NOTHING)
QUARANTINED_BELOW = 200
"""Reasons below this number are faults of the record itself: its bytes are kept aside."""
DETAIL_MAX = 400
HALTED_KEY = b"halted"
SLICE = 64
"""Verdicts written at once."""
FINDINGS_MOST = 10_000
"""Findings remembered in their bytes."""
VERDICT_LEAF = b"\0" + verdict.FINGERPRINT
"""Begins the leaf of every verdict (RFC 6962 §2.1): its fingerprint, then its payload."""


Saying = tuple[int, Asked, Answer, Cause, int, int, int, bytes | None, Said]
"""A verdict that is still to be written, as `Voice.say` is given it, behind its seq."""


class Voice:
    """Speaks for one desk during one batch. `leaves` are the leaf hashes of its records, for the Seal's root.

    Verdicts have their seq at once and are written a slice at a time, before
    anything else is said: one kind of work at a time is done faster.
    """

    def __init__(self, partition: int, vault: Vault) -> None:
        self.partition = partition
        self._vault = vault
        self._partition = long(partition)
        self.seq = 0
        self.instant = 0
        self.emits = Emits()
        self.leaves: list[bytes] = []
        self._waiting: list[Saying] = []
        self._findings: dict[int, tuple[Finding, Encoded]] = {}

    def begin(self, seq: int, instant: int) -> None:
        self.seq, self.instant = seq, instant
        self.emits = Emits()
        self.leaves = []
        self._waiting = []

    def say(
        self,
        asked: Asked,
        answer: Answer,
        cause: Cause,
        previous: int,
        asked_offset: int,
        asked_at: int,
        body: bytes | None,
        said: Said,
    ) -> int:
        """Say the next verdict on what was asked, with the case `body` it rests on; return its seq.

        `previous` is the seq of the one before it in the life of what was asked.
        """
        seq = self.seq
        self.seq = seq + 1
        waiting = self._waiting
        waiting.append((seq, asked, answer, cause, previous, asked_offset, asked_at, body, said))
        if len(waiting) == SLICE:
            self.write()
        return seq

    def write(self) -> None:
        """Write all verdicts that wait for it."""
        for saying in self._waiting:
            self._write(saying)
        self._waiting.clear()

    def _write(self, saying: Saying) -> None:
        payload = self.payload(saying)
        self.emits.decisions.append(tuple.__new__(Message, (saying[1].key, verdict.HEADER + payload, None)))
        self.leaves.append(sha256(VERDICT_LEAF + payload).digest())

    def payload(self, saying: Saying) -> bytes:
        """Return a verdict's payload; its case goes out beside it."""
        seq, asked, answer, cause, previous, asked_offset, asked_at, body, said = saying
        intent, key, finding, until = asked.intent, asked.key, answer.finding, answer.until
        committed = b"" if body is None else self._case(key, seq, body)
        rules, missing, obligations = NO_FINDING if finding is None else self._of(finding)
        arguments = answer.granted_arguments
        return verdict.splice(
            asked.head,
            self.partition,
            seq,
            previous,
            self.instant,
            answer.state,
            answer.effect,
            answer.reason,
            said.stop,
            cause.topic,
            cause.partition,
            cause.offset,
            asked_offset,
            asked_at,
            asked.intent_digest,
            asked.action_digest,
            answer.granted_digest,
            NOTHING if arguments is None else verdict.encode_granted_arguments(arguments),
            intent.audience,
            intent.deadline,
            until if until < NEVER else 0,
            answer.claim_required,
            answer.act_ms_max,
            answer.retry_after_ms,
            answer.set_digest,
            answer.engine,
            committed,
            rules,
            missing,
            obligations,
            NOTHING if answer.approval is None else verdict.encode_approval(answer.approval),
            answer.posted or (verdict.encode_holds(answer.posts) if answer.posts else NOTHING),
            said.executor,
            said.nonce,
            said.ran_digest,
            said.sensitivity,
            said.origin,
            said.detail or answer.detail,
            verdict.encode_bounds(answer.bounds) if answer.bounds else NOTHING,
            verdict.encode_ask(answer.ask) if answer.ask else NOTHING,
        )

    def _case(self, key: bytes, seq: int, body: bytes) -> bytes:
        """Emit a case under lock, and return the commitment to it."""
        lock = self._vault.lock_of(key)
        nonce, sealed = self._vault.encrypt(lock, self.partition, seq, body)
        size = len(sealed)
        value = b"".join(
            (
                case.HEADER,
                lock.owner,
                self._partition,
                LONG.get(seq) or long(seq),
                lock.key_id,
                nonce,
                LONG.get(size) or long(size),
                sealed,
            )
        )
        self.emits.cases.append(tuple.__new__(Message, (key, value, None)))
        return commitment(lock.salt, body)

    def _of(self, finding: Finding) -> Encoded:
        """Return a finding's rules, missing facts and obligations, encoded once for as long as it is remembered."""
        known = self._findings.get(id(finding))
        if known is None:
            if len(self._findings) > FINDINGS_MOST:
                self._findings.clear()
            known = self._findings[id(finding)] = (
                finding,
                (
                    verdict.encode_rules(finding.rules),
                    verdict.encode_missing(finding.missing),
                    verdict.encode_obligations(_obligations(finding)),
                ),
            )
        return known[1]

    def repeat(
        self, rec: Rec, tenant: str, authority: str, identity: tuple[bytes, int], first_seq: int, key: bytes
    ) -> None:
        """Emit a pointer to the first answer."""
        self.write()
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
        self.write()
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
        self.write()
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

    def review(self, record: Review, cause: Cause) -> tuple[Review, bytes]:
        """Emit where the review of an emergency is now; return the record as it was said, and in its framing."""
        self.write()
        said = record._replace(
            previous_seq=record.seq,
            seq=self.seq,
            instant=self.instant,
            cause_topic=cause.topic,
            cause_partition=cause.partition,
            cause_offset=cause.offset,
        )
        payload = review.encode(said)
        value = review.HEADER + payload
        self.emits.decisions.append(Message(f"{said.tenant}/{said.authority}".encode(), value))
        self.leaves.append(leaf_hash(review.FINGERPRINT + payload))
        self.seq += 1
        return said, value

    def _quarantine(self, rec: Rec, reason: int, detail: str) -> None:
        kept = Quarantined(rec.topic, rec.partition, rec.offset, rec.at, reason, detail, rec.key, rec.value)
        place = f"{rec.topic}/{rec.partition}/{rec.offset}".encode()
        self.emits.quarantine.append(Message(place, quarantined.frame(kept), rec.trace))


def _obligations(finding: Finding) -> tuple[Obligation, ...]:
    """Return a finding's obligations as a verdict carries them."""
    return tuple(Obligation(o.kind, o.argument, o.value) for o in finding.obligations)
