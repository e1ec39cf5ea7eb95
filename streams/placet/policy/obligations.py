"""What a constrained permit demands: merged, applied to arguments, and named for executors."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


class Obligation(msgspec.Struct, frozen=True, order=True):
    """One demand, in the shape a Verdict carries it.

    kind       argument                 value (JSON text)
    limit      the argument it bounds   the greatest integer that may run
    redact     the argument removed     empty
    read_only  the argument set         the value it is set to
    capability the capability's name    its parameters, text to text
    """

    kind: str
    argument: str
    value: str = ""


def merge(obligations: Iterable[Obligation]) -> tuple[Obligation, ...]:
    """Return one sorted set of demands: the tightest limit of each argument, the union of all others."""
    limits: dict[str, int] = {}
    others = set()
    for obligation in obligations:
        if obligation.kind == "limit":
            bound = int(obligation.value)
            limits[obligation.argument] = min(bound, limits.get(obligation.argument, bound))
        else:
            others.add(obligation)
    kept = (Obligation("limit", argument, str(bound)) for argument, bound in limits.items())
    return tuple(sorted((*others, *kept)))


def apply(arguments: Mapping[str, Any], obligations: Iterable[Obligation]) -> dict[str, Any]:
    """Return the arguments that may run. An absent argument stays absent under a limit.

    Redaction comes last, so that a redacted argument is gone whatever else is said of it.
    """
    granted = dict(arguments)
    redacted = []
    for obligation in obligations:
        name = obligation.argument
        if obligation.kind == "limit" and name in granted:
            granted[name] = min(granted[name], int(obligation.value))
        elif obligation.kind == "read_only":
            granted[name] = json.loads(obligation.value)
        elif obligation.kind == "redact":
            redacted.append(name)
    for name in redacted:
        granted.pop(name, None)
    return granted


def capabilities_needed(obligations: Iterable[Obligation]) -> frozenset[str]:
    """Return the capabilities an executor must have registered; without them the answer is deny."""
    return frozenset(o.argument for o in obligations if o.kind == "capability")
