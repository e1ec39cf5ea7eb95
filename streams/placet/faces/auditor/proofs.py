"""V15: whatever was taken is proved by a key that stood when it was read, and nothing stays open under one that fell."""

from collections.abc import Callable, Iterable

from placet.faces.auditor.attempts import Attempt
from placet.faces.auditor.batch import Batch, Cut, Decision
from placet.faces.auditor.history import History, State
from placet.faces.auditor.keys import Keys
from placet.faces.auditor.records import Fields, Record
from placet.faces.auditor.report import Report
from placet.faces.auditor.table import HELD, WAITING, name_of
from placet.model.topics import Topic
from placet.ports import Rec

UNPROVED, COMPROMISED = 70, 75
GONE = "a record of its key is compacted away"
WRITERS: dict[str, tuple[tuple[str, ...], str]] = {
    "intent": (("agent",), "actor"),
    "withdraw": (("agent", "operator"), "actor"),
    "claim": (("executor",), "executor"),
    "outcome": (("executor", "operator"), "executor"),
    "vote": (("approver",), "voter"),
}
"""What a record's key must be for, and the field that names its writer; an operator speaks for others."""


class KeyWatch:
    """V15 in one partition, by the records of keys that its Seals say were read."""

    def __init__(
        self, partition: int, history: History, keys: Keys, sampled: Callable[[bytes], bool], report: Report
    ) -> None:
        self._partition = partition
        self._history = history
        self._keys = keys
        self._sampled = sampled
        self._check = report["V15"]
        self._fallen: dict[tuple[str, str], int] = {}

    def verdict(self, decision: Decision, batch: Batch, rec: Rec | None, record: Record | None) -> None:
        """Hold that a verdict rests on a record whose writer was proved when it was read."""
        if rec is None or record is None or record.fields.get("proof") is None:
            return
        self._check.checked += 1
        signature = self._sampled(decision.leaf)
        fault = self._fault(rec, record, self._history.at(batch.cut), signature=signature)
        if fault and self._gone(rec, record, batch.cut, signature=signature):
            self._check.skip(GONE)
        elif fault:
            self._fail(decision.offset, f"takes the {record.name} at {rec.offset}, {fault}")

    def open(self, decision: Decision, batch: Batch, attempt: Attempt | None) -> None:
        """Hold that what a verdict leaves open was not asked with a key that had fallen by then."""
        said = decision.fields
        if attempt is None or not attempt.kid or said["stop"] or said["state"] not in HELD | WAITING:
            return
        since = self._history.at(batch.cut).fell(attempt.kid, said["tenant"])
        if since is not None:
            text = f"`{name_of(said['state'])}`, asked with `{attempt.kid}`, compromised since {since}"
            self._fail(decision.offset, text)

    def refused(self, decision: Decision, batch: Batch, rec: Rec, record: Record) -> None:
        """Hold that nobody was refused as unproved whose key proves it."""
        said = record.fields
        if decision.fields["reason"] not in (UNPROVED, COMPROMISED) or said.get("proof") is None:
            return
        if decision.fields["reason"] == UNPROVED and record.name == "withdraw":
            return  # what it takes back may have been asked by another
        if not self._history.whole:
            self._check.skip(GONE)
            return
        self._check.checked += 1
        if not self._fault(rec, record, self._history.at(batch.cut), signature=True):
            self._fail(decision.offset, f"refuses the {record.name} at {rec.offset} as unproved, and its key proves it")

    def swept(self, batch: Batch, swept: Cut, held: Iterable[Attempt]) -> None:
        """Hold that nothing is left open that was asked with a key whose fall a Seal says was swept."""
        if not self._history.words:
            return
        state = self._history.at(swept)
        if state.fallen == self._fallen:
            return
        self._fallen = state.fallen
        for attempt in held:
            if not attempt.kid or attempt.stopped or attempt.state not in HELD | WAITING:
                continue
            since = state.fell(attempt.kid, attempt.asked["tenant"])
            if since is not None:
                text = f"leaves seq {attempt.seq} open, asked with `{attempt.kid}`, compromised since {since}"
                self._fail(batch.offset, text)

    def _gone(self, rec: Rec, record: Record, cut: Cut, *, signature: bool) -> bool:
        """Whether what would prove a record may have been compacted away since."""
        whole = self._history.whole
        return not whole and not self._fault(rec, record, self._history.at_most(cut), signature=signature)

    def _fault(self, rec: Rec, record: Record, state: State, *, signature: bool) -> str:
        said: Fields = record.fields
        proof, tenant = said["proof"], said["tenant"]
        if fault := state.fault(proof["kid"], tenant, rec.at):
            return fault
        found = state.find(proof["kid"], tenant)
        assert found is not None
        pinned = found[1].pinned
        purposes, named = WRITERS[record.name]
        if pinned.purpose not in purposes:
            return f"signed with `{proof['kid']}`, a key for `{pinned.purpose}`"
        if named and pinned.purpose != "operator" and pinned.issuer != said[named]:
            return f"signed by `{pinned.issuer}`, said to be of `{said[named]}`"
        return self._keys.proved_by(record, pinned) if signature else ""

    def _fail(self, offset: int, text: str) -> None:
        self._check.fail(Topic.DECISIONS, self._partition, offset, text)
