"""Any course of appends, batches, failures and crashes ends where a few dictionaries end."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from placet.drivers.clock import SystemClock
from placet.errors import Unavailable, Unsure
from placet.model.topics import INPUTS, Topic
from placet.ports import Emits, Message, Rec
from tests.drivers.embedded.folder import SMALL, Faulty, Folder, crash
from tests.drivers.whole import whole

SEAL = b"\x00\x00\x00\x00\x09"
PARTITIONS = 2
CONTEXTS = (int(Topic.RISK), int(Topic.CONTROLS))
PLAIN = (*map(int, INPUTS), int(Topic.DECISIONS), int(Topic.CASES), int(Topic.QUARANTINE))

partitions = st.integers(0, PARTITIONS - 1)
values = st.binary(max_size=20)
messages = st.lists(st.builds(Message, st.none() | values, st.none() | values, st.none()), max_size=4)
facts = st.lists(
    st.builds(Message, st.sampled_from([b"", b"a", b"b", b"a\x00"]), st.none() | values, st.none()), max_size=4
)
ordinals = st.lists(st.tuples(st.integers(0, 5), st.none() | values), max_size=4)


class JournalMachine(RuleBasedStateMachine):
    """A folder, and what should be in it."""

    @initialize()
    def begin(self) -> None:
        self.root = tempfile.TemporaryDirectory(prefix="placet-model-")
        self.folder = Folder(
            Path(self.root.name) / "journal", replace(SMALL, partitions=PARTITIONS), SystemClock(), Faulty
        )
        self.plain: dict[tuple[int, int], list[Message]] = {
            (topic, at): [] for topic in PLAIN for at in range(PARTITIONS)
        }
        self.context: dict[tuple[int, bytes | None], bytes | None] = {}
        self.desk: dict[int, dict[int, bytes]] = {at: {} for at in range(PARTITIONS)}
        self.tail: dict[int, int] = dict.fromkeys(range(PARTITIONS), 0)
        self.committed = {(int(topic), at): 0 for topic in INPUTS for at in range(PARTITIONS)}
        self._views()

    def _views(self) -> None:
        self.log, self.journal, self.feed = self.folder.log(), self.folder.journal(), self.folder.feed()
        self.taken = dict(self.committed)
        self.known = {(rec.topic, rec.key): rec.value for rec in self.feed.catch_up()}

    @rule(topic=st.sampled_from([int(topic) for topic in INPUTS]), partition=partitions, said=messages)
    def ask(self, topic: int, partition: int, said: list[Message]) -> None:
        assert self.log.append(topic, partition, said) == len(self.plain[topic, partition])
        self.plain[topic, partition] += said

    @rule(topic=st.sampled_from(CONTEXTS), said=facts)
    def publish(self, topic: int, said: list[Message]) -> None:
        self.log.append(topic, 0, said)
        for message in said:
            self.context[topic, message.key] = message.value

    @rule(most=st.integers(1, 6))
    def take(self, most: int) -> None:
        found = self.journal.take(most, 0)
        waiting = sum(len(self.plain[place]) - position for place, position in self.taken.items())
        assert bool(found) == bool(waiting)
        assert sum(map(len, found.values())) <= most
        for partition, recs in found.items():
            assert [INPUTS.index(Topic(rec.topic)) for rec in recs] == sorted(
                INPUTS.index(Topic(rec.topic)) for rec in recs
            )
            for rec in recs:
                place = (rec.topic, partition)
                assert rec.offset == self.taken[place]
                assert Message(rec.key, rec.value) == self.plain[place][rec.offset]
                self.taken[place] += 1

    @rule(
        partition=partitions,
        said=messages,
        cases=messages,
        changes=ordinals,
        raw=messages,
        fate=st.sampled_from(["", "", "", "before_write", "after_write", "before_sync", "full"]),
    )
    def decide(
        self,
        partition: int,
        said: list[Message],
        cases: list[Message],
        changes: list[tuple[int, bytes | None]],
        raw: list[Message],
        fate: str,
    ) -> None:
        decisions = [*said, Message(b"seal", SEAL + b"%d" % len(self.plain[int(Topic.DECISIONS), partition]))]
        desk = [Message(ordinal.to_bytes(8, "big"), value) for ordinal, value in changes]
        positions = {int(topic): self.taken[int(topic), partition] for topic in INPUTS}
        emits = {partition: Emits(decisions, cases, desk, raw)}
        if self._commits(emits, {partition: positions}, fate):
            self.plain[int(Topic.DECISIONS), partition] += decisions
            self.plain[int(Topic.CASES), partition] += cases
            self.plain[int(Topic.QUARANTINE), partition] += raw
            self.tail[partition] = len(decisions)
            self.committed.update({(topic, partition): position for topic, position in positions.items()})
            for ordinal, value in changes:
                if value is None:
                    self.desk[partition].pop(ordinal, None)
                else:
                    self.desk[partition][ordinal] = value
        if fate not in ("", "full"):
            crash(self.folder.owner, self.folder.path)
            self.folder.owner = self.folder._open()
            self._views()
        elif fate == "full":
            self.journal.rewind()
            self.taken = dict(self.committed)

    def _commits(self, emits: dict[int, Emits], inputs: dict[int, dict[int, int]], fate: str) -> bool:
        """Commit with a fault in the way, and return whether it should be there afterwards."""
        disk = self.folder.owner._disk
        assert isinstance(disk, Faulty)
        if not fate:
            self.journal.commit(emits, inputs)
            return True
        if fate == "full":
            disk.full = True
            with pytest.raises(Unavailable):
                self.journal.commit(emits, inputs)
            disk.full = False
            return False
        setattr(disk, fate, _fail)
        with pytest.raises(Unsure):
            self.journal.commit(emits, inputs)
        return fate != "before_write"

    @rule()
    def rewind(self) -> None:
        self.journal.rewind()
        self.taken = dict(self.committed)

    @rule(orderly=st.booleans())
    def restart(self, orderly: bool) -> None:
        if orderly:
            self.folder.close()
            self.folder.owner = self.folder._open()
        else:
            self.folder.reopen()
        self._views()

    @rule()
    def hear(self) -> None:
        for rec in self.feed.take():
            self.known[rec.topic, rec.key] = rec.value
        assert _live(self.known) == _live(self.context)

    @rule(partition=partitions)
    def restore(self, partition: int) -> None:
        restored = whole(self.journal, partition)
        assert [(int.from_bytes(rec.key or b"", "big"), rec.value) for rec in restored.changes] == sorted(
            self.desk[partition].items()
        )
        decisions = self.plain[int(Topic.DECISIONS), partition]
        assert _messages(restored.tail) == decisions[len(decisions) - self.tail[partition] :]
        assert restored.inputs == {int(topic): self.committed[int(topic), partition] for topic in INPUTS}

    @rule(topic=st.sampled_from(PLAIN), partition=partitions, start=st.integers(0, 12), most=st.integers(1, 12))
    def read(self, topic: int, partition: int, start: int, most: int) -> None:
        found = self.log.read(topic, partition, start, most, 0)
        assert _messages(found) == self.plain[topic, partition][start : start + most]

    @invariant()
    def every_partition_ends_where_it_should(self) -> None:
        for (topic, partition), said in self.plain.items():
            assert self.log.end(topic, partition) == len(said)

    def teardown(self) -> None:
        with self.root:
            for (topic, partition), said in self.plain.items():
                found = self.log.read(topic, partition, 0, len(said) + 1, 0)
                assert _messages(found) == said
                assert [rec.at for rec in found] == sorted(rec.at for rec in found)
            self.folder.close()


def _fail() -> None:
    raise OSError("the disk says no")


def _live(facts: dict[tuple[int, bytes | None], bytes | None]) -> dict[tuple[int, bytes | None], bytes]:
    return {key: value for key, value in facts.items() if value is not None}


def _messages(recs: list[Rec]) -> list[Message]:
    return [Message(rec.key, rec.value) for rec in recs]


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=15, stateful_step_count=30)
