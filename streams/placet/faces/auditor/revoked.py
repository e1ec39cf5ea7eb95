"""V8: who is suspended or revoked is granted nothing from then on, and what was granted before is taken back."""

from collections.abc import Iterable

from placet.faces.auditor.attempts import Attempt
from placet.faces.auditor.batch import Batch, Cut, Decision
from placet.faces.auditor.known import Known, Subject, Version
from placet.faces.auditor.records import Fields
from placet.faces.auditor.report import Report, title_of
from placet.faces.auditor.table import HELD, name_of
from placet.model.topics import Topic


class RevokedWatch:
    """V8 in one partition, by what its Seals say was read and swept."""

    def __init__(self, partition: int, known: Known, report: Report) -> None:
        self._partition = partition
        self._known = known
        self._check = report["V8"]
        self._swept: dict[tuple[int, int], int] = {}

    def verdict(self, decision: Decision, batch: Batch) -> None:
        """Hold a grant or a claim against who had been revoked in what its batch had read."""
        said = decision.fields
        if said["state"] not in HELD or said["stop"]:
            return
        self._check.checked += 1
        found = self._revoked(self._subjects(said, said["executor"], batch.cut), batch.cut)
        if found is not None:
            (name, _, whom), by = found
            text = f"`{name_of(said['state'])}` when {name} `{whom}` had been revoked: {_place(by)}"
            self._check.fail(Topic.DECISIONS, self._partition, decision.offset, text)

    def swept(self, batch: Batch, swept: Cut, held: Iterable[Attempt]) -> None:
        """Hold that nothing is held any more under what was revoked in what a Seal says was swept."""
        news: set[Subject] = set()
        for place, endings in self._known.endings.items():
            at = self._swept.get(place, 0)
            while at < len(endings) and endings[at][0] < swept.get(place, (0, 0))[0]:
                news.add(endings[at][1])
                at += 1
            self._swept[place] = at
        if not news:
            return
        for attempt in held:
            if attempt.state not in HELD or attempt.stopped:
                continue
            subjects = self._subjects(attempt.asked, attempt.executor, swept)
            found = None if news.isdisjoint(subjects) else self._revoked(subjects, swept)
            if found is not None:
                (name, _, whom), by = found
                text = f"leaves seq {attempt.seq} held after {name} `{whom}` was revoked: {_place(by)}"
                self._check.fail(Topic.DECISIONS, self._partition, batch.offset, text)

    def _subjects(self, said: Fields, executor: str, cut: Cut) -> tuple[Subject, ...]:
        """Return whose end is the end of what `said` asks: everybody in its chain, and whoever carries it out."""
        carriers = {said["audience"], executor} - {""}
        return (
            *self._known.lineage(said, cut),
            *(("principal", said["tenant"], name) for name in sorted(carriers)),
        )

    def _revoked(self, subjects: Iterable[Subject], cut: Cut) -> tuple[Subject, Version] | None:
        for subject in subjects:
            by = self._known.ended(subject, cut)
            if by is not None:
                return subject, by
        return None


def _place(by: Version) -> str:
    return f"{title_of(by.topic)}/{by.partition}@{by.offset}"
