"""Reviews of emergencies: each that was granted has one, answered by others, or overdue with its alarm, and bars the next."""

from placet.faces.auditor.attempts import Attempt, Memory, slot_of
from placet.faces.auditor.batch import Batch, Decision
from placet.faces.auditor.hashes import sha256
from placet.faces.auditor.history import History
from placet.faces.auditor.known import Known
from placet.faces.auditor.packs import Plain
from placet.faces.auditor.records import Fields, Record
from placet.faces.auditor.report import Report
from placet.faces.auditor.table import (
    ASKED_REVIEW,
    CLAIMED,
    EMERGENCY,
    EMERGENCY_BARRED,
    GRANTED,
    HELD,
    OVERDUE,
    REVIEWED_WRONG,
    RIGHT,
    WRONG,
)
from placet.model.topics import Topic
from placet.ports import Rec

MOVES = ("seq", "previous_seq", "instant", "state", "cause_topic", "cause_partition", "cause_offset")
SAYS = ("voters", "votes", "by", "detail")
ABOUT = ("tenant", "authority", "id", "attempt", "actor", "action", "resource", "purpose")
NOTHING: Fields = {"voters": [], "votes": [], "by": "", "detail": ""}


class Review:
    """One review that is not answered: its newest record, and the votes that were taken on it."""

    def __init__(self, said: Fields) -> None:
        self.said = said
        self.votes: dict[str, tuple[bytes, Fields]] = {}

    @property
    def barred(self) -> set[str]:
        """Return who had a part in what is reviewed."""
        return {*self.said["chain"], self.said["owner"]} - {""}


class Reviews:
    """The reviews of one partition, folded from its decisions."""

    def __init__(self, partition: int, history: History, known: Known, memory: Memory, report: Report) -> None:
        self._partition = partition
        self._history = history
        self._known = known
        self._memory = memory
        self._check = report["REVIEWS"]
        self.open: dict[bytes, Review] = {}
        self._granted: Decision | None = None
        self._wrong: list[Decision] = []
        self._told = 0

    def _fail(self, decision: Decision, text: str) -> None:
        self._check.fail(Topic.DECISIONS, self._partition, decision.offset, text)

    def votes(self, digest: bytes) -> dict[str, tuple[bytes, Fields]]:
        """Return the votes that were taken on the review with this digest."""
        review = self.open.get(digest)
        return {} if review is None else review.votes

    def verdict(self, decision: Decision, attempt: Attempt | None) -> None:
        """Look at a verdict once its attempt has taken it."""
        self._reviewed()
        said = decision.fields
        if said["reason"] == EMERGENCY and said["state"] in HELD and not said["stop"]:
            self._check.checked += 1
            self._granted = decision
            if attempt is not None and attempt.emergency is False:
                self._fail(decision, "an emergency that was not called one, or without a reason")
            if any(each.said["state"] == OVERDUE for each in self._of(said)):
                self._fail(decision, f"an emergency of `{said['actor']}`, of whom an earlier one is overdue for review")
        elif said["reason"] == EMERGENCY_BARRED:
            self._check.checked += 1
            if not self._of(said):
                self._fail(decision, f"bars `{said['actor']}`, of whom no emergency is to be reviewed")
        elif said["reason"] == REVIEWED_WRONG:
            slots = [_slot(each.fields) for each in self._wrong]
            if _slot(said) not in slots:
                self._fail(decision, "taken back as an emergency that was none, and nobody found so")

    def _reviewed(self) -> None:
        """Hold that an emergency was followed by its review at once."""
        if self._granted is not None:
            self._fail(self._granted, "an emergency without a review")
            self._granted = None

    def _of(self, said: Fields) -> list[Review]:
        """Return the open reviews of who calls an emergency."""
        caller = tuple(said[name] for name in ("tenant", "authority", "actor"))
        open_ = self.open.values()
        return [each for each in open_ if tuple(each.said[name] for name in ("tenant", "authority", "actor")) == caller]

    def take(
        self, decision: Decision, batch: Batch, rec: Rec | None, record: Record | None, again: tuple[int, Plain] | None
    ) -> None:
        """Take the next record of a review; `again` is what the review of the emergency decided again last must ask."""
        self._check.checked += 1
        said = decision.fields
        before = self.open.get(said["digest"])
        if said["previous_seq"] < 0:
            grant, self._granted = self._granted, None
            self._asked(decision, batch, grant, again)
            self.open[said["digest"]] = Review(said)
            return
        if before is None:
            self._fail(decision, "moves a review that was never asked, or is answered")
            return
        self._follows(decision, before.said)
        if said["cause_topic"] == Topic.VOTES:
            self._voted(decision, batch, before, rec, record)
        else:
            self._overdue(decision, before.said)
        before.said = said
        if said["state"] in (RIGHT, WRONG):
            del self.open[said["digest"]]
        if said["state"] == WRONG:
            self._wrong.append(decision)

    def _asked(self, decision: Decision, batch: Batch, grant: Decision | None, again: tuple[int, Plain] | None) -> None:
        """Hold that a review is of the emergency just granted, and asks whom it must, and none who had a part in it."""
        said = decision.fields
        if grant is None or said["grant_seq"] != grant.fields["seq"]:
            self._fail(decision, "a review of what is no emergency granted right before it")
            return
        of = grant.fields
        if any(said[name] != of[name] for name in ABOUT):
            self._fail(decision, "names another intent than the emergency it reviews")
        if said["digest"] != self._digest(of["intent_digest"], said):
            self._fail(decision, "not the digest of the emergency it reviews")
        if said["state"] != ASKED_REVIEW or any(said[name] != nothing for name, nothing in NOTHING.items()):
            self._fail(decision, "a review that is answered as it is asked")
        if said["asked_at"] != batch.instant or said["expires_at"] <= batch.instant or said["quorum"] < 1:
            self._fail(decision, "a review that asks nobody, or not from now on")
        people = {name for kind, _, name in self._known.lineage(of, batch.cut) if kind == "principal"}
        if missing := sorted(people - {*said["chain"]}):
            self._fail(decision, f"does not bar `{missing[0]}`, who asks or answers for what is reviewed")
        if len(self._of(said)) >= said["unreviewed_max"]:
            self._fail(decision, f"one emergency more than the {said['unreviewed_max']} that may be unanswered")
        if again is not None and again[0] == said["grant_seq"]:
            for name, must in again[1].items():
                if said[name] != must:
                    self._fail(decision, f"`{name}` is {said[name]}, by its packs and its case it is {must}")

    def _digest(self, intent_digest: bytes, said: Fields) -> bytes:
        place = self._partition.to_bytes(4, "big") + said["grant_seq"].to_bytes(8, "big")
        return sha256(b"placet/review/1" + intent_digest + place)

    def _follows(self, decision: Decision, before: Fields) -> None:
        """Hold that only what may change of a review does."""
        said = decision.fields
        if said["previous_seq"] != before["seq"]:
            self._fail(
                decision, f"follows seq {said['previous_seq']}, the newest record of its review is {before['seq']}"
            )
        differs = [name for name in said if name not in (*MOVES, *SAYS) and said[name] != before[name]]
        if differs:
            self._fail(decision, f"changes `{differs[0]}` of a review that was asked")

    def _overdue(self, decision: Decision, before: Fields) -> None:
        """Hold that the clock says of a review only that its time is over, and once."""
        said = decision.fields
        if said["state"] != OVERDUE or before["state"] != ASKED_REVIEW or said["cause_topic"]:
            self._fail(decision, "answers a review, and no vote is its cause")
        elif said["instant"] < said["expires_at"]:
            self._fail(decision, f"overdue {said['expires_at'] - said['instant']} ms before its time")
        elif any(said[name] != before[name] for name in SAYS):
            self._fail(decision, "counts votes as the clock speaks")
        self._told += 1

    def _voted(self, decision: Decision, batch: Batch, review: Review, rec: Rec | None, record: Record | None) -> None:
        """Hold that a vote that is counted is good, and that the review is where its votes lead."""
        said = decision.fields
        if rec is None or record is None:
            self._check.skip("the vote cannot be read")
            return
        if record.name != "vote" or record.fields["intent_digest"] != said["digest"]:
            self._fail(decision, f"counts a `{record.name}` that is not on this review")
            return
        vote, voter = record.fields, record.fields["voter"]
        pinned, fault = self._history.writer(record)
        if pinned is None or (pinned.purpose, pinned.issuer) != ("approver", voter):
            self._fail(decision, f"counts a vote of `{voter}` that is {fault or 'not signed as theirs'}")
        if (rec.value or b"") in [value for value, _ in review.votes.values()]:
            self._fail(decision, "counts a vote that was counted before")
        review.votes[voter] = rec.value or b"", vote
        if said["votes"] != [value for _, (value, _) in sorted(review.votes.items())]:
            self._fail(decision, "does not hold the votes that were taken on it")
        self._counts(decision, batch, review, voter, max(rec.at, said["asked_at"]))
        before = review.said["state"]
        right = vote["approve"] and len(said["voters"]) >= said["quorum"]
        if said["state"] != (RIGHT if right else before if vote["approve"] else WRONG):
            self._fail(decision, f"state {said['state']} on {len(said['voters'])} of {said['quorum']} votes")
        if said["by"] != (voter if said["state"] in (RIGHT, WRONG) else ""):
            self._fail(decision, f"says that `{said['by']}` answered it")

    def _counts(self, decision: Decision, batch: Batch, review: Review, voter: str, at: int) -> None:
        """Hold that whoever is counted, and whoever has just voted, may be."""
        said = decision.fields
        if len(set(said["voters"])) != len(said["voters"]):
            self._fail(decision, "counts a voter twice")
        for name in {*said["voters"], voter}:
            _, vote = review.votes.get(name, (b"", None))
            if vote is None or (name in said["voters"] and not vote["approve"]):
                self._fail(decision, f"counts `{name}`, who has not found it right")
                continue
            if name in review.barred:
                self._fail(decision, f"counts `{name}`, who had a part in it")
            if self._known.ended(("principal", said["tenant"], name), batch.cut) is not None:
                self._fail(decision, f"counts `{name}`, who is not active")
            if self._history.at(batch.cut).fell(vote["proof"]["kid"], vote["tenant"]) is not None:
                self._fail(decision, f"counts `{name}`, whose key `{vote['proof']['kid']}` is compromised")
            cast_at = max(at if name == voter else vote["voted_at"], said["asked_at"])
            late = said["auth_age_ms_max"] and cast_at - vote["auth_time"] > said["auth_age_ms_max"]
            if late or (said["acr"] and vote["acr"] not in said["acr"]):
                self._fail(decision, f"counts `{name}`, who had not authenticated as is wanted")

    def finish(self, batch: Batch) -> None:
        """Hold at the end of a batch that nothing is left out: a review, an alarm, or the end of what was none."""
        self._reviewed()
        for each in self.open.values():
            late = each.said["state"] == ASKED_REVIEW and each.said["expires_at"] <= batch.instant
            # A batch says of many that they are overdue, the earliest first; one that says it of none leaves none.
            if batch.sealed and late and not self._told:
                text = f"the review of {each.said['id'].hex()[:12]} is overdue since {each.said['expires_at']}, without alarm"
                self._check.fail(Topic.DECISIONS, self._partition, batch.offset, text)
        for decision in self._wrong:
            attempt = self._memory.open.get(_slot(decision.fields))
            if attempt is None or attempt.state not in (GRANTED, CLAIMED) or attempt.stopped:
                continue
            if self._digest(attempt.intent_digest, decision.fields) == decision.fields["digest"]:
                self._fail(decision, "was no emergency, and what was granted for it goes on")
        self._wrong, self._told = [], 0


def _slot(said: Fields) -> bytes:
    return slot_of(said["tenant"], said["authority"], said["id"], said["attempt"])
