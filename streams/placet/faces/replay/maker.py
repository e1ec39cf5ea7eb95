"""Answers made again, one batch after another, by the code of a desk. Nothing recorded of an answer is in reach here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from placet.decision import intake
from placet.decision.arrow import CLOCK
from placet.decision.claims import Claims
from placet.decision.follow import Follow
from placet.decision.held import key_in
from placet.decision.life import PENDING, WAITING
from placet.decision.load import awaits_context
from placet.decision.questions import Questions
from placet.decision.reviewing import Reviewing
from placet.decision.settled import slot_of
from placet.decision.sweeps import Sweeps
from placet.decision.votes import Votes
from placet.errors import Corrupted, PoisonRecord
from placet.faces.replay.closed import Task
from placet.faces.replay.deciding import (
    LIFE_GONE,
    NO_CASE,
    CaseBook,
    CaseJoiner,
    CaseJudge,
    CaseLimits,
    NotKept,
    Readings,
    Reread,
)
from placet.faces.replay.known import Recalled
from placet.faces.replay.opened import Known, Reader, Unreadable
from placet.faces.replay.settled import Active, Packs, Settled
from placet.model.codec import HEADERS
from placet.model.codec.case import Case
from placet.model.codec.case_body import Mark, encode_cut
from placet.model.codec.desk_change import Lease
from placet.model.codec.intent import Intent
from placet.model.codec.review import Review
from placet.model.reasons import ReviewState
from placet.policy.evaluate import ENGINE, PolicySet
from placet.ports import Rec

INTENTS, VOTES = HEADERS["intent"], HEADERS["vote"]
CLAIMS, OUTCOMES, WITHDRAWALS = HEADERS["claim"], HEADERS["outcome"], HEADERS["withdraw"]
INPUT_GONE = "the record it answers is no longer there"
NO_VOTERS = "no case was kept: who votes on the review of an emergency is looked up when the vote comes"
NO_PACKS = "no case was kept: a key that put packs into service is compromised, and with it they were gone"
NOTHING_WITH_IT = "nothing is said with the decision before it"
DECIDED = frozenset({"verdict", "review"})
"""Kinds of decisions that are made again."""


class Made(NamedTuple):
    """One decision made again. `value` is the record in its framing, None where none was made.

    `told` says what came instead of it, `why` that nothing could be
    decided. Of what is `swept` the cause is whichever change was heard first:
    that is no decision, and is taken over from the record.
    """

    seq: int
    value: bytes | None
    told: str = ""
    why: str = ""
    swept: bool = False


class Maker:
    """Decides one partition again. Of each batch it is given the task, and what it made is adopted before the next."""

    def __init__(self, partition: int, settled: Settled) -> None:
        self.tables = Recalled()
        self.book = CaseBook(partition, settled.settings, self.tables)
        self.readings = Readings()
        self._limits = CaseLimits(self.readings, self.book.leases.holdings, self.book.meters, settled.settings)
        self._settled = settled
        self._reader = Reader()
        self._active = Active(settled.shelf, self.tables)
        self._joiner = CaseJoiner(self.tables)
        library: Any = Packs(self._active)
        self._judge = CaseJudge(self._joiner, library, self.tables, settled.settings, self._limits, self.book.reviews)
        self.intake = Reread(partition, settled.partitions, settled.ring)
        self._questions = Questions(self.book, self._judge, self.intake)
        self._claims = Claims(self.book, self._judge, self._questions)
        follow = Follow(self.book, self._judge)
        self._reviewing = Reviewing(self.book, self._questions, self.tables)
        self._votes = Votes(self.book, self._judge, self._questions, follow, self._reviewing)
        self._sweeps = Sweeps(self.book, self._judge, self._questions, follow)
        self._reviewed: Review | None = None
        self._cut: tuple[Any, bytes] = ((), b"\0")
        self.before: Lease | None = None
        self.lost: set[bytes] = set()
        self.whole = True
        self._begun = False

    def make(self, task: Task) -> Iterator[Made]:
        """Yield every verdict and every review of a batch as it comes out now, in order of seq.

        Whoever takes one looks at what was recorded only then, and lets `adopt`
        know of it before taking the next where that is something else.
        """
        self.enter(task)
        made = Made(0, None)
        for index, kind in enumerate(task.kinds):
            if kind not in DECIDED:
                continue
            seq = task.seq + index
            try:
                if index in task.tails:
                    made = self._tail(task, index, made)
                else:
                    self.book.speech.at(seq)
                    self.before, self._reviewed = None, None
                    made = self._make(task, index, seq)
            except (Unreadable, NotKept) as fault:
                made = Made(seq, None, why=str(fault))
            yield made
        self.book.close_batch()

    def enter(self, task: Task) -> None:
        """Start a batch. History is whole where the first of all decisions is there."""
        if not self._begun:
            self._begun, self.whole = True, task.seq == 0
            self._limits.since = 0 if self.whole else task.instant
        self.book.start(task.instant)

    def _make(self, task: Task, index: int, seq: int) -> Made:
        case = task.cases.get(seq)
        if task.inputs is None:
            return Made(seq, None, why=INPUT_GONE)
        if task.kinds[index] == "review":
            return self._review(task, index, seq)
        known = self._prepare(task, case)
        rec = task.input_of(index)
        try:
            if rec is not None:
                self._answer(rec, known)
            elif known is not None:
                self._change(known)
            else:
                self._end(task.ended.get(seq, b""))
        except PoisonRecord as poison:
            if known is None and self.before is not None:
                self._packs_of(key_in(self.before.intent).decode().partition("/")[0], self.before.set_digest)
            return Made(seq, None, told=f"a refusal for reason {int(poison.reason)}: {poison}")
        except Corrupted as fault:
            return Made(seq, None, told=str(fault))
        return self._said(task, index, seq, swept=rec is None)

    def _said(self, task: Task, index: int, seq: int, *, swept: bool) -> Made:
        """Return what was said, and that alone: what is said with it has to be on record with it."""
        speech = self.book.speech
        if speech.made is None and not self.whole and self.before is None:
            return Made(seq, None, why=LIFE_GONE)
        if speech.more and index + 1 not in task.tails:
            for review, _ in speech.more.values():
                self.book.reviews.close(review.digest)
            return Made(seq, None, told="a verdict with a review of it")
        told = "" if speech.made else speech.told or "no change"
        return tuple.__new__(Made, (seq, speech.made, told, "", swept))

    def _review(self, task: Task, index: int, seq: int) -> Made:
        """Let the clock speak of a review; of what votes make of one, nothing was kept to decide it with."""
        rec, book = task.input_of(index), self.book
        if rec is not None:
            said, _ = self.intake.said_in(rec.value or b"")
            if (rec.value or b"")[:5] in VOTES:
                self._reviewed = book.reviews.open.get(said.intent_digest)
            return Made(seq, None, why=NO_VOTERS)
        for review in book.reviews.due(book.instant, 1):
            book.review(review._replace(state=ReviewState.OVERDUE), CLOCK)
        if book.speech.made is None and not self.whole:
            return Made(seq, None, why=LIFE_GONE)
        return Made(seq, book.speech.made, "" if book.speech.made else "no review is overdue")

    def _tail(self, task: Task, index: int, head: Made) -> Made:
        """Return what is said with the decision before: the review of a grant, or the end of one that was found wrong."""
        seq, speech = task.seq + index, self.book.speech
        if task.kinds[index] == "review":
            _, value = speech.more.get(seq, (None, None))
            return Made(seq, value, "" if value else NOTHING_WITH_IT, head.why if value is None else "")
        rec, review = task.input_of(index), self._reviewed
        if rec is None:
            return Made(seq, None, why=INPUT_GONE)
        if review is None:
            return Made(seq, None, why=LIFE_GONE)
        no, key = self.intake.said_in(rec.value or b"")
        slot = intake.slot_in(key, no.id, no.attempt)
        speech.at(seq)
        self.before = self.book.leases.open.get(slot)
        if slot in self.lost:
            return Made(seq, None, why=LIFE_GONE)
        self._reviewing.take_back(slot, review, no)
        return Made(seq, speech.made, "" if speech.made else NOTHING_WITH_IT)

    def _prepare(self, task: Task, case: Case | None) -> Known | None:
        """Let everything that is looked up be what the case holds, or nothing where there is none."""
        self._active.clear()
        if case is None:
            if self._cut[0] is not task.marks:
                self._cut = task.marks, encode_cut(tuple(Mark(*mark) for mark in task.marks))
            self.tables.empty(self._cut[1])
            self._judge.known, self._joiner.blind, self.book.session = None, True, None
            self.readings.take(())
            self._judge.begin(task.instant, self._cut[1])
            return None
        body, salt = self._settled.keys.open(case)
        known = self._reader.read(body, salt)
        if known.engine != ENGINE:
            raise Unreadable(f"decided by the engine `{known.engine}`: this build is `{ENGINE}`")
        self._active[case.tenant] = self._packs_of(case.tenant, known.set_digest)
        self.tables.load(known)
        self.readings.take(known.limits)
        self._joiner.blind, self.book.session, self.book.speech.salt = False, known.session, salt
        self._judge.put(known)
        return known

    def _packs_of(self, tenant: str, digest: bytes) -> PolicySet:
        """Return a set of packs; raise Unreadable where it is not there."""
        found = self._settled.shelf.find(tenant, digest)
        if found is None:
            raise Unreadable(f"its packs are not there: the set `{digest.hex()[:16]}` of `{tenant}`")
        return found

    def _answer(self, rec: Rec, known: Known | None) -> None:
        """Put one record of an input before the desk."""
        value = rec.value or b""
        header = value[:5]
        if header in INTENTS:
            # A case has the intent in its very bytes; the record beside it says where and when it came.
            asked = self.intake.recall(value if known is None else known.intent)
            self._calls(asked.intent)
            self.before = self.book.leases.open.get(asked.slot)
            self._questions.ask(rec, asked)
            return
        said, key = self.intake.said_in(value)
        slot = intake.slot_in(key, said.id, said.attempt)
        self.before = self.book.leases.open.get(slot)
        if slot in self.lost:
            raise Unreadable(LIFE_GONE)
        if header in CLAIMS:
            self._claims.claim(rec, (said, key))
        elif header in OUTCOMES:
            self._claims.outcome(rec, (said, key, *self.intake.teller(said)))
        elif header in VOTES:
            self._votes.vote(rec, (said, key))
        else:
            self._questions.withdraw(rec, (said, key))

    def _change(self, known: Known) -> None:
        """Decide again what a change of the context, or the clock that asks others, has touched."""
        asked = self.intake.recall(known.intent)
        lease = self.before = self.book.leases.open.get(asked.slot)
        if lease is None:
            raise Unreadable(LIFE_GONE)
        if lease.state in WAITING:
            self._calls(asked.intent)
        self._sweeps.again(lease, CLOCK, tell=lease.state == PENDING)

    def _calls(self, intent: Intent) -> None:
        """Raise Unreadable where somebody calls an emergency, and what they had unreviewed before is not there."""
        if intent.emergency and not self.whole:
            raise Unreadable(LIFE_GONE)

    def _end(self, slot: bytes) -> None:
        """Let the clock move on what it had come to, where its time has passed."""
        if self.lost or not self.whole:
            raise Unreadable(LIFE_GONE)
        lease, instant = self.book.leases.open.get(slot), self.book.instant
        if lease is None:
            return
        self.before, waits = lease, lease.state in WAITING
        if instant >= (lease.expires_at if waits else lease.until):
            self._sweeps.end(lease)
        elif awaits_context(lease) or (waits and self.intake.recall(lease.intent).intent.emergency):
            raise NotKept(NO_CASE)
        elif self._settled.ring.fallen:
            raise NotKept(NO_PACKS)

    def slot_of(self, said: Any) -> bytes:
        """Return the slot of the attempt that a record is about."""
        return slot_of(f"{said.tenant}/{said.authority}".encode(), said.id, said.attempt)
