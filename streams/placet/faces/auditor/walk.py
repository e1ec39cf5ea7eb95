"""One partition of decisions, batch by batch: each answer held against its record, its attempt and its case."""

import struct
from collections.abc import Callable
from typing import NamedTuple

from placet.faces.auditor.approvals import Approvals
from placet.faces.auditor.attempts import DIGEST_CUT, Row, slot_of
from placet.faces.auditor.batch import Batch, Decision, SealChain
from placet.faces.auditor.budgets import Budgets
from placet.faces.auditor.cases import Cases
from placet.faces.auditor.cursor import Cursor
from placet.faces.auditor.halts import Halts, HaltWatch
from placet.faces.auditor.hashes import intent_digest, sha256
from placet.faces.auditor.history import History
from placet.faces.auditor.ignored import Ignored
from placet.faces.auditor.inputs import Inputs
from placet.faces.auditor.keys import Keys
from placet.faces.auditor.known import Known
from placet.faces.auditor.lives import Lives
from placet.faces.auditor.packs import Shelf
from placet.faces.auditor.proofs import COMPROMISED, UNPROVED, KeyWatch
from placet.faces.auditor.quarantine import Quarantine
from placet.faces.auditor.reads import ReadWatch
from placet.faces.auditor.records import Fields, Record, Schemas, Unreadable
from placet.faces.auditor.report import Report, title_of
from placet.faces.auditor.reviews import Reviews
from placet.faces.auditor.revoked import RevokedWatch
from placet.faces.auditor.table import DONE, FAULTY_BELOW
from placet.faces.auditor.verdicts import Verdicts, identity
from placet.model.topics import INPUTS, Topic
from placet.ports import Log, Rec

_ODD = (ValueError, LookupError, TypeError, ArithmeticError, struct.error, RuntimeError, AssertionError)
"""What reading a record fails with that no honest desk writes: it is a violation, and the audit goes on."""


class Tools(NamedTuple):
    """What all partitions share."""

    log: Log
    schemas: Schemas
    keys: Keys
    history: History
    report: Report
    partitions: int
    sampled: Callable[[bytes], bool]
    halts: Halts
    known: Known
    shelf: Shelf
    drained: bool
    lag_ms_max: int


class Walk:
    """The audit of one partition. `run` reads it to `end`; what it folded stays for the comparison with the desk."""

    def __init__(self, tools: Tools, partition: int, end: int, cases: Cases) -> None:
        self._tools = tools
        self._partition = partition
        self._report = tools.report
        self._schemas = tools.schemas
        self._cursor = Cursor(tools.log, Topic.DECISIONS, partition, end)
        self._inputs = Inputs(tools.log, partition, tools.report)
        self._quarantine = Quarantine(tools.log, partition, tools.schemas, tools.report)
        # Who holds partition 0 refuses, once for all, what nobody takes of the context.
        self._ignored = Ignored(tools.known.faulty, tools.report["V1"]) if partition == 0 else None
        self._cases = cases
        self._halts = HaltWatch(partition, tools.halts, tools.known, tools.report)
        self._reads = ReadWatch(partition, tools.report)
        self._revoked = RevokedWatch(partition, tools.known, tools.report)
        self._proofs = KeyWatch(partition, tools.history, tools.keys, tools.sampled, tools.report)
        self.chain = SealChain(partition, tools.keys, tools.report)
        self.lives = Lives(partition, tools.report)
        self._approvals = Approvals(partition, tools.history, tools.known, self.lives.memory, tools.report)
        self.reviews = Reviews(partition, tools.history, tools.known, self.lives.memory, tools.report)
        self.budgets = Budgets(partition, tools.shelf, tools.known, tools.report)
        self._verdicts = Verdicts(
            partition,
            tools.partitions,
            tools.history,
            self.lives,
            tools.sampled,
            tools.report,
            tools.lag_ms_max,
        )

    def run(self, progress: Callable[[int], None]) -> None:
        """Read every decision; `progress` is told how many were read at each Seal."""
        count = 0
        for rec in self._cursor:
            try:
                record = self._schemas.open(rec.value)
            except Unreadable as error:
                self._fail("SEALS", rec.offset, str(error))
                continue
            count += 1
            self._report.read[record.name] += 1
            if record.name == "seal":
                self._batch(self.chain.close(rec.offset, record))
                progress(count)
                count = 0
            elif record.name in ("verdict", "repeat", "refusal", "halted", "review"):
                self.chain.add(rec.offset, record)
            else:
                self._fail("SEALS", rec.offset, f"a `{record.name}` among decisions")
        rest = self.chain.rest()
        if rest is not None:
            self._batch(rest)
        progress(count)
        self._quarantine.finish(self.chain.inputs)
        if self._ignored is not None:
            self._ignored.finish(self.chain.cut)
        self._cases.finish()
        self._undecided()

    def _undecided(self) -> None:
        """Count what nothing is owed to yet; of a system that was left alone long enough there is none."""
        still = self._inputs.open()
        if still:
            self._report["V1"].skip("not yet decided when the last seal was written", still)
        if not self._tools.drained:
            return
        check = self._report["V18"]
        check.checked += 1
        if still:
            check.fail(Topic.DECISIONS, self._partition, self._cursor.end, f"ends with {still} records not decided")

    def _fail(self, check: str, offset: int, text: str) -> None:
        self._report[check].fail(Topic.DECISIONS, self._partition, offset, text)

    def _batch(self, batch: Batch) -> None:
        self._inputs.begin(batch)
        self._halts.begin(batch)
        for decision in batch.decisions:
            try:
                self._decision(decision, batch)
            except _ODD as error:
                text = f"holds what no decision holds: {type(error).__name__}: {error}"
                self._fail("V2", decision.offset, text)
        self._inputs.finish(batch)
        self._halts.finish(batch)
        self.reviews.finish(batch)
        self._halts.swept(batch, self.chain.swept, self.lives.memory.open.values())
        self._revoked.swept(batch, self.chain.swept, self.lives.memory.open.values())
        self._proofs.swept(batch, self.chain.swept, self.lives.memory.open.values())
        self.lives.memory.forget(batch.instant)

    def _decision(self, decision: Decision, batch: Batch) -> None:
        if decision.name == "verdict":
            rec, record = self._cause(decision, batch)
            self._approvals.verdict(decision, batch, rec, record)
            self._verdicts.take(decision, rec, record)
            self._proofs.verdict(decision, batch, rec, record)
            self._proofs.open(decision, batch, self.lives.attempt_of(decision.fields))
            self._reads.verdict(decision, batch, record.fields if record and record.name == "intent" else None)
            self.budgets.verdict(decision, record, batch.cut)
            self._halts.verdict(decision, batch)
            self._revoked.verdict(decision, batch)
            self._cases.look(decision, batch, self.lives.sessions, self._tools.sampled(decision.leaf))
            self.reviews.verdict(decision, self.lives.attempt_of(decision.fields))
        elif decision.name == "review":
            rec, record = self._cause(decision, batch)
            self.reviews.take(decision, batch, rec, record, self._cases.again.review)
        elif decision.name == "repeat":
            self._repeat(decision)
        elif decision.name == "halted":
            self._halts.marker(decision)
        else:
            self._refusal(decision, batch)

    def _cause(self, decision: Decision, batch: Batch) -> tuple[Rec | None, Record | None]:
        """Return the input record a verdict answers, and what it holds; neither where its cause is context or the clock."""
        said = decision.fields
        topic, partition, offset = said["cause_topic"], said["cause_partition"], said["cause_offset"]
        if topic in INPUTS:
            rec = self._inputs.answered(decision.offset, topic, partition, offset)
            return rec, None if rec is None else self._open(rec, decision)
        if topic:
            self._context(decision, batch, topic, partition, offset)
        return None, None

    def _context(self, decision: Decision, batch: Batch, topic: int, partition: int, offset: int) -> None:
        self._report["V3"].checked += 1
        read = batch.cut.get((topic, partition), (0, 0))[0]
        if offset >= read:
            text = f"rests on {title_of(topic)}/{partition}@{offset}, its batch had read up to {read}"
            self._fail("V3", decision.offset, text)

    def _open(self, rec: Rec, decision: Decision) -> Record | None:
        try:
            return self._schemas.open(rec.value)
        except Unreadable as error:
            self._fail("V2", decision.offset, f"decides {title_of(rec.topic)}@{rec.offset}, which is {error}")
            return None

    def _repeat(self, decision: Decision) -> None:
        said, offset = decision.fields, decision.offset
        rec = self._inputs.answered(offset, said["cause_topic"], self._partition, said["cause_offset"])
        self._report["V2"].checked += 1
        record = None if rec is None else self._open(rec, decision)
        if record is None:
            return
        if identity(record.fields) != identity(said):
            self._fail("V2", offset, f"points at another attempt than its `{record.name}` names")
            return
        slot = slot_of(said["tenant"], said["authority"], said["id"], said["attempt"])
        if record.name == "claim":
            self._heard_again(decision, slot, record.fields)
            return
        if record.name == "vote":
            attempt = self.lives.memory.open.get(slot)
            held = {} if attempt is None else attempt.votes
            held = self.reviews.votes(record.fields["intent_digest"]) or held
            if rec is None or rec.value not in [value for value, _ in held.values()]:
                self._fail("V2", offset, "takes a vote for one that is held")
            return
        known = self.lives.memory.find(slot)
        if known is None:
            self._fail("V2", offset, "points at a first answer that was never given")
            return
        row = Row(known)
        digest = intent_digest(record.fingerprint, record.unsigned)
        if record.name != "intent" or digest[:DIGEST_CUT] != row.intent_digest:
            self._fail("V2", offset, f"takes the record at {rec.offset if rec else 0} for one that was answered")
        if said["first_seq"] != row.seq:
            self._fail("V2", offset, f"points at seq {said['first_seq']}, the first answer is {row.seq}")

    def _heard_again(self, decision: Decision, slot: bytes, claim: Fields) -> None:
        """Hold a claim that was heard before: the same executor and nonce, pointed at what it was answered with."""
        attempt = self.lives.memory.open.get(slot)
        if attempt is None or (claim["executor"], claim["nonce"]) != (attempt.executor, attempt.nonce):
            self._fail("V2", decision.offset, "takes a claim for one that was answered")

    def _refusal(self, decision: Decision, batch: Batch) -> None:
        said, offset = decision.fields, decision.offset
        topic, partition, at = said["cause_topic"], said["cause_partition"], said["cause_offset"]
        rec = None
        if topic in INPUTS:
            rec = self._inputs.answered(offset, topic, partition, at)
        else:
            self._context(decision, batch, topic, partition, at)
            if self._ignored is not None:
                self._ignored.refused(decision)
        self._report["V2"].checked += 1
        if rec is not None:
            if said["raw_digest"] != sha256(rec.value or b""):
                self._fail("V2", offset, f"refuses other bytes than those at {title_of(topic)}/{partition}@{at}")
            if said["asked_at"] != rec.at:
                self._fail("V2", offset, f"asked at {said['asked_at']}, appended at {rec.at}")
            self._refused(decision, batch, rec)
        self._quarantine.refused(decision, rec)

    def _refused(self, decision: Decision, batch: Batch, rec: Rec) -> None:
        """Hold that a refusal names what its record names, and that a refused `done` was not done without leave."""
        said = decision.fields
        if said["reason"] < FAULTY_BELOW and not said["id"]:
            if said["reason"] in (UNPROVED, COMPROMISED):
                self._unproved(decision, batch, rec)
            return
        record = self._open(rec, decision)
        if record is None:
            return
        if identity(record.fields) != identity(said):
            self._fail("V2", decision.offset, f"names another attempt than the `{record.name}` it refuses")
        done = record.name == "outcome" and record.fields["result"] == DONE
        if done and self._tools.history.purpose_of(record.fields) == "executor":
            self.lives.unfounded(record.fields, said["instant"], decision.offset)

    def _unproved(self, decision: Decision, batch: Batch, rec: Rec) -> None:
        record = self._open(rec, decision)
        if record is not None:
            self._proofs.refused(decision, batch, rec, record)
