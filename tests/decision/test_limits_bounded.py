"""What limits remember is bounded and leaves when its windows have passed; that most of a limit is used is an event."""

import io
import json
import logging
from typing import Any

import pytest

from placet.decision.meters import BUCKETS_MOST
from placet.decision.settings import DeskSettings
from placet.drivers.logs import log_to
from placet.drivers.metrics import exposition
from placet.model.reasons import Reason, State
from tests.decision.test_limits import SUM, book_of, only, pack, refund, shop, sound
from tests.decision.test_limits_changed import done
from tests.support.world import World

SESSIONS = "{id: each, per: [session], on: [shop.refund], window: {sliding_s: 60}, max: 99, because: enough}"
MINUTE_MS = 60_000
REACHED = 'placet_limits_reached_total{limit="shop/sum"}'


def look(world: World) -> None:
    """Let a batch pass in which no limit counts anything."""
    world.ask(world.intent("shop.look"))


def spend(world: World, session: str) -> Any:
    """Ask for a refund in a session; where it is granted, let it be claimed and done. Return what was said first."""
    asked = world.intent(session=session)
    said = only(world.ask(asked))
    if said.state == State.GRANTED:
        world.claim(asked)
        world.report(asked)
    return said


def test_no_more_scopes_are_remembered_than_the_bound_and_all_leave_with_their_windows() -> None:
    world = shop(SESSIONS, settings=DeskSettings(scopes_most=5))
    said = [spend(world, f"s{number}").reason for number in range(12)]
    assert said == [Reason.PERMITTED] * 5 + [Reason.OVERLOADED] * 7
    assert len(book_of(world).meters.rows()) == 5
    for _ in range(3):
        world.later(15 * MINUTE_MS)
        look(world)
    assert book_of(world).meters.rows() == []
    assert spend(world, "s11").reason == Reason.PERMITTED
    sound(world)


def test_a_window_is_remembered_in_so_many_buckets_however_often_is_spent() -> None:
    world = shop(SESSIONS.replace("[session]", "[authority]").replace("max: 99", "max: 999"))
    sizes = set()
    for _ in range(150):
        world.clock.now += 997
        done(world, 1)
        sizes |= {len(row.buckets) for row in book_of(world).meters.rows()}
    assert BUCKETS_MOST - 5 < max(sizes) <= BUCKETS_MOST + 1
    before = book_of(world).meters.rows()
    world.restart()
    look(world)
    assert (len(before), book_of(world).meters.rows()) == (1, before)


def test_who_asks_is_remembered_by_what_limits_count_them_by_and_not_by_each_session() -> None:
    for limit, remembered in ((SUM, 1), (SESSIONS, 3)):
        world = shop(limit)
        for number in range(3):
            refund(world, 1, session=f"s{number}")
        assert len(world.loop.bureau.places[0].desk.judge._limits._ties) == remembered


@pytest.fixture
def logged() -> Any:
    """Yield what workers log meanwhile, a line each."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = list(root.handlers), root.level
    log_to(stream, form="json", slot="worker-0")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    for handler in root.handlers:
        if handler not in before:
            root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("at_its_claim", [False, True])
def test_four_fifths_of_a_limit_is_logged_and_counted_once_whenever_it_is_taken(
    at_its_claim: bool, logged: Any
) -> None:
    world = shop() if at_its_claim else shop(SUM)
    if at_its_claim:
        asked = world.intent(arguments={"amount": 80})
        world.ask(asked)
        world.push(pack(SUM), revision=2)
        world.step()
        assert logged() == []
        world.claim(asked)
    else:
        refund(world, 79)
        assert logged() == []
        refund(world, 1)
    refund(world, 1)
    (line,) = logged()
    assert (line["event"], line["limit"], line["key"]) == ("limit reached", "shop/sum", "acme/user:grace")
    assert (line["scope"], line["used"], line["max"]) == ("authority", 80, 100)
    counted = [row for row in exposition(world.loop._watch).decode().splitlines() if row.startswith(REACHED)]
    assert counted == [f"{REACHED} 1.0"]
