"""Verdicts of one partition held against their records: what they say, what they grant, who claimed and who reported."""

from collections.abc import Callable
from operator import itemgetter

from placet.faces.auditor.attempts import NINE, Attempt
from placet.faces.auditor.batch import Decision
from placet.faces.auditor.grants import digest_fault, narrowed, widening
from placet.faces.auditor.hashes import action_digest, intent_digest, is_canonical, partition_of
from placet.faces.auditor.keys import Keys, Pinned
from placet.faces.auditor.lives import Lives
from placet.faces.auditor.records import Fields, Record
from placet.faces.auditor.report import Report
from placet.faces.auditor.table import (
    APPROVED,
    BY_OUTCOME,
    CLAIMED,
    GRANTED,
    HELD,
    HOLDING,
    WAITING,
    WITHDRAWN,
    name_of,
)
from placet.model.topics import Topic
from placet.ports import Rec

TOLD = (*NINE, "audience", "deadline")
told = itemgetter(*TOLD)
identity = itemgetter("tenant", "authority", "id", "attempt")


class Verdicts:
    """Holds one verdict after the other against the record it answers, and folds it into its attempt."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        keys: Keys,
        lives: Lives,
        sampled: Callable[[bytes], bool],
        report: Report,
        lag_ms_max: int,
    ) -> None:
        self._partition = partition
        self._partitions = partitions
        self._keys = keys
        self._lives = lives
        self._sampled = sampled
        self._report = report
        self._lag_ms_max = lag_ms_max
        self._v2, self._v12 = report["V2"], report["V12"]

    def _fail(self, check: str, offset: int, text: str) -> None:
        self._report[check].fail(Topic.DECISIONS, self._partition, offset, text)

    def take(self, decision: Decision, rec: Rec | None, record: Record | None) -> None:
        """Check a verdict; `rec` is the input record it answers and `record` what that holds, where it answers one."""
        said = decision.fields
        self._v2.checked += 1
        if partition_of(said["tenant"], said["authority"], self._partitions) != self._partition:
            self._fail("V2", decision.offset, f"`{said['tenant']}/{said['authority']}` does not lie in this partition")
        if said["previous_seq"] < 0:
            self._first(decision, rec, record)
        else:
            self._later(decision, rec, record)

    def _in_time(self, decision: Decision, appended_at: int) -> None:
        """Hold that what was read too long after it was appended is neither granted nor claimed."""
        self._report["V10"].checked += 1
        said = decision.fields
        if said["instant"] - appended_at > self._lag_ms_max:
            late = said["instant"] - appended_at
            self._fail("V10", decision.offset, f"`{name_of(said['state'])}` {late} ms after what asks it was appended")

    def _first(self, decision: Decision, rec: Rec | None, record: Record | None) -> None:
        said, offset = decision.fields, decision.offset
        intent: Fields | None = None
        if said["cause_topic"] != Topic.INTENTS or said["cause_offset"] != said["asked_offset"]:
            self._fail("V2", offset, "a first answer whose cause is not the intent it answers")
        elif rec is None or record is None:
            self._v2.skip("the cited intent cannot be read")
        elif record.name != "intent":
            self._fail("V2", offset, f"a first answer to a `{record.name}`")
        else:
            intent = record.fields
            self._says(decision, rec, record)
        attempt = self._lives.first(decision, intent)
        if said["state"] in HELD:
            self._in_time(decision, said["asked_at"])
        if said["state"] in HOLDING:
            self._grant(decision, None if intent is None else intent["arguments"])
        if said["state"] == CLAIMED:
            self._lives.claimed(attempt, said, None, offset)

    def _says(self, decision: Decision, rec: Rec, record: Record) -> None:
        """Hold V2: what the verdict says is what its intent says, under the digests of that record."""
        said, intent = decision.fields, record.fields
        if told(said) != told(intent):
            differs = next(name for name in TOLD if said[name] != intent[name])
            self._fail("V2", decision.offset, f"`{differs}` is not what the intent at {rec.offset} says")
        if said["asked_at"] != rec.at:
            self._fail("V2", decision.offset, f"asked at {said['asked_at']}, appended at {rec.at}")
        if said["intent_digest"] != intent_digest(record.fingerprint, record.unsigned):
            self._fail("V2", decision.offset, f"not the digest of the intent at {rec.offset}")
        if not is_canonical(intent["arguments"]):
            self._fail("V2", decision.offset, f"decides arguments that are not canonical JSON, at {rec.offset}")
        elif said["action_digest"] != action_digest(intent, intent["arguments"]):
            self._fail("V2", decision.offset, f"not the digest of the action asked at {rec.offset}")

    def _grant(self, decision: Decision, asked: bytes | None, attempt: Attempt | None = None) -> None:
        self._v12.checked += 1
        if asked is None:
            self._v12.skip("the arguments asked cannot be read")
            return
        if fault := digest_fault(decision.fields, asked):
            self._fail("V2", decision.offset, fault)
        if attempt is not None and decision.fields["reason"] == APPROVED:
            fault, asked = narrowed(decision.fields, asked, attempt)
            if fault:
                self._fail("V12", decision.offset, fault)
        if fault := widening(decision.fields, asked):
            self._fail("V12", decision.offset, fault)

    def _later(self, decision: Decision, rec: Rec | None, record: Record | None) -> None:
        said, offset = decision.fields, decision.offset
        attempt = self._lives.later(decision)
        if record is not None and identity(record.fields) != identity(said):
            self._fail("V2", offset, f"moves another attempt than its `{record.name}` names")
        if attempt is None:
            return
        before, after = attempt.state, said["state"]
        if before in WAITING and after in (GRANTED, CLAIMED):
            self._grant(decision, attempt.arguments, attempt)
        if after == CLAIMED and not said["stop"]:
            self._claimed(decision, attempt, record)
            if rec is not None and rec.topic != Topic.VOTES:
                self._in_time(decision, rec.at)
        if after in BY_OUTCOME:
            self._ended(decision, attempt, record)
        if after == WITHDRAWN and (
            record is None or record.name != "withdraw" or record.fields["actor"] != said["actor"]
        ):
            self._fail("LIFE", offset, "withdrawn, and not by its actor's word")
        self._lives.arrow(attempt, said, offset)

    def _claimed(self, decision: Decision, attempt: Attempt, record: Record | None) -> None:
        said = decision.fields
        if attempt.state in WAITING:
            self._lives.claimed(attempt, said, None, decision.offset)
        elif record is None and said["cause_topic"] == Topic.OUTCOMES:
            self._report["V11"].skip("the claim cannot be read")
        elif record is None or record.name != "claim":
            self._fail("V11", decision.offset, "claimed, and its cause is no claim")
        else:
            self._lives.claimed(attempt, said, record.fields, decision.offset)
            pinned = self._writer(decision, record)
            if pinned is not None and (pinned.purpose, pinned.issuer) != ("executor", record.fields["executor"]):
                self._fail(
                    "WRITERS", decision.offset, f"a claim by `{record.fields['executor']}` signed by `{pinned.issuer}`"
                )

    def _ended(self, decision: Decision, attempt: Attempt, record: Record | None) -> None:
        said, offset = decision.fields, decision.offset
        if record is None and said["cause_topic"] == Topic.OUTCOMES:
            self._report["V11"].skip("the outcome cannot be read")
        elif record is None or record.name != "outcome":
            self._fail("V11", offset, f"`{name_of(said['state'])}`, and its cause is no outcome")
        else:
            outcome = record.fields
            operator = self._keys.purpose_of(outcome["proof"]) == "operator"
            self._lives.ended(attempt, said, outcome, offset, operator=operator)
            pinned = self._writer(decision, record)
            if (
                pinned is not None
                and not operator
                and (pinned.purpose, pinned.issuer) != ("executor", outcome["executor"])
            ):
                self._fail("WRITERS", offset, f"an outcome by `{outcome['executor']}` signed by `{pinned.issuer}`")

    def _writer(self, decision: Decision, record: Record) -> Pinned | None:
        check = self._report["WRITERS"]
        if not self._sampled(decision.leaf):
            check.skip("not in the sample")
            return None
        check.checked += 1
        pinned, fault = self._keys.writer(record)
        if fault:
            check.fail(Topic.DECISIONS, self._partition, decision.offset, f"takes a {record.name} that is {fault}")
        return pinned
