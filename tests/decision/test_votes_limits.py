"""Limits that people may let something exceed: asked like any step-up, counted apart, and taken back like one."""

from typing import Any

import pytest

from placet.model.reasons import Effect, Reason, State
from tests.decision.test_limits import HOLD, PEOPLE, RELEASE, holds, pack, refund, run
from tests.support.votes import FINANCE, Shop, approval, faults, only, refused
from tests.support.world import AGENT, digest_of, states

BEYOND = 4
COUNT = "{id: some, per: [authority], on: [shop.refund], window: {sliding_s: 60}, max: 5, because: enough}"
LEFT = "{id: left, per: [actor], on: [shop.refund], measure: amount, window: {sliding_s: 60}, max: 120, over: constrain, because: enough}"


def shop(*limits: str) -> Shop:
    """Return a shop with limits in place of rules that ask people."""
    return Shop(pack=pack(*(limits or (PEOPLE,))))


def beyond(world: Shop, amount: int = 50, **votes: Any) -> Any:
    """Ask for more than is left, let two people say yes, and return what was asked and what was said last."""
    asked = world.intent(arguments={"amount": amount})
    waits = only(world.ask(asked))
    assert (waits.state, waits.reason) == (State.PENDING, Reason.LIMIT_EXCEEDED)
    assert (waits.rules, approval(waits)) == (("shop/sum",), (2, ("group:finance",), ()))
    world.vote(asked, "user:flo", **votes)
    return asked, only(world.vote(asked, "user:fay", **votes))


def test_what_people_let_exceed_a_limit_is_granted_and_not_counted_in_it() -> None:
    world = shop()
    assert refund(world, 70).state == State.GRANTED
    asked, granted = beyond(world)
    assert (granted.state, granted.effect, granted.reason) == (State.GRANTED, Effect.PERMIT, Reason.APPROVED)
    assert holds(granted) == [("shop/sum", "authority", 50, BEYOND)]
    assert refund(world, 30).state == State.GRANTED
    assert refund(world, 1).state == State.PENDING
    run(world, asked)
    assert faults(world) == []


def test_what_votes_make_narrow_enough_is_held_within_the_limit() -> None:
    world = shop()
    refund(world, 70)
    asked, granted = beyond(world, arguments={"amount": 20})
    assert (granted.effect, granted.granted_arguments) == (Effect.CONSTRAIN, b'{"amount":20}')
    assert holds(granted) == [("shop/sum", "authority", 20, HOLD)]
    assert states(world.claim(asked, digest_of(asked, {"amount": 20}))) == [State.CLAIMED]
    assert holds(only(world.report(asked, State.FAILED))) == [("shop/sum", "authority", 20, RELEASE)]
    assert faults(world) == []


def test_other_limits_hold_what_people_let_exceed_one() -> None:
    world = shop(PEOPLE, COUNT, LEFT)
    refund(world, 70)
    _, granted = beyond(world, 60)
    assert granted.granted_arguments == b'{"amount":50}'
    assert sorted(holds(granted)) == [
        ("shop/left", f"actor={AGENT}", 50, HOLD),
        ("shop/some", "authority", 1, HOLD),
        ("shop/sum", "authority", 50, BEYOND),
    ]
    assert faults(world) == []


@pytest.mark.parametrize("swept", [True, False], ids=["swept", "at the claim"])
def test_leave_to_exceed_ends_with_the_voter_who_gave_it(swept: bool) -> None:
    world = shop()
    refund(world, 70)
    asked, _ = beyond(world)
    world.suspend("user:fay", groups=("finance",))
    (revoked,) = [one.record for one in (world.step() if swept else world.claim(asked)) if one.name == "verdict"]
    assert (revoked.state, revoked.detail) == (State.REVOKED, "1 of 2 votes count")
    assert faults(world) == []


def test_leave_outlives_a_restart_and_a_no_is_a_no() -> None:
    world = shop()
    refund(world, 70)
    asked, _ = beyond(world)
    world.restart()
    assert states(world.claim(asked)) == [State.CLAIMED]
    other = world.intent(arguments={"amount": 60})
    world.ask(other)
    assert refused(world.vote(other, AGENT)) == Reason.VOTER_IN_CHAIN
    assert only(world.vote(other, FINANCE[0], approve=False)).reason == Reason.REJECTED
    assert faults(world) == []
