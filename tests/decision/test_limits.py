"""Limits in a small shop: held at the grant, spent on done, released otherwise; and what happens beyond one."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from placet.decision.book import Book
from placet.decision.settings import DeskSettings
from placet.model.codec.intent import Intent
from placet.model.codec.mandate import Limit
from placet.model.reasons import Effect, Reason, State
from tests.decision.test_halts import audited
from tests.support.world import PACK, PERSON, Decision, World, digest_of, states

HOLD, SPEND, RELEASE = 1, 2, 3
HOUR_MS = 3_600_000
SLICE_MS = HOUR_MS // 64


def pack(*limits: str) -> dict[str, str]:
    """Return the shop's pack, with refunds up to 9007199254740991 permitted, and with these limits."""
    rules = """\
rules:
  - {id: refund, because: refund, on: [shop.refund], effect: permit}
  - {id: look, because: look, on: [shop.look], effect: permit, claim: granted}
"""
    tests = """\
tests:
  - says: a refund is permitted
    intent: {actor: agent:ada, action: shop.refund, resource: order/7, arguments: {amount: 10}}
    expect: {effect: permit, because: [refund]}
"""
    head = PACK["pack.yaml"].replace("amount: {type: int, min: 0,", "amount: {type: int,")
    said = "".join(f"  - {limit}\n" for limit in limits)
    return {"pack.yaml": head + ("limits:\n" + said if limits else ""), "rules.yaml": rules, "tests.yaml": tests}


SUM = "{id: sum, per: [authority], on: [shop.refund], measure: amount, window: {sliding_s: 3600}, max: 100, because: enough}"
NO_SUM = SUM.replace("max: 100", "max: 0")
LEFT = SUM.replace("max: 100", "max: 100, over: constrain")
WAITS = SUM.replace("max: 100", "max: 100, over: defer")
PEOPLE = SUM.replace(
    "max: 100", "max: 100, over: step_up, approval: {quorum: 2, from: ['group:finance'], expires_s: 60}"
)
COUNT = "{id: some, per: [actor, session], on: ['shop.*'], window: {sliding_s: 60}, max: 2, because: enough}"


def shop(*limits: str, **more: Any) -> World:
    return World(pack=pack(*limits), **more)


def sound(world: World) -> None:
    """Hold that the auditor finds nothing, and that it looked."""
    report = audited(world)
    assert [(name, check.shown) for name, check in report.checks.items() if check.violated] == []
    assert report["V5"].checked


def book_of(world: World) -> Book:
    return world.loop.bureau.places[0].desk.book


def only(said: Sequence[Decision]) -> Any:
    assert len(said) == 1, said
    return said[0].record


def refund(world: World, amount: int, **more: Any) -> Any:
    """Ask for one refund and return what was said first of it."""
    return only(world.ask(world.intent(arguments={"amount": amount}, **more)))


def holds(said: Any) -> list[tuple[str, str, int, int]]:
    return [tuple(hold) for hold in said.holds]


def run(world: World, asked: Intent, result: State = State.DONE) -> Any:
    """Claim a grant, report its end, and return that."""
    assert states(world.claim(asked)) == [State.CLAIMED]
    return only(world.report(asked, result))


def test_what_is_granted_is_held_and_what_is_over_is_denied_with_what_is_left() -> None:
    world = shop(SUM)
    assert holds(refund(world, 70)) == [("shop/sum", "authority", 70, HOLD)]
    denied = refund(world, 31)
    assert (denied.state, denied.reason, denied.holds) == (State.DENIED, Reason.LIMIT_EXCEEDED, ())
    assert denied.detail == "limit `shop/sum` (authority): 70 of 100 used, 30 left, 31 asked"
    assert denied.rules == ("shop/sum",)
    assert refund(world, 30).state == State.GRANTED
    sound(world)


def test_what_is_done_stays_spent_until_its_window_is_past() -> None:
    world = shop(SUM)
    asked = world.intent(arguments={"amount": 100})
    world.ask(asked)
    assert holds(run(world, asked)) == [("shop/sum", "authority", 100, SPEND)]
    spent_at = world.clock.now
    last = (spent_at // SLICE_MS + 1) * SLICE_MS - 1
    world.clock.now = last + HOUR_MS - 1
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    world.clock.now = last + HOUR_MS
    assert refund(world, 100).state == State.GRANTED
    sound(world)


@pytest.mark.parametrize("end", [State.FAILED, State.REFUSED])
def test_what_did_not_happen_is_released(end: State) -> None:
    world = shop(SUM)
    asked = world.intent(arguments={"amount": 100})
    world.ask(asked)
    assert holds(run(world, asked, end)) == [("shop/sum", "authority", 100, RELEASE)]
    assert refund(world, 100).state == State.GRANTED
    sound(world)


def test_what_is_taken_back_lapses_or_is_revoked_is_released() -> None:
    world = shop(SUM)
    asked = world.intent(arguments={"amount": 100})
    world.ask(asked)
    assert holds(only(world.take_back(asked))) == [("shop/sum", "authority", 100, RELEASE)]
    assert refund(world, 100).state == State.GRANTED
    lapsed = only(world.later(30_000))
    assert (lapsed.state, holds(lapsed)) == (State.LAPSED, [("shop/sum", "authority", 100, RELEASE)])
    assert refund(world, 100).state == State.GRANTED
    world.publish_principal(PERSON, kind="user", status="suspended")
    revoked = only(world.step())
    assert (revoked.state, holds(revoked)) == (State.REVOKED, [("shop/sum", "authority", 100, RELEASE)])
    sound(world)


def test_what_is_unknown_counts_as_spent_and_is_released_when_it_turns_out_to_have_failed() -> None:
    world = shop(SUM)
    asked = world.intent(arguments={"amount": 100})
    world.ask(asked)
    world.claim(asked)
    unknown = only(world.later(300_000))
    assert (unknown.state, holds(unknown)) == (State.UNKNOWN, [("shop/sum", "authority", 100, SPEND)])
    world.restart()
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    assert holds(only(world.report(asked, State.FAILED))) == [("shop/sum", "authority", 100, RELEASE)]
    assert refund(world, 100).state == State.GRANTED
    sound(world)


def test_what_is_unknown_and_turns_out_done_was_spent_once() -> None:
    world = shop(SUM)
    asked = world.intent(arguments={"amount": 60})
    world.ask(asked)
    world.claim(asked)
    world.later(300_000)
    assert holds(only(world.report(asked))) == []
    assert refund(world, 41).reason == Reason.LIMIT_EXCEEDED
    assert refund(world, 40).state == State.GRANTED
    sound(world)


def test_two_that_race_for_one_budget_never_get_more_than_there_is() -> None:
    world = shop(SUM)
    world.publish_principal("agent:bob")
    world.publish_mandate(id="m2", delegate="agent:bob")
    world.step()
    mine = [world.intent(arguments={"amount": 40}) for _ in range(2)]
    his = [world.intent(arguments={"amount": 40}, actor="agent:bob", mandate="m2") for _ in range(2)]
    said = world.ask(mine[0], his[0], mine[1], his[1])
    assert states(said) == [State.GRANTED, State.GRANTED, State.DENIED, State.DENIED]
    sound(world)


def test_a_limit_per_actor_and_session_counts_each_by_itself() -> None:
    world = shop(COUNT)
    assert holds(refund(world, 1)) == [("shop/some", "actor=agent:ada session=s1", 1, HOLD)]
    looked = only(world.ask(world.intent("shop.look")))
    assert (looked.state, holds(looked)) == (State.CLAIMED, [("shop/some", "actor=agent:ada session=s1", 1, HOLD)])
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    assert refund(world, 1, session="s2").state == State.GRANTED
    assert refund(world, 1, session="").state == State.GRANTED
    sound(world)


def test_a_limit_of_zero_is_never() -> None:
    world = shop(NO_SUM)
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    assert refund(world, 0).reason == Reason.LIMIT_EXCEEDED
    sound(world)


def test_an_amount_below_zero_is_denied_by_name_and_frees_nothing() -> None:
    world = shop(SUM)
    refund(world, 100)
    denied = refund(world, -100)
    assert (denied.state, denied.reason) == (State.DENIED, Reason.AMOUNT_UNFIT)
    assert denied.detail == "limit `shop/sum` measures `amount`: expected a whole number from 0 on"
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    sound(world)


def test_a_sum_past_what_every_reader_counts_alike_is_over() -> None:
    most = 2**53 - 1
    world = shop(SUM.replace("max: 100", f"max: {2**53}"))
    assert refund(world, most).state == State.GRANTED
    denied = refund(world, 1)
    assert denied.reason == Reason.LIMIT_EXCEEDED
    assert denied.detail == f"limit `shop/sum` (authority): {most} of {most} used, 0 left, 1 asked"
    sound(world)


def test_over_a_limit_that_constrains_what_is_left_is_granted_and_claimed_as_granted() -> None:
    world = shop(LEFT)
    refund(world, 70)
    asked = world.intent(arguments={"amount": 50})
    granted = only(world.ask(asked))
    assert (granted.effect, granted.reason) == (Effect.CONSTRAIN, Reason.LIMIT_EXCEEDED)
    assert json.loads(granted.granted_arguments) == {"amount": 30}
    assert [tuple(one) for one in granted.obligations] == [("limit", "amount", "30")]
    assert holds(granted) == [("shop/sum", "authority", 30, HOLD)]
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    # The first lapses, so more would be left by now: the grant stays what it was.
    world.clock.now += 29_999
    assert states(world.claim(asked, digest_of(asked, {"amount": 30}))) == [State.CLAIMED]
    sound(world)


def test_what_is_left_below_the_least_that_an_action_takes_is_not_granted() -> None:
    made = pack(LEFT)
    made["pack.yaml"] = made["pack.yaml"].replace("amount: {type: int,", "amount: {type: int, min: 25,")
    made["tests.yaml"] = made["tests.yaml"].replace("amount: 10", "amount: 25")
    world = World(pack=made)
    refund(world, 75)
    assert json.loads(refund(world, 50).granted_arguments) == {"amount": 25}
    world = World(pack=made)
    refund(world, 76)
    assert refund(world, 50).reason == Reason.LIMIT_EXCEEDED
    sound(world)


def test_over_a_limit_that_steps_up_people_are_asked_and_nothing_is_held() -> None:
    world = shop(PEOPLE)
    refund(world, 70)
    pending = refund(world, 31)
    assert (pending.state, pending.effect, pending.reason) == (State.PENDING, Effect.STEP_UP, Reason.LIMIT_EXCEEDED)
    assert (pending.approval.quorum, pending.approval.eligible) == (2, ("group:finance",))
    assert pending.approval.expires_at == world.clock.now + 60_000
    assert (pending.holds, pending.rules) == ((), ("shop/sum",))
    assert refund(world, 30).state == State.GRANTED
    sound(world)


def test_over_a_limit_that_defers_the_intent_is_granted_once_budget_is_freed() -> None:
    world = shop(WAITS)
    first = world.intent(arguments={"amount": 80})
    world.ask(first)
    waits = world.intent(arguments={"amount": 21})
    assert only(world.ask(waits)).state == State.DEFERRED
    assert states(world.take_back(first)) == [State.WITHDRAWN]
    granted = only(world.step())
    assert (granted.id, granted.state) == (waits.id, State.GRANTED)
    assert holds(granted) == [("shop/sum", "authority", 21, HOLD)]
    sound(world)


def test_the_gravest_of_several_limits_wins() -> None:
    world = shop(PEOPLE, SUM.replace("id: sum", "id: other").replace("max: 100", "max: 50"))
    assert refund(world, 60).rules == ("shop/other",)
    assert refund(world, 101).state == State.DENIED
    world = shop(PEOPLE, LEFT.replace("id: sum", "id: other").replace("max: 100", "max: 50"))
    # What one limit leaves is within the other.
    assert json.loads(refund(world, 101).granted_arguments) == {"amount": 50}
    sound(world)


def test_a_lowered_maximum_revokes_what_no_longer_fits_and_leaves_its_own_hold_out() -> None:
    world = shop(SUM)
    small, large = world.intent(arguments={"amount": 30}), world.intent(arguments={"amount": 70})
    world.ask(small, large)
    world.push(pack(SUM.replace("max: 100", "max: 70")), revision=2)
    revoked = only(world.step())
    assert (revoked.id, revoked.state) == (small.id, State.REVOKED)
    assert states(world.claim(large)) == [State.CLAIMED]
    sound(world)


def test_a_limit_that_came_since_the_grant_is_held_at_its_claim() -> None:
    world = shop()
    asked = world.intent(arguments={"amount": 70})
    world.ask(asked)
    world.push(pack(SUM), revision=2)
    assert world.step() == []
    assert holds(only(world.claim(asked))) == [("shop/sum", "authority", 70, HOLD)]
    assert refund(world, 31).reason == Reason.LIMIT_EXCEEDED
    assert holds(only(world.report(asked))) == [("shop/sum", "authority", 70, SPEND)]
    sound(world)


def test_every_mandate_of_the_chain_is_held_and_the_tightest_decides() -> None:
    world = shop()
    world.publish_principal("agent:bob")
    world.publish_mandate(limits=(Limit("amount", 100, 3600, ()), Limit("count", 9, 0, ("shop.refund",))))
    world.publish_mandate(
        id="m2", delegator="agent:ada", delegate="agent:bob", parent="m1", limits=(Limit("amount", 60, 0, ("shop.*",)),)
    )
    world.step()
    his = refund(world, 60, actor="agent:bob", mandate="m2")
    assert holds(his) == [
        ("mandate/m2", "amount 0 shop.*", 60, HOLD),
        ("mandate/m1", "amount 3600", 60, HOLD),
        ("mandate/m1", "count 0 shop.refund", 1, HOLD),
    ]
    assert refund(world, 1, actor="agent:bob", mandate="m2").rules == ("mandate/m2",)
    assert refund(world, 41).rules == ("mandate/m1",)
    assert refund(world, 40).state == State.GRANTED
    assert only(world.ask(world.intent("shop.look"))).holds == ()
    sound(world)


def test_an_action_that_a_limit_names_needs_what_it_measures() -> None:
    world = shop()
    world.publish_mandate(limits=(Limit("page", 100, 0, ("shop.look",)), Limit("page", 100, 60, ("shop.*",))))
    denied = only(world.ask(world.intent("shop.look")))
    assert (denied.state, denied.reason, denied.rules) == (State.DENIED, Reason.AMOUNT_UNFIT, ("mandate/m1",))
    looked = only(world.ask(world.intent("shop.look", {"page": 7})))
    assert holds(looked) == [("mandate/m1", "page 0 shop.look", 7, HOLD), ("mandate/m1", "page 60 shop.*", 7, HOLD)]
    assert refund(world, 1).holds == ()
    sound(world)


def test_an_action_that_is_not_declared_needs_what_a_limit_on_a_pattern_measures() -> None:
    made = pack(SUM.replace("[shop.refund]", "['shop.r*']"))
    made["rules.yaml"] += "  - {id: rest, because: rest, on: [shop.rebate], effect: permit}\n"
    world = World(pack=made)
    assert only(world.ask(world.intent("shop.rebate"))).reason == Reason.AMOUNT_UNFIT
    assert holds(only(world.ask(world.intent("shop.rebate", {"amount": 60})))) == [("shop/sum", "authority", 60, HOLD)]
    assert refund(world, 41).reason == Reason.LIMIT_EXCEEDED
    sound(world)


def test_a_narrowed_mandate_counts_on() -> None:
    world = shop()
    world.publish_mandate(limits=(Limit("amount", 100, 0, ()),))
    asked = world.intent(arguments={"amount": 50})
    world.ask(asked)
    run(world, asked)
    world.clock.now += 1
    world.publish_mandate(limits=(Limit("amount", 60, 0, ()),))
    assert refund(world, 11).reason == Reason.LIMIT_EXCEEDED
    assert refund(world, 10).state == State.GRANTED
    sound(world)


def test_more_scopes_than_are_counted_under_a_key_are_refused_for_now() -> None:
    world = shop(COUNT, settings=DeskSettings(scopes_most=2))
    refund(world, 1, session="a")
    refund(world, 1, session="b")
    refused = refund(world, 1, session="c")
    assert (refused.state, refused.reason, refused.retry_after_ms) == (State.DENIED, Reason.OVERLOADED, 1_000)
    assert refund(world, 1, session="a").state == State.GRANTED
    sound(world)


def test_a_restored_desk_counts_as_before() -> None:
    world = shop(SUM, COUNT)
    spent, held = world.intent(arguments={"amount": 30}), world.intent(arguments={"amount": 30}, session="s2")
    world.ask(spent, held)
    run(world, spent)
    before = book_of(world)
    world.restart()
    denied = refund(world, 41, session="s3")
    after = book_of(world)
    assert denied.detail == "limit `shop/sum` (authority): 60 of 100 used, 40 left, 41 asked"
    assert after.meters.rows() == before.meters.rows()
    assert {key: dict(sums) for key, sums in after.leases.holdings._keys.items()} == before.leases.holdings._keys
    sound(world)


def test_a_meter_outlives_the_record_it_was_written_in_and_is_forgotten_after_its_window() -> None:
    world = shop(SUM)
    asked = world.intent(arguments={"amount": 100})
    world.ask(asked)
    run(world, asked)
    for _ in range(3):
        world.later(15 * 60_000)
        assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    world.restart()
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    for _ in range(3):
        world.later(15 * 60_000)
        world.ask(world.intent("shop.look"))
    assert book_of(world).meters.rows() == []
    world.restart()
    assert refund(world, 100).state == State.GRANTED
    sound(world)


def test_a_limit_that_is_nearly_reached_is_told_once_and_by_name() -> None:
    world = shop(SUM)
    told = []
    for amount in (79, 1, 1):
        refund(world, amount)
        told.append([tuple(one) for one in book_of(world).tally.near])
    assert told == [[], [("acme/user:grace", "shop/sum", "authority", 80, 100)], []]
    sound(world)
