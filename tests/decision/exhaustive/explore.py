"""All orders of two intents, two votes, their claims, one suspension and one halt, with a failover after each event.

Two prunings. Where the agent is suspended the two voters are alike, so one order of their votes stands for both; where a
voter is, both are played. A vote before its question is refused by name, which other tests show: votes come after it.
A desk that is lost before it commits leaves the journal as one that is lost after the event before, so one stands for
both; that such a desk then commits nothing is seen at every prefix.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.decision.exhaustive.pair import VOTERS, Run, Town
from tests.decision.exhaustive.promises import broken
from tests.support.world import AGENT

EVENTS = ("A", "B", "V1", "V2", "C", "R", "H")
FIRST = ("A", "B", "C", "R", "H")
REVOKED = (AGENT, VOTERS[1])


class Found(NamedTuple):
    """A run that breaks a promise: who was suspended, what came, after how many events the desk was lost, and what is wrong."""

    revoked: str
    order: tuple[str, ...]
    lost_after: int | None
    faults: list[str]


def orders(alike: bool, first: str = "") -> Iterator[tuple[str, ...]]:
    """Yield the orders of all events, those that begin with `first`; with `alike` the second vote comes after the first."""
    yield from _longer((first,) if first else (), alike)


def _longer(before: tuple[str, ...], alike: bool) -> Iterator[tuple[str, ...]]:
    left = [event for event in EVENTS if event not in before]
    if not left:
        yield before
        return
    possible = [
        event
        for event in left
        if not (event in ("V1", "V2") and "B" not in before) and not (event == "V2" and alike and "V1" not in before)
    ]
    for event in possible:
        yield from _longer((*before, event), alike)


def explore(revoked: str, first: str = "") -> Iterator[Found | int]:
    """Play every order on one desk, and with a failover after each of its events; yield what is broken, else how many turns."""
    town = Town(revoked)
    seen: set[tuple[str, ...]] = set()
    for order in orders(revoked == AGENT, first):
        yield from _play(town, order, seen)


def _play(town: Town, order: tuple[str, ...], seen: set[tuple[str, ...]]) -> Iterator[Found | int]:
    live = Run(town)
    for number, event in enumerate(order, 1):
        live.play(event, refused=order[:number] not in seen)
        seen.add(order[:number])
        second = Run(town, live)
        for later in order[number:]:
            second.play(later)
        if number < len(order):
            faults = broken(second)
            yield Found(town.revoked, order, number, faults) if faults else len(order) - number
    faults = broken(live)
    yield Found(town.revoked, order, None, faults) if faults else len(order)
