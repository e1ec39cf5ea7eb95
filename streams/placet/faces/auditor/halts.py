"""V9: what an operator has halted is neither granted nor claimed, and every partition says what is halted."""

from collections.abc import Iterable
from typing import NamedTuple

from placet.faces.auditor.attempts import Attempt
from placet.faces.auditor.batch import Batch, Cut, Decision
from placet.faces.auditor.cursor import Cursor
from placet.faces.auditor.history import History, Signed
from placet.faces.auditor.ignored import AHEAD_MS_MAX, BYTES_MAX
from placet.faces.auditor.known import Known
from placet.faces.auditor.places import in_place, odd_tenant
from placet.faces.auditor.records import Fields, Schemas, Unreadable
from placet.faces.auditor.report import Report
from placet.faces.auditor.scopes import halt_covers, is_scope
from placet.faces.auditor.table import HELD
from placet.model.topics import Topic
from placet.ports import Log, Rec

RESUMERS = 2
HaltId = tuple[str, str, str]
"""Tenant, id and scope."""


class Word(NamedTuple):
    """What one operator said of a halt, and where."""

    kind: str
    issuer: str
    at: int
    ends: int
    partition: int
    offset: int
    signed: Signed | None = None


class Halts:
    """Every halt and resume that a desk takes, by the halt."""

    def __init__(self, log: Log, schemas: Schemas, history: History) -> None:
        self._schemas = schemas
        self._history = history
        self.words: dict[HaltId, list[Word]] = {}
        self._partitions = log.partitions(Topic.CONTROLS)
        for partition in range(self._partitions):
            for rec in Cursor(log, Topic.CONTROLS, partition):
                if rec.value is not None and len(rec.value) <= BYTES_MAX:
                    self._hear(rec)

    def _hear(self, rec: Rec) -> None:
        try:
            record = self._schemas.open(rec.value)
        except Unreadable:
            return
        said = record.fields
        if record.name != "control" or said["kind"] not in ("halt", "resume") or odd_tenant(said["tenant"]):
            return
        pinned, signed = self._history.signer(record, rec.at)
        if pinned is None or pinned.purpose != "operator" or (pinned.tenant and said["scope"] == "all"):
            return
        if said["by"] != pinned.issuer or not in_place(rec, "control", said, self._partitions):
            return
        if said["observed_at"] > rec.at + AHEAD_MS_MAX or not is_scope(said["scope"], said["id"]):
            return
        word = Word(
            said["kind"], pinned.issuer, said["observed_at"], said["expires_at"], rec.partition, rec.offset, signed
        )
        self.words.setdefault((said["tenant"], said["id"], said["scope"]), []).append(word)

    def standing(self, cut: Cut, instant: int) -> set[HaltId]:
        """Return the halts that stand at `instant`, of what was read up to `cut`."""
        found = set()
        for halt, words in self.words.items():
            read = [w for w in words if w.offset < cut.get((int(Topic.CONTROLS), w.partition), (0, 0))[0]]
            read = [w for w in read if self._history.proves(w.signed, cut)]
            halts = [w for w in read if w.kind == "halt"]
            if not halts:
                continue
            # Of one said twice the one that ends later stands, and of those the newer.
            last = max(halts, key=lambda w: (not w.ends, w.ends, w.at, (w.partition, w.offset)))
            resumers = {w.issuer for w in read if w.kind == "resume" and w.at >= last.at}
            if not 0 < last.ends <= instant and len(resumers) < RESUMERS:
                found.add(halt)
        return found


class HaltWatch:
    """V9 in one partition."""

    def __init__(self, partition: int, halts: Halts, known: Known, report: Report) -> None:
        self._partition = partition
        self._known = known
        self._halts = halts
        self._check = report["V9"]
        self._epoch = -1
        self._said: set[HaltId] = set()
        self._standing: set[HaltId] = set()
        self._swept: set[HaltId] = set()

    def begin(self, batch: Batch) -> None:
        """Look at what stands in a batch. An epoch begins with nothing said."""
        if batch.epoch != self._epoch:
            self._epoch, self._said = batch.epoch, set()
        self._standing = self._halts.standing(batch.cut, batch.instant) if self._halts.words else set()

    def marker(self, decision: Decision) -> None:
        """Hold one `halted` record against the control it cites."""
        said = decision.fields
        halt = (said["tenant"], said["id"], said["scope"])
        self._check.checked += 1
        place = (said["cause_partition"], said["cause_offset"])
        cited = [w for w in self._halts.words.get(halt, ()) if (w.partition, w.offset) == place and w.kind == "halt"]
        if said["cause_topic"] != Topic.CONTROLS or not cited:
            self._fail(decision.offset, f"says of halt `{halt[1]}` what no operator said")
        if said["resumed"] == (halt in self._standing):
            self._fail(decision.offset, f"says of halt `{halt[1]}` the contrary of what stands")
        if said["resumed"]:
            self._said.discard(halt)
        else:
            self._said.add(halt)

    def verdict(self, decision: Decision, batch: Batch) -> None:
        """Hold that a grant or a claim is not one that is halted."""
        said = decision.fields
        if said["state"] not in HELD or said["stop"] or not (self._said or self._standing):
            return
        self._check.checked += 1
        chain = self._chain(said, batch.cut)
        for halt in self._said | self._standing:
            if halt_covers(halt[0], halt[2], said, chain, said["executor"]):
                self._fail(decision.offset, f"granted or claimed under halt `{halt[1]}` of {halt[2]}")

    def finish(self, batch: Batch) -> None:
        """Hold that what stands was said."""
        if batch.decisions:
            for halt in self._standing - self._said:
                self._fail(batch.offset, f"halt `{halt[1]}` was read and is not said")

    def swept(self, batch: Batch, swept: Cut, held: Iterable[Attempt]) -> None:
        """Hold that nothing a halt covers is held any more once a Seal says that what it touches was swept."""
        before = self._swept
        self._swept = self._halts.standing(swept, batch.instant) & self._standing if self._standing else set()
        news = self._swept - before
        if not news:
            return
        for attempt in held:
            if attempt.state not in HELD or attempt.stopped:
                continue
            chain = self._chain(attempt.asked, swept)
            for halt in news:
                if halt_covers(halt[0], halt[2], attempt.asked, chain, attempt.executor):
                    self._fail(batch.offset, f"leaves seq {attempt.seq} held under halt `{halt[1]}` of {halt[2]}")

    def _chain(self, said: Fields, cut: Cut) -> set[str]:
        return {name for kind, _, name in self._known.lineage(said, cut) if kind == "principal"}

    def _fail(self, offset: int, text: str) -> None:
        self._check.fail(Topic.DECISIONS, self._partition, offset, text)
