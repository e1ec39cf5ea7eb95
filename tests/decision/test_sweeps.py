"""What waits and whose time is over is ended by the clock, whatever has changed since."""

from placet.model.reasons import Reason, State
from tests.decision.test_limits import pack
from tests.support.world import World, states

ONE_LOOK = "{id: looks, per: [actor], on: [shop.look], window: {sliding_s: 3600}, max: 1, because: enough, over: defer}"


def test_what_waited_until_its_deadline_is_not_begun_when_budget_is_freed_after_it() -> None:
    world = World(pack=pack(ONE_LOOK))
    first, second = world.intent("shop.look"), world.intent("shop.look", deadline=1_760_000_000_000 + 15_000)
    assert states(world.ask(first, second)) == [State.CLAIMED, State.DEFERRED]
    world.report(first, State.FAILED)
    (ended,) = world.later(15_000)
    assert (ended.record.id, ended.state, ended.record.reason) == (second.id, State.DENIED, Reason.DEFER_ENDED)


def test_what_was_parked_as_long_as_it_may_be_is_not_granted_by_a_label_that_comes_then() -> None:
    world = World()
    assert states(world.ask(world.intent("shop.export"))) == [State.DEFERRED]
    world.publish_sensitivity("order/7", "internal")
    assert states(world.later(20_000)) == [State.DENIED]
