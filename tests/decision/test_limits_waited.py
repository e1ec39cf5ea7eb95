"""What waits for a limit, or was narrowed to fit one: woken by the clock when windows pass, and left to stand when more is free."""

import pytest

from placet.model.reasons import Effect, Reason, State
from tests.decision.test_limits import PEOPLE, SUM, WAITS, book_of, holds, only, refund, shop, sound
from tests.decision.test_limits_changed import done
from tests.decision.test_votes_limits import beyond
from tests.decision.test_votes_limits import shop as asking
from tests.support.votes import faults
from tests.support.world import digest_of, states

HOLD = 1
WINDOW_MS = 10_000
SLICE_MS = 157
"""A 64th of the window, rounded up: an amount counts until the window after the last ms of the slice it was spent in."""
SHORT = WAITS.replace("sliding_s: 3600", "sliding_s: 10")


def leaves_at(spent_at: int) -> int:
    return (spent_at // SLICE_MS + 1) * SLICE_MS - 1 + WINDOW_MS


def test_what_a_limit_defers_says_when_windows_leave_enough_and_is_granted_then() -> None:
    world = shop(SHORT)
    done(world, 80)
    at = leaves_at(world.clock.now)
    waits = world.intent(arguments={"amount": 21})
    deferred = only(world.ask(waits))
    assert (deferred.state, deferred.reason) == (State.DEFERRED, Reason.LIMIT_EXCEEDED)
    assert deferred.retry_after_ms == at - world.clock.now
    assert world.later(at - 1 - world.clock.now) == []
    granted = only(world.later(1))
    assert (granted.id, granted.state, granted.cause_topic) == (waits.id, State.GRANTED, 0)
    assert holds(granted) == [("shop/sum", "authority", 21, HOLD)]
    sound(world)


@pytest.mark.parametrize("restarts", [False, True])
def test_it_is_looked_at_when_enough_of_several_amounts_has_passed(restarts: bool) -> None:
    world = shop(SHORT)
    done(world, 30)
    world.clock.now += 1_000
    done(world, 30)
    second = leaves_at(world.clock.now)
    world.clock.now += 1_000
    done(world, 30)
    deferred = only(world.ask(world.intent(arguments={"amount": 70})))
    assert deferred.retry_after_ms == second - world.clock.now
    if restarts:
        world.restart()
    assert world.later(second - 1 - world.clock.now) == []
    assert only(world.later(1)).state == State.GRANTED
    sound(world)


def test_what_is_taken_before_its_time_makes_it_wait_on_and_no_longer_than_it_may() -> None:
    world = shop(SHORT)
    done(world, 80)
    first = leaves_at(world.clock.now)
    waits = world.intent(arguments={"amount": 90})
    deferred = only(world.ask(waits))
    world.clock.now += 5_000
    done(world, 20)
    second = leaves_at(world.clock.now)
    assert world.later(first - world.clock.now) == []
    assert not world.loop.bureau.places[0].desk.due(world.clock.now)
    (lease,) = book_of(world).leases.open.values()
    assert (lease.until, lease.expires_at) == (second, deferred.expires_at)
    assert only(world.later(second - world.clock.now)).state == State.GRANTED
    sound(world)


def test_what_waits_longer_than_it_may_is_denied_at_its_end() -> None:
    world = shop(WAITS)
    done(world, 100)
    deferred = only(world.ask(world.intent(arguments={"amount": 1})))
    assert deferred.retry_after_ms > deferred.expires_at - world.clock.now == 20_000
    assert world.later(19_999) == []
    assert only(world.later(1)).reason == Reason.DEFER_ENDED
    sound(world)


def test_what_others_hold_passes_with_no_window() -> None:
    world = shop(SHORT)
    refund(world, 80)
    assert only(world.ask(world.intent(arguments={"amount": 21}))).retry_after_ms == 0
    assert only(world.ask(world.intent(arguments={"amount": 101}))).retry_after_ms == 0
    sound(world)


def test_a_denial_says_when_more_is_left_and_is_asked_anew_then() -> None:
    world = shop(SUM.replace("sliding_s: 3600", "sliding_s: 10"))
    done(world, 80)
    at = leaves_at(world.clock.now)
    asked = world.intent(arguments={"amount": 21})
    denied = only(world.ask(asked))
    assert (denied.state, denied.retry_after_ms) == (State.DENIED, at - world.clock.now)
    assert only(world.ask(asked._replace(attempt=2))).reason == Reason.ATTEMPT_NOT_NEXT
    world.clock.now = at - 1
    assert refund(world, 21).state == State.DENIED
    world.clock.now = at
    assert refund(world, 21).state == State.GRANTED
    sound(world)


@pytest.mark.parametrize("swept", [True, False], ids=["swept", "only claimed"])
def test_what_people_narrowed_stands_when_budget_is_freed_meanwhile(swept: bool) -> None:
    world = asking(PEOPLE)
    first = world.intent(arguments={"amount": 70})
    world.ask(first)
    asked, granted = beyond(world, 60, arguments={"amount": 20})
    assert holds(granted) == [("shop/sum", "authority", 20, HOLD)]
    assert states(world.take_back(first)) == [State.WITHDRAWN]
    if swept:
        world.publish_principal(asked.actor)
        assert world.step() == []
    claimed = only(world.claim(asked, digest_of(asked, {"amount": 20})))
    assert (claimed.state, claimed.effect, claimed.granted_arguments) == (
        State.CLAIMED,
        Effect.CONSTRAIN,
        b'{"amount":20}',
    )
    assert refund(world, 80).state == State.GRANTED
    assert faults(world) == []


def test_what_people_narrowed_falls_with_a_limit_that_its_hold_does_not_cover() -> None:
    from tests.decision.test_limits import pack

    world = asking(PEOPLE)
    first = world.intent(arguments={"amount": 70})
    world.ask(first)
    asked, _ = beyond(world, 60, arguments={"amount": 20})
    world.take_back(first)
    world.push(pack(SUM.replace("max: 100", "max: 19")), revision=2)
    revoked = only(world.claim(asked, digest_of(asked, {"amount": 20}))[:1])
    assert (revoked.id, revoked.state) == (asked.id, State.REVOKED)
    assert faults(world) == []
