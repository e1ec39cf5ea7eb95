"""What a mandate claims beside what it may grant: a child that claims more than its parent grants only what both give."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from placet.context.reach import Patterns, contains, meet


class Limited(Protocol):
    """A limit of a mandate, as a record or a row has it: at most `max` of `measure` over `window_s`, 0 the mandate's life."""

    @property
    def measure(self) -> str: ...
    @property
    def max(self) -> int: ...
    @property
    def window_s(self) -> int: ...
    @property
    def actions(self) -> Patterns: ...


class Stated(Protocol):
    """What a mandate states, as a record or a row has it."""

    @property
    def actions(self) -> Patterns: ...
    @property
    def resources(self) -> Patterns: ...
    @property
    def expires_at(self) -> int: ...
    @property
    def limits(self) -> Sequence[Limited]: ...


class Terms(NamedTuple):
    """What is granted: patterns, the instant of its end in ms or 0 for none, and all the limits that are counted."""

    actions: Patterns
    resources: Patterns
    expires_at: int
    limits: tuple[Limited, ...]


class Excess(NamedTuple):
    """One thing a mandate claims and does not grant, and what is granted in its place."""

    what: str
    claimed: str
    granted: str

    def line(self) -> str:
        """Return it as one line for a person."""
        return f"{self.what} {self.claimed}: {self.granted}"


def granted(root_first: Iterable[Stated]) -> Terms:
    """Return what the links of a chain grant together: what is common to them, to the first end, under every limit."""
    first, *more = root_first
    actions, resources, ends, limits = first.actions, first.resources, first.expires_at, tuple(first.limits)
    for link in more:
        actions, resources = meet(actions, link.actions), meet(resources, link.resources)
        ends = min(ends or link.expires_at, link.expires_at or ends)
        limits += tuple(link.limits)
    return Terms(actions, resources, ends, limits)


def excess(claim: Stated, bound: Stated) -> tuple[Excess, ...]:
    """Return what of `claim` goes beyond `bound`: patterns, a later end, and limits that are looser or left out."""
    found = [*_wider("action", claim.actions, bound.actions), *_wider("resource", claim.resources, bound.resources)]
    if bound.expires_at and not 0 < claim.expires_at <= bound.expires_at:
        said = f"at {claim.expires_at}" if claim.expires_at else "never"
        found.append(Excess("ends", said, f"ends at {bound.expires_at}"))
    for limit in bound.limits:
        if any(_as_tight(own, limit) for own in claim.limits):
            continue
        looser = [own for own in claim.limits if own.measure == limit.measure]
        said = ", ".join(map(limit_text, looser)) if looser else f"none on {limit.measure}"
        found.append(Excess("limit", said, limit_text(limit)))
    return tuple(found)


def limit_text(limit: Limited) -> str:
    """Return a limit as a person writes it: `amount=50000/3600`, then the actions it is about where not all."""
    about = f" on {', '.join(limit.actions)}" if limit.actions else ""
    return f"{limit.measure}={limit.max}/{limit.window_s}{about}"


def _wider(what: str, claimed: Patterns, bound: Patterns) -> list[Excess]:
    found = []
    for pattern in claimed:
        if not contains(bound, pattern):
            within = [one for one in bound if contains((pattern,), one)]
            found.append(Excess(what, f"`{pattern}`", f"only {_listed(within)}" if within else "nothing of it"))
    return found


def _listed(patterns: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in patterns)


def _as_tight(own: Limited, limit: Limited) -> bool:
    """Return whether what keeps to `own` keeps to `limit`: no more, over no shorter time, of no fewer actions."""
    longer = not own.window_s or 0 < limit.window_s <= own.window_s
    all_actions = not own.actions or (
        bool(limit.actions) and all(contains(own.actions, pattern) for pattern in limit.actions)
    )
    return own.measure == limit.measure and own.max <= limit.max and longer and all_actions
