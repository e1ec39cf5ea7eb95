"""Who is suspended, wherever in an attempt it stands: what rests on it is refused, revoked or told to stop, and audited."""

import pytest

from placet.model.reasons import Reason, State
from tests.decision.test_halts import audited
from tests.support.world import EXECUTOR, TENANT, World


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
