"""V3 for what an intent asks to be read first: nothing is decided before, and nothing waits for it after."""

from placet.faces.auditor.attempts import slot_of
from placet.faces.auditor.batch import Batch, Cut, Decision
from placet.faces.auditor.records import Fields
from placet.faces.auditor.report import Report, title_of
from placet.faces.auditor.table import ASKED, FOLLOWS, TRANSIENT
from placet.model.topics import Topic

BEHIND = 330
OF_LIFE = 600
"""Reasons from here on say what became of an intent, not what was decided of it."""
Places = tuple[tuple[int, int, int], ...]


class ReadWatch:
    """The positions that open attempts of one partition ask for, held against the cuts their batches had read."""

    def __init__(self, partition: int, report: Report) -> None:
        self._partition = partition
        self._check = report["V3"]
        self._wanted: dict[bytes, Places] = {}

    def verdict(self, decision: Decision, batch: Batch, intent: Fields | None) -> None:
        """Hold one verdict against what its intent asks for; `intent` is there for a first answer that can be read."""
        said = decision.fields
        slot = slot_of(said["tenant"], said["authority"], said["id"], said["attempt"])
        if said["previous_seq"] < 0:
            self._wanted.pop(slot, None)
            if intent is not None and (said["reason"] == BEHIND or intent["at_least"]):
                places = tuple((at["topic"], at["partition"], at["offset"]) for at in intent["at_least"])
                self._wanted[slot] = places
        wanted = self._wanted.get(slot)
        if wanted is not None:
            self._check.checked += 1
            self._hold(decision, wanted, batch.cut)
            if said["state"] not in FOLLOWS:
                del self._wanted[slot]

    def _hold(self, decision: Decision, wanted: Places, cut: Cut) -> None:
        said = decision.fields
        unread = [(topic, part, at) for topic, part, at in wanted if at >= cut.get((topic, part), (0, 0))[0]]
        decided = said["state"] in FOLLOWS[ASKED] and said["reason"] < OF_LIFE and said["reason"] not in TRANSIENT
        if decided and unread:
            topic, part, at = unread[0]
            self._fail(decision.offset, f"decided before {title_of(topic)}/{part}@{at} was read, which it asks for")
        if said["reason"] == BEHIND and not unread:
            self._fail(decision.offset, "says that the context is behind what it asks for, and all of that was read")

    def _fail(self, offset: int, text: str) -> None:
        self._check.fail(Topic.DECISIONS, self._partition, offset, text)
