"""Approval is bound: which votes a partition's decisions took, and whether what was granted on them may rest on them."""

from placet.faces.auditor.attempts import Attempt, Memory, slot_of
from placet.faces.auditor.batch import Batch, Decision
from placet.faces.auditor.history import History
from placet.faces.auditor.known import Known
from placet.faces.auditor.records import Fields, Record
from placet.faces.auditor.report import Report
from placet.faces.auditor.table import APPROVED, HELD, PENDING, REJECTED, VOTED, name_of
from placet.model.topics import Topic
from placet.ports import Rec

COUNTED = frozenset({VOTED, APPROVED, REJECTED})
"""Reasons of a verdict that counted the vote it was caused by."""


class Approvals:
    """Folds votes into the attempts they were taken on, and holds V19 of what rests on them."""

    def __init__(self, partition: int, history: History, known: Known, memory: Memory, report: Report) -> None:
        self._partition = partition
        self._history = history
        self._known = known
        self._memory = memory
        self._check = report["V19"]

    def _fail(self, decision: Decision, text: str) -> None:
        self._check.fail(Topic.DECISIONS, self._partition, decision.offset, text)

    def verdict(self, decision: Decision, batch: Batch, rec: Rec | None, record: Record | None) -> None:
        """Look at a verdict before its attempt takes it; `record` is what its cause `rec` holds, where that is an input."""
        said = decision.fields
        attempt = self._memory.open.get(slot_of(said["tenant"], said["authority"], said["id"], said["attempt"]))
        if said["reason"] in COUNTED:
            if said["cause_topic"] == Topic.VOTES:
                self._take(decision, batch, attempt, rec, record)
            elif said["reason"] != APPROVED:
                self._fail(decision, "counts a vote, and its cause is none")
        if said["reason"] == APPROVED or (said["approval"] and said["state"] in HELD and not said["stop"]):
            self._rests(decision, batch, attempt)

    def _take(
        self, decision: Decision, batch: Batch, attempt: Attempt | None, rec: Rec | None, record: Record | None
    ) -> None:
        if rec is None or record is None:
            self._check.skip("the vote cannot be read")
            return
        self._check.checked += 1
        if record.name != "vote" or attempt is None or attempt.state != PENDING:
            state = "not open" if attempt is None else name_of(attempt.state)
            self._fail(decision, f"counts a `{record.name}` on an attempt that is {state}")
            return
        vote, value = record.fields, rec.value or b""
        for what, wrong in (
            ("on another intent digest", vote["intent_digest"] != attempt.intent_digest),
            (f"appended at {rec.at}, after the wait had ended", rec.at >= attempt.expires_at),
            ("that was counted before", value in [each for each, _ in attempt.votes.values()]),
            ("that is a no as a yes", vote["approve"] == (decision.fields["reason"] == REJECTED)),
        ):
            if wrong:
                self._fail(decision, f"counts a vote {what}")
        pinned, fault = self._history.writer(record)
        if pinned is None or (pinned.purpose, pinned.issuer) != ("approver", vote["voter"]):
            self._fail(decision, f"counts a vote of `{vote['voter']}` that is {fault or 'not signed as theirs'}")
        self._outside(decision, batch, vote["voter"])
        self._authenticated(decision, vote, max(rec.at, attempt.asked_at))
        attempt.votes[vote["voter"]] = value, vote

    def _authenticated(self, decision: Decision, vote: Fields, at: int) -> None:
        """Hold that a vote's voter had authenticated as the verdict that counts it says it takes, by `at`, ms."""
        approval = decision.fields["approval"]
        if approval is None:
            return  # it is a no that counts, and what it had to be proved with is told by deciding its case again
        if approval["acr"] and vote["acr"] not in approval["acr"]:
            self._fail(decision, f"counts `{vote['voter']}`, who authenticated by `{vote['acr']}`")
        if approval["auth_age_ms_max"] and at - vote["auth_time"] > approval["auth_age_ms_max"]:
            self._fail(decision, f"counts `{vote['voter']}`, who had authenticated {at - vote['auth_time']} ms before")

    def _outside(self, decision: Decision, batch: Batch, voter: str) -> None:
        """Hold that a voter is active, and has no part in the chain of what is asked."""
        said = decision.fields
        who = ("principal", said["tenant"], voter)
        if who in self._known.lineage(said, batch.cut):
            self._fail(decision, f"counts `{voter}`, who asks or answers for it")
        if self._known.ended(who, batch.cut) is not None:
            self._fail(decision, f"counts `{voter}`, who is not active")

    def _rests(self, decision: Decision, batch: Batch, attempt: Attempt | None) -> None:
        """Hold that what may run rests on as many yes as were wanted, each of somebody else and taken before."""
        self._check.checked += 1
        approval: Fields | None = decision.fields["approval"]
        voters: list[str] = approval["voters"] if approval else []
        if approval is None or attempt is None or len(voters) < approval["quorum"]:
            self._fail(
                decision, f"`{name_of(decision.fields['state'])}` on {len(voters)} votes, fewer than were wanted"
            )
            return
        if len(set(voters)) != len(voters):
            self._fail(decision, "counts a voter twice")
        for voter in voters:
            _, vote = attempt.votes.get(voter, (b"", None))
            if vote is None:
                self._fail(decision, f"counts `{voter}`, of whom no vote was taken on this intent")
            elif not vote["approve"]:
                self._fail(decision, f"counts `{voter}`, who said no")
            elif self._history.at(batch.cut).fell(vote["proof"]["kid"], vote["tenant"]) is not None:
                self._fail(decision, f"counts `{voter}`, whose key `{vote['proof']['kid']}` is compromised")
            if vote is not None:
                self._authenticated(decision, vote, max(vote["voted_at"], attempt.asked_at))
            self._outside(decision, batch, voter)
