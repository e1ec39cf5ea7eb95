"""Rows of the context tables, made of the facts of a case: of each subject those of all its sources, as a desk folds them."""

from typing import Any, NamedTuple

from placet.context.halts import Halt, halt_of
from placet.context.reducers import STATUS_RANKS
from placet.context.tables import CALENDAR, MANDATE, PRINCIPAL, RESOURCE, RISK
from placet.faces.replay.opened import Unreadable
from placet.model.case import (
    LABELS,
    RANKS,
    CalendarRow,
    MandateLimit,
    MandateRow,
    PrincipalRow,
    ResourceRow,
    RiskSource,
)
from placet.model.codec.control import Control
from placet.model.codec.key import Key
from placet.model.codec.mandate import Mandate
from placet.model.codec.principal import Principal
from placet.model.codec.risk import Risk
from placet.model.codec.sensitivity import Sensitivity


class Heard(NamedTuple):
    """One fact, read: the index key of what it is about, the record, and where and when it was appended."""

    key: str
    said: Any
    partition: int
    offset: int
    at: int
    data: bytes


def key_of(said: Any) -> str:
    """Return the index key of what a context record is about."""
    tenant: str = said.tenant
    match said:
        case Principal():
            return f"{PRINCIPAL}{tenant}/{said.id}"
        case Mandate():
            return f"{MANDATE}{tenant}/{said.id}"
        case Risk():
            return f"{RISK}{tenant}/{said.subject}"
        case Sensitivity():
            return f"{RESOURCE}{tenant}/{said.resource}"
        case Control():
            return f"{CALENDAR}{tenant}/{said.scope}"
        case Key():
            return f"Y:{tenant}/{said.kid}"
    raise Unreadable(f"a fact of its case is a `{type(said).__name__.lower()}`: expected a context record")


def _last(held: list[Heard]) -> int:
    """Return the partition of the fact that was appended last: the one whose feed counts."""
    return held[0].partition if len(held) == 1 else max(held, key=lambda heard: (heard.at, heard.offset)).partition


def principal_of(held: list[Heard]) -> PrincipalRow:
    """Return a principal as its facts have it together."""
    newest: Principal = held[0].said
    status = newest.status
    if len(held) > 1:
        newest = max((heard.said for heard in held), key=lambda p: (p.observed_at, p.source))
        status = max((heard.said.status for heard in held), key=STATUS_RANKS.__getitem__)
    return PrincipalRow(
        held[0].key,
        newest.id,
        newest.kind,
        status,
        status == "active",
        newest.owner,
        newest.groups,
        newest.attributes,
        frozenset(newest.capabilities),
        newest.observed_at,
        _last(held),
        tuple([heard.data for heard in held]),
    )


def mandate_of(held: list[Heard]) -> MandateRow:
    """Return a mandate as its fact says it."""
    heard = held[-1]
    said: Mandate = heard.said
    return MandateRow(
        key=heard.key,
        id=said.id,
        delegator=said.delegator,
        delegate=said.delegate,
        task=said.task,
        actions=said.actions,
        resources=said.resources,
        parent=said.parent,
        expires_at=said.expires_at,
        active=said.status == "active",
        observed_at=said.observed_at,
        partition=heard.partition,
        fact=heard.data,
        limits=tuple(MandateLimit(one.measure, one.max, one.window_s, one.actions) for one in said.limits),
    )


def resource_of(held: list[Heard]) -> ResourceRow:
    """Return a resource as its facts have it together."""
    newest: Sensitivity = held[0].said
    rank = RANKS[newest.label]
    if len(held) > 1:
        newest = max((heard.said for heard in held), key=lambda s: (s.observed_at, s.source))
        rank = max(RANKS[heard.said.label] for heard in held)
    return ResourceRow(
        held[0].key,
        newest.resource,
        LABELS[rank],
        rank,
        newest.owner,
        newest.origin,
        newest.categories,
        newest.observed_at,
        _last(held),
        tuple([heard.data for heard in held]),
    )


def risks_of(held: list[Heard]) -> dict[str, RiskSource]:
    """Return what each source says of a subject's risk."""
    return {
        heard.said.source: RiskSource(
            heard.said.score, heard.said.event_at, heard.said.half_life_s, heard.partition, heard.data
        )
        for heard in held
    }


def calendar_of(held: list[Heard]) -> CalendarRow:
    """Return a calendar fact."""
    heard = held[-1]
    said: Control = heard.said
    return CalendarRow(heard.key, said.value, said.observed_at, said.expires_at, heard.partition, heard.data)


def halt_said(heard: Heard) -> Halt:
    """Return a halt as its record says it."""
    return halt_of(heard.said, heard.said.by, (heard.partition, heard.offset), heard.at, heard.data)
