"""A notary over a folder: every record one leaf, once, also those that newer ones have followed, wherever it is killed."""

from pathlib import Path
from typing import Any

import pytest

from placet.drivers.embedded import EmbeddedLog, EmbeddedSettings
from placet.drivers.ledger.folder import FolderReader
from placet.drivers.ledger.notary import Notary, NotaryRunning
from placet.drivers.ledger.sources import FolderSource
from placet.drivers.metrics import Watch
from placet.errors import Corrupted, PlacetError, Unavailable
from placet.faces.auditor.fsck import check
from placet.faces.auditor.ledger import Ledger as Beside
from placet.faces.auditor.ledger import audit_ledger
from placet.faces.auditor.records import Schemas
from placet.faces.auditor.report import Report
from placet.model.codec import BY_NAME
from placet.model.topics import Topic
from placet.ports import Message, Rec
from placet.provenance.checkpoint import Checkpoint, read_checkpoint
from placet.provenance.leaf import Cut, Leaf, encode_cut, encode_record, read_leaf
from placet.provenance.tiles import ENTRIES, entries_in, tiles_of
from placet.provenance.tree import Edge, reader_over
from tests.drivers.embedded.folder import Folder, Step
from tests.drivers.ledger.faulty import ORIGIN, SIGNER, FaultyFolder, Killed, opened

KEEPING = EmbeddedSettings(partitions=2, free_bytes_min=1, poll_ms=2, keep_past=True)
MARK = BY_NAME["watermark"].HEADER + b"mark"


class Town:
    """A folder with records in it, and its log."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path / "journal", KEEPING, Step())
        self.ledger_dir = path / "ledger"
        self.said: list[tuple[Topic, int, bytes]] = []

    @property
    def log(self) -> EmbeddedLog:
        return self.folder.owner.log()

    def say(self, topic: Topic, partition: int, key: bytes, value: bytes | None) -> None:
        self.log.append(topic, partition, [Message(key, value)])
        if value != MARK:
            self.said.append((topic, partition, value or b""))

    def notary(self, at: int = -1, mode: str = "", **given: Any) -> Notary:
        store = FaultyFolder(self.ledger_dir, at, mode)
        try:
            ledger = opened(store)
            source = FolderSource(self.log, ledger.state.places)
        except BaseException:
            store.close()
            raise
        return Notary(source, ledger, self.folder.clock, given.pop("watch", Watch()), checkpoint_ms=10)

    def leaves(self) -> list[Leaf | Cut]:
        reader = FolderReader(self.ledger_dir)
        report = check(reader.get, [SIGNER.vkey])
        assert report is not None
        assert report.flaws == []
        read = reader_over(reader.get)
        return [
            read_leaf(entry) for tile in tiles_of(report.size, ENTRIES) for entry in entries_in(read(tile), tile.width)
        ]

    def expect_all_logged(self) -> None:
        found = [(Topic(leaf.topic), leaf.partition, leaf.body) for leaf in self.leaves() if isinstance(leaf, Leaf)]
        assert sorted(found) == sorted(self.said)

    def report(self) -> Report:
        report = Report()
        reader = FolderReader(self.ledger_dir)
        audit_ledger(self.log, Schemas(), report, Beside(reader.get, (SIGNER.vkey,)))
        return report


@pytest.fixture
def town(tmp_path: Path) -> Any:
    made = Town(tmp_path)
    yield made
    made.folder.close()


def fill(town: Town) -> None:
    """Records of every kind: decisions in two partitions, context said again and taken back, marks, and what no one reads."""
    for number in range(6):
        town.say(Topic.DECISIONS, number % 2, b"acme/ada", b"\x00\xff\xff\xff\xffdecided %d" % number)
        town.say(Topic.RISK, 0, b"acme/ada/feed", b"\x00\xff\xff\xff\xffrisk %d" % number)
        town.say(Topic.RISK, 0, b"mark", MARK)
    town.say(Topic.PRINCIPALS, 0, b"acme/ada", b"principal")
    town.say(Topic.PRINCIPALS, 0, b"acme/ada", None)
    town.log.append(
        Topic.MANDATES, 0, [Message(b"acme/m", b"first"), Message(b"acme/m", b"second"), Message(b"acme/m", b"third")]
    )
    town.said += [(Topic.MANDATES, 0, text) for text in (b"first", b"second", b"third")]
    town.log.append(Topic.INTENTS, 0, [Message(b"acme/ada", b"asked")])
    town.log.append(Topic.CASES, 0, [Message(b"acme/ada", b"known")])


def test_every_record_is_a_leaf_also_one_that_a_newer_one_has_followed(town: Town) -> None:
    notary = town.notary()
    fill(town)
    assert notary.turn(0)
    town.expect_all_logged()
    notary.close()


def test_a_cut_takes_its_records_by_topic_partition_and_offset(town: Town) -> None:
    notary = town.notary()
    fill(town)
    notary.turn(0)
    places = [(leaf.topic, leaf.partition, leaf.offset) for leaf in town.leaves() if isinstance(leaf, Leaf)]
    assert places == sorted(places)
    (cut,) = [leaf for leaf in town.leaves() if isinstance(leaf, Cut)]
    # Twelve records of risk, six of them marks; the first eleven of each were followed by others.
    assert [move for move in cut.moves if move.topic == Topic.RISK] == [(Topic.RISK, 0, 0, 12, 6)]
    notary.close()


def test_the_topics_and_the_cuts_alone_give_the_same_tree(town: Town) -> None:
    for _ in range(3):
        notary = town.notary()
        for number in range(70):
            town.say(Topic.DECISIONS, number % 2, b"acme/ada", b"decided %d" % number)
        notary.turn(0)
        notary.close()
    rebuilt = Edge()
    for cut in [leaf for leaf in town.leaves() if isinstance(leaf, Cut)]:
        recs = [
            rec
            for move in cut.moves
            for rec in town.log.read(move.topic, move.partition, move.start, move.end - move.start, 0)
        ]
        leaves = [leaf for rec in recs if (leaf := encode_record(rec)) is not None]
        rebuilt.grow([encode_cut(cut.number, cut.at, cut.instant, cut.moves), *leaves])
    note = FolderReader(town.ledger_dir).get("checkpoint") or b""
    assert read_checkpoint(note.decode().partition("\n\n")[0] + "\n") == Checkpoint(ORIGIN, 213, rebuilt.root())


def test_what_is_logged_of_the_past_is_given_up(town: Town) -> None:
    fill(town)
    assert len(town.log.whole(Topic.RISK, 0, 0, 100)) == 12
    notary = town.notary()
    assert len(town.log.whole(Topic.RISK, 0, 0, 100)) == 12
    notary.turn(0)
    assert [rec.offset for rec in town.log.whole(Topic.RISK, 0, 0, 100)] == [10, 11]
    notary.close()
    town.expect_all_logged()


def test_the_past_outlives_its_folders_owner(town: Town) -> None:
    fill(town)
    town.folder.reopen()
    notary = town.notary()
    notary.turn(0)
    town.expect_all_logged()
    notary.close()


def test_without_anything_new_nothing_is_signed(town: Town) -> None:
    notary = town.notary()
    fill(town)
    notary.turn(0)
    before = notary.ledger.state
    assert not notary.turn(0)
    assert notary.ledger.state == before
    notary.close()


def test_a_clock_that_goes_back_does_not_show_in_the_log(town: Town) -> None:
    clock = town.folder.clock
    assert isinstance(clock, Step)
    for now in (5_000, 4_000, 6_000):
        clock.now = now
        town.say(Topic.DECISIONS, 0, b"k", b"at %d" % now)
        notary = town.notary()
        notary.turn(0)
        notary.close()
    assert [leaf.instant for leaf in town.leaves() if isinstance(leaf, Cut)] == [5_000, 5_000, 6_000]
    town.expect_all_logged()


def test_a_journal_that_ends_before_its_log_is_not_logged_again(town: Town, tmp_path: Path) -> None:
    fill(town)
    notary = town.notary()
    notary.turn(0)
    notary.close()
    other = Town(tmp_path / "other")
    other.ledger_dir = town.ledger_dir
    with pytest.raises(Corrupted, match=r"placet\.decisions/0 ends at 0, the provenance log has read to 3"):
        other.notary()
    other.folder.close()


def test_the_merge_delay_is_measured_and_the_tree_counted(town: Town) -> None:
    watch = Watch()
    clock = town.folder.clock
    assert isinstance(clock, Step)
    town.say(Topic.DECISIONS, 0, b"k", b"v")
    clock.now += 750
    notary = town.notary(watch=watch)
    notary.turn(0)
    running = NotaryRunning(notary, watch, stalled_ms_max=1_000)
    said = running.measure().decode()
    running.stop()
    assert "placet_log_merge_delay_seconds_sum 0.75" in said
    assert "placet_log_tree_size 2.0" in said


def test_a_running_notary_takes_in_what_came_before_it_is_asked_to_end(town: Town) -> None:
    running = NotaryRunning(town.notary(), Watch(), stalled_ms_max=60_000)
    fill(town)
    assert running.live()
    running.stop()
    assert (running.failure, running.live()) == (None, False)
    town.expect_all_logged()


def test_a_disk_without_room_is_waited_for(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    notary = town.notary()
    fill(town)

    def full(size: int) -> None:
        raise Unavailable("no room")

    with monkeypatch.context() as patched:
        patched.setattr(notary.ledger._store, "expect_room", full)
        with pytest.raises(Unavailable, match="no room"):
            notary.turn(0)
    notary.turn(0)
    notary.close()
    town.expect_all_logged()


def test_what_it_cannot_know_the_end_of_ends_a_notary(town: Town) -> None:
    fill(town)
    running = NotaryRunning(town.notary(at=8, mode="kept"), Watch(), stalled_ms_max=60_000)
    assert running.ended.wait(60)
    assert "Input/output error" in str(running.failure)
    running.stop()
    running = NotaryRunning(town.notary(), Watch(), stalled_ms_max=60_000)
    running.stop()
    town.expect_all_logged()


@pytest.mark.parametrize("mode", ["failed", "kept", "killed", "killed after"])
def test_no_leaf_is_lost_or_doubled_wherever_a_notary_dies(mode: str, tmp_path: Path) -> None:
    town = Town(tmp_path)
    for at in range(0, 120, 3):
        fill(town)
        store = None
        try:
            notary = town.notary(at, mode)
            store = notary.ledger
            notary.turn(0)
        except (Killed, PlacetError):
            pass
        if store is not None:
            store.close()
    notary = town.notary()
    notary.finish()
    notary.close()
    town.expect_all_logged()
    report = town.report()
    assert [(check.name, check.shown) for check in report.checks.values() if check.violated] == []
    assert report["V13"].checked == len(town.said)
    town.folder.close()


def test_what_is_not_a_record_of_its_topic_is_found(town: Town) -> None:
    """The auditor compares the leaves with the topics: another journal under the same log is not its own."""
    fill(town)
    notary = town.notary()
    notary.turn(0)
    notary.close()
    assert town.report()["V13"].violated == 0

    class Bent(EmbeddedLog):
        """A journal in which one decision says something else, one is missing, and one was put in."""

        def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
            recs = super().read(topic, partition, offset, most, wait_ms)
            if (topic, partition) == (Topic.DECISIONS, 0):
                return [rec._replace(value=b"other") if rec.offset == 1 else rec for rec in recs if rec.offset != 2]
            return recs

    real = town.log
    bent = Bent(real._shelf, real._ends, real._writer)
    report = Report()
    audit_ledger(bent, Schemas(), report, Beside(FolderReader(town.ledger_dir).get, (SIGNER.vkey,)))
    assert [(found.partition, found.offset, found.text) for found in report["V13"].shown] == [
        (0, 1, "stands in the log with other bytes than in its topic"),
        (0, 2, "is a leaf of the log and no record of its topic"),
    ]
