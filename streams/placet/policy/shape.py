"""The declared shape of a Case: every field a condition may read, its type, and the fact it comes from."""

from collections.abc import Iterator

import msgspec

Path = tuple[str, ...]

INT_MAX = 2**53
"""Integers of arguments lie within ±2^53, where every reader of JSON agrees on them."""

PRINCIPAL = {
    "id": "string",
    "kind": "string",
    "status": "string",
    "owner": "string?",
    "groups": "list<string>",
    "attributes": "map<string, string>",
    "capabilities": "list<string>",
    "risk": "risk",
}
RISK = {"score": "int", "level": "string"}
SHAPE: dict[str, dict[str, str]] = {
    "actor": PRINCIPAL,
    "authority": PRINCIPAL,
    "mandate": {
        "id": "string",
        "delegator": "string",
        "delegate": "string",
        "task": "string",
        "depth": "int",
        "actions": "list<string>",
        "resources": "list<string>",
    },
    "resource": {
        "id": "string",
        "sensitivity": "string",
        "rank": "int",
        "owner": "string?",
        "origin": "string?",
        "categories": "list<string>",
    },
    "session": {
        "id": "string",
        "origin": "string",
        "sensitivity": "string",
        "rank": "int",
        "risk": "risk",
    },
    "intent": {
        "action": "string",
        "purpose": "string",
        "audience": "string",
        "emergency": "bool",
        "attempt": "int",
    },
}
"""Root to field to type; `?` marks a field that may be unset while its record is there."""

ROWS = ("actor", "authority", "mandate", "resource")
RISKS = ("actor", "authority", "session")
FACTS = ("actor", "authority", "actor.risk", "authority.risk", "session.risk", "mandate", "resource")
"""Names of facts, besides `calendar.<name>`; used in `freshness`, in findings and as the desk's index."""

MEMBERS_MAX = 1_000
"""Members of a declared list or map whose `max_length` is not given."""


class Argument(msgspec.Struct, frozen=True):
    """One declared argument of an action. Bounds are inclusive; lengths count code points or members.

    `type` is one of `forms.ArgumentForm`; `json` takes any JSON value, and a condition can ask only whether it is there.
    """

    name: str
    type: str
    required: bool = True
    min: int | None = None
    max: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    one_of: tuple[str, ...] = ()


Arguments = tuple[Argument, ...]


def is_fact(name: str) -> bool:
    """Whether `name` is a fact's name: one of FACTS, or `calendar.` and an identifier."""
    head, _, tail = name.partition(".")
    return name in FACTS or (head == "calendar" and tail.isidentifier() and tail.isascii())


def field_paths(arguments: Arguments | None) -> Iterator[str]:
    """Yield every path a condition may read, as text, for suggestions."""
    for root, fields in SHAPE.items():
        for name, type_ in fields.items():
            yield f"{root}.{name}"
            if type_ == "risk":
                yield from (f"{root}.{name}.{part}" for part in RISK)
    yield "calendar"
    for argument in arguments or ():
        yield f"arguments.{argument.name}"


class Use(msgspec.Struct, frozen=True):
    """What reading a path asks of a case: the fact it needs, and the optional part it needs set."""

    fact: str | None = None
    part: Path | None = None


def use_of(path: Path, arguments: Arguments | None) -> Use:
    """Return what must be known before `path` may be read."""
    root, rest = path[0], path[1:]
    if root == "calendar":
        return Use(f"calendar.{rest[0]}" if rest else None)
    if root == "arguments":
        loose = arguments is None or any(a.name == rest[0] and _may_be_unset(a) for a in arguments if rest)
        return Use(None, path[:2] if rest and loose else None)
    if root in RISKS and rest[:1] == ("risk",):
        return Use(f"{root}.risk")
    if root not in ROWS:
        return Use()
    if rest[:1] == ("attributes",) and len(rest) > 1:
        return Use(root, path[:3])
    optional = bool(rest) and SHAPE[root].get(rest[0], "").endswith("?")
    return Use(root, path[:2] if optional else None)


def _may_be_unset(argument: Argument) -> bool:
    return not argument.required and not argument.type.startswith(("list", "map"))


def guard_of(path: Path) -> Path:
    """Return what a true `has(path)` promises: a fact's own path, or that of one optional part.

    A mandatory field of a record is there whenever the record is, so
    `has(resource.id)` asks for the record and `has(resource.owner)` for the owner in it.
    """
    root, rest = path[0], path[1:]
    if root in RISKS and rest[:1] == ("risk",):
        return (root, "risk")
    if root in ROWS and rest:
        if rest[0] == "attributes":
            return path[:3]
        if not SHAPE[root].get(rest[0], "").startswith("list") and not SHAPE[root].get(rest[0], "").endswith("?"):
            return (root,)
    return path[:2]


_COLUMNS = (
    {
        "session.id": "case.session_id",
        "session.origin": "case.session_origin",
        "session.rank": "case.session_rank",
        "session.sensitivity": "LABELS[case.session_rank]",
        "intent.action": "case.action",
        "intent.purpose": "case.purpose",
        "intent.audience": "case.audience",
        "intent.emergency": "case.emergency",
        "intent.attempt": "case.attempt",
    }
    | {f"{root}.risk.score": f"case.{root}_risk" for root in RISKS}
    | {f"{root}.risk.level": f"level_of(case.{root}_risk)" for root in RISKS}
)


def row_local(root: str) -> str:
    """Return the Python expression behind a root's local variable in generated code."""
    return {"arguments": "case.arguments", "calendar": "case.calendar"}.get(root, f"case.{root}")


def read_source(path: Path, arguments: Arguments | None) -> str | None:
    """Return Python that reads `path` of a case whose facts are there, or None where no such field is plain data."""
    root, rest = path[0], path[1:]
    text = ".".join(path)
    if text in _COLUMNS:
        return _COLUMNS[text]
    if root == "arguments":
        return _argument_source(rest, arguments)
    if root == "calendar" and len(rest) == 1:
        return f"calendar[{rest[0]!r}]"
    if root not in ROWS or rest[:1] == ("risk",):
        return None
    if rest == ("capabilities",):
        return f"tuple(sorted({root}.capabilities))"
    if len(rest) == 1:
        return f"{root}.{rest[0]}"
    return f"{root}.attributes[{rest[1]!r}]" if len(rest) == 2 and rest[0] == "attributes" else None


def _argument_source(rest: Path, arguments: Arguments | None) -> str | None:
    if len(rest) != 1:
        return "arguments" if not rest and arguments is None else None
    kind = next((a.type for a in arguments or () if a.name == rest[0]), "")
    if kind == "json":
        return None
    if kind.startswith(("list", "map")):
        return f"arguments.get({rest[0]!r}, {'()' if kind.startswith('list') else 'NOTHING'})"
    return f"arguments[{rest[0]!r}]"


def has_source(path: Path, arguments: Arguments | None) -> str | None:
    """Return Python that says what `has(path)` says, or None where only the library knows."""
    root, rest = path[0], path[1:]
    if root in RISKS and rest[:1] == ("risk",):
        return f"(case.{root}_risk is not None)"
    if root == "calendar" and len(rest) == 1:
        return f"({rest[0]!r} in calendar)"
    if root == "arguments" and len(rest) == 1:
        for argument in arguments or ():
            if argument.name == rest[0] and argument.type.startswith(("list", "map")):
                return f"bool(arguments.get({rest[0]!r}))"
        return f"({rest[0]!r} in arguments)"
    if root in ROWS and len(rest) == 2 and rest[0] == "attributes":
        return f"({rest[1]!r} in {root}.attributes)"
    if root in ROWS and len(rest) == 1:
        type_ = SHAPE[root].get(rest[0], "")
        if type_.startswith(("list", "map")):
            return f"bool({root}.{rest[0]})"
        return f"({root}.{rest[0]} is not None)" if type_.endswith("?") else f"({root} is not None)"
    if root in ("session", "intent") and len(rest) == 1:
        return "True"
    return None
