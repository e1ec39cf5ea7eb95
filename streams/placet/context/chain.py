"""Delegation, resolved link by link: from the mandate an intent names up to its root."""

from collections.abc import Mapping
from typing import NamedTuple

from placet.context.facts import LINK
from placet.context.reach import covers
from placet.context.tables import MANDATE
from placet.model.case import MandateRow

DEPTH_MAX = 8
NEVER = 1 << 62


class Chain(NamedTuple):
    """A resolved chain, the mandate's own link first. `broken` says why it does not hold, or is empty.

    `between` are the principals that handed it on, neither authority nor
    actor; `members` all, authority first; `until` when the first link ends, ms.
    """

    links: tuple[MandateRow, ...]
    broken: str
    keys: tuple[str, ...]
    facts: bytes
    fact_count: int
    between: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    until: int = NEVER


def resolve(
    mandates: Mapping[str, MandateRow], tenant: str, mandate: str, actor: str, authority: str, instant: int
) -> Chain:
    """Return the chain of `mandate` at `instant`: each link active, unexpired, and handed on by who held it."""
    links: list[MandateRow] = []
    holder, name = actor, mandate
    broken, until = "", NEVER
    while name and not broken:
        row = mandates.get(f"{MANDATE}{tenant}/{name}")
        if row is None:
            broken = f"mandate `{name}` is not known"
            break
        links.append(row)
        if len(links) > DEPTH_MAX:
            twice = any(row.id == name for row in links[:-1])
            broken = f"it goes round: mandate `{name}` is above itself" if twice else f"more than {DEPTH_MAX} links"
        elif row.delegate != holder:
            broken = f"mandate `{name}` was not given to `{holder}`"
        elif not row.active:
            broken = f"mandate `{name}` is suspended or revoked"
        elif row.expires_at and row.expires_at <= instant:
            broken = f"mandate `{name}` ended at {row.expires_at}"
        until = min(until, row.expires_at or NEVER)
        holder, name = row.delegator, row.parent
    if not broken and holder != authority:
        broken = f"the chain ends at `{holder}`, not at the authority"
    keys = tuple(dict.fromkeys([*(row.key for row in links), f"{MANDATE}{tenant}/{name or mandate}"]))
    facts = b"".join([LINK + row.fact for row in links])
    if broken:
        return Chain(tuple(links), broken, keys, facts, len(links))
    first = links[0].at_depth(len(links))
    members = (authority, *(row.delegate for row in reversed(links)))
    between = tuple(row.delegator for row in links[:-1])
    return Chain((first, *links[1:]), "", keys, facts, len(links), between, members, until)


def outside(links: tuple[MandateRow, ...], action: str, resource: str) -> str:
    """Return the id of the first link that does not cover the action on the resource, or an empty string."""
    for row in links:
        if not covers(row.actions, action) or not covers(row.resources, resource):
            return row.id
    return ""
