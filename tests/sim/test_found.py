"""Faults that the simulation found in placet, each by hand."""

from pathlib import Path

import pytest

from placet.drivers.kafka import KafkaJournal
from placet.drivers.kafka.reader import Reader
from placet.drivers.kafka.restorer import Restorer
from placet.drivers.kafka.warm import WarmDisk
from placet.errors import Corrupted, Unavailable
from placet.model.topics import Topic
from placet.ports import Emits, Message, Rec
from tests.sim.cluster import Cluster
from tests.sim.disk import SimDisk
from tests.sim.link import Link
from tests.sim.timeline import Timeline
from tests.sim.town_log import connection_over, lay_topics

FOLDER = Path("data/warm-a")


def test_a_full_disk_costs_the_copy_and_not_the_worker() -> None:
    """It can neither be opened nor begun anew: the worker goes on without, and has one again when there is room."""
    disk = SimDisk()
    disk.failing = True
    warm = WarmDisk(FOLDER, b"this", 1_000, disk)
    assert warm.covered(0, 0, 10, 0) is None
    warm.keep({0: [Message(b"k", b"v")]}, {0: 5}, 0)
    warm.close()
    disk.failing = False
    again = WarmDisk(FOLDER, b"this", 1_000, disk)
    again.keep({0: [Message(b"k", b"v")]}, {0: 5}, 0)
    assert again.covered(0, 0, 10, 0) == 5
    assert dict(again.changes(0)) == {b"k": b"v"}


def test_what_another_commits_during_a_restore_is_no_corruption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off in the middle, past its session: the partition has another owner, and this one has not heard of it."""
    timeline = Timeline()
    cluster = Cluster(timeline)
    lay_topics(cluster, 1)
    cluster.append(Topic.INTENTS.title, 0, [(b"k", b"asked")])
    first = KafkaJournal(connection_over(Link(cluster)), "a")
    while first.assigned() != {0}:
        timeline.pause(10)
    tail, begun = Restorer._tail, list[KafkaJournal]()

    def cut_off(self: Restorer, partition: int, low: int, end: int) -> list[Rec]:
        if not begun:
            group = cluster.group("placet-worker")
            group.leave(group.members["a"])
            second = KafkaJournal(connection_over(Link(cluster)), "b")
            begun.append(second)
            while second.assigned() != {0}:
                timeline.pause(10)
            second.restore(0)
            second.commit({0: Emits([Message(b"seal", b"\x00\x00\x00\x00\x09")])}, {0: {int(Topic.INTENTS): 1}})
            timeline.pause(10)
        return tail(self, partition, low, end)

    monkeypatch.setattr(Restorer, "_tail", cut_off)
    with pytest.raises(Unavailable, match="another decides it while it is being restored"):
        first.restore(0)
    assert first.assigned() == frozenset()


def test_an_end_that_was_asked_for_before_a_rebalance_covers_nothing_after_it() -> None:
    """A commit's answer comes so late that another has decided since: what that one wrote is not in this copy."""
    timeline = Timeline()
    cluster = Cluster(timeline)
    lay_topics(cluster, 2)
    members = cluster.group("placet-worker")
    seal, change = Message(b"seal", b"\x00\x00\x00\x00\x09"), Message(b"0", b"changed")

    def assigned(journal: KafkaJournal) -> None:
        while journal.assigned() != {0, 1}:
            timeline.pause(10)

    def serve(journal: KafkaJournal, partition: int, emits: Emits) -> list[bytes | None]:
        known = [rec.value for rec in journal.restore(partition).changes]
        journal.commit({partition: emits}, {partition: {}})
        timeline.pause(10)
        return known

    first = KafkaJournal(connection_over(Link(cluster), SimDisk()), "a", data=Path("data"))
    assigned(first)
    serve(first, 0, Emits([seal]))
    serve(first, 1, Emits([seal]))
    members.leave(members.members["a"])
    second = KafkaJournal(connection_over(Link(cluster)), "b")
    assigned(second)
    serve(second, 0, Emits([seal]))
    serve(second, 1, Emits([seal], desk=[change]))
    # What the first asks only now, as the last thing of a commit that was answered late.
    first._marks[1] = cluster.topics[Topic.DESK.title][1].next
    members.leave(members.members["b"])
    first.assigned()
    assigned(first)
    serve(first, 0, Emits([seal]))
    assert serve(first, 1, Emits([seal])) == [b"changed"]


def test_positions_without_any_decision_are_a_log_that_was_lost_and_no_first_start() -> None:
    timeline = Timeline()
    cluster = Cluster(timeline)
    lay_topics(cluster, 1)
    cluster.append(Topic.INTENTS.title, 0, [(b"k", b"asked")])
    first = KafkaJournal(connection_over(Link(cluster)), "a")
    while first.assigned() != {0}:
        timeline.pause(10)
    first.restore(0)
    first.commit({0: Emits([Message(b"seal", b"\x00\x00\x00\x00\x09")])}, {0: {int(Topic.INTENTS): 1}})
    timeline.pause(10)
    for topic in (Topic.DECISIONS, Topic.DESK):
        lost = cluster.topics[topic.title][0]
        lost.delete_before(lost.next)
    with pytest.raises(Corrupted, match=r"decided up to .*, but no Seal says so: are the decisions gone\?"):
        first.reopened().restore(0)


def test_an_end_that_is_not_told_after_a_commit_does_not_make_it_one_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The soak found it: taken for a failure, the desk forgot what was committed and gave its numbers out again."""
    timeline = Timeline()
    cluster = Cluster(timeline)
    lay_topics(cluster, 1)
    journal = KafkaJournal(connection_over(Link(cluster), SimDisk()), "a", data=Path("data"))
    while journal.assigned() != {0}:
        timeline.pause(10)
    journal.restore(0)
    asked: list[Topic] = []

    def gone(_self: Reader, topic: Topic, _partition: int, _wait_s: float = 0.0) -> tuple[int, int]:
        asked.append(topic)
        raise Unavailable("the broker did not tell its ends")

    seal = Message(b"seal", b"\x00\x00\x00\x00\x09")
    with monkeypatch.context() as patched:
        patched.setattr(Reader, "bounds", gone)
        for _ in range(3):
            timeline.pause(1_000)
            journal.commit({0: Emits([seal], desk=[Message(b"k", b"v")])}, {0: {}})
    assert asked == [Topic.DESK] * 3
    again = journal.reopened()
    while again.assigned() != {0}:
        timeline.pause(10)
    assert [rec.value for rec in again.restore(0).changes] == [b"v"]
