"""What a worker keeps of context that nobody takes: all of it where it refuses it, a bounded part where another does."""

import gc
from weakref import ref

import pytest

from placet.drivers import bureau, faulty
from placet.errors import Unsure
from placet.model.codec import seal
from placet.model.codec.refusal import Refusal
from placet.model.reasons import Reason
from placet.model.topics import Topic
from tests.support.world import World


def assign(world: World, monkeypatch: pytest.MonkeyPatch, *partitions: int) -> None:
    monkeypatch.setattr(world.memory, "assigned", lambda: frozenset(partitions))


def garbage(world: World, count: int) -> None:
    for number in range(count):
        world.context(Topic.RISK, b"\x00\x00\x00\x00\x11%d" % number, f"k{number}")


def test_who_does_not_refuse_forgets_past_a_bound_and_reads_again_before_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bureau, "POISON_MOST", 3)
    world = World(partitions=2)
    assign(world, monkeypatch, 1)
    world.step()
    garbage(world, 3)
    world.step()
    assert len(world.loop.bureau.poison) == 3
    garbage(world, 1)
    assert world.step() == []
    assert len(world.loop.bureau.poison) == 0
    assign(world, monkeypatch, 0, 1)
    with pytest.raises(Unsure, match="read again"):
        world.loop.step(0)
    world.restart()
    assert [each.record.reason for each in world.step()] == [Reason.UNDECODABLE] * 4


def test_who_refuses_keeps_what_it_has_not_refused_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bureau, "POISON_MOST", 3)
    world = World(partitions=2)
    world.step()
    garbage(world, 10)
    assert len(world.step()) == 10
    assert len(world.loop.bureau.poison) == 0


def refusals(world: World) -> list[Refusal]:
    return [each.record for each in world.step() if each.name == "refusal"]


def test_a_flood_of_faulty_context_is_refused_in_a_batch_that_every_reader_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faulty, "SINGLE_MOST", 3)
    world = World(partitions=2)
    world.step()
    garbage(world, 10)
    world.context(Topic.SENSITIVITY, b"", "x")
    world.context(Topic.RISK, b"", "x")
    said = refusals(world)
    risk, labels = int(Topic.RISK), int(Topic.SENSITIVITY)
    assert [(each.cause_topic, each.cause_offset, each.reason) for each in said] == [
        (risk, 0, Reason.UNDECODABLE),
        (risk, 1, Reason.UNDECODABLE),
        (risk, 2, Reason.UNDECODABLE),
        (risk, 9, Reason.UNDECODABLE),
        (risk, 10, Reason.SCHEMA_UNKNOWN),
        (labels, 0, Reason.SCHEMA_UNKNOWN),
    ]
    assert said[3].detail.startswith("6 more from offset 3 on are refused with this one and not kept: ")
    assert len(world.memory.topics[int(Topic.QUARANTINE), 0]) == 6
    world.restart()
    assert refusals(world) == []


def test_a_flood_heard_at_the_start_is_refused_from_where_the_last_seal_had_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faulty, "SINGLE_MOST", 3)
    world = World(partitions=2)
    garbage(world, 10)
    assert len(refusals(world)) == 4
    garbage(world, 10)
    world.restart()
    said = refusals(world)
    assert [each.cause_offset for each in said] == [10, 11, 12, 19]
    assert said[3].detail.startswith("6 more from offset 13 on ")


def test_a_restart_goes_on_from_what_the_last_seal_had_heard_also_when_that_is_compacted_away() -> None:
    world = World()
    world.clock.now += 5_000
    world.publish_risk(10)
    world.step()
    risks = world.memory.topics[int(Topic.RISK), 0]
    sealed = last_seal(world).read_cut
    # Compaction leaves the offsets and takes the newest append time with it.
    risks[-1] = risks[-1]._replace(at=risks[-1].at - 3_000)
    world.restart()
    world.step()
    assert last_seal(world).read_cut == sealed


def test_what_cannot_be_taken_is_read_and_is_no_sign_of_life() -> None:
    world = World()
    world.publish_risk(10)
    world.step()
    told = world.clock.now
    world.clock.now += 100_000
    garbage(world, 1)
    world.context(Topic.RISK, None, "acme/agent:ada/siem")
    world.step()
    (risk,) = [mark for mark in last_seal(world).read_cut if mark.topic == Topic.RISK]
    assert (risk.offset, risk.heard_at) == (3, told)


def last_seal(world: World) -> seal.Seal:
    recs = world.memory.read(Topic.DECISIONS, 0, 0, 1 << 30, 0)
    return [seal.decode(rec.value) for rec in recs if rec.value and rec.value[:5] == seal.HEADER][-1]


def test_tables_that_were_kept_out_of_sight_go_when_nobody_has_them_any_more() -> None:
    """The soak found it: each time a worker began again, what it had held before stayed for good."""
    world = World()
    world.restart()
    world.step()
    tables = ref(world.loop.bureau._tables)
    world.restart()
    world.step()
    try:
        assert tables() is None
    finally:
        gc.unfreeze()
