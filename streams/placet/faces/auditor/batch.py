"""One sealed batch of decisions: its numbers, its root, its signature, and that nothing in it goes back."""

from typing import NamedTuple

from placet.faces.auditor.hashes import leaf_hash, root_of
from placet.faces.auditor.keys import Keys
from placet.faces.auditor.records import Fields, Record
from placet.faces.auditor.report import Report, title_of
from placet.model.topics import Topic

NO_ROOT = bytes(32)
Cut = dict[tuple[int, int], tuple[int, int]]


class Decision(NamedTuple):
    """One record of `placet.decisions` that has a number."""

    offset: int
    name: str
    fields: Fields
    leaf: bytes


class Batch(NamedTuple):
    """What one Seal closes, and what it says the desk had read by then."""

    decisions: list[Decision]
    offset: int
    instant: int
    cut: Cut
    inputs: dict[int, int]
    sealed: bool
    epoch: int


class SealChain:
    """The Seals of one partition, each compared with the one before and with what it closes."""

    def __init__(self, partition: int, keys: Keys, report: Report) -> None:
        self._partition = partition
        self._keys = keys
        self._report = report
        self._waiting: list[Decision] = []
        self._root = NO_ROOT
        self._epoch = -1
        self._cluster = ""
        self._ordinal = -1
        self.next_seq = 0
        self.instant = 0
        self.cut: Cut = {}
        self.swept: Cut = {}
        self.inputs: dict[int, int] = {}

    @property
    def desk_ordinal(self) -> int:
        """Return the ordinal of the last desk change under a Seal, or -1."""
        return self._ordinal

    def _fail(self, check: str, offset: int, text: str) -> None:
        self._report[check].fail(Topic.DECISIONS, self._partition, offset, text)

    def add(self, offset: int, record: Record) -> None:
        """Take a decision that waits for its Seal."""
        seq = record.fields["seq"]
        if seq != self.next_seq:
            self._fail("SEALS", offset, f"seq {seq} follows {self.next_seq - 1}, expected {self.next_seq}")
        if record.fields["partition"] != self._partition:
            self._fail("SEALS", offset, f"says partition {record.fields['partition']}")
        self.next_seq = seq + 1
        self._waiting.append(
            Decision(offset, record.name, record.fields, leaf_hash(record.fingerprint + record.payload))
        )

    def close(self, offset: int, seal: Record) -> Batch:
        """Check one Seal and return the batch it closes."""
        said = seal.fields
        self._report["SEALS"].checked += 1
        if fault := self._keys.seal_fault(seal):
            self._fail("SEALS", offset, fault)
        self._follow(offset, said)
        self._cover(offset, said)
        cut = _cut(said["read_cut"])
        inputs = {row["topic"]: row["offset"] for row in said["inputs"]}
        self._never_back(offset, said, cut, inputs)
        self._root, self._epoch, self._ordinal = said["root"], said["epoch"], said["desk_ordinal"]
        self._cluster = said["cluster"]
        self.instant = max(self.instant, said["instant"])
        self.cut = {**self.cut, **cut}
        self.swept = {**self.swept, **_cut(said["swept_cut"])}
        self.inputs = {**self.inputs, **inputs}
        return self._take(offset, said["instant"], sealed=True)

    def rest(self) -> Batch | None:
        """Return the decisions after the last Seal, each of them a violation, or None where all are sealed."""
        if not self._waiting:
            return None
        first, last = self._waiting[0], self._waiting[-1]
        count = len(self._waiting)
        self._fail("SEALS", first.offset, f"unsealed: {count} decisions from seq {first.fields['seq']} on")
        return self._take(last.offset, last.fields["instant"], sealed=False)

    def _take(self, offset: int, instant: int, *, sealed: bool) -> Batch:
        decisions, self._waiting = self._waiting, []
        return Batch(decisions, offset, instant, self.cut, self.inputs, sealed, self._epoch)

    def _follow(self, offset: int, said: Fields) -> None:
        if said["partition"] != self._partition:
            self._fail("SEALS", offset, f"a seal of partition {said['partition']}")
        if self._cluster and said["cluster"] != self._cluster:
            self._fail("SEALS", offset, f"a seal of cluster `{said['cluster']}` after `{self._cluster}`")
        if said["previous_root"] != self._root:
            self._fail("SEALS", offset, f"previous root {_short(said['previous_root'])}, expected {_short(self._root)}")
        opens = said["epoch"] != self._epoch
        if opens and said["epoch"] != self._epoch + 1 and self._epoch >= 0:
            self._fail("SEALS", offset, f"epoch {said['epoch']} follows {self._epoch}")
        if opens and said["seq_to"] != said["seq_from"]:
            self._fail("SEALS", offset, f"epoch {said['epoch']} is not opened by an empty seal")
        if said["desk_ordinal"] < self._ordinal:
            self._fail("SEALS", offset, f"desk ordinal {said['desk_ordinal']} after {self._ordinal}")

    def _cover(self, offset: int, said: Fields) -> None:
        start = self._waiting[0].fields["seq"] if self._waiting else self.next_seq
        if (said["seq_from"], said["seq_to"]) != (start, self.next_seq):
            text = f"seals seq {said['seq_from']} to {said['seq_to']}, the records before it are {start} to {self.next_seq}"
            self._fail("SEALS", offset, text)
        root = root_of([decision.leaf for decision in self._waiting])
        if root != said["root"]:
            self._fail("SEALS", offset, f"root {_short(said['root'])}, the records before it give {_short(root)}")
        for decision in self._waiting:
            if decision.fields["instant"] != said["instant"]:
                text = f"instant {decision.fields['instant']}, its seal says {said['instant']}"
                self._fail("SEALS", decision.offset, text)

    def _never_back(self, offset: int, said: Fields, cut: Cut, inputs: dict[int, int]) -> None:
        check = self._report["V6"]
        check.checked += 1
        if said["instant"] < self.instant:
            self._fail("V6", offset, f"instant {said['instant']} after {self.instant}")
        for topic, position in inputs.items():
            if position < self.inputs.get(topic, 0):
                was = self.inputs[topic]
                self._fail("V6", offset, f"position {position} of {title_of(topic)} after {was}")
        for what, marks, before in (("read", cut, self.cut), ("swept", _cut(said["swept_cut"]), self.swept)):
            for place, mark in marks.items():
                was_offset, was_heard = before.get(place, (0, 0))
                if mark[0] < was_offset or mark[1] < was_heard:
                    title = f"{title_of(place[0])}/{place[1]}"
                    self._fail("V6", offset, f"{what} cut {mark} of {title} after {before[place]}")


def _cut(marks: list[Fields]) -> Cut:
    return {(mark["topic"], mark["partition"]): (mark["offset"], mark["heard_at"]) for mark in marks}


def _short(digest: bytes) -> str:
    return digest.hex()[:12]
