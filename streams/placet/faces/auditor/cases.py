"""Cases of one partition: opened, held against their verdict's commitment and the context they cite, decided again."""

from placet.faces.auditor.batch import Batch, Cut, Decision
from placet.faces.auditor.cursor import Cursor
from placet.faces.auditor.decide import Again
from placet.faces.auditor.hashes import intent_digest
from placet.faces.auditor.keys import CaseKeys
from placet.faces.auditor.known import Known, Subject
from placet.faces.auditor.records import Fields, Record, Schemas, Unreadable
from placet.faces.auditor.report import Report, title_of
from placet.faces.auditor.sessions import Sessions
from placet.faces.auditor.table import DENIED, HELD, name_of
from placet.model.topics import Topic
from placet.ports import Log, Rec


class Cases:
    """`placet.cases` of one partition, read beside its decisions, in order of seq."""

    def __init__(
        self,
        log: Log,
        partition: int,
        schemas: Schemas,
        keys: CaseKeys,
        context: Known,
        again: Again,
        report: Report,
    ) -> None:
        self._partition = partition
        self._schemas = schemas
        self._keys = keys
        self._context = context
        self.again = again
        self._report = report
        self._cursor = Cursor(log, Topic.CASES, partition)
        self._reader = iter(self._cursor)
        self._next: tuple[int, Rec] | None = None
        self._count = 0
        self._last_seq = -1

    def _fail(self, check: str, offset: int, text: str, topic: int = Topic.DECISIONS) -> None:
        self._report[check].fail(topic, self._partition, offset, text)

    def look(self, decision: Decision, batch: Batch, sessions: Sessions, sampled: bool) -> None:
        """Find the case of a verdict that has one, and decide it again where the sample says so."""
        said = decision.fields
        self._last_seq = max(self._last_seq, said["seq"])
        if not said["commitment"]:
            self._without(decision, batch)
            return
        case = self._of(said["seq"])
        check = self._report["V5"]
        if case is None:
            self._fail("V5", decision.offset, f"commits to a case, and there is none at seq {said['seq']}")
        elif not sampled:
            check.skip("not in the sample")
        elif not self._keys.available:
            check.skip("there is no key-encryption key to open cases with")
        else:
            self._decide(decision, batch, case, sessions)

    def _without(self, decision: Decision, batch: Batch) -> None:
        """Hold that what was decided by packs commits to a case, all but what nobody known asked and was denied."""
        said = decision.fields
        if said["state"] in HELD and not said["stop"] and not said["set_digest"]:
            self._fail("V5", decision.offset, f"`{name_of(said['state'])}` by no packs, on no case")
        elif said["set_digest"]:
            who = ("principal", said["tenant"], said["authority"])
            if said["previous_seq"] >= 0 or said["state"] != DENIED or self._context.knows(who, batch.cut):
                self._fail("V5", decision.offset, "decided by packs, and commits to no case")
            else:
                self._report["V5"].skip("denied for an authority nobody knew: no case is kept")

    def _of(self, seq: int) -> Rec | None:
        """Return the case with this seq, passing over and naming those no verdict asked for."""
        while (found := self._peek()) is not None and found[0] <= seq:
            self._next = None
            if found[0] == seq:
                return found[1]
            text = f"a case at seq {found[0]}, where no verdict commits to one"
            self._fail("V5", found[1].offset, text, Topic.CASES)
        return None

    def _peek(self) -> tuple[int, Rec] | None:
        """Return the next case and its seq, read no further than that."""
        while self._next is None:
            rec = next(self._reader, None)
            if rec is None:
                return None
            self._count += 1
            try:
                self._next = (self._schemas.seq_of_case(rec.value), rec)
            except Unreadable as error:
                self._fail("V5", rec.offset, str(error), Topic.CASES)
        return self._next

    def finish(self) -> None:
        """Name the cases left that no verdict commits to, below the last decision read."""
        self._of(self._last_seq)
        self._report.read["case"] += self._count

    def _decide(self, decision: Decision, batch: Batch, rec: Rec, sessions: Sessions) -> None:
        check = self._report["V5"]
        try:
            case = self._schemas.open(rec.value).fields
        except Unreadable as error:
            self._fail("V5", rec.offset, str(error), Topic.CASES)
            return
        said = decision.fields
        if any(case[name] != said[name] for name in ("tenant", "authority", "partition")):
            self._fail("V5", decision.offset, "its case is recorded as somebody else's")
            return
        if self._keys.differs(case):
            self._fail("V5", decision.offset, "its case is under a data key that is not its authority's")
            return
        if not self._keys.knows(case):
            check.skip("the data key of its authority is gone: erased")
            return
        check.checked += 1
        self._opened(decision, batch, case, sessions)

    def _opened(self, decision: Decision, batch: Batch, case: Fields, sessions: Sessions) -> None:
        said, offset = decision.fields, decision.offset
        found = self._keys.read(case)
        if found is None:
            self._fail("V5", offset, "its case does not open")
            return
        data, commitment = found
        if commitment != said["commitment"]:
            self._fail("V5", offset, "commits to another case than the one recorded")
        try:
            body = self._held(data, "case_body").fields
            intent = self._held(body["intent"], "intent")
        except Unreadable as error:
            self._fail("V5", offset, f"its case holds no case: {error}")
            return
        self._agrees(decision, batch, body, intent)
        if not self._facts(decision, batch.cut, body):
            return
        name, fault = self.again.differs(said, body, intent)
        if fault:
            self._fail(name, offset, fault)
        if fault := sessions.differs(body, intent.fields):
            self._fail("V5", offset, fault)
        self._newest(decision, batch.cut, body)

    def _held(self, data: bytes, name: str) -> Record:
        record = self._schemas.open(data)
        if record.name != name:
            raise Unreadable(f"a `{record.name}` where a `{name}` is expected")
        return record

    def _agrees(self, decision: Decision, batch: Batch, body: Fields, intent: Record) -> None:
        """Hold what the case repeats of its verdict and its batch."""
        said, offset = decision.fields, decision.offset
        if intent_digest(intent.fingerprint, intent.unsigned) != said["intent_digest"]:
            self._fail("V5", offset, "its case holds another intent")
        for name in ("instant", "set_digest", "engine"):
            if body[name] != said[name]:
                self._fail("V5", offset, f"`{name}` differs between verdict and case")
        cut = {(mark["topic"], mark["partition"]): (mark["offset"], mark["heard_at"]) for mark in body["cut"]}
        self._report["V6"].checked += 1
        if cut != batch.cut:
            self._fail("V6", offset, "the cut of its case is not the one its seal says was read")

    def _facts(self, decision: Decision, cut: Cut, body: Fields) -> bool:
        """Hold each fact against the record it cites; return whether all are what they say."""
        sound = True
        for fact in body["facts"]:
            place = (fact["topic"], fact["partition"])
            where = f"{title_of(fact['topic'])}/{fact['partition']}@{fact['offset']}"
            if fact["offset"] >= cut.get(place, (0, 0))[0]:
                self._fail("V6", decision.offset, f"rests on {where}, past the cut of its batch")
                sound = False
            if fact["offset"] >= self._context.ends.get(place, 0):
                self._fail("V3", decision.offset, f"rests on {where}, past the end of what is committed")
                sound = False
            same = self._context.compare(fact)
            if same is None:
                self._report["V5"].skip("a cited context record is compacted away")
            elif not same:
                self._fail("V5", decision.offset, f"its fact `{fact['role']}` is not the record at {where}")
                sound = False
        return sound

    def _newest(self, decision: Decision, cut: Cut, body: Fields) -> None:
        """Hold that nothing that was read, newer than what the case holds, was overlooked."""
        used: dict[Subject, dict[str, tuple[int, int]]] = {absent: {} for absent in self.again.absent}
        for fact in body["facts"]:
            about = self._context.about(fact)
            if about is not None:
                subject, source, order = about
                used.setdefault(subject, {})[source] = order
        for subject, sources in used.items():
            found = self._context.overlooked(subject, sources, cut, body["instant"])
            if found is not None:
                where = f"{title_of(found.topic)}/{found.partition}@{found.offset}"
                self._fail("V5", decision.offset, f"overlooks what was known of {subject[0]} `{subject[2]}`: {where}")
