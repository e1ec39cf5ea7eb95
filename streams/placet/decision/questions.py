"""Intents and their withdrawal: heard before, asked in time, answered once."""

from placet.decision import intake
from placet.decision.answer import Answer
from placet.decision.arrow import Cause
from placet.decision.book import Book
from placet.decision.guidance import Guide
from placet.decision.intake import Asked, Intake
from placet.decision.judge import Judge
from placet.decision.leases import lease_of
from placet.decision.life import OPEN, WAITING
from placet.decision.load import HELD, NAMES, PARKED, PENDING
from placet.decision.settled import CUT, TRANSIENT_FLAG, slot_of
from placet.errors import PoisonRecord
from placet.model.codec.desk_change import Lease
from placet.model.codec.withdraw import Withdraw
from placet.model.reasons import Effect, Reason, State
from placet.policy.evaluate import Plan
from placet.ports import Rec

Identity = tuple[str, str, bytes, int]
BEHIND = "the context has not been read up to `at_least`"


class Questions:
    """What a desk does with the records of `placet.intents`."""

    def __init__(self, book: Book, judge: Judge, reader: Intake) -> None:
        self._book = book
        self._judge = judge
        self._reader = reader
        self.guide = Guide()

    def ask(self, rec: Rec, asked: Asked) -> None:
        """Answer one intent record: a verdict, a pointer to the first one, or a refusal."""
        book, intent, slot = self._book, asked.intent, asked.slot
        instant, deadline = book.instant, intent.deadline
        known = book.settled.find(slot)
        if known is not None and known.deadline > instant and deadline > instant:
            if known.intent_digest == asked.intent_digest[:CUT]:
                identity = (intent.id, intent.attempt)
                book.voice.repeat(rec, intent.tenant, intent.authority, identity, known.seq, asked.key)
            else:
                self._refuse(rec, asked, Reason.INTENT_ID_REUSED, "the same id and attempt with other content")
            return
        if slot in book.leases.open:
            # A claim may outlive the deadline, and what is unknown outlives everything until it is settled.
            self._refuse(rec, asked, Reason.INTENT_ID_REUSED, "what was asked under this id and attempt is still open")
            return
        if deadline <= instant:
            self._refuse(rec, asked, Reason.ASKED_TOO_LATE, f"its deadline was {deadline}")
            return
        active, plan = self._judge.plan_of(intent)
        longest = book.settings.deadline_ms_max if plan is None else plan.deadline_ms_max
        if deadline - instant > longest:
            self._refuse(rec, asked, Reason.DEADLINE_TOO_FAR, f"expected at most {longest} ms ahead")
            return
        if intent.attempt > 1 and not self._follows(asked):
            self._refuse(
                rec, asked, Reason.ATTEMPT_NOT_NEXT, "the attempt before it did not end in a transient refusal"
            )
            return
        topic, partition, offset, at, _, _, _ = rec
        cause = Cause(topic, partition, offset)
        transient = self._transient(asked, at)
        if transient is not None:
            book.first(asked, transient, cause, at, None)
            return
        if intent.at_least and not self._judge.covers(intent.at_least):
            self._await(rec, asked, plan, cause)
            return
        judge = self._judge
        session = book.session_of(asked)
        answer = judge.judge(asked, active, plan, session)
        if not answer.grants:
            self.guide.tell(answer, asked, plan, judge.joiner)
        body = judge.body(asked, answer, session) if judge.keeps_case(intent, answer) else None
        seq = book.first(asked, answer, cause, at, body)
        if answer.state in OPEN:
            book.open(lease_of(asked, answer, seq, cause, at), judge.joiner.index, asked.key)
            book.readings.put(asked)

    def withdraw(self, rec: Rec, said: tuple[Withdraw, bytes]) -> None:
        """Take back an intent that waits or is granted, at its own actor's word."""
        book = self._book
        taken, key = said
        identity = (taken.tenant, taken.authority, taken.id, taken.attempt)
        lease = book.leases.open.get(intake.slot_in(key, taken.id, taken.attempt))
        if lease is None or State(lease.state) not in WAITING | {State.GRANTED}:
            book.refuse(rec, Reason.CLAIM_UNKNOWN, "nothing open to withdraw", identity, key)
            return
        asked = self.recall(lease)
        _, plan = self._judge.plan_of(asked.intent)
        if taken.proof is None and (asked.intent.proof is not None or plan is None or not plan.unsigned_intents):
            raise PoisonRecord("withdraw: unsigned, and what it takes back is not", Reason.WRITER_UNPROVED)
        if taken.actor != asked.intent.actor:
            book.refuse(rec, Reason.CLAIM_MISMATCH, "only its actor may withdraw it", identity, key)
            return
        answer = Answer(State.WITHDRAWN, Effect(lease.effect), Reason.WITHDRAWN_BY_ACTOR, detail=taken.reason[:256])
        book.move(lease, asked, answer, Cause(rec.topic, rec.partition, rec.offset), None)
        book.close(lease.slot)

    def recall(self, lease: Lease) -> Asked:
        """Return what an open intent asked: as it is remembered, or read again from its own bytes."""
        known = self._book.readings.get(lease.slot)
        if known is not None and known.value == lease.intent:
            return known
        return self._reader.recall(lease.intent)

    def _follows(self, asked: Asked) -> bool:
        before = self._book.settled.find(slot_of(asked.key, asked.intent.id, asked.intent.attempt - 1))
        return (
            before is not None
            and before.deadline > self._book.instant
            and bool(before.flags & TRANSIENT_FLAG)
            and before.action_digest == asked.action_digest[:CUT]
        )

    def _await(self, rec: Rec, asked: Asked, plan: Plan | None, cause: Cause) -> None:
        """Defer an intent until the context was read as far as it asks; nothing is decided of it before.

        It takes a place of its actor's, who need not act for the authority it names. One that anybody may have written
        takes none, where the packs do not want that or nobody knows its actor: it is refused as transient.
        """
        book, intent, settings = self._book, asked.intent, self._book.settings
        most, writer = settings.parked_most, f"{intent.tenant}/{intent.actor}".encode()
        refused = None
        if intent.proof is None and (
            plan is None or not plan.unsigned_intents or not self._judge.joiner.knows(intent.tenant, intent.actor)
        ):
            refused = Reason.CONTEXT_SILENT, BEHIND
        elif book.leases.load.awaiting(writer) >= most:
            refused = Reason.OVERLOADED, f"{most} intents of this actor wait for the context: expected at most {most}"
        if refused is not None:
            answer = Answer(State.DENIED, Effect.DENY, refused[0], detail=refused[1], retry_after_ms=settings.retry_ms)
            book.first(asked, answer, cause, rec.at, None)
            return
        longest = settings.defer_ms_max if plan is None else plan.defer_ms_max
        until = min(book.instant + longest, intent.deadline)
        answer = Answer(State.DEFERRED, Effect.DEFER, Reason.CONTEXT_SILENT, detail=BEHIND, until=until)
        seq = book.first(asked, answer, cause, rec.at, None)
        book.open(lease_of(asked, answer, seq, cause, rec.at), self._judge.joiner.grounds(intent), asked.key)
        book.readings.put(asked)
        book.awaiting.wait(asked.slot, intent.at_least)

    def _transient(self, asked: Asked, at: int) -> Answer | None:
        """Return the refusal that lag or a key too full asks for, or None."""
        settings, lag = self._book.settings, self._book.instant - at
        if lag > settings.lag_ms_max:
            reason, detail = Reason.LAGGING, f"read {lag} ms after it was appended"
        elif full := self._full(asked.key):
            reason, detail = Reason.OVERLOADED, full
        else:
            return None
        return Answer(State.DENIED, Effect.DENY, reason, detail=detail, retry_after_ms=settings.retry_ms)

    def _full(self, key: bytes) -> str:
        """Return which bound of open intents a key has reached, or an empty text."""
        counts = self._book.leases.load.of(key)
        if counts is None:
            return ""
        settings = self._book.settings
        bounds = (settings.parked_most, settings.pending_most, settings.held_most)
        if counts[PARKED] < bounds[PARKED] and counts[PENDING] < bounds[PENDING] and counts[HELD] < bounds[HELD]:
            return ""
        group = next(group for group, count in enumerate(counts) if count >= bounds[group])
        return f"{counts[group]} intents of this authority are {NAMES[group]}: expected at most {bounds[group]}"

    def _refuse(self, rec: Rec, asked: Asked, reason: Reason, detail: str) -> None:
        intent = asked.intent
        identity = (intent.tenant, intent.authority, intent.id, intent.attempt)
        self._book.refuse(rec, reason, detail, identity, asked.key)
