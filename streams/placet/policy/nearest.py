"""The smallest change of a case's integers under which its rules would grant: found at turning points, and tried out."""

from collections.abc import Iterator, Mapping
from itertools import combinations, product

import msgspec

from placet.model.case import Case
from placet.model.reasons import Effect
from placet.policy.plan import Plan
from placet.policy.quantities import changed, reach, value_at
from placet.policy.shape import Path
from placet.policy.thresholds import turns

GRANTED = (Effect.PERMIT, Effect.CONSTRAIN)
TURNS_MAX = 64
"""Values tried of one integer, nearest first."""
TOGETHER_MAX = 3
"""Integers changed at once."""
TRIES_MAX = 2_000
"""Changed cases decided in all when several integers are changed at once."""


class Bound(msgspec.Struct, frozen=True, order=True):
    """The bound of one integer at which the rules would grant, all else as it is.

    name        as a condition reads it, `arguments.amount`; an age as `actor.risk.heard_ms`
    comparison  `<=` or `>=`
    value       the bound: at it the answer is `effect`, one step nearer to `seen` it is not yet a grant
    """

    name: str
    comparison: str
    value: int
    seen: int
    effect: Effect


def nearest(plan: Plan, case: Case, root: str = "") -> tuple[Bound, ...]:
    """Return every bound that would by itself turn the answer to `case` into permit or constrain, by name.

    Each is exact and was tried: the changed case was decided under the same plan. None is given for
    what a rule asks by equality, in a set or by a pattern. What lies outside the rules (mandates,
    limits, halts) is not looked at. A case that is granted has none. With `root`, as `arguments`, only
    bounds of what begins with it are looked for: what its asker may change, and may be told.
    """
    if plan.decide(case).effect in GRANTED:
        return ()
    found = []
    for path, values in _candidates(plan, case, root).items():
        seen = values[0]
        for below in (True, False):
            for value in (value for value in values[1:] if (value < seen) is below):
                effect = plan.decide(changed(case, {path: value})).effect
                if effect in GRANTED:
                    if _exact(plan, case, {path: value}, path, seen):
                        found.append(_bound(path, seen, value, effect))
                    break
    return tuple(sorted(found))


def together(plan: Plan, case: Case) -> tuple[Bound, ...]:
    """Return the fewest bounds that grant only when all of them are kept, where no single one does; else nothing.

    At most three, each as near as it can be while the others stand. Bounded in tries, so that nothing
    may be found where something is.
    """
    if plan.decide(case).effect in GRANTED or nearest(plan, case):
        return ()
    candidates = _candidates(plan, case)
    tries = 0
    for count in range(2, TOGETHER_MAX + 1):
        for paths in combinations(candidates, count):
            for values in product(*(candidates[path][1:] for path in paths)):
                tries += 1
                if tries > TRIES_MAX:
                    return ()
                changes = dict(zip(paths, values, strict=True))
                effect = plan.decide(changed(case, changes)).effect
                if effect in GRANTED and all(_exact(plan, case, changes, path, candidates[path][0]) for path in paths):
                    return tuple(_bound(path, candidates[path][0], changes[path], effect) for path in paths)
    return ()


def _candidates(plan: Plan, case: Case, root: str = "") -> dict[Path, list[int]]:
    """Return for each integer some rule turns on: its value, then the values to try, nearest first."""
    found: dict[Path, set[int]] = {}
    for path, value in _turns(plan, case, root):
        found.setdefault(path, set()).add(value)
    candidates: dict[Path, list[int]] = {}
    for path, values in sorted(found.items()):
        seen, span = value_at(case, path), reach(path)
        if seen is None or span is None:
            continue
        inside = sorted((v for v in values if span[0] <= v <= span[1] and v != seen), key=lambda v: (abs(v - seen), v))
        if inside:
            candidates[path] = [seen, *inside[:TURNS_MAX]]
    return candidates


def _turns(plan: Plan, case: Case, root: str) -> Iterator[tuple[Path, int]]:
    for pack, rule in plan.rules:
        condition = pack.condition(rule, plan.action)
        if condition is not None:
            yield from turns(condition, case, root)
    for pack in {id(pack): pack for pack, _ in plan.rules}.values():
        for fact in plan.facts:
            bound = pack.freshness.get(fact) if root in ("", fact.partition(".")[0]) else None
            for column in ("observed_ms", "heard_ms") if bound else ():
                most = getattr(bound, column)
                if most is not None:
                    yield (*fact.split("."), column), most
        action = pack.actions.get(plan.action)
        for argument in action.arguments if action and root in ("", "arguments") else ():
            if argument.type == "int":
                yield from ((("arguments", argument.name), v) for v in (argument.min, argument.max) if v is not None)


def _exact(plan: Plan, case: Case, changes: Mapping[Path, int], path: Path, seen: int) -> bool:
    """Whether one step nearer to `seen` is not granted."""
    value = changes[path]
    nearer = value + (1 if value < seen else -1)
    return plan.decide(changed(case, {**changes, path: nearer})).effect not in GRANTED


def _bound(path: Path, seen: int, value: int, effect: Effect) -> Bound:
    return Bound(".".join(path), "<=" if value < seen else ">=", value, seen, effect)
