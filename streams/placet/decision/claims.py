"""Claims and outcomes: what an executor says it begins, and what it says it did."""

from placet.decision import intake
from placet.decision.answer import Answer
from placet.decision.arrow import Cause, Said
from placet.decision.book import Book
from placet.decision.intake import Asked
from placet.decision.judge import Judge
from placet.decision.leases import claimed
from placet.decision.life import CLAIMED, GRANTED, UNKNOWN
from placet.decision.questions import Questions
from placet.errors import PoisonRecord
from placet.model.case import ORIGIN_RANKS, ORIGINS, RANKS
from placet.model.codec.claim import Claim
from placet.model.codec.desk_change import Lease, Session
from placet.model.codec.outcome import Outcome
from placet.model.reasons import Effect, Reason, State
from placet.ports import Rec

SILENT = Reason.FACT_SILENT
"""Whatever a pack says of a silent fact: silence is no word against a grant, and passes."""
BEGUN, REPORTED, DONE = Reason.CLAIMED, Reason.REPORTED, State.DONE
REPORTABLE: dict[int, State] = {int(state): state for state in (State.DONE, State.FAILED, State.REFUSED)}
EFFECTS: dict[int, Effect] = {int(effect): effect for effect in Effect}
GRANT, UNDER_WAY = (GRANTED, CLAIMED), (CLAIMED, UNKNOWN)
"""What a claim may be about, and what an outcome."""
DETAIL_MAX = 256


class Claims:
    """What a desk does with the records of `placet.outcomes`."""

    def __init__(self, book: Book, judge: Judge, questions: Questions) -> None:
        self._book = book
        self._judge = judge
        self._questions = questions

    def claim(self, rec: Rec, said: tuple[Claim, bytes]) -> None:
        """Decide a claim under the newest context: claimed, refused with the state as it was, or revoked."""
        made, key = said
        lease = self._book.leases.open.get(intake.slot_in(key, made.id, made.attempt))
        if lease is not None and lease.nonce == made.nonce and lease.executor == made.executor:
            identity = (made.id, made.attempt)
            self._book.voice.repeat(rec, made.tenant, made.authority, identity, lease.seq, key)
            return
        refused = self._refused(made, lease, rec)
        if refused is None and lease is not None:
            refused = self._decide(made, lease, rec)
        if refused is not None:
            reason, detail, retry_ms = refused
            identity_ = (made.tenant, made.authority, made.id, made.attempt)
            self._book.refuse(rec, reason, detail, identity_, key, retry_ms)

    def _refused(self, made: Claim, lease: Lease | None, rec: Rec) -> tuple[Reason, str, int] | None:
        """Return why a claim is refused before anything is decided again, or None."""
        book = self._book
        if lease is None or lease.state not in GRANT:
            return Reason.CLAIM_UNKNOWN, "no open grant under this id and attempt", 0
        if lease.state == CLAIMED:
            return Reason.CLAIM_TAKEN, "claimed with another nonce or by another executor", 0
        if lease.granted_digest != made.granted_digest:
            return Reason.CLAIM_MISMATCH, "not the digest that was granted", 0
        if lease.until <= book.instant:
            return Reason.LEASE_ENDED, f"the lease ended at {lease.until}", 0
        lag = book.instant - rec.at
        if lag > book.settings.lag_ms_max:
            return Reason.LAGGING, f"read {lag} ms after it was appended", book.settings.retry_ms
        return None

    def _decide(self, made: Claim, lease: Lease, rec: Rec) -> tuple[Reason, str, int] | None:
        book, judge = self._book, self._judge
        asked = self._questions.recall(lease)
        if asked.intent.audience and asked.intent.audience != made.executor:
            return Reason.CLAIM_MISMATCH, f"granted to `{asked.intent.audience}`", 0
        if not asked.intent.audience:
            # The grant is everybody's: what stands against one executor ends that claim, not the grant.
            if not judge.joiner.active(made.tenant, made.executor):
                return Reason.CLAIM_MISMATCH, f"`{made.executor}` is not an active principal", 0
            halt = judge.halt_of_tool(made.tenant, made.executor)
            if halt is not None:
                return Reason.HALTED, f"halt `{halt.id}` of {halt.scope}", 0
        session = book.session_of(asked)
        active, plan = judge.plan_of(asked.intent)
        now = judge.judge(asked, active, plan, session, made.executor, lease)
        if now.reason is SILENT:
            return Reason.CONTEXT_SILENT, "a feed is silent past its bound", book.settings.retry_ms
        cause = Cause(rec.topic, rec.partition, rec.offset)
        body = judge.body(asked, now, session) if now.set_digest else None
        if not now.grants or now.granted_digest != lease.granted_digest or now.recounted:
            why = Reason.GRANT_DIFFERS if now.grants else Reason.CONTEXT_CHANGED
            now.detail = now.detail or now.reason.name.lower()
            now.state, now.reason, now.granted_digest, now.granted_arguments, now.until = (
                State.REVOKED,
                why,
                b"",
                None,
                0,
            )
            book.move(lease, asked, now, cause, body)
            book.close(lease.slot)
            return None
        now.state, now.reason, now.until = CLAIMED, BEGUN, book.instant + now.act_ms_max
        now.claim_required = lease.claim_required
        seq = book.move(lease, asked, now, cause, body, Said(executor=made.executor, nonce=made.nonce))
        book.open(claimed(lease, now, seq, made.executor, made.nonce), judge.joiner.index, asked.key)
        return None

    def outcome(self, rec: Rec, heard: tuple[Outcome, bytes, str, bool]) -> None:
        """Take an executor's report, or a person's settlement of what stayed unknown."""
        told, key, issuer, settles = heard
        self._check(told)
        lease = self._book.leases.open.get(intake.slot_in(key, told.id, told.attempt))
        fault = self._fault(told, lease, settles)
        if lease is None or fault is not None:
            identity = (told.tenant, told.authority, told.id, told.attempt)
            self._book.refuse(rec, *(fault or (Reason.OUTCOME_UNKNOWN, "")), identity, key)
            return
        asked = self._questions.recall(lease)
        reason = Reason.SETTLED if settles else REPORTED
        answer = Answer(REPORTABLE[told.result], EFFECTS[lease.effect], reason, granted_digest=lease.granted_digest)
        said = Said(
            executor=told.executor or issuer,
            nonce=told.nonce if lease.nonce else b"",
            ran_digest=told.ran_digest,
            sensitivity=told.sensitivity,
            origin=told.origin,
            detail=told.detail[:DETAIL_MAX],
        )
        seq = self._book.move(lease, asked, answer, Cause(rec.topic, rec.partition, rec.offset), None, said)
        self._book.close(lease.slot)
        self._taint(asked, told, seq)

    def _fault(self, told: Outcome, lease: Lease | None, settles: bool) -> tuple[Reason, str] | None:
        if lease is None or lease.state not in UNDER_WAY:
            return Reason.OUTCOME_UNKNOWN, "nothing claimed under this id and attempt"
        if lease.state == UNKNOWN and told.result == State.REFUSED:
            return Reason.OUTCOME_MISMATCH, "what is unknown ends as done or failed"
        if settles and lease.state != UNKNOWN:
            return Reason.OUTCOME_MISMATCH, "only what is unknown is settled"
        if settles:
            return None
        if lease.executor != told.executor or (lease.nonce and lease.nonce != told.nonce):
            return Reason.OUTCOME_MISMATCH, "not who claimed it, or another nonce"
        if told.result == DONE and told.ran_digest != lease.granted_digest:
            return Reason.OUTCOME_MISMATCH, "what ran is not what was granted"
        return None

    def _taint(self, asked: Asked, told: Outcome, seq: int) -> None:
        """Remember the gravest label and the least trusted origin of what came back to the session."""
        name = asked.intent.session
        if not name or not (told.sensitivity or told.origin):
            return
        key = f"{asked.key.decode()}/{name}"
        known = self._book.sessions.get(key)
        origin = max(ORIGIN_RANKS.get(told.origin, 0), known.origin if known else 0)
        rank = max(RANKS.get(told.sensitivity, 0), known.rank if known else 0)
        self._book.hear(Session(key, origin, rank, seq, self._book.instant))

    def _check(self, told: Outcome) -> None:
        if told.result not in REPORTABLE:
            raise PoisonRecord(f"outcome.result {told.result}: expected 6, 7 or 8", Reason.MALFORMED)
        if told.sensitivity and told.sensitivity not in RANKS:
            raise PoisonRecord(f"outcome.sensitivity `{told.sensitivity}`: not a label", Reason.MALFORMED)
        if told.origin and told.origin not in ORIGINS[1:]:
            raise PoisonRecord(f"outcome.origin `{told.origin}`: expected internal or external", Reason.MALFORMED)
