"""What a batch had to answer: its input records, and which of them were answered."""

from placet.faces.auditor.batch import Batch
from placet.faces.auditor.cursor import Cursor
from placet.faces.auditor.report import Report, title_of
from placet.model.topics import INPUTS, Topic
from placet.ports import Log, Rec


class Inputs:
    """The input records of one partition, batch by batch: each must be cited by exactly one answer of its batch."""

    def __init__(self, log: Log, partition: int, report: Report) -> None:
        self._partition = partition
        self._report = report
        self._v3 = report["V3"]
        self._cursors = {int(topic): Cursor(log, topic, partition) for topic in INPUTS}
        self._due: dict[tuple[int, int], Rec] = {}
        self._answered: dict[tuple[int, int], int] = {}
        self._below: dict[int, int] = {}

    def begin(self, batch: Batch) -> None:
        """Take the records between the last batch's positions and this one's."""
        self._due.clear()
        self._answered.clear()
        for topic, cursor in self._cursors.items():
            position = batch.inputs.get(topic, 0) if batch.sealed else cursor.end
            for rec in cursor.upto(position):
                self._due[topic, rec.offset] = rec
            if position > cursor.end:
                text = f"sealed up to {position} of {title_of(topic)}, which ends at {cursor.end}"
                self._report["V3"].fail(Topic.DECISIONS, self._partition, batch.offset, text)

    def answered(self, offset: int, topic: int, partition: int, at: int) -> Rec | None:
        """Return the record that the decision at `offset` answers, or None and a violation where it answers none."""
        self._v3.checked += 1
        rec = self._due.get((topic, at)) if partition == self._partition else None
        if rec is None:
            self._unfound(offset, topic, partition, at)
            return None
        before = self._answered.get((topic, at))
        if before is not None:
            text = f"a second answer to {title_of(topic)}/{partition}@{at}, which the one at {before} answers"
            self._report["V1"].fail(Topic.DECISIONS, self._partition, offset, text)
        self._answered[topic, at] = offset
        return rec

    def _unfound(self, offset: int, topic: int, partition: int, at: int) -> None:
        check = self._report["V3"]
        where = f"{title_of(topic)}/{partition}@{at}"
        cursor = self._cursors[topic]
        if partition != self._partition:
            check.fail(Topic.DECISIONS, self._partition, offset, f"answers {where}, of another partition")
        elif at >= cursor.end:
            check.fail(Topic.DECISIONS, self._partition, offset, f"answers {where}, past the end at {cursor.end}")
        elif at < (cursor.begins or 0) or cursor.begins is None:
            check.skip("the cited record is past its retention")
        else:
            check.fail(Topic.DECISIONS, self._partition, offset, f"answers {where}, which its batch did not read")

    def finish(self, batch: Batch) -> None:
        """Count what of the batch was answered; what was not is a violation."""
        check = self._report["V1"]
        check.checked += len(self._due)
        if len(self._answered) == len(self._due) or not batch.sealed:
            return
        for topic, offset in sorted(self._due.keys() - self._answered.keys()):
            text = f"no answer, and the seal at {batch.offset} says it was decided"
            check.fail(topic, self._partition, offset, text)

    def open(self) -> int:
        """Return how many records lie above the sealed positions: nothing is owed to them yet."""
        return sum(1 for cursor in self._cursors.values() for _ in cursor)
