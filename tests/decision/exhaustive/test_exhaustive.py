"""No order of a small story, with a failover anywhere, breaks what was promised; and faults that are planted are found."""

from collections.abc import Callable
from typing import Any

import pytest

from placet.decision import ballot
from placet.decision.bulletin import Bulletin
from placet.decision.leases import Leases
from placet.decision.meters import Holdings
from placet.model.codec.desk_change import Lease
from placet.model.reasons import State
from tests.decision.exhaustive.explore import EVENTS, FIRST, REVOKED, Found, explore, orders
from tests.decision.exhaustive.pair import Run, Town
from tests.support.world import AGENT

ALL_ORDERS = 840
"""7! orders of seven events; a third of them has both votes after their question, and half of those the votes in order."""


def test_every_order_is_played_but_those_that_are_like_another() -> None:
    assert len(set(orders(alike=True))) == ALL_ORDERS
    assert len(set(orders(alike=False))) == 2 * ALL_ORDERS
    assert {order for first in FIRST for order in orders(False, first)} == set(orders(False))


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("revoked", REVOKED)
def test_no_order_with_a_failover_anywhere_breaks_a_promise(revoked: str, first: str) -> None:
    played = list(explore(revoked, first))
    assert [found for found in played if isinstance(found, Found)] == []
    assert len(played) == len(EVENTS) * len(list(orders(revoked == AGENT, first)))


def test_the_story_is_not_an_idle_one() -> None:
    town = Town(AGENT)
    ended = set()
    for order in orders(alike=True):
        run = Run(town)
        for event in order:
            run.play(event)
        ended |= {(said.id, State(said.state)) for name, said in run.said if name == "verdict"}
    for number in town.ids.values():
        assert {state for id_, state in ended if id_ == number} >= {
            State.GRANTED,
            State.CLAIMED,
            State.DENIED,
            State.REVOKED,
        }


def _hold_forgotten(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(Holdings, "enter", lambda *_: None)
    monkeypatch.setattr(Holdings, "leave", lambda *_: None)
    return "are held"


def _votes_counted_twice(monkeypatch: pytest.MonkeyPatch) -> str:
    count = ballot.count

    def twice(*asked: Any) -> Any:
        counted = count(*asked)
        return counted._replace(voters=counted.voters * 2)

    monkeypatch.setattr(ballot, "count", twice)
    return "grants on the votes of"


def _halt_not_told(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(Bulletin, "tell", lambda *_: [])
    return "not among the decisions"


def _restored_without_holds(monkeypatch: pytest.MonkeyPatch) -> str:
    fill = Leases.fill

    def bare(self: Leases, leases: list[Lease]) -> None:
        fill(self, [lease._replace(holds=()) for lease in leases])

    monkeypatch.setattr(Leases, "fill", bare)
    return "are held"


@pytest.mark.parametrize("plant", [_hold_forgotten, _votes_counted_twice, _halt_not_told, _restored_without_holds])
def test_a_planted_fault_is_found(plant: Callable[[pytest.MonkeyPatch], str], monkeypatch: pytest.MonkeyPatch) -> None:
    says = plant(monkeypatch)
    found = next((each for each in explore(AGENT) if isinstance(each, Found)), None)
    assert found is not None
    assert says in found.faults[0], found
