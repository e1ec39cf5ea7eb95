"""Whether what a rule reads is there: missing, silent or known, settled before any condition runs."""

from collections.abc import Mapping

import msgspec

from placet.model.case import Case
from placet.policy.rules import Bound
from placet.policy.shape import RISKS, ROWS, Path, has_source

NEVER = -(2**62)
"""The instant of a fact nobody ever gave; older than any bound."""
UNBOUND = Bound()


class Unit(msgspec.Struct, frozen=True):
    """One thing that may be absent: a fact under a bound, or one optional part of a record.

    `name` is the fact (also of a part); `part` the path of an optional part. An
    absent part of the arguments never arrives, so it is no fact to wait for.
    """

    name: str
    bound: Bound = UNBOUND
    part: Path | None = None
    required: bool = True


def fact_source(fact: str) -> str:
    """Return Python that says whether `fact` has no value in a case."""
    head, _, tail = fact.partition(".")
    if head == "calendar":
        return f"{tail!r} not in calendar"
    return f"case.{head}_risk is None" if tail == "risk" and head in RISKS else f"{head} is None"


def silence_source(unit: Unit) -> str:
    """Return Python that says whether a fact with a value is older than its bound, or an empty text."""
    said = []
    for column, bound in (("observed_at", unit.bound.observed_ms), ("heard_at", unit.bound.heard_ms)):
        if bound is not None:
            said.append(f"case.{column}.get({unit.name!r}, NEVER) < now - {bound}")
    return " or ".join(said)


def part_source(path: Path) -> str:
    """Return Python that says whether an optional part is unset in a record that is there."""
    root = path[0]
    there = has_source(path, None) or "True"
    return f"{root} is not None and not {there}" if root in ROWS else f"not {there}"


def is_missing(case: Case, fact: str) -> bool:
    """Whether `fact` has no value in `case`; the same answer as `fact_source`."""
    head, _, tail = fact.partition(".")
    if head == "calendar":
        return tail not in case.calendar
    return getattr(case, f"{head}_risk" if tail else head) is None


def age_of(case: Case, fact: str) -> Mapping[str, int | None]:
    """Return how long ago `fact` was observed and its feed heard, in ms; None: never."""
    observed, heard = case.observed_at.get(fact, NEVER), case.heard_at.get(fact, NEVER)
    return {
        "observed_ms": None if observed == NEVER else case.instant - observed,
        "heard_ms": None if heard == NEVER else case.instant - heard,
    }


def is_silent(case: Case, fact: str, bound: Bound) -> bool:
    """Whether a fact with a value is older than `bound`; the same answer as `silence_source`."""
    floor = case.instant
    return (bound.observed_ms is not None and case.observed_at.get(fact, NEVER) < floor - bound.observed_ms) or (
        bound.heard_ms is not None and case.heard_at.get(fact, NEVER) < floor - bound.heard_ms
    )
