"""What the rules would rather have had of an intent's own integers: found fast enough to be told with a refusal."""

from bisect import bisect_left
from collections.abc import Iterator

import msgspec

from placet.model.case import Case
from placet.model.reasons import Effect, Reason
from placet.policy.checked import Node
from placet.policy.finding import Finding
from placet.policy.plan import Plan
from placet.policy.quantities import value_at
from placet.policy.reading import path_of
from placet.policy.shape import INT_MAX, Path
from placet.policy.thresholds import ORDER, around, walk

GRANTED = (Effect.PERMIT, Effect.CONSTRAIN)
TELLABLE = (*GRANTED, Effect.STEP_UP)
REFUSED = (Effect.DENY, Effect.STEP_UP)
TURNS_MAX = 16
"""Values tried of one argument on each side of what was asked, nearest first."""
WORK_MAX = 256
"""Rules put to changed cases for one refusal: a try costs as many as the plan has, and a plan of more has no bounds."""
FINDINGS_MOST = 10_000
"""Findings of which it is remembered what they turn on."""


class Told(msgspec.Struct, frozen=True, order=True, gc=False):
    """One bound of one argument: at `value`, all else as it is, the rules say `effect`; one step before it they do not yet."""

    argument: str
    comparison: str
    value: int
    effect: Effect


class Bounds:
    """The bounds of one plan. What a rule turns on is found once; each refusal then only tries a few values.

    Only orders give bounds (`<`, `<=`, `>`, `>=`, and a declared `min` or `max`), and only of integer
    arguments against constants and other arguments: what a set or a pattern holds is never told, nor
    anything that is known of others, as a score or a label.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._fixed: dict[str, tuple[int, ...]] = {}
        self._moving: list[tuple[str, Node]] = []
        self._of_rule: dict[str, frozenset[str]] = {}
        self._helpful: dict[int, tuple[Finding, tuple[str, ...]]] = {}
        self._tries = WORK_MAX // max(1, len(plan.rules))
        self._declared: dict[str, tuple[int, int]] = {}
        self._read()

    def told(self, case: Case, finding: Finding) -> tuple[Told, ...]:
        """Return what is told with `finding`, the plan's own of `case`: nothing where that grants, defers or only errs.

        For each argument and side at most two: the nearest value that people may be asked about, and
        the nearest that is granted; a side that only leads to people is left out where the other leads
        to a grant. The case is the same afterwards.
        """
        names = self._names(case, finding)
        if not names:
            return ()
        found: list[Told] = []
        left, arguments = self._tries, case.arguments
        try:
            for name in names:
                sides: list[list[Told]] = []
                for values in self._sides(case, name, arguments):
                    side: list[Told] = []
                    left -= self._walk(case, arguments, name, values, finding.effect, side, left)
                    sides.append(side)
                found += _worth_telling(sides)
        finally:
            case.arguments = arguments
        return tuple(found)

    def _names(self, case: Case, finding: Finding) -> tuple[str, ...]:
        """Return the arguments that could by themselves make the answer a softer one."""
        if finding.effect not in REFUSED or finding.missing or finding.reason is Reason.EVALUATION_DISAGREES:
            return ()
        if finding.reason is Reason.ARGUMENTS_UNFIT:
            beyond = tuple(name for name, span in self._declared.items() if _beyond(case, name, span))
            return beyond if len(beyond) == 1 else ()
        known = self._helpful.get(id(finding))
        if known is None:
            # Every rule that decided has to fall silent, so each of them must turn on that argument.
            sets = [self._of_rule.get(rule, frozenset()) for rule in finding.rules]
            names = frozenset.intersection(*sets) if sets else frozenset().union(*self._of_rule.values())
            if len(self._helpful) > FINDINGS_MOST:
                self._helpful.clear()
            known = self._helpful[id(finding)] = finding, tuple(sorted(names))
        return known[1]

    def _sides(self, case: Case, name: str, arguments: dict[str, object]) -> Iterator[list[int]]:
        """Yield the values to try below what was asked, then those above it, each nearest first."""
        seen = arguments.get(name)
        if seen.__class__ is not int:
            return
        values = self._fixed.get(name, ())
        moved = {value for argument, node in self._moving if argument == name for value in _turns(node, case, name)}
        if moved:
            values = tuple(sorted({*values, *(value for value in moved if abs(value) <= INT_MAX)}))
        at = bisect_left(values, seen)
        yield list(values[max(0, at - TURNS_MAX) : at][::-1])
        after = at + 1 if at < len(values) and values[at] == seen else at
        yield list(values[after : after + TURNS_MAX])

    def _walk(
        self,
        case: Case,
        arguments: dict[str, object],
        name: str,
        values: list[int],
        effect: Effect,
        found: list[Told],
        most: int,
    ) -> int:
        """Try `values` until one is granted; return how many cases were decided. `found` gets what is told."""
        decide, tries = self._plan.decide, 0
        for value in values:
            if tries + 2 > most or effect in GRANTED:
                break
            tries += 1
            case.arguments = {**arguments, name: value}
            now = decide(case).effect
            if now >= effect:
                continue
            if now in TELLABLE:
                below = value < arguments[name]  # type: ignore[operator]
                tries += 1
                case.arguments = {**arguments, name: value + 1 if below else value - 1}
                if decide(case).effect > now:
                    found.append(Told(name, "<=" if below else ">=", value, now))
            effect = now
        case.arguments = arguments
        return tries

    def _read(self) -> None:
        """Find what each rule turns on, and where, as far as that does not move with the case."""
        plan, fixed = self._plan, dict[str, set[int]]()
        for pack, rule in plan.rules:
            condition = pack.condition(rule, plan.action)
            turned: set[str] = set()
            for node in walk(condition.tree) if condition is not None else ():
                for name in _ordered(node):
                    turned.add(name)
                    values = list(around(node, ("arguments", name), lambda _: None))
                    if values:
                        fixed.setdefault(name, set()).update(values)
                    elif _of_arguments(node):
                        self._moving.append((name, node))
            self._of_rule[rule.name] = frozenset(turned)
        for pack in {id(pack): pack for pack, _ in plan.rules}.values():
            action = pack.actions.get(plan.action)
            for argument in action.arguments if action else ():
                if argument.type == "int":
                    self._declare(argument.name, argument.min, argument.max, fixed)
        self._fixed = {name: tuple(sorted(v for v in values if abs(v) <= INT_MAX)) for name, values in fixed.items()}

    def _declare(self, name: str, least: int | None, most: int | None, fixed: dict[str, set[int]]) -> None:
        low, high = self._declared.get(name, (-INT_MAX, INT_MAX))
        self._declared[name] = (
            max(low, -INT_MAX if least is None else least),
            min(high, INT_MAX if most is None else most),
        )
        fixed.setdefault(name, set()).update(value for value in (least, most) if value is not None)


def _worth_telling(sides: list[list[Told]]) -> list[Told]:
    """Return the bounds of both sides of one argument: nobody is sent to people who could have a grant without them."""
    granted = [side for side in sides if side and side[-1].effect in GRANTED]
    return [one for side in granted or sides for one in side]


def _beyond(case: Case, name: str, span: tuple[int, int]) -> bool:
    value = case.arguments.get(name)
    return value.__class__ is int and not span[0] <= value <= span[1]


def _ordered(node: Node) -> frozenset[str]:
    """Return the integer arguments that a node puts in an order with something."""
    if node.kind != "call" or node.name not in ORDER:
        return frozenset()
    paths = {path_of(part) for part in walk(node) if part.type == "int"}
    return frozenset(path[1] for path in paths if path and path[0] == "arguments" and len(path) == 2)


def _of_arguments(node: Node) -> bool:
    """Whether a node reads arguments and nothing else."""
    return all(path[0] == "arguments" for path in map(path_of, walk(node)) if path)


def _turns(node: Node, case: Case, name: str) -> Iterator[int]:
    def known(path: Path) -> int | None:
        return value_at(case, path) if path[0] == "arguments" else None

    return around(node, ("arguments", name), known)
