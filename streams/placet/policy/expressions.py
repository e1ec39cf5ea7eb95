"""Conditions in CEL: compiled and checked by the library, with what each of them reads."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2
from cel_expr_python import cel  # type: ignore[import-untyped]

from placet.model.case import Case
from placet.policy import checked
from placet.policy.checked import Node
from placet.policy.diagnostics import did_you_mean
from placet.policy.generate import Unknown, translate
from placet.policy.messages import Messages, messages_for
from placet.policy.reading import Read, reads
from placet.policy.shape import ROWS, SHAPE, Arguments, Path, field_paths, guard_of, is_fact, use_of

ENGINE = "placet-cel/1 cel-expr-python/0.1.3"
"""The build named in verdicts: our generator's version and the library's."""

TEXT_BYTES_MAX = 4096
DEPTH_MAX = 24
FOLDS_MAX = 2

_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDEFINED = re.compile(r"undefined field '([^']*)' not found in struct")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '(.*)'")
_CHAIN = re.compile(r"[A-Za-z_][\w.]*$")


class ConditionError(Exception):
    """A condition that does not compile: each fault as (line, column, message), counted from 1 inside its text."""

    def __init__(self, faults: list[tuple[int, int, str]]) -> None:
        super().__init__("; ".join(message for _, _, message in faults))
        self.faults = faults


class Expression:
    """One checked condition against one declaration of arguments.

    `facts` must be there before it may run, `asked` are facts it asks for with
    `has()` itself, `parts` optional parts it reads unasked. `source` is the
    condition as Python, or None with the reason in `unknown`: then only the library runs it.
    """

    def __init__(self, text: str, program: Any, tree: Node, messages: Messages, arguments: Arguments | None) -> None:
        self.text = text
        self.tree = tree
        self.arguments = arguments
        self._program = program
        self._messages = messages
        self._parts: dict[str, Any] = {}
        found = list(reads(tree))
        self.paths = tuple(sorted({read.path for read in found}))
        self.roots = tuple(sorted({path[0] for path in self.paths}))
        facts, asked, parts = set(), set(), set()
        for read in found:
            use = use_of(read.path, arguments)
            own = use.fact and tuple(use.fact.split("."))
            if use.fact and (own in read.known or (read.tested and _asks_for(read.path, use.fact))):
                asked.add(use.fact)
            elif use.fact:
                facts.add(use.fact)
            if use.part and not read.tested and use.part not in read.known:
                parts.add(use.part)
        self.facts = frozenset(facts)
        self.asked = frozenset(asked - facts)
        self.parts: frozenset[Path] = frozenset(parts)
        self.source: str | None = None
        self.unknown = ""
        try:
            self.source = translate(tree, arguments)
            compile(self.source, "<condition>", "eval")
        except (Unknown, SyntaxError, MemoryError, RecursionError) as reason:
            self.source, self.unknown = None, str(reason)

    def leave(self, reason: str) -> None:
        """Leave this condition to the library from now on."""
        self.source, self.unknown = None, reason

    def ask(self, case: Case) -> bool | None:
        """Return what the library says of `case`, or None when evaluating errs."""
        try:
            value = self._program.eval(self._messages.activation(case, self.roots)).plain_value()
        except (RuntimeError, ValueError, TypeError):
            return None
        return value if value is True or value is False else None

    def part(self, text: str, case: Case) -> Any:
        """Return the value of a part of this condition as the library sees it, or `error`; for explaining."""
        try:
            program = self._parts.get(text)
            if program is None:
                program = self._parts[text] = self._messages.env.compile(text)
            value = program.eval(self._messages.activation(case, self.roots))
            if value.type() == cel.Type.ERROR:
                return "error"
            return value.plain_value()
        except (RuntimeError, ValueError, TypeError):
            return "error"


def _asks_for(path: Path, fact: str) -> bool:
    """Whether `has(path)` asks for the fact itself, not for an optional part of it."""
    return ".".join(guard_of(path)) == fact


@lru_cache(maxsize=4096)
def compile_condition(text: str, arguments: Arguments | None) -> Expression:
    """Return the checked condition; raises ConditionError with the place of every fault in `text`."""
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise ConditionError([(1, 1, f"a condition is at most {TEXT_BYTES_MAX} bytes")])
    messages = messages_for(arguments)
    try:
        program = messages.env.compile(text)
    except RuntimeError as error:
        raise ConditionError(_explain(text, str(error), arguments)) from None
    if program.return_type() != cel.Type.BOOL:
        kind = program.return_type().name().lower()
        hint = "; write `== true`" if kind == "dyn" else ""
        raise ConditionError([(1, 1, f"a condition must be bool, this is {kind}{hint}")])
    tree = checked.read(program.serialize())
    faults = [(*line_column(text, offset), message) for offset, message in _faults(tree, arguments)]
    if faults:
        raise ConditionError(faults)
    return Expression(text, program, tree, messages, arguments)


def _explain(text: str, error: str, arguments: Arguments | None) -> list[tuple[int, int, str]]:
    """Return the library's errors in placet's words, with what was probably meant."""
    faults = []
    for line, column, words in ((int(a), int(b), c) for a, b, c in _ERROR.findall(error)):
        if "'*error*'" in words:
            continue
        row = text.split("\n")[line - 1] if line <= text.count("\n") + 1 else ""
        if match := _UNDEFINED.search(words):
            column, name = _spelled(row, column, match[1])
            what = "an argument of this action" if name.startswith("arguments.") else "a field of a case"
            words = f"`{name}` is not {what}{did_you_mean(name, field_paths(arguments))}"
        elif match := _UNDECLARED.search(words):
            name = match[1]
            holder = _CHAIN.search(row[: column - 1])
            column = holder.start() + 1 if holder and row[column - 1 : column] == "." else column
            known = [*SHAPE, "arguments", "calendar", *field_paths(arguments)]
            words = f"`{name}` is not known in a condition{did_you_mean(name, known)}"
        elif match := _OVERLOAD.search(words):
            words = f"`{match[1].strip('_').replace('_', ' ')}` does not take {match[2].replace('case.', '')}"
        elif words.startswith("Syntax error: "):
            words = words.removeprefix("Syntax error: ").split(" expecting ")[0]
        faults.append((line, column, words.replace(" [INVALID_ARGUMENT]", "")))
    if "recursion depth" in error or "recursion limit" in error:
        return [(1, 1, f"nested deeper than {DEPTH_MAX}")]
    return faults or [(1, 1, error.splitlines()[0])]


def _spelled(row: str, column: int, field: str) -> tuple[int, str]:
    """Return where the path that ends in `field` begins, and the path; the library points at its dot, or at `has`."""
    if row[column - 1 : column] != "." and (at := row.find(f".{field}", column - 1)) >= 0:
        column = at + 1
    holder = _CHAIN.search(row[: column - 1])
    return (holder.start() + 1, f"{holder.group()}.{field}") if holder else (column, field)


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of a code point of `text`."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _faults(tree: Node, arguments: Arguments | None) -> Iterator[tuple[int, str]]:
    """Yield what the library lets pass and a pack may not hold, as (offset, message)."""
    for node, depth, folds in _walk(tree):
        if depth > DEPTH_MAX:
            yield node.offset, f"nested deeper than {DEPTH_MAX}"
            return
        if folds > (FOLDS_MAX if arguments is not None else 1):
            # Declared lists are bounded; of others one pass over 64 KiB is enough.
            most = f"{FOLDS_MAX}" if arguments is not None else "1 (where an action is not declared)"
            yield node.offset, f"more than {most} `all`, `exists`, `map` or `filter` inside each other"
            return
        if node.kind == "call" and node.name == "matches" and node.parts[-1].kind == "const":
            fault = pattern_fault(str(node.parts[-1].value))
            if fault:
                yield node.parts[-1].offset, fault
    for read in reads(tree):
        if fault := _read_fault(read, arguments):
            yield read.offset, fault


def _read_fault(read: Read, arguments: Arguments | None) -> str:
    """Return why a condition may not read this, or an empty text."""
    path, root = read.path, read.path[0]
    name = ".".join(path)
    if root == "calendar" and not is_fact(name):
        return f"`{name}` is not a calendar fact's name: it is read as `calendar.freeze`"
    if read.tested:
        return ""
    if (len(path) == 1 or path[1:] == ("risk",)) and (root in SHAPE or arguments is not None):
        return f"`{name}` is a record: read a field of it"
    if root in ROWS and path[1:] == ("attributes",):
        return f"`{name}` is read by name, as `{name}.region`"
    if root == "arguments" and arguments is not None:
        part = use_of(path, arguments).part
        if part and part not in read.known:
            return f"`{name}` is optional: ask `has({name})` first"
    return ""


def _walk(node: Node, depth: int = 0, folds: int = 0) -> Iterator[tuple[Node, int, int]]:
    folds += node.kind == "fold"
    yield node, depth, folds
    for part in node.parts:
        yield from _walk(part, depth + 1, folds)


def pattern_fault(pattern: str) -> str:
    """Return why RE2 does not take `pattern`, or an empty text."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not a pattern"
        reason = reason.decode() if isinstance(reason, bytes) else str(reason)
        return f"`{pattern}` is not an RE2 pattern: {reason}"
    return ""
