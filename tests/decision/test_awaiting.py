"""Whose place is taken by what waits for the context: its actor's, never that of whom it names; and what frees it."""

from typing import Any

import pytest

from placet.decision.settings import DeskSettings
from placet.model.codec.intent import Intent
from placet.model.keys import key_of
from placet.model.proof import Signer
from placet.model.reasons import Reason, State
from tests.decision.test_desk import only
from tests.decision.test_halts import audited
from tests.decision.test_read_own_writes import SIGNED_ONLY, next_place, signed
from tests.support.world import AGENT, EXECUTOR, PERSON, TENANT, World, states

SMALL = DeskSettings(parked_most=2)


def parked(world: World, **more: Any) -> Intent:
    """Return an intent of the agent's own writing that waits for what is never written."""
    return signed(world, world.intent(at_least=(next_place(world)._replace(offset=10_000),), **more))


def load_of(world: World) -> Any:
    return world.loop.bureau.places[0].desk.book.leases.load


@pytest.mark.parametrize("signs", [True, False])
def test_what_waits_under_an_authority_takes_none_of_its_places(signs: bool) -> None:
    world = World(settings=SMALL)
    world.publish_principal("user:alan", kind="user")
    world.publish_mandate(id="m2", delegator="user:alan")
    strangers = [parked(world, authority="user:alan", mandate="none") for _ in range(2)]
    waiting = strangers if signs else [each._replace(proof=None) for each in strangers]
    assert states(world.ask(*waiting)) == [State.DEFERRED, State.DEFERRED]
    assert load_of(world).of(key_of(TENANT, "user:alan")) is None
    assert load_of(world).awaiting(f"{TENANT}/{AGENT}".encode()) == 2
    his = world.intent(authority="user:alan", mandate="m2")
    assert states(world.ask(his)) == [State.GRANTED]
    world.later(2_000)
    assert audited(world).clean


@pytest.mark.parametrize("restarts", [False, True])
def test_an_actor_waits_with_so_many_whomever_they_name(restarts: bool) -> None:
    world = World(settings=SMALL)
    first, second = parked(world), parked(world, authority="user:alan", mandate="none")._replace(proof=None)
    assert states(world.ask(first, second)) == [State.DEFERRED, State.DEFERRED]
    if restarts:
        world.restart()
    third = parked(world, authority="user:root", mandate="none")
    refused = only(world.ask(third))
    assert (refused.state, refused.reason, refused.retry_after_ms) == (State.DENIED, Reason.OVERLOADED, 1_000)
    assert refused.detail == "2 intents of this actor wait for the context: expected at most 2"
    assert states(world.ask(world.intent())) == [State.GRANTED]
    world.take_back(second)
    assert states(world.ask(third._replace(attempt=2, proof=None))) == [State.DEFERRED]
    assert audited(world).clean


def test_what_is_decided_of_it_takes_a_place_of_its_authority() -> None:
    world = World(settings=SMALL)
    world.ask(world.intent(at_least=(next_place(world),), mandate="new"))
    world.publish_mandate(id="new")
    assert states(world.step()) == [State.GRANTED]
    assert load_of(world).awaiting(f"{TENANT}/{AGENT}".encode()) == 0
    assert load_of(world).of(key_of(TENANT, PERSON)) == [0, 0, 1]


def test_an_actor_whom_nobody_knows_takes_no_place_unproved() -> None:
    world = World()
    stranger = parked(world, actor="agent:nobody")._replace(proof=None)
    refused = only(world.ask(stranger))
    assert (refused.state, refused.reason, refused.retry_after_ms) == (State.DENIED, Reason.CONTEXT_SILENT, 1_000)


@pytest.mark.parametrize("status", ["suspended", "revoked"])
@pytest.mark.parametrize("mandate", ["m1", "above"])
def test_a_mandate_that_falls_frees_what_waits_under_it(status: str, mandate: str) -> None:
    world = World()
    world.publish_principal("user:mid", kind="user")
    world.publish_mandate(id="above", delegate="user:mid")
    world.publish_mandate(id="m1", delegator="user:mid", parent="above")
    asked = parked(world)
    assert states(world.ask(asked)) == [State.DEFERRED]
    world.clock.now += 1
    more = {"above": {"delegate": "user:mid"}, "m1": {"delegator": "user:mid", "parent": "above"}}[mandate]
    world.publish_mandate(id=mandate, status=status, **more)
    freed = only(world.step())
    assert (freed.state, freed.reason, freed.retry_after_ms) == (State.DENIED, Reason.CONTEXT_SILENT, 1_000)
    assert freed.detail == (
        f"the context has not been read up to `at_least`, and mandate `{mandate}` is suspended or revoked"
    )
    assert load_of(world).awaiting(f"{TENANT}/{AGENT}".encode()) == 0
    assert only(world.ask(world.intent(id=asked.id, attempt=2))).reason == Reason.CHAIN_BROKEN
    world.later(2_000)
    assert audited(world).clean


def test_a_mandate_that_comes_and_falls_while_it_is_waited_for_frees_it_too() -> None:
    world = World()
    assert states(world.ask(parked(world, mandate="new"))) == [State.DEFERRED]
    world.publish_mandate(id="new")
    assert world.step() == []
    world.clock.now += 1
    world.publish_mandate(id="new", status="revoked")
    assert only(world.step()).reason == Reason.CONTEXT_SILENT


def test_a_key_that_falls_frees_what_it_signed_and_nothing_else() -> None:
    world = World(pack=SIGNED_ONLY)
    mine, others = Signer("ada-2", AGENT, b"2" * 32), Signer("shop-2", EXECUTOR, b"3" * 32)
    world.put_key(mine, "agent")
    world.put_key(others, "executor")
    world.step()
    world.agent = mine
    assert states(world.ask(parked(world))) == [State.DEFERRED]
    world.clock.now += 1
    world.put_key(others, "executor", compromised_at=world.clock.now)
    assert world.step() == []
    world.put_key(mine, "agent", compromised_at=world.clock.now)
    freed = only(world.step())
    assert (freed.state, freed.reason) == (State.DENIED, Reason.CONTEXT_SILENT)
    assert freed.detail == "the context has not been read up to `at_least`, and key `ada-2` is compromised"
    world.later(2_000)
    assert audited(world).clean


def test_another_change_frees_nothing() -> None:
    world = World()
    assert states(world.ask(parked(world))) == [State.DEFERRED]
    world.publish_principal(AGENT, status="suspended")
    world.clock.now += 1
    world.publish_mandate(id="m1", resources=("order/*",))
    assert world.step() == []
    world.restart()
    assert world.step() == []
