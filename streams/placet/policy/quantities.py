"""The integers of a case that may be asked `what if`: arguments, scores, ranks, the depth of a mandate, ages of facts."""

from collections.abc import Mapping

import msgspec

from placet.model.case import LABELS, Ages, Case
from placet.policy.presence import NEVER
from placet.policy.shape import INT_MAX, RISKS, Path

AGES = {"observed_ms": "observed_at", "heard_ms": "heard_at"}
"""How an age is named behind its fact, and the column of a case it comes from."""
SCORE_MAX, RANK_MAX, DEPTH_MAX, AGE_MAX = 100, len(LABELS) - 1, 16, 2**53


def reach(path: Path) -> tuple[int, int] | None:
    """Return the least and the greatest value at `path`, or None where it is no integer that can be changed."""
    if path[0] == "arguments":
        return (-INT_MAX, INT_MAX) if len(path) == 2 else None
    if path[-1] in AGES:
        return (0, AGE_MAX)
    if path[0] in RISKS and path[1:] == ("risk", "score"):
        return (0, SCORE_MAX)
    if path in (("resource", "rank"), ("session", "rank")):
        return (0, RANK_MAX)
    return (1, DEPTH_MAX) if path == ("mandate", "depth") else None


def value_at(case: Case, path: Path) -> int | None:
    """Return the integer at `path`, or None where nothing is known or it is no integer."""
    value: object = None
    if path[0] == "arguments":
        value = case.arguments.get(path[1]) if len(path) == 2 else None
    elif path[-1] in AGES:
        ages: Ages = getattr(case, AGES[path[-1]])
        at = ages.get(".".join(path[:-1]), NEVER)
        value = None if at == NEVER else case.instant - at
    elif path[1:] == ("risk", "score"):
        value = getattr(case, f"{path[0]}_risk")
    elif path == ("session", "rank"):
        value = case.session_rank
    elif path in (("resource", "rank"), ("mandate", "depth")):
        value = getattr(getattr(case, path[0]), path[1], None)
    elif path == ("intent", "attempt"):
        value = case.attempt
    return value if value.__class__ is int else None


def changed(case: Case, changes: Mapping[Path, int]) -> Case:
    """Return a copy of `case` in which each path has its new value; `case` stays as it is."""
    made = Case()
    for name in Case.__slots__:
        if hasattr(case, name):
            setattr(made, name, getattr(case, name))
    for path, value in changes.items():
        _set(made, path, value)
    return made


def _set(case: Case, path: Path, value: int) -> None:
    if path[0] == "arguments":
        case.arguments = {**case.arguments, path[1]: value}
    elif path[-1] in AGES:
        column = AGES[path[-1]]
        setattr(case, column, _With(getattr(case, column), ".".join(path[:-1]), case.instant - value))
    elif path[1:] == ("risk", "score"):
        setattr(case, f"{path[0]}_risk", value)
    elif path == ("session", "rank"):
        case.session_rank = value
    elif path == ("resource", "rank") and case.resource is not None:
        case.resource = msgspec.structs.replace(case.resource, rank=value, sensitivity=LABELS[value])
    elif path == ("mandate", "depth") and case.mandate is not None:
        case.mandate = case.mandate.at_depth(value)


class _With:
    """The ages of a case, one of them another."""

    def __init__(self, others: Ages, fact: str, at: int) -> None:
        self._others, self._fact, self._at = others, fact, at

    def get(self, fact: str, default: int, /) -> int:
        return self._at if fact == self._fact else self._others.get(fact, default)
