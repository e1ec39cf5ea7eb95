"""Cases made from a condition's own constants: every value it compares with, its neighbours, and others."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from placet.model.case import LABELS, Case, MandateRow, PrincipalRow, ResourceRow
from placet.policy.checked import Node
from placet.policy.expressions import Expression
from placet.policy.shape import INT_MAX, RISKS, Argument, Path

_T = TypeVar("_T")
INSTANT = 1_700_000_000_000


class Draw:
    """A stream of choices that is the same for the same seed on any machine."""

    def __init__(self, seed: str) -> None:
        self._state = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") | 1

    def below(self, bound: int) -> int:
        """Return an integer of 0 to bound - 1 (xorshift64*, Vigna 2016)."""
        x = self._state
        x ^= x >> 12
        x = (x ^ (x << 25)) & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 27
        self._state = x
        return ((x * 2685821657736338717) >> 32 & 0xFFFFFFFF) % bound

    def one(self, choices: Sequence[_T]) -> _T:
        """Return one of `choices`."""
        return choices[self.below(len(choices))]

    def some(self, choices: Sequence[_T], at_most: int = 3) -> list[_T]:
        """Return up to `at_most` of `choices`, repeats allowed."""
        return [self.one(choices) for _ in range(self.below(at_most + 1))]


class Constants:
    """The constants of one condition, widened by their neighbours."""

    def __init__(self, tree: Node) -> None:
        ints, texts = {0, 1, 40, 70}, {"", "a", "é"}
        for node in _walk(tree):
            if node.kind == "const" and node.type == "int":
                ints |= {node.value - 1, node.value, node.value + 1}
            elif node.kind == "const" and node.type == "string":
                texts |= {node.value, node.value + "x", node.value[:-1]}
            elif node.kind == "const" and node.type == "double":
                ints |= {int(node.value), int(node.value) + 1}
        self.ints = sorted(value for value in ints if -INT_MAX <= value <= INT_MAX)
        self.texts = sorted(texts)
        self.values: list[Any] = [*self.ints, *self.texts, True, False, None, 0.5]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for part in node.parts:
        yield from _walk(part)


def generate(condition: Expression, count: int) -> list[Case]:
    """Return `count` cases; the same condition always gives the same ones. What it does not read is not there."""
    known = Constants(condition.tree)
    return [_case(condition, known, Draw(f"{condition.text}\n{number}")) for number in range(count)]


def _case(condition: Expression, known: Constants, draw: Draw) -> Case:
    paths, texts = condition.paths, known.texts
    roots = condition.roots
    case = Case()
    case.instant, case.tenant, case.id, case.attempt = INSTANT, "sample", bytes(16), 1 + draw.below(3)
    case.action, case.purpose, case.audience = draw.one(texts), draw.one(texts), draw.one(texts)
    case.session_id, case.resource_id = draw.one(texts), draw.one(texts)
    case.emergency = bool(draw.below(2))
    case.actor_id, case.authority_id = draw.one(texts), draw.one(texts)
    case.actor, case.authority = (
        _principal(root, paths, known, draw) if root in roots else None for root in ("actor", "authority")
    )
    case.actor_risk, case.authority_risk, case.session_risk = (
        _score(known, draw) if root in roots else None for root in RISKS
    )
    case.mandate = _mandate(known, draw) if "mandate" in roots else None
    case.resource = _resource(known, draw) if "resource" in roots else None
    case.session_origin, case.session_rank = draw.one(("none", "internal", "external")), draw.below(4)
    case.calendar = {path[1]: draw.one(texts) for path in paths if path[0] == "calendar" and draw.below(4)}
    case.chain = (case.authority_id, case.actor_id)
    case.observed_at, case.heard_at = {}, {}
    if condition.arguments is None:
        case.arguments = _loose([path[1:] for path in paths if path[0] == "arguments"], known, draw)
    else:
        case.arguments = {
            argument.name: _argument(argument, known, draw)
            for argument in condition.arguments
            if argument.required or draw.below(2)
        }
    return case


def _score(known: Constants, draw: Draw) -> int | None:
    scores = [value for value in known.ints if 0 <= value <= 100]
    return draw.one([*scores, 39, 69, 100]) if draw.below(8) else None


def _optional(known: Constants, draw: Draw) -> str | None:
    return draw.one(known.texts) if draw.below(3) else None


def _principal(root: str, paths: Sequence[Path], known: Constants, draw: Draw) -> PrincipalRow | None:
    if not draw.below(12):
        return None
    keys = [path[2] for path in paths if path[:2] == (root, "attributes") and len(path) > 2]
    return PrincipalRow(
        key="",
        id=draw.one(known.texts),
        kind=draw.one([*known.texts, "agent"]),
        status=draw.one([*known.texts, "active"]),
        active=True,
        owner=_optional(known, draw),
        groups=tuple(draw.some(known.texts)),
        attributes={key: draw.one(known.texts) for key in keys if draw.below(4)},
        capabilities=frozenset(draw.some(known.texts)),
        observed_at=INSTANT,
        partition=0,
        facts=(),
    )


def _mandate(known: Constants, draw: Draw) -> MandateRow | None:
    if not draw.below(12):
        return None
    return MandateRow(
        key="",
        id=draw.one(known.texts),
        delegator=draw.one(known.texts),
        delegate=draw.one(known.texts),
        task=draw.one(known.texts),
        actions=tuple(draw.some(known.texts)),
        resources=tuple(draw.some(known.texts)),
        parent="",
        expires_at=0,
        active=True,
        observed_at=INSTANT,
        partition=0,
        fact=b"",
        depth=draw.one(known.ints),
    )


def _resource(known: Constants, draw: Draw) -> ResourceRow | None:
    if not draw.below(12):
        return None
    rank = draw.below(4)
    return ResourceRow(
        key="",
        id=draw.one(known.texts),
        sensitivity=LABELS[rank],
        rank=rank,
        owner=_optional(known, draw),
        origin=_optional(known, draw),
        categories=tuple(draw.some(known.texts)),
        observed_at=INSTANT,
        partition=0,
        facts=(),
    )


def _argument(argument: Argument, known: Constants, draw: Draw) -> Any:
    """Return a value of the declared type; its bounds are the business of another check."""
    kinds: dict[str, Sequence[Any]] = {
        "int": known.ints,
        "number": [*known.ints, 0.5, -1.5],
        "string": [*known.texts, *argument.one_of],
        "bool": (True, False),
        "json": known.values,
    }
    if argument.type.startswith("list"):
        return draw.some(kinds[argument.type[5:-1]])
    if argument.type.startswith("map"):
        return {key: draw.one(kinds[argument.type[12:-1]]) for key in draw.some(known.texts)}
    return draw.one(kinds[argument.type])


def _loose(paths: Sequence[Path], known: Constants, draw: Draw) -> dict[str, Any]:
    """Return JSON in which most of `paths` lead somewhere."""
    made: dict[str, Any] = {}
    for path in sorted(paths):
        if not path or not draw.below(6):
            continue
        holder = made
        for step in path[:-1]:
            below = holder.get(step)
            holder[step] = below if isinstance(below, dict) else {}
            holder = holder[step]
        kinds = (draw.some(known.values), dict.fromkeys(draw.some(known.texts), 1), draw.one(known.values))
        holder[path[-1]] = kinds[min(draw.below(8), 2)]
    return made
