"""What limits and people make of what the rules say: weighed, put to the vote, and weighed again where people said yes."""

import json

from placet.faces.auditor.asking import Polled, lesser, poll, widened
from placet.faces.auditor.joining import Joined, Odd
from placet.faces.auditor.limits import Limit, Place, granted, limits_on, weigh
from placet.faces.auditor.packs import Pack, Plain
from placet.faces.auditor.records import Fields
from placet.faces.auditor.rules import Said, merged, put
from placet.faces.auditor.table import CONSTRAIN, PERMIT, STEP_UP


def let_through(
    found: Said,
    packs: list[Pack],
    known: Joined,
    asked: Fields,
    arguments: Plain,
    rows: list[Fields],
    votes: list[Fields],
    waited_ms: int,
    instant: int,
) -> tuple[Said, Polled | None]:
    """Return what is said of an intent in the end, and what its votes came to where people were asked.

    `rows` are the limits as its case has them; raise Odd where they are not as they must have been.
    """
    limits = limits_on(packs, known.limits, asked, arguments.keys() | granted(arguments, found.demands).keys())
    limited = bool(limits) and found.effect <= STEP_UP
    if rows and not limited:
        raise Odd("its case says how limits stood that do not count it")
    first = weigh(found, limits, rows, arguments, None) if limited else found
    if first.effect == STEP_UP and found.without is not None:
        # A limit asks people, and no emergency goes beyond one.
        found = found.without
        first = weigh(found, limits, rows, arguments, None)
    polled = None
    if first.effect == STEP_UP and first.wanted is not None:
        action = asked["action"]
        declared = [pack.actions[action].arguments for pack in packs if action in pack.actions]
        polled = poll(first.wanted, votes, known, asked, arguments, declared, waited_ms, instant - waited_ms)
        if polled.met and polled.left != arguments:
            again = put(packs, asked, polled.left, known, instant)
            if again is None or again.effect > STEP_UP:
                return again or found, None
            found = found._replace(demands=merged(iter((*found.demands, *again.demands))))
            first = first._replace(demands=found.demands)
        if polled.met:
            free = found._replace(effect=CONSTRAIN if found.demands else PERMIT)
            leave = frozenset(name for (name, _), limit in limits.items() if limit.over == STEP_UP)
            last = weigh(free, limits, rows, polled.left, leave) if limited else free
            if last.effect not in (PERMIT, CONSTRAIN):
                return last, None
            return first._replace(effect=last.effect, demands=last.demands), polled
    elif votes:
        return _as_left(found, packs, known, asked, arguments, rows, votes, limits, instant)
    return (weigh(found, limits, rows, arguments, frozenset()) if limited else first), polled


def _as_left(
    found: Said,
    packs: list[Pack],
    known: Joined,
    asked: Fields,
    arguments: Plain,
    rows: list[Fields],
    votes: list[Fields],
    limits: dict[Place, Limit],
    instant: int,
) -> tuple[Said, Polled]:
    """Return what is said of what votes left of a grant, where nobody has to be asked any more; raise Odd where they
    left all of it, or it would not be granted.
    """
    action = asked["action"]
    declared = [pack.actions[action].arguments for pack in packs if action in pack.actions]
    left = arguments
    for vote in votes:
        offer = json.loads(vote["arguments"]) if vote["approve"] and vote["arguments"] else None
        if offer is not None and not widened(arguments, offer, declared):
            left = lesser(left, offer)
    again = put(packs, asked, left, known, instant) if left != arguments else None
    if again is None or again.effect not in (PERMIT, CONSTRAIN) or found.effect not in (PERMIT, CONSTRAIN):
        raise Odd("its case holds votes, and nobody was asked")
    found = found._replace(demands=merged(iter((*found.demands, *again.demands))))
    said = weigh(found, limits, rows, left, frozenset()) if limits else found
    bound = CONSTRAIN if said.effect == PERMIT else said.effect
    return said._replace(effect=bound), Polled(0, (), (), "", left)
