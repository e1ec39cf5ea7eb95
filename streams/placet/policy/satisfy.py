"""Whether a condition can be true at all: a No is certain, a Yes only means that nothing was found against it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

import re2

from placet.model.case import LABELS
from placet.policy.checked import Node
from placet.policy.quantities import reach
from placet.policy.ranges import ANY_TEXT, Ints, Texts, ints, texts
from placet.policy.reading import path_of
from placet.policy.shape import INT_MAX, RISKS, SHAPE, Arguments, Path
from placet.policy.thresholds import LEVELS, ORDER, line, walk

Literal = tuple[Node, bool]
Domain = Mapping[Path, Ints | Texts]
WAYS_MAX = 2_000
"""Ways to make a condition true that are looked at; beyond them nothing is claimed."""
KINDS = ("user", "agent", "service", "connector", "workflow", "tool")
_CLOSED: Mapping[Path, Texts] = {
    ("session", "origin"): texts(("none", "internal", "external")),
    ("resource", "origin"): texts(("internal", "external")),
    ("actor", "kind"): texts(KINDS),
    ("authority", "kind"): texts(KINDS),
    ("actor", "status"): texts(("active", "suspended", "revoked")),
    ("authority", "status"): texts(("active", "suspended", "revoked")),
    **{(root, "risk", "level"): texts(LEVELS) for root in RISKS},
    **{(root, "sensitivity"): texts(LABELS) for root in ("resource", "session")},
}
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
    "matches": lambda text, pattern: re2.search(pattern, text) is not None,
}


def domain_of(action: str, arguments: Arguments | None) -> dict[Path, Ints | Texts]:
    """Return what each field of an intent of `action` may be, where that is less than anything."""
    domain: dict[Path, Ints | Texts] = {**_CLOSED, ("intent", "action"): texts((action,))}
    for argument in arguments or ():
        path = ("arguments", argument.name)
        if argument.type == "int":
            low = -INT_MAX if argument.min is None else argument.min
            domain[path] = Ints(((low, INT_MAX if argument.max is None else argument.max),))
        elif argument.one_of:
            domain[path] = texts(argument.one_of)
    return domain


def can_hold(literals: Sequence[Literal], domain: Domain) -> bool:
    """Whether all `literals` (a condition, and the value it is to have) can hold at once in `domain`."""
    return any(count >= WAYS_MAX or _possible(way, domain) for count, way in enumerate(_ways(list(literals))))


def _ways(open_: list[Literal]) -> Iterator[list[Literal]]:
    """Yield lists of clauses that make all of `open_` true, when all clauses in one of them are."""
    if not open_:
        yield []
        return
    (node, wanted), rest = open_[0], open_[1:]
    if node.kind == "call" and node.name == "!_":
        yield from _ways([(node.parts[0], not wanted), *rest])
    elif node.kind == "call" and node.name in ("_&&_", "_||_"):
        sides = [(part, wanted) for part in node.parts]
        if (node.name == "_&&_") is wanted:
            yield from _ways([*sides, *rest])
        else:
            for side in sides:
                yield from _ways([side, *rest])
    elif node.kind == "call" and node.name == "_?_:_":
        asked, then, otherwise = node.parts
        yield from _ways([(asked, True), (then, wanted), *rest])
        yield from _ways([(asked, False), (otherwise, wanted), *rest])
    elif node.kind == "const":
        if node.value is wanted:
            yield from _ways(rest)
    else:
        for way in _ways(rest):
            yield [(node, wanted), *way]


def _possible(way: Sequence[Literal], domain: Domain) -> bool:
    """Whether nothing speaks against all clauses of one way being true at once."""
    left: dict[Path, Ints | Texts] = dict(domain)
    said: dict[object, bool] = {}
    tests: list[tuple[Path, str, str, bool]] = []
    for node, wanted in way:
        if said.setdefault(shape_of(node), wanted) is not wanted:
            return False
        asked = _test(node)
        if asked is not None:
            tests.append((*asked, wanted))
            continue
        allowed = _allowed(node)
        if allowed is None:
            continue
        path, values = allowed
        before = left.get(path, _everything(path) if isinstance(values, Ints) else ANY_TEXT)
        if type(before) is not type(values):
            continue
        after = before.meet(values) if wanted else before.without(values)  # type: ignore[arg-type]
        if not after:
            return False
        left[path] = after
    return all(_some(path, values, tests) for path, values in left.items()) and _prefixes(tests)


def _some(path: Path, values: Ints | Texts, tests: Sequence[tuple[Path, str, str, bool]]) -> bool:
    """Whether one of the texts that are left passes every test asked of that path; endless sets are not searched."""
    if isinstance(values, Ints) or values.others:
        return True
    asked = [(name, with_, wanted) for at, name, with_, wanted in tests if at == path]
    return any(all(_TESTS[name](text, with_) is wanted for name, with_, wanted in asked) for text in values.named)


def _prefixes(tests: Sequence[tuple[Path, str, str, bool]]) -> bool:
    """Whether no two beginnings asked of one text exclude each other."""
    wanted = [(path, with_) for path, name, with_, yes in tests if name == "startsWith" and yes]
    return all(a.startswith(b) or b.startswith(a) for p, a in wanted for q, b in wanted if p == q)


def _test(node: Node) -> tuple[Path, str, str] | None:
    """Return (path, name, text) of a test of a text with a constant, as `x.startsWith('a')`."""
    if node.kind != "call" or node.name not in _TESTS or len(node.parts) != 2:
        return None
    path, with_ = path_of(node.parts[0]), node.parts[1]
    return (path, node.name, with_.value) if path and with_.kind == "const" else None


def _allowed(node: Node) -> tuple[Path, Ints | Texts] | None:
    """Return the path a clause is about and the values that make it true, where it is about one path and constants."""
    if node.name in ORDER:
        return _ordered(node)
    if node.name in ("_==_", "_!=_"):
        return _equal(node)
    if node.name == "@in" and node.parts[1].kind == "list":
        path = path_of(node.parts[0])
        return None if path is None else _listed(path, node.parts[0].type, node.parts[1].parts)
    return None


def _equal(node: Node) -> tuple[Path, Ints | Texts] | None:
    left, right = node.parts if node.parts[1].kind == "const" else reversed(node.parts)
    read = path_of(left)
    allowed = None if read is None else _listed(read, left.type, [right])
    if allowed is None or node.name == "_==_":
        return allowed
    path, values = allowed
    return (path, _everything(path).without(values) if isinstance(values, Ints) else ANY_TEXT.without(values))


def _listed(path: Path, kind: str, members: Sequence[Node]) -> tuple[Path, Ints | Texts] | None:
    if any(part.kind != "const" for part in members):
        return None
    values = [part.value for part in members]
    if kind == "int" and all(type(value) is int for value in values):
        return path, ints(values)
    if kind != "string" or not all(type(value) is str for value in values):
        return None
    if path[0] in RISKS and path[1:] == ("risk", "level"):
        ranges = sorted(LEVELS[value] for value in set(values) & LEVELS.keys())
        return (path[0], "risk", "score"), Ints(tuple(ranges))
    if path[1:] == ("sensitivity",) and path[0] in SHAPE:
        return (path[0], "rank"), ints(LABELS.index(value) for value in set(values) & set(LABELS))
    return path, texts(values)


def _ordered(node: Node) -> tuple[Path, Ints] | None:
    """Return the integers that make an order true, where both sides are linear in one path and nothing else."""
    paths = {path for part in walk(node) if part.type == "int" and (path := path_of(part))}
    if len(paths) != 1:
        return None
    (path,) = paths
    a, b = (line(part, path, lambda _: None) for part in node.parts)
    if a is None or b is None or a[0] == b[0]:
        return None
    at, sign = Fraction(b[1] - a[1]) / (a[0] - b[0]), node.name.strip("_")
    if a[0] < b[0]:
        sign = {"<": ">", ">": "<"}[sign[0]] + sign[1:]
    low, high = _everything(path).ranges[0]
    if sign[0] == "<":
        high = math.floor(at) if sign == "<=" else math.ceil(at) - 1
    else:
        low = math.ceil(at) if sign == ">=" else math.floor(at) + 1
    return path, Ints(((low, high),) if low <= high else ())


def _everything(path: Path) -> Ints:
    return Ints((reach(path) or (-(2**63), 2**63 - 1),))


def shape_of(node: Node) -> object:
    """Return what two nodes share exactly when they read the same."""
    return (node.kind, node.name, node.second, repr(node.value), tuple(shape_of(part) for part in node.parts))
