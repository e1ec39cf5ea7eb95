"""A feed that falls silent, and is heard again: what was deferred for it is decided then, not when a fact changes."""

from placet.model.codec import watermark
from placet.model.codec.watermark import Watermark
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.support.world import PACK, World, states

HEARD_MS = 5_000
WATCHED = {
    **PACK,
    "pack.yaml": PACK["pack.yaml"] + f"  - {{fact: actor.risk, heard_ms: {HEARD_MS}, else: defer}}\n",
    "rules.yaml": PACK["rules.yaml"].replace(
        'when: "arguments.amount <= 1000"', 'when: "arguments.amount <= 1000 && actor.risk.score < 50"'
    ),
}


def mark(world: World, topic: Topic = Topic.RISK, source: str = "siem", ago: int = 0) -> None:
    world.context(topic, watermark.frame(Watermark(source, world.clock.now - ago)))


def silent(parked: int = 1) -> World:
    """Return a world whose risk feed is silent for twice its bound, with intents deferred for it."""
    world = World(pack=WATCHED)
    world.publish_risk(1)
    mark(world)
    world.step()
    world.clock.now += 2 * HEARD_MS
    said = world.ask(*[world.intent() for _ in range(parked)])
    assert [(each.state, each.record.reason) for each in said] == [(State.DEFERRED, Reason.FACT_SILENT)] * parked
    return world


def test_what_was_deferred_for_silence_is_decided_when_its_feed_is_heard_again() -> None:
    world = silent(2)
    world.clock.now += 1_000
    mark(world)
    said = world.step()
    assert states(said) == [State.GRANTED, State.GRANTED]
    # Its watermark is what moved it: the second record of the topic.
    assert {(each.record.cause_topic, each.record.cause_offset) for each in said} == {(int(Topic.RISK), 2)}


def test_it_is_decided_after_a_restart_in_the_silence_as_well() -> None:
    world = silent()
    world.restart()
    assert states(world.later(100)) == []
    mark(world)
    assert states(world.step()) == [State.GRANTED]


def test_a_word_that_is_too_old_itself_ends_no_silence_and_the_next_one_does() -> None:
    world = silent()
    mark(world, ago=HEARD_MS + 1)
    assert world.step() == []
    mark(world, ago=HEARD_MS)
    assert states(world.step()) == [State.GRANTED]


def test_another_feed_that_is_heard_makes_no_work() -> None:
    world = silent()
    (place,) = world.loop.bureau.places.values()
    mark(world, Topic.SENSITIVITY, "dlp")
    world.loop.bureau.hear(world.loop._feed.take())
    assert place.touched == {}
    mark(world)
    world.loop.bureau.hear(world.loop._feed.take())
    assert list(place.touched) == ["F:8/0"]


def test_a_feed_that_is_heard_while_nobody_waits_makes_no_work() -> None:
    world = silent()
    mark(world)
    world.step()
    (place,) = world.loop.bureau.places.values()
    world.clock.now += 10
    mark(world)
    world.loop.bureau.hear(world.loop._feed.take())
    assert place.touched == {}
