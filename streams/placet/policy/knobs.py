"""What may be turned in a situation to make rules answer differently: each place in it, with the values worth trying."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from placet.model.case import LABELS, ORIGINS
from placet.policy import patterns
from placet.policy.checked import Node
from placet.policy.contents import Pack
from placet.policy.reading import reads
from placet.policy.rules import Rule, reaches
from placet.policy.shape import INT_MAX, RISKS, Argument, Path
from placet.policy.thresholds import LEVELS, walk

ABSENT = object()
"""The value that takes a place away."""
Place = tuple[str, ...]
Knobs = Mapping[Place, Sequence[Any]]
OTHER = "other"
VALUES_MAX = 40
_TEXTS = {("actor", "kind"), ("authority", "kind"), *(("mandate", name) for name in ("task", "delegator", "delegate"))}


def knobs(packs: Sequence[Pack], action: str) -> Knobs:
    """Return every place of a situation that rules or declarations about `action` look at, with values on all sides.

    Places are paths of a test's `given` and `intent`. Values are the constants a condition compares
    with and their neighbours, the bounds of declarations and of freshness, and ids on both sides of patterns.
    """
    found: dict[Place, list[Any]] = {}
    for pack in packs:
        for place, value in _of(pack, action):
            values = found.setdefault(place, [])
            if len(values) < VALUES_MAX and not any(
                value is had or (type(value) is type(had) and value == had) for had in values
            ):
                values.append(value)
    return {place: found[place] for place in sorted(found)}


def _of(pack: Pack, action: str) -> Iterator[tuple[Place, Any]]:
    declared = pack.actions.get(action)
    for argument in declared.arguments if declared else ():
        yield from ((("intent", "arguments", argument.name), value) for value in _declared(argument))
    for fact, bound in pack.freshness.items():
        for name in ("observed_ms", "heard_ms"):
            most = getattr(bound, name)
            if most is not None:
                yield from ((("given", "ages", fact), {name: age}) for age in (most, most + 1))
    for rule in pack.rules:
        if reaches(rule, action):
            yield from _patterns(rule)
            if rule.emergency is not None:
                yield from ((("intent", "emergency"), value) for value in (True, False))
                yield ("intent", "purpose"), OTHER
            condition = pack.condition(rule, action)
            if condition is not None:
                yield from _condition(
                    condition.tree, {argument.name: argument for argument in declared.arguments} if declared else {}
                )
                for fact in (*condition.facts, *condition.asked):
                    yield ("given", "absent"), [fact]


def _declared(argument: Argument) -> Iterator[Any]:
    if not argument.required:
        yield ABSENT
    if argument.type in ("int", "number"):
        for edge in (argument.min, argument.max):
            yield from () if edge is None else (edge - 1, edge, edge + 1)
    elif argument.type == "bool":
        yield from (True, False)
    elif argument.type == "list<string>":
        yield from ([], [OTHER])
    elif argument.type == "string" and argument.pattern is None and not argument.one_of:
        yield OTHER
    yield from argument.one_of


def _patterns(rule: Rule) -> Iterator[tuple[Place, Any]]:
    for pattern in rule.resource or ():
        yield ("intent", "resource"), _name(pattern)
    for role in ("actor", "authority"):
        for pattern in getattr(rule, role) or ():
            if pattern.startswith("group:"):
                yield from ((("given", role, "groups"), groups) for groups in ([pattern[6:]], []))
            else:
                yield ("intent", role), _name(pattern)
    for pattern in rule.any_in_chain or ():
        yield ("intent", "chain"), ["user:kim", _name(pattern), "agent:ada"]
    if rule.resource is not None and not patterns.matches(rule.resource, "thing/1"):
        yield ("intent", "resource"), "thing/1"


def _name(pattern: str) -> str:
    """Return an id that `pattern` covers."""
    return pattern[:-1] + "1" if pattern.endswith("*") else pattern


def _condition(tree: Node, declared: Mapping[str, Argument]) -> Iterator[tuple[Place, Any]]:
    texts = [node.value for node in walk(tree) if node.kind == "const" and node.type == "string"]
    numbers = [node.value for node in walk(tree) if node.kind == "const" and node.type == "int"]
    near = [value for number in numbers for value in (number - 1, number, number + 1)]
    for path in {read.path for read in reads(tree)}:
        yield from _read(path, near, texts, declared)


def _read(
    path: Path, near: Sequence[int], texts: Sequence[str], declared: Mapping[str, Argument]
) -> Iterator[tuple[Place, Any]]:
    root, rest = path[0], path[1:]
    if root in RISKS and rest[:1] == ("risk",):
        scores = {*near, *(score for span in LEVELS.values() for score in span)}
        yield from ((("given", root, "risk"), score) for score in sorted(scores) if 0 <= score <= 100)
    elif root in ("resource", "session") and rest in (("rank",), ("sensitivity",)):
        yield from ((("given", root, "sensitivity"), label) for label in LABELS)
    elif path in (("session", "origin"), ("resource", "origin")):
        yield from ((("given", root, "origin"), origin) for origin in ORIGINS if root == "session" or origin != "none")
    elif path == ("mandate", "depth"):
        yield from ((("given", "mandate", "depth"), depth) for depth in near if 1 <= depth <= 16)
    elif root == "calendar":
        yield from ((("given", *path), value) for value in (*texts, OTHER, ABSENT))
    elif root == "arguments" and len(rest) == 1:
        yield from ((("intent", *path), value) for value in _argument(declared.get(rest[0]), near, texts))
    elif root == "intent":
        yield from _intent(rest, texts)
    else:
        yield from _row(path, texts)


def _intent(rest: Path, texts: Sequence[str]) -> Iterator[tuple[Place, Any]]:
    if rest == ("emergency",):
        yield from ((("intent", "emergency"), value) for value in (True, False))
    elif rest in (("purpose",), ("audience",)):
        yield from ((("intent", rest[0]), value) for value in (*texts, OTHER))


def _row(path: Path, texts: Sequence[str]) -> Iterator[tuple[Place, Any]]:
    """Yield what may be turned in a record: ids are the intent's, lists hold one of the texts or nothing."""
    root, rest = path[0], path[1:]
    if rest == ("id",) and root in ("actor", "authority", "resource"):
        yield from ((("intent", root), text) for text in texts if text)
    elif rest in (("groups",), ("categories",), ("capabilities",)):
        yield from ((("given", *path), value) for value in (*([text] for text in texts), []))
    elif rest[:1] == ("attributes",) and len(rest) == 2:
        yield from ((("given", *path), value) for value in (*texts, OTHER, ABSENT))
    elif rest == ("owner",):
        yield from ((("given", *path), value) for value in (*texts, "user:kim", OTHER, ABSENT))
    elif path in _TEXTS:
        yield from ((("given", *path), value) for value in (*texts, OTHER))


def _argument(declared: Argument | None, near: Sequence[int], texts: Sequence[str]) -> Iterator[Any]:
    kind = declared and declared.type
    if kind in ("int", "number") or declared is None:
        yield from (value for value in near if -INT_MAX <= value <= INT_MAX)
    if kind == "string" or declared is None:
        yield from texts
        yield from (text + "x" for text in texts)
    if kind == "list<string>":
        yield from ([text] for text in (*texts, OTHER))
        yield []
    if kind == "map<string, string>":
        yield {}
        yield from ({key: value} for key in texts[:6] for value in (*texts[:6], OTHER))
