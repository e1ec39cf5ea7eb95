"""What limits leave of an argument they sum up: the greatest value that rules and limits would let through, as things stand."""

from collections.abc import Iterable

from placet.model.case import Case
from placet.model.reasons import Effect
from placet.policy import obligations as duties
from placet.policy.bounds import Told
from placet.policy.limits import COUNT, Limit, amount_of
from placet.policy.plan import Plan

Stood = tuple[Limit, int]
"""A limit that counts an intent, and what others have used of it."""


def room(plan: Plan, case: Case, limits: Iterable[Stood], effect: Effect) -> Told | None:
    """Return the greatest value of the one argument of which limits leave too little, where that softens `effect`; else None.

    It was tried, and so was one more: only the first is let through. There is none where a count is exceeded, or more
    than one argument. The case is the same afterwards.
    """
    limits = tuple(limits)
    exceeded = [limit for limit, used in limits if not _leaves(limit, used, amount_of(limit, case.arguments))]
    names = {limit.measure for limit in exceeded}
    if len(names) != 1 or COUNT in names:
        return None
    (name,) = names
    seen = case.arguments.get(name)
    value = min(limit.max - used for limit, used in limits if limit.measure == name)
    if seen.__class__ is not int or not 0 < value < seen:
        return None
    at, beyond = _effect(plan, case, limits, name, value), _effect(plan, case, limits, name, value + 1)
    return Told(name, "<=", value, at) if at < min(effect, beyond) and at <= Effect.STEP_UP else None


def _effect(plan: Plan, case: Case, limits: tuple[Stood, ...], name: str, value: int) -> Effect:
    """Return what rules and limits say where an argument has another value."""
    asked = case.arguments
    case.arguments = {**asked, name: value}
    found = plan.decide(case)
    runs = duties.apply(case.arguments, found.obligations)
    case.arguments = asked
    return max(
        [found.effect, *(limit.grave for limit, used in limits if not _leaves(limit, used, amount_of(limit, runs)))]
    )


def _leaves(limit: Limit, used: int, amount: int | None) -> bool:
    return amount is not None and bool(limit.max) and used + amount <= limit.max
