"""What the rooms meet in: the rows of the context tables, and the Case that joins them to one intent."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

LABELS: tuple[str, ...] = ("public", "internal", "confidential", "restricted")
"""Sensitivity labels by rank, 0 the least."""
RANKS: dict[str, int] = {label: rank for rank, label in enumerate(LABELS)}
ORIGINS: tuple[str, ...] = ("none", "internal", "external")
"""Where what came back to a session came from, the least trusted last."""
ORIGIN_RANKS: dict[str, int] = {origin: rank for rank, origin in enumerate(ORIGINS)}

LEVEL_MEDIUM, LEVEL_HIGH = 40, 70


def level_of(score: int) -> str:
    """Return the name of a risk score: `low` below 40, `medium` below 70, else `high`."""
    return "high" if score >= LEVEL_HIGH else "medium" if score >= LEVEL_MEDIUM else "low"


class PrincipalRow(msgspec.Struct, frozen=True, gc=False):
    """A principal as its sources have it together: the gravest status of all, the rest from the newest.

    `facts` are the encoded facts of all sources, as they go into a case; `key` is the name under which leases are indexed.
    """

    key: str
    id: str
    kind: str
    status: str
    active: bool
    owner: str | None
    groups: tuple[str, ...]
    attributes: dict[str, str]
    capabilities: frozenset[str]
    observed_at: int
    partition: int
    facts: tuple[bytes, ...]


class MandateLimit(msgspec.Struct, frozen=True, gc=False):
    """A bound of a mandate on what is done under it: at most `max` of `measure`, over `window_s` seconds.

    `measure` is `count` or the name of an integer argument; `window_s` 0 is
    the mandate's life; `actions` are patterns, none: all that the mandate covers.
    """

    measure: str
    max: int
    window_s: int
    actions: tuple[str, ...]


class MandateRow(msgspec.Struct, frozen=True, gc=False):
    """One link of delegated authority; `depth` is the number of links from the root to it, 1 at the root."""

    key: str
    id: str
    delegator: str
    delegate: str
    task: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    parent: str
    expires_at: int
    active: bool
    observed_at: int
    partition: int
    fact: bytes
    depth: int = 1
    limits: tuple[MandateLimit, ...] = ()

    def at_depth(self, depth: int) -> "MandateRow":
        """Return this link as the last of a chain of `depth` links."""
        return msgspec.structs.replace(self, depth=depth)


class ResourceRow(msgspec.Struct, frozen=True, gc=False):
    """What is known of a resource: the gravest label of its sources, the rest from the newest."""

    key: str
    id: str
    sensitivity: str
    rank: int
    owner: str | None
    origin: str | None
    categories: tuple[str, ...]
    observed_at: int
    partition: int
    facts: tuple[bytes, ...]


class RiskSource(msgspec.Struct, frozen=True, gc=False):
    """The newest signal of one source about one subject."""

    score: int
    event_at: int
    half_life_s: int
    partition: int
    fact: bytes


class CalendarRow(msgspec.Struct, frozen=True, gc=False):
    """A named calendar fact, as an operator set it."""

    key: str
    value: str
    observed_at: int
    expires_at: int
    partition: int
    fact: bytes


class Ages(Protocol):
    """Instants in ms by name of a fact; a plain dict is one."""

    def get(self, fact: str, default: int, /) -> int: ...


class Case:
    """One intent and all that was joined to it, at one instant. Filled anew for each intent, never kept.

    `observed_at` and `heard_at` give ms instants by fact name (`actor`,
    `authority`, `actor.risk`, `authority.risk`, `session.risk`, `mandate`,
    `resource`, `calendar.<name>`); a name that is absent is a missing fact.
    """

    __slots__ = (
        "action",
        "actor",
        "actor_id",
        "actor_risk",
        "arguments",
        "attempt",
        "audience",
        "authority",
        "authority_id",
        "authority_risk",
        "calendar",
        "chain",
        "emergency",
        "heard_at",
        "id",
        "instant",
        "mandate",
        "observed_at",
        "purpose",
        "resource",
        "resource_id",
        "session_id",
        "session_origin",
        "session_rank",
        "session_risk",
        "tenant",
    )

    instant: int
    tenant: str
    id: bytes
    attempt: int
    action: str
    resource_id: str
    purpose: str
    audience: str
    emergency: bool
    session_id: str
    arguments: dict[str, object]
    actor_id: str
    authority_id: str
    actor: PrincipalRow | None
    authority: PrincipalRow | None
    actor_risk: int | None
    authority_risk: int | None
    session_risk: int | None
    mandate: MandateRow | None
    resource: ResourceRow | None
    session_origin: str
    session_rank: int
    calendar: Mapping[str, str]
    chain: tuple[str, ...]
    observed_at: Ages
    heard_at: Ages
