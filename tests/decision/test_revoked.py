"""Who is suspended, wherever in an attempt it stands: what rests on it is refused, revoked or told to stop, and audited."""

import pytest

from placet.model.reasons import Reason, State
from tests.decision.test_halts import audited, handed_on
from tests.support.world import EXECUTOR, TENANT, World, states


@pytest.mark.parametrize("audience", [EXECUTOR, ""])
def test_an_executor_suspended_after_it_claimed_is_told_to_stop(audience: str) -> None:
    world = World()
    asked = world.intent(audience=audience)
    world.ask(asked)
    world.claim(asked)
    world.clock.now += 10
    world.publish_principal(EXECUTOR, kind="service", status="suspended")
    (stop,) = world.step()
    assert (stop.state, stop.record.stop, stop.record.reason) == (State.CLAIMED, True, Reason.CONTEXT_CHANGED)
    assert stop.record.detail == f"{'audience' if audience else 'executor'} `{EXECUTOR}` is suspended"
    assert audited(world).clean


def test_an_executor_suspended_while_its_desk_was_away_is_told_to_stop() -> None:
    world = World()
    asked = world.intent(audience="")
    world.ask(asked)
    world.claim(asked)
    world.clock.now += 10
    world.publish_principal(EXECUTOR, kind="service", status="suspended")
    world.restart()
    (stop,) = world.step()
    assert (stop.state, stop.record.stop) == (State.CLAIMED, True)
    assert audited(world).clean


@pytest.mark.parametrize("audience", [EXECUTOR, ""])
def test_an_auditor_finds_a_suspended_executor_that_claimed_or_was_not_stopped(
    monkeypatch: pytest.MonkeyPatch, audience: str
) -> None:
    world = World()
    early, late = world.intent(audience=audience), world.intent(audience=audience)
    world.ask(early, late)
    world.claim(early)
    world.clock.now += 10
    tables = world.loop.bureau._tables
    active = tables.principals[f"P:{TENANT}/{EXECUTOR}"]
    monkeypatch.setattr(tables, "_principal_row", lambda *_: active)
    world.publish_principal(EXECUTOR, kind="service", status="suspended")
    world.step()
    world.claim(late)
    world.later(1_000)
    # That the claim before it was not stopped, and the claim after it; where it is named, its grant as well.
    assert audited(world)["V8"].violated == (3 if audience else 2)


@pytest.mark.parametrize("what", ["delegator", "parent"])
def test_an_auditor_finds_what_was_left_held_below_who_was_revoked(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    world = World()
    granted = handed_on(world)
    assert states(world.ask(granted)) == [State.GRANTED]
    # A desk that takes the change, and decides nothing again for it.
    monkeypatch.setattr("placet.decision.sweeps.Sweeps.touch", lambda *_: None)
    world.clock.now += 10
    if what == "delegator":
        world.publish_principal("agent:mid", status="revoked")
    else:
        world.publish_mandate(id="root", delegator="user:boss", delegate="agent:mid", status="revoked")
    world.later(1_000)
    report = audited(world)
    (found,) = report["V8"].shown
    assert found.text.startswith("leaves seq 0 held after ")
    assert ("principal `agent:mid`" if what == "delegator" else "mandate `root`") in found.text


@pytest.mark.parametrize("what", ["delegator", "parent"])
def test_who_is_revoked_ends_what_is_held_below_it(what: str) -> None:
    world = World()
    granted, begun = handed_on(world), handed_on(world)
    world.ask(granted, begun)
    world.claim(begun)
    world.clock.now += 10
    if what == "delegator":
        world.publish_principal("agent:mid", status="revoked")
    else:
        world.publish_mandate(id="root", delegator="user:boss", delegate="agent:mid", status="revoked")
    moved = {each.record.id: (each.state, each.record.stop) for each in world.step()}
    assert moved == {granted.id: (State.REVOKED, False), begun.id: (State.CLAIMED, True)}
    assert audited(world).clean


def test_a_chain_that_was_handed_on_anew_is_audited_as_it_is_now() -> None:
    world = World()
    granted = handed_on(world)
    world.ask(granted)
    world.clock.now += 10
    world.publish_principal("agent:new")
    world.publish_mandate(id="root2", delegator="user:boss", delegate="agent:new")
    world.publish_mandate(id="leaf", delegator="agent:new", parent="root2")
    assert world.step() == []
    world.clock.now += 10
    world.publish_principal("agent:mid", status="revoked")
    assert world.later(1_000) == []
    assert states(world.claim(granted)) == [State.CLAIMED]
    assert audited(world).clean
