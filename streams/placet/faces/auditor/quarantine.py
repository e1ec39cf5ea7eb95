"""Records kept aside, compared with the refusals that say they were."""

from typing import NamedTuple

from placet.faces.auditor.batch import Decision
from placet.faces.auditor.cursor import Cursor
from placet.faces.auditor.hashes import sha256
from placet.faces.auditor.records import Schemas, Unreadable
from placet.faces.auditor.report import Report, title_of
from placet.faces.auditor.table import FAULTY_BELOW
from placet.model.topics import CONTEXT, INPUTS, Topic
from placet.ports import Log, Rec


class Kept(NamedTuple):
    """What of a quarantined record is compared."""

    offset: int
    reason: int
    value: bytes


class Quarantine:
    """All of one partition of `placet.quarantine`, by the place of the record that was refused."""

    def __init__(self, log: Log, partition: int, schemas: Schemas, report: Report) -> None:
        self._partition = partition
        self._report = report
        self._kept: dict[tuple[int, int, int], Kept] = {}
        cursor = Cursor(log, Topic.QUARANTINE, partition)
        for rec in cursor:
            report.read["quarantined"] += 1
            try:
                said = schemas.open(rec.value).fields
            except Unreadable as error:
                self._fail(rec.offset, str(error))
                continue
            place = (said["topic"], said["partition"], said["offset"])
            if place in self._kept:
                self._fail(rec.offset, f"keeps {_name(place)} a second time")
            self._kept[place] = Kept(rec.offset, said["reason"], sha256(said["value"] or b""))
        self._begins = cursor.begins

    def _fail(self, offset: int, text: str) -> None:
        self._report["QUARANTINE"].fail(Topic.QUARANTINE, self._partition, offset, text)

    def refused(self, decision: Decision, rec: Rec | None) -> None:
        """Hold one refusal against what was kept."""
        said = decision.fields
        if said["reason"] >= FAULTY_BELOW:
            return
        check = self._report["QUARANTINE"]
        check.checked += 1
        place = (said["cause_topic"], said["cause_partition"], said["cause_offset"])
        kept = self._kept.pop(place, None)
        if kept is None:
            if self._begins is None or self._begins > 0:
                check.skip("the quarantined record is past its retention") if self._begins else self._missing(decision)
            else:
                self._missing(decision)
            return
        if kept.value != said["raw_digest"] or (rec is not None and kept.value != sha256(rec.value or b"")):
            self._fail(kept.offset, f"does not keep the bytes of {_name(place)}")
        if kept.reason != said["reason"]:
            self._fail(kept.offset, f"keeps {_name(place)} for reason {kept.reason}, refused for {said['reason']}")

    def _missing(self, decision: Decision) -> None:
        said = decision.fields
        place = (said["cause_topic"], said["cause_partition"], said["cause_offset"])
        text = f"refuses {_name(place)} as faulty, and nothing is kept of it"
        self._report["QUARANTINE"].fail(Topic.DECISIONS, self._partition, decision.offset, text)

    def finish(self, positions: dict[int, int]) -> None:
        """Name what was kept and never refused, of the context and of the inputs below the sealed positions."""
        for (topic, partition, offset), kept in self._kept.items():
            if topic in CONTEXT or (topic in INPUTS and offset < positions.get(topic, 0)):
                self._fail(kept.offset, f"keeps {_name((topic, partition, offset))}, which no refusal names")


def _name(place: tuple[int, int, int]) -> str:
    return f"{title_of(place[0])}/{place[1]}@{place[2]}"
