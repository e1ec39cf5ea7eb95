"""Delegation, resolved link by link: from the mandate an intent names up to its root."""

from collections.abc import Mapping
from typing import NamedTuple

from placet.model.case import MandateRow

DEPTH_MAX = 8


class Chain(NamedTuple):
    """A resolved chain: the mandate's own link first. `broken` says why it does not hold, or is empty."""

    links: tuple[MandateRow, ...]
    broken: str


def covers(patterns: tuple[str, ...], text: str) -> bool:
    """Return whether a pattern is `text`, `*`, or ends in `*` and `text` begins with what is before."""
    for pattern in patterns:
        if pattern == text or (pattern.endswith("*") and text.startswith(pattern[:-1])):
            return True
    return False


def resolve(
    mandates: Mapping[str, MandateRow], tenant: str, mandate: str, actor: str, authority: str, instant: int
) -> Chain:
    """Return the chain of `mandate` at `instant`: each link active, unexpired, and handed on by who held it."""
    links: list[MandateRow] = []
    holder, name = actor, mandate
    while name:
        row = mandates.get(f"M:{tenant}/{name}")
        if row is None:
            return Chain(tuple(links), f"mandate `{name}` is not known")
        links.append(row)
        if len(links) > DEPTH_MAX:
            return Chain(tuple(links), f"more than {DEPTH_MAX} links")
        if row.delegate != holder:
            return Chain(tuple(links), f"mandate `{name}` was not given to `{holder}`")
        if not row.active or (row.expires_at and row.expires_at <= instant):
            return Chain(tuple(links), f"mandate `{name}` has ended")
        holder, name = row.delegator, row.parent
    if holder != authority:
        return Chain(tuple(links), f"the chain ends at `{holder}`, not at the authority")
    return Chain(tuple(links), "")


def outside(links: tuple[MandateRow, ...], action: str, resource: str) -> str:
    """Return the id of the first link that does not cover the action on the resource, or an empty string."""
    for row in links:
        if not covers(row.actions, action) or not covers(row.resources, resource):
            return row.id
    return ""
