"""What an intent asks to be read first: it is deferred until the context cut has passed that, decided then, and bounded."""

import pytest

from placet.context.tables import Tables
from placet.model.codec.intent import Intent, Position
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from tests.decision.test_desk import only
from tests.decision.test_halts import audited
from tests.support.world import AGENT, PACK, World, states

SIGNED_ONLY = {**PACK, "pack.yaml": PACK["pack.yaml"].replace("unsigned_intents: true", "unsigned_intents: false")}


def next_place(world: World, topic: Topic = Topic.MANDATES) -> Position:
    """Return where the next record of a topic will lie."""
    return Position(topic, 0, world.memory.end(topic, 0))


def used_at_once(world: World) -> Intent:
    """Return an intent under a mandate that is on its way."""
    return world.intent(mandate="new", at_least=(next_place(world),))


def signed(world: World, intent: Intent) -> Intent:
    from placet.model.codec import intent as codec

    proof = world.agent.sign_batch("intent", codec.FINGERPRINT, [codec.encode_unsigned(intent)])[0]
    return intent._replace(proof=codec.Proof(*proof))


def test_a_mandate_granted_and_used_at_once_is_waited_for() -> None:
    world = World()
    place = next_place(world)
    waits = only(world.ask(used_at_once(world)))
    assert (waits.state, waits.effect, waits.reason) == (State.DEFERRED, Effect.DEFER, Reason.CONTEXT_SILENT)
    assert (waits.detail, waits.expires_at) == (
        "the context has not been read up to `at_least`",
        world.clock.now + 20_000,
    )
    assert world.later(500) == []
    world.publish_mandate(id="new")
    granted = only(world.step())
    assert (granted.state, granted.previous_seq) == (State.GRANTED, waits.seq)
    assert (granted.cause_topic, granted.cause_partition, granted.cause_offset) == place
    world.later(2_000)
    assert audited(world).clean


def test_without_it_the_same_intent_is_denied() -> None:
    world = World()
    assert only(world.ask(world.intent(mandate="new"))).reason == Reason.CHAIN_BROKEN


def test_what_was_read_is_not_waited_for() -> None:
    world = World()
    world.publish_mandate(id="new")
    place = Position(Topic.MANDATES, 0, world.memory.end(Topic.MANDATES, 0) - 1)
    assert states(world.ask(world.intent(mandate="new", at_least=(place,)))) == [State.GRANTED]


def test_all_that_is_asked_for_is_waited_for() -> None:
    world = World()
    places = (next_place(world), next_place(world, Topic.PRINCIPALS))
    assert states(world.ask(world.intent(mandate="new", at_least=places))) == [State.DEFERRED]
    world.publish_mandate(id="new")
    assert world.step() == []
    world.publish_principal("agent:beside")
    assert states(world.step()) == [State.GRANTED]


def test_what_never_comes_is_a_transient_refusal_and_may_be_asked_again() -> None:
    world = World()
    asked = used_at_once(world)
    world.ask(asked)
    assert world.later(19_999) == []
    denied = only(world.later(1))
    assert (denied.state, denied.effect, denied.reason) == (State.DENIED, Effect.DENY, Reason.CONTEXT_SILENT)
    assert denied.retry_after_ms == 1000
    world.publish_mandate(id="new")
    assert states(world.ask(asked._replace(attempt=2))) == [State.GRANTED]
    assert [one.name for one in world.ask(asked)] == ["repeat"]
    world.later(2_000)
    assert audited(world).clean


def test_it_may_be_asked_again_after_a_restart_as_well() -> None:
    world = World()
    asked = used_at_once(world)
    world.ask(asked)
    world.later(20_000)
    world.restart()
    world.publish_mandate(id="new")
    assert states(world.ask(asked._replace(attempt=2))) == [State.GRANTED]
    assert audited(world).clean


def test_it_is_not_asked_again_while_it_waits() -> None:
    world = World()
    asked = used_at_once(world)
    world.ask(asked)
    (refused,) = world.ask(asked._replace(attempt=2))
    assert (refused.name, refused.record.reason) == ("refusal", Reason.ATTEMPT_NOT_NEXT)


def test_nobody_waits_past_the_deadline() -> None:
    world = World()
    asked = used_at_once(world)._replace(deadline=world.clock.now + 3_000)
    assert only(world.ask(asked)).expires_at == asked.deadline
    assert states(world.later(3_000)) == [State.DENIED]


def test_a_wait_goes_on_after_a_restart() -> None:
    world = World()
    world.ask(used_at_once(world))
    world.restart()
    assert world.step() == []
    world.publish_mandate(id="new")
    assert states(world.step()) == [State.GRANTED]
    world.later(2_000)
    assert audited(world).clean


def test_what_comes_while_the_desk_is_away_is_heard_when_it_is_back() -> None:
    world = World()
    world.ask(used_at_once(world))
    world.publish_mandate(id="new")
    world.restart()
    assert states(world.step()) == [State.GRANTED]


def test_the_pack_may_go_on_waiting_for_a_fact_and_that_ends_as_it_does() -> None:
    world = World()
    asked = world.intent("shop.export", at_least=(next_place(world, Topic.PRINCIPALS),))
    assert states(world.ask(asked)) == [State.DEFERRED]
    world.publish_principal("agent:beside")
    assert world.step() == [], "the resource is not known, and the pack waits for it"
    assert world.later(100) == []
    ended = only(world.later(20_000))
    assert (ended.state, ended.reason, ended.retry_after_ms) == (State.DENIED, Reason.DEFER_ENDED, 0)
    assert audited(world).clean


def test_a_fact_that_comes_after_what_was_waited_for_is_heard() -> None:
    world = World()
    world.ask(world.intent("shop.export", at_least=(next_place(world, Topic.PRINCIPALS),)))
    world.publish_principal("agent:beside")
    world.step()
    world.publish_sensitivity("order/7", "internal")
    assert states(world.step()) == [State.GRANTED]


def test_a_change_meanwhile_decides_nothing_before_its_time() -> None:
    world = World()
    world.ask(used_at_once(world))
    world.publish_principal(AGENT, status="suspended")
    world.halt("all")
    assert [one.name for one in world.step()] == ["halted"]
    world.publish_mandate(id="new")
    assert only(world.step()).reason in (Reason.PRINCIPAL_INACTIVE, Reason.HALTED)


def test_what_waits_can_be_taken_back() -> None:
    world = World()
    asked = used_at_once(world)
    world.ask(asked)
    assert states(world.take_back(asked)) == [State.WITHDRAWN]
    world.publish_mandate(id="new")
    assert world.step() == []


def test_a_batch_that_is_lost_loses_no_wait() -> None:
    world = World()
    world.ask(used_at_once(world))
    world.publish_mandate(id="new")
    desk = world.loop.bureau.places[0].desk
    world.loop.bureau.hear(world.loop._feed.take())
    for _ in range(2):
        assert desk.due(world.clock.now)
        desk.begin(world.clock.now, world.entropy, world.loop.bureau.cut)
        assert len(desk.said) == 1
        desk.drop()
    assert states(world.step()) == [State.GRANTED]
    assert not desk.due(world.clock.now)


def test_an_intent_anybody_may_have_written_takes_no_place_where_the_packs_want_a_proof() -> None:
    world = World(pack=SIGNED_ONLY)
    unproved = used_at_once(world)
    refused = only(world.ask(unproved))
    assert (refused.state, refused.reason, refused.retry_after_ms) == (State.DENIED, Reason.CONTEXT_SILENT, 1000)
    assert states(world.ask(signed(world, used_at_once(world)))) == [State.DEFERRED]


def test_before_any_pack_a_proved_intent_waits_for_one() -> None:
    world = World()
    policies = world.memory.topics.pop((Topic.POLICIES, 0))
    world.restart()
    asked = signed(world, world.intent(at_least=(Position(Topic.POLICIES, 0, len(policies) - 1),)))
    waits = only(world.ask(asked))
    assert (waits.state, waits.expires_at) == (State.DEFERRED, world.clock.now + 60_000)
    world.push(PACK)
    assert states(world.step()) == [State.GRANTED]


@pytest.mark.parametrize(
    "place",
    [
        Position(Topic.SIGNALS, 0, 5),
        Position(Topic.INTENTS, 0, 5),
        Position(99, 0, 5),
        Position(Topic.MANDATES, -1, 5),
        Position(Topic.MANDATES, 0, -1),
    ],
)
def test_what_no_desk_reads_as_context_cannot_be_asked_for(place: Position) -> None:
    world = World()
    (refused,) = world.ask(world.intent(at_least=(place,)))
    assert (refused.name, refused.record.reason) == ("refusal", Reason.MALFORMED)
    assert (
        f"{place.topic}/{place.partition}@{place.offset}: expected a place in a context topic" in refused.record.detail
    )
    (many,) = world.ask(world.intent(at_least=(Position(Topic.MANDATES, 0, 0),) * 65))
    assert "65: expected at most 64" in many.record.detail


def test_an_auditor_finds_what_was_decided_before_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    place = next_place(world)
    with monkeypatch.context() as patch:
        patch.setattr(Tables, "covers", lambda *_: True)
        world.ask(world.intent(at_least=(place,)))
    world.later(2_000)
    (found,) = audited(world)["V3"].shown
    assert found.text == f"decided before placet.mandates/0@{place.offset} was read, which it asks for"


def test_an_auditor_finds_who_was_made_to_wait_for_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.step()
    with monkeypatch.context() as patch:
        patch.setattr(Tables, "covers", lambda *_: False)
        world.ask(world.intent(at_least=(Position(Topic.MANDATES, 0, 0),)))
    world.later(2_000)
    (found,) = audited(world)["V3"].shown
    assert found.text == "says that the context is behind what it asks for, and all of that was read"
