"""Answers made again, one batch after another, by the code of a desk. Nothing recorded of an answer is in reach here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from placet.decision import intake
from placet.decision.arrow import CLOCK
from placet.decision.claims import Claims
from placet.decision.follow import Follow
from placet.decision.held import key_in
from placet.decision.life import PENDING
from placet.decision.questions import Questions
from placet.decision.settings import DeskSettings
from placet.decision.settled import slot_of
from placet.decision.sweeps import Sweeps
from placet.decision.votes import Votes
from placet.errors import Corrupted, PoisonRecord
from placet.faces.replay.closed import Task
from placet.faces.replay.deciding import CaseBook, CaseJoiner, CaseJudge, CaseLimits, NotKept, Readings, Reread
from placet.faces.replay.known import Recalled
from placet.faces.replay.opened import CaseKeys, Known, Reader, Unreadable
from placet.faces.replay.shelf import Shelf
from placet.model.codec import HEADERS
from placet.model.codec.case import Case
from placet.model.codec.case_body import Mark, encode_cut
from placet.model.codec.desk_change import Lease
from placet.model.proof import KeyRing
from placet.policy.evaluate import ENGINE, PolicySet
from placet.ports import Rec

INTENTS, VOTES = HEADERS["intent"], HEADERS["vote"]
CLAIMS, OUTCOMES, WITHDRAWALS = HEADERS["claim"], HEADERS["outcome"], HEADERS["withdraw"]
NO_CASE = "no case was kept: its authority was not known"
INPUT_GONE = "the record it answers is no longer there"
LIFE_GONE = "what it follows is not known: it could not be decided again, or lies before the range"


class Made(NamedTuple):
    """One verdict decided again. `value` is the record in its framing, None where none was made.

    `told` says what came instead of a verdict, `why` that nothing could be
    decided. Of what is `swept` the cause is whichever change was heard first:
    that is no decision, and is taken over from the record.
    """

    seq: int
    value: bytes | None
    told: str = ""
    why: str = ""
    swept: bool = False


class Settled(NamedTuple):
    """What all partitions of one journal share."""

    keys: CaseKeys
    shelf: Shelf
    ring: KeyRing
    settings: DeskSettings
    partitions: int


class Active(dict[str, PolicySet]):
    """The active sets by tenant: the one a case names, else the one that was read by then."""

    def __init__(self, shelf: Shelf, tables: Recalled) -> None:
        super().__init__()
        self._shelf = shelf
        self._tables = tables

    def get(self, tenant: str, default: Any = None) -> Any:
        """Return the set that decides for a tenant, or None."""
        found = super().get(tenant)
        return self._shelf.at(tenant, self._tables.marks) or default if found is None else found


class Packs:
    """What a judge takes for its library."""

    def __init__(self, active: Active) -> None:
        self.active = active


class Maker:
    """Decides one partition again. Of each batch it is given the task, and what it made is adopted before the next."""

    def __init__(self, partition: int, settled: Settled) -> None:
        self.tables = Recalled()
        self.book = CaseBook(partition, settled.settings, self.tables)
        self.readings = Readings()
        limits = CaseLimits(self.readings, self.book.leases.holdings, self.book.meters, settled.settings)
        self._settled = settled
        self._reader = Reader()
        self._active = Active(settled.shelf, self.tables)
        self._joiner = CaseJoiner(self.tables)
        library: Any = Packs(self._active)
        self._judge = CaseJudge(self._joiner, library, self.tables, settled.settings, limits)
        self.intake = Reread(partition, settled.partitions, settled.ring)
        self._questions = Questions(self.book, self._judge, self.intake)
        self._claims = Claims(self.book, self._judge, self._questions)
        follow = Follow(self.book, self._judge)
        self._votes = Votes(self.book, self._judge, self._questions, follow)
        self._sweeps = Sweeps(self.book, self._judge, self._questions, follow)
        self._due: list[Lease] | None = None
        self._cut: tuple[Any, bytes] = ((), b"\0")
        self.before: Lease | None = None
        self.lost: set[bytes] = set()
        self.whole = True
        self._begun = False

    def make(self, task: Task) -> Iterator[Made]:
        """Yield every verdict of a batch as it comes out now, in order of seq.

        Whoever takes one looks at what was recorded only then, and lets `adopt`
        know of it before taking the next where that is something else.
        """
        self.enter(task)
        self._due = None
        for index, kind in enumerate(task.kinds):
            if kind == "verdict":
                seq = task.seq + index
                self.book.speech.at(seq)
                self.before = None
                try:
                    yield self._make(task, index, seq)
                except Unreadable as fault:
                    yield Made(seq, None, why=str(fault))
        self.book.close_batch()

    def enter(self, task: Task) -> None:
        """Start a batch. History is whole where the first of all decisions is there."""
        if not self._begun:
            self._begun, self.whole = True, task.seq == 0
        self.book.start(task.instant)

    def _make(self, task: Task, index: int, seq: int) -> Made:
        case = task.cases.get(seq)
        if task.inputs is None:
            return Made(seq, None, why=INPUT_GONE)
        known = self._prepare(task, case)
        swept = index < task.front
        speech = self.book.speech
        try:
            if not swept:
                self._answer(task.inputs[index - task.front], known)
            elif known is not None:
                self._change(known)
            else:
                self._tick()
        except NotKept:
            return Made(seq, None, why=NO_CASE)
        except PoisonRecord as poison:
            if known is None and self.before is not None:
                self._packs_of(key_in(self.before.intent).decode().partition("/")[0], self.before.set_digest)
            return Made(seq, None, told=f"a refusal for reason {int(poison.reason)}: {poison}")
        except Corrupted as fault:
            return Made(seq, None, told=str(fault))
        if speech.made is None and not self.whole and self.before is None:
            return Made(seq, None, why=LIFE_GONE)
        told = "" if speech.made else speech.told or "no change"
        return tuple.__new__(Made, (seq, speech.made, told, "", swept))

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
        self._sweeps.again(lease, CLOCK, tell=lease.state == PENDING)

    def _tick(self) -> None:
        """Let the clock move on the earliest whose time has passed."""
        if self.lost or not self.whole:
            raise Unreadable(LIFE_GONE)
        if self._due is None:
            self._due = self.book.leases.due(self.book.instant, 1 << 60)
        while self._due:
            lease = self._due.pop(0)
            open_ = self.book.leases.open.get(lease.slot)
            if open_ is None or (open_.state == PENDING and self.book.instant < open_.expires_at):
                continue
            self.before = open_
            self._sweeps.end(open_)
            return

    def slot_of(self, said: Any) -> bytes:
        """Return the slot of the attempt that a record is about."""
        return slot_of(f"{said.tenant}/{said.authority}".encode(), said.id, said.attempt)
