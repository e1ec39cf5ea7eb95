"""Limits that packs change under the same id: another measure is another count, and what was spent counts for its own window."""

import pytest

from placet.decision.meters import WINDOWS_MOST
from placet.model.codec.intent import Intent
from placet.model.codec.mandate import Limit
from placet.model.reasons import Reason, State
from tests.decision.test_limits import HOUR_MS, SUM, book_of, holds, only, pack, refund, run, shop, sound
from tests.support.world import World, states

HOLD, SPEND, RELEASE = 1, 2, 3
COUNT = SUM.replace("measure: amount, ", "").replace("max: 100", "max: 2")
MINUTE = SUM.replace("sliding_s: 3600", "sliding_s: 60")
MINUTE_MS = 60_000


def change(world: World, limit: str, revision: int = 2) -> None:
    world.push(pack(limit), revision)


def done(world: World, amount: int) -> Intent:
    """Let one refund be granted, claimed and done."""
    asked = world.intent(arguments={"amount": amount})
    world.ask(asked)
    assert only(world.claim(asked)).state == State.CLAIMED
    assert only(world.report(asked)).state == State.DONE
    return asked


@pytest.mark.parametrize(
    ("before", "after", "left"), [(SUM, COUNT, (1, 1)), (COUNT, SUM, (60, 40))], ids=["to count", "to amount"]
)
def test_what_was_counted_in_one_measure_is_not_counted_in_another(
    before: str, after: str, left: tuple[int, ...]
) -> None:
    world = shop(before)
    done(world, 60)
    change(world, after)
    for amount in left:
        assert refund(world, amount).state == State.GRANTED
    denied = refund(world, 1)
    most = 2 if after is COUNT else 100
    assert denied.detail == f"limit `shop/sum` (authority): {most} of {most} used, 0 left, 1 asked"
    sound(world)


@pytest.mark.parametrize("swept", [True, False], ids=["swept", "at its claim"])
def test_a_grant_that_is_held_in_another_measure_does_not_stand(swept: bool) -> None:
    world = shop(COUNT)
    asked = world.intent(arguments={"amount": 60})
    world.ask(asked)
    change(world, SUM)
    revoked = only(world.step() if swept else world.claim(asked)[:1])
    assert (revoked.id, revoked.state) == (asked.id, State.REVOKED)
    assert holds(revoked) == [("shop/sum", "authority", 1, RELEASE)]
    assert refund(world, 100).state == State.GRANTED
    sound(world)


def test_what_is_claimed_goes_on_and_is_spent_in_the_measure_it_is_held_in() -> None:
    world = shop(COUNT)
    asked = world.intent(arguments={"amount": 60})
    world.ask(asked)
    world.claim(asked)
    change(world, SUM)
    assert world.step() == []
    assert holds(only(world.report(asked))) == [("shop/sum", "authority", 1, SPEND)]
    assert refund(world, 100).state == State.GRANTED
    change(world, COUNT, revision=3)
    world.step()
    assert states([*world.ask(world.intent()), *world.ask(world.intent())]) == [State.GRANTED, State.DENIED]
    sound(world)


def test_a_shorter_window_frees_nothing_that_was_spent_under_the_longer_one() -> None:
    world = shop(SUM)
    done(world, 100)
    spent_at = world.clock.now
    change(world, MINUTE)
    world.clock.now = spent_at + 2 * MINUTE_MS
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    world.restart()
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    world.clock.now = spent_at + HOUR_MS + MINUTE_MS
    assert refund(world, 100).state == State.GRANTED
    sound(world)


def test_what_is_spent_under_a_shorter_window_makes_nothing_be_forgotten() -> None:
    world = shop(SUM)
    done(world, 60)
    change(world, MINUTE)
    world.clock.now += 2 * MINUTE_MS
    done(world, 10)
    change(world, SUM, revision=3)
    assert refund(world, 31).detail == "limit `shop/sum` (authority): 70 of 100 used, 30 left, 31 asked"
    # The 10 count for the minute they were granted under, and for the bucket they lie in.
    world.clock.now += MINUTE_MS + 1_000
    assert refund(world, 41).detail == "limit `shop/sum` (authority): 60 of 100 used, 40 left, 41 asked"
    sound(world)


def test_what_turns_out_to_have_failed_is_taken_back_where_it_was_counted() -> None:
    world = shop(SUM)
    asked = world.intent(arguments={"amount": 60})
    world.ask(asked)
    world.claim(asked)
    assert only(world.later(300_000)).state == State.UNKNOWN
    change(world, MINUTE)
    done(world, 40)
    assert refund(world, 1).reason == Reason.LIMIT_EXCEEDED
    assert holds(only(world.report(asked, State.FAILED))) == [("shop/sum", "authority", 60, RELEASE)]
    assert refund(world, 61).reason == Reason.LIMIT_EXCEEDED
    assert refund(world, 60).state == State.GRANTED
    sound(world)


def test_a_limit_is_counted_over_so_many_windows_at_once_and_no_more() -> None:
    world = shop(SUM)
    done(world, 1)
    for number in range(2, WINDOWS_MOST + 1):
        change(world, SUM.replace("3600", f"{number}000"), number)
        done(world, 1)
    change(world, SUM.replace("3600", "9999"), 9)
    refused = refund(world, 1)
    assert (refused.reason, refused.retry_after_ms) == (Reason.OVERLOADED, 1_000)
    assert refused.detail == f"limit `shop/sum` (authority) is still counted over {WINDOWS_MOST} other windows"
    assert len(book_of(world).meters.rows()) == WINDOWS_MOST
    change(world, SUM, 10)
    assert refund(world, 97).reason == Reason.LIMIT_EXCEEDED
    assert refund(world, 96).state == State.GRANTED
    sound(world)


def test_a_restored_desk_counts_each_measure_and_window_as_before() -> None:
    world = shop(SUM)
    done(world, 30)
    change(world, COUNT)
    done(world, 30)
    change(world, MINUTE, 3)
    run(world, only_asked(world))
    before = book_of(world).meters.rows()
    assert [(row.measure, row.window_ms, row.buckets[0].amount) for row in before] == [
        ("amount", HOUR_MS, 30),
        ("count", HOUR_MS, 1),
        ("amount", MINUTE_MS, 7),
    ]
    world.restart()
    assert refund(world, 64).detail == "limit `shop/sum` (authority): 37 of 100 used, 63 left, 64 asked"
    assert book_of(world).meters.rows() == before
    sound(world)


def only_asked(world: World) -> Intent:
    asked = world.intent(arguments={"amount": 7})
    world.ask(asked)
    return asked


LOOKS = """\
rules:
  - {id: look, because: look, on: [shop.look], effect: constrain, obligations: [{read_only: {}}]}
"""


def look_at(page: int, *limits: str) -> dict[str, str]:
    """Return a pack under which looking sets the page, whatever was asked."""
    made = pack(*limits)
    made["pack.yaml"] = made["pack.yaml"].replace(
        "shop.look: {arguments: {page: {type: int, required: false}}}",
        f"shop.look: {{arguments: {{page: {{type: int, required: false}}}}, read_only: {{page: {page}}}}}",
    )
    made["rules.yaml"] = made["rules.yaml"].rsplit("  - {id: look", 1)[0] + LOOKS.removeprefix("rules:\n")
    return made


def test_a_mandate_limits_what_only_the_grant_sets() -> None:
    world = World(pack=look_at(70))
    world.publish_mandate(limits=(Limit("page", 100, 60, ("shop.*",)),))
    granted = only(world.ask(world.intent("shop.look")))
    assert (granted.state, granted.granted_arguments) == (State.GRANTED, b'{"page":70}')
    assert holds(granted) == [("mandate/m1", "page 60 shop.*", 70, HOLD)]
    denied = only(world.ask(world.intent("shop.look")))
    assert (denied.state, denied.reason, denied.rules) == (State.DENIED, Reason.LIMIT_EXCEEDED, ("mandate/m1",))
    sound(world)
