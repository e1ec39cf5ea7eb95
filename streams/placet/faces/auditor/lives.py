"""The life of every attempt of one partition, folded from its decisions: first answers, arrows, claims and outcomes."""

from placet.faces.auditor.attempts import BUCKET_MS, DIGEST_CUT, TRANSIENT_FLAG, Attempt, Memory, Row, nine_of, slot_of
from placet.faces.auditor.batch import Decision
from placet.faces.auditor.records import Fields
from placet.faces.auditor.report import Report
from placet.faces.auditor.sessions import Sessions
from placet.faces.auditor.table import (
    ASKED,
    BY_CLOCK,
    BY_OUTCOME,
    CLAIMED,
    DEFERRED,
    DENIED,
    DENY,
    DONE,
    FOLLOWS,
    GRANTED,
    HOLDING,
    PENDING,
    STILL,
    TRANSIENT,
    UNKNOWN,
    WAITING,
    name_of,
    state_of,
)
from placet.model.topics import Topic


class Lives:
    """Folds verdicts into attempts, and says of each arrow whether it may be taken."""

    def __init__(self, partition: int, report: Report) -> None:
        self._partition = partition
        self._report = report
        self._life, self._v4 = report["LIFE"], report["V4"]
        self._last_asked = -1
        self.memory = Memory()
        self.sessions = Sessions()

    def fail(self, check: str, offset: int, text: str) -> None:
        """Count a violation at a decision of this partition."""
        self._report[check].fail(Topic.DECISIONS, self._partition, offset, text)

    def first(self, decision: Decision, intent: Fields | None) -> Attempt:
        """Fold a first answer to `intent`, where that is still there."""
        said, offset = decision.fields, decision.offset
        self._v4.checked += 1
        if said["asked_offset"] <= self._last_asked:
            text = f"answers the intent at {said['asked_offset']} after the one at {self._last_asked}"
            self.fail("V4", offset, text)
        self._last_asked = max(self._last_asked, said["asked_offset"])
        slot = slot_of(said["tenant"], said["authority"], said["id"], said["attempt"])
        self._only(slot, said, offset)
        self.memory.put(slot, said, transient=said["state"] == DENIED and said["reason"] in TRANSIENT)
        attempt = Attempt(slot, said)
        if intent is not None:
            attempt.arguments, attempt.session = intent["arguments"], intent["session"]
            attempt.emergency = intent["emergency"] and bool(intent["purpose"].strip())
            attempt.kid = intent["proof"]["kid"] if intent["proof"] else ""
        self._life.checked += 1
        if said["state"] not in FOLLOWS[ASKED]:
            self.fail("LIFE", offset, f"the first answer is `{name_of(said['state'])}`")
        self._effect(said, offset)
        self._move(attempt, said)
        return attempt

    def _only(self, slot: bytes, said: Fields, offset: int) -> None:
        """Hold that an attempt is answered first once, and that attempts follow each other only after a transient refusal."""
        known = self.memory.find(slot)
        check = self._report["V1"]
        check.checked += 1
        if known is not None and (slot in self.memory.open or Row(known).deadline > said["instant"]):
            text = f"a second first answer to attempt {said['attempt']}, answered at seq {Row(known).seq}"
            self.fail("V1", offset, text)
        if said["attempt"] <= 1:
            return
        before = self.memory.find(slot_of(said["tenant"], said["authority"], said["id"], said["attempt"] - 1))
        if before is None:
            self.fail("V1", offset, f"attempt {said['attempt']} is answered, the one before it never was")
            return
        row = Row(before)
        if not row.flags & TRANSIENT_FLAG:
            self.fail("V1", offset, f"attempt {said['attempt']} follows one that was not refused as transient")
        if row.action_digest != said["action_digest"][:DIGEST_CUT]:
            self.fail("V1", offset, f"attempt {said['attempt']} asks for another action than the one before it")

    def attempt_of(self, said: Fields) -> Attempt | None:
        """Return the open attempt a verdict is about, or None."""
        return self.memory.open.get(slot_of(said["tenant"], said["authority"], said["id"], said["attempt"]))

    def later(self, decision: Decision) -> Attempt | None:
        """Return the attempt a later record belongs to, or None and a violation where there is none to belong to."""
        said, offset = decision.fields, decision.offset
        self._life.checked += 1
        slot = slot_of(said["tenant"], said["authority"], said["id"], said["attempt"])
        attempt = self.memory.open.get(slot)
        if attempt is None:
            ended = self.memory.find(slot) is not None
            text = "moves an attempt that has come to its end" if ended else "moves an attempt nobody asked for"
            self.fail("LIFE", offset, f"{text}: to `{name_of(said['state'])}`")
            return None
        if said["previous_seq"] != attempt.seq:
            text = f"says it follows seq {said['previous_seq']}, the newest record of the attempt is {attempt.seq}"
            self.fail("LIFE", offset, text)
        if (
            nine_of(said) != attempt.nine
            or said["intent_digest"] != attempt.intent_digest
            or said["action_digest"] != attempt.action_digest
            or said["asked_offset"] != attempt.asked_offset
        ):
            self.fail("V2", offset, "does not say what the first answer of this attempt said")
        return attempt

    def arrow(self, attempt: Attempt, said: Fields, offset: int) -> None:
        """Hold that the record takes an arrow of the table, then take it."""
        before, after = attempt.state, said["state"]
        if after in BY_OUTCOME:
            self.sessions.tell(said, attempt.session)
        if said["stop"]:
            if not before == after == CLAIMED:
                self.fail("LIFE", offset, f"stops an attempt that is `{name_of(before)}`")
            elif attempt.stopped:
                self.fail("LIFE", offset, "stops an attempt that was stopped before")
            attempt.stopped = True
            attempt.seq = said["seq"]
            return
        if before == after == PENDING and said["reason"] in STILL:
            if said["expires_at"] > attempt.expires_at:
                self.fail("LIFE", offset, f"waits until {said['expires_at']}, was to end at {attempt.expires_at}")
        elif after not in FOLLOWS.get(before, frozenset()):
            self.fail("LIFE", offset, f"no arrow leads from `{name_of(before)}` to `{name_of(after)}`")
        if after in BY_CLOCK and said["instant"] < attempt.expires_at:
            late = attempt.expires_at - said["instant"]
            self.fail("LIFE", offset, f"`{name_of(after)}` {late} ms before its time")
        if before in WAITING and after != before:
            self._effect(said, offset)
        if after == DEFERRED:
            attempt.votes.clear()
        if after == DENIED and said["reason"] in TRANSIENT:
            self.memory.refused(attempt.slot)
        self._move(attempt, said)

    def _effect(self, said: Fields, offset: int) -> None:
        """Hold that an answer's effect leads to the state it says, and that only what may run has a granted digest."""
        state = said["state"]
        holds = state in HOLDING
        if state in FOLLOWS[ASKED] and state != state_of(said["effect"], claim_required=said["claim_required"]):
            self.fail("LIFE", offset, f"effect {said['effect']} leads to `{name_of(state)}`")
        if holds != bool(said["granted_digest"]):
            self.fail("V2", offset, f"`{name_of(state)}` {'without' if holds else 'with'} a granted digest")
        if state == DENIED and said["effect"] not in (0, DENY):
            self.fail("LIFE", offset, f"denied with effect {said['effect']}")

    def _move(self, attempt: Attempt, said: Fields) -> None:
        after = said["state"]
        attempt.seq = said["seq"]
        if after not in FOLLOWS:
            self.memory.open.pop(attempt.slot, None)
            return
        self.memory.open[attempt.slot] = attempt
        if after in WAITING or (after in (GRANTED, CLAIMED) and attempt.state not in HOLDING):
            attempt.granted_digest = said["granted_digest"]
            attempt.claim_required = said["claim_required"]
            attempt.act_ms_max = said["act_ms_max"]
        if after == CLAIMED:
            attempt.executor, attempt.nonce = said["executor"], said["nonce"]
            self.memory.claim(attempt.slot, said)
        if after != UNKNOWN:
            attempt.expires_at = said["expires_at"]
        if after not in WAITING:
            attempt.arguments = None
        attempt.state = after

    def claimed(self, attempt: Attempt, said: Fields, claim: Fields | None, offset: int) -> None:
        """Hold what V11 asks of a record that says `claimed`; `claim` is None where the grant itself is the claim."""
        check = self._report["V11"]
        check.checked += 1
        if said["instant"] > said["deadline"]:
            self.fail("V11", offset, "claimed after the intent's deadline")
        if claim is None:
            if not said["audience"] or said["executor"] != said["audience"]:
                text = f"a grant claimed at once by `{said['executor']}`, its audience is `{said['audience']}`"
                self.fail("V11", offset, text)
            return
        if attempt.state != GRANTED:
            return
        for what, wrong in (
            ("the digest claimed is not the one granted", claim["granted_digest"] != attempt.granted_digest),
            ("another digest than the one granted", said["granted_digest"] != attempt.granted_digest),
            (
                f"claimed by `{claim['executor']}`, recorded for `{said['executor']}`",
                claim["executor"] != said["executor"],
            ),
            ("recorded under another nonce than the claim's", claim["nonce"] != said["nonce"]),
            (
                f"claimed by `{claim['executor']}`, granted to `{attempt.audience}`",
                bool(attempt.audience) and claim["executor"] != attempt.audience,
            ),
            ("claimed after the lease had ended", said["instant"] > attempt.expires_at),
        ):
            if wrong:
                self.fail("V11", offset, what)

    def unfounded(self, outcome: Fields, instant: int, offset: int) -> None:
        """Hold that an executor whose `done` was refused did not act without leave: it may only have said it again."""
        check = self._report["V11"]
        slot = slot_of(outcome["tenant"], outcome["authority"], outcome["id"], outcome["attempt"])
        known = self.memory.find(slot)
        if known is None and outcome["finished_at"] < instant - BUCKET_MS:
            check.skip("told too late to know whether it was claimed")
            return
        check.checked += 1
        granted = [] if known is None else Row(known).granted_to(outcome["executor"], outcome["nonce"])
        if not granted:
            self.fail("V11", offset, f"`{outcome['executor']}` did what nobody gave it leave to do")
        elif outcome["ran_digest"][:DIGEST_CUT] not in granted:
            self.fail("V11", offset, f"`{outcome['executor']}` did something else than it was given leave to do")

    def ended(self, attempt: Attempt, said: Fields, outcome: Fields, offset: int, *, operator: bool) -> None:
        """Hold what V11 asks of an outcome that was taken."""
        check = self._report["V11"]
        check.checked += 1
        if attempt.state not in (CLAIMED, UNKNOWN):
            self.fail("V11", offset, f"an outcome of an attempt that is `{name_of(attempt.state)}`, never claimed")
        if said["state"] != outcome["result"] or said["state"] not in BY_OUTCOME:
            self.fail("V11", offset, f"`{name_of(said['state'])}`, the outcome says `{name_of(outcome['result'])}`")
        if said["ran_digest"] != outcome["ran_digest"]:
            self.fail("V11", offset, "says that something else ran than its outcome says")
        by_claimant = (outcome["executor"], outcome["nonce"]) == (attempt.executor, attempt.nonce or outcome["nonce"])
        if not by_claimant and not operator:
            text = f"an outcome by `{outcome['executor']}`, claimed by `{attempt.executor}` or under another nonce"
            self.fail("V11", offset, text)
        ran = outcome["ran_digest"]
        if (ran or not operator) and said["state"] == DONE and ran != attempt.granted_digest:
            self.fail("V11", offset, "what ran is not what was granted")
