"""The mutants of one file: mutmut's operators and two of our own, wherever a pure room has code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators

# What cannot be said to be wrong: types, imports, and wrappers that only make things fast.
SKIPPED = (cst.Annotation, cst.Import, cst.ImportFrom, cst.Decorator, cst.TypeAlias, cst.FormattedStringText)
# As in mutmut: `len(None)` and `isinstance(x, None)` always raise, which no test has to be good for.
SKIPPED_CALLS = m.Call(func=m.Name("len") | m.Name("isinstance") | m.Name("cast") | m.Name("TypeVar"))
# What a type checker holds, and what only makes things fast.
LAYOUT = m.Arg(keyword=m.Name("frozen") | m.Name("gc"))
# The name of a type. Those that a form is read with say what may be in it, and are code.
READ_WITH = m.Name("Annotated") | m.Name("Literal")
TYPE = m.Subscript(value=~READ_WITH) | m.BinaryOperation(operator=m.BitOr()) | m.Call(func=m.Name("TypeVar"))
TEXT = m.SimpleString() | m.FormattedString() | m.ConcatenatedString()


class Mutant(NamedTuple):
    """One change to one file. `key` outlives edits elsewhere in the file; `lines` are those of what changed."""

    key: str
    file: str
    scope: str
    lines: tuple[int, int]
    operator: str
    before: str
    after: str
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """Return the file with this change."""
        return source[: self.start] + self.text + source[self.end :]


def condition_turned(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    """Yield `if not (x)` for `if x`, where no operator inside could be turned instead."""
    if isinstance(node, cst.If | cst.IfExp | cst.While) and m.matches(
        node.test, m.Name() | m.Attribute() | m.Call() | m.Subscript()
    ):
        held = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        space = cst.SimpleWhitespace(" ")
        yield node.with_changes(test=cst.UnaryOperation(cst.Not(whitespace_after=space), held))


def call_not_made(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    """Yield `pass` for a statement that is only a call."""
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        yield cst.Pass()


def changes_of(node: cst.CSTNode) -> Iterator[tuple[str, cst.CSTNode]]:
    """Yield each operator's name and what it makes of a node.

    Of texts only the first way to spoil them, and of arguments only `None` for
    each: one that is left out altogether raises wherever the line is reached.
    """
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            made = list(operator(node))
            name = operator.__name__.removeprefix("operator_")
            if name == "string":
                made = made[:1]
            elif isinstance(node, cst.Float) and node.evaluated_value + 1 == node.evaluated_value:
                made = []
            elif name == "arg_removal" and isinstance(node, cst.Call):
                made = [one for one in made if isinstance(one, cst.Call) and len(one.args) == len(node.args)]
            yield from ((name, changed) for changed in made)
    for own in (condition_turned, call_not_made):
        yield from ((own.__name__, changed) for changed in own(node))


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, WhitespaceInclusivePositionProvider)

    def __init__(self, source: str, file: str) -> None:
        super().__init__()
        self.source, self.file = source, file
        self.lines = source.splitlines(keepends=True)
        self.offsets = [0]
        for line in self.lines:
            self.offsets.append(self.offsets[-1] + len(line))
        self.scopes: list[str] = []
        self.raising = 0
        self.raisers: set[str] = set()
        self.blank = cst.Module([])
        self.found: dict[str, Mutant] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Module):
            self.raisers = _only_raising(node)
        if isinstance(node, SKIPPED) or m.matches(node, SKIPPED_CALLS) or m.matches(node, LAYOUT) or _is_remark(node):
            return False
        if not self.scopes and _names_a_type(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.scopes.append(node.name.value)
        if self._raises(node):
            self.raising += 1
        for operator, changed in changes_of(node):
            if not (self.raising and _words_only(node, changed)):
                self._add(operator, node, changed)
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.scopes.pop()
        if self._raises(node):
            self.raising -= 1

    def _raises(self, node: cst.CSTNode) -> bool:
        """Tell whether a node is a `raise`, or calls a function of its file that only raises."""
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
            return node.func.value in self.raisers
        return isinstance(node, cst.Raise)

    def _at(self, position: Any) -> int:
        return int(self.offsets[position.line - 1] + position.column)

    def _add(self, operator: str, node: cst.CSTNode, changed: cst.CSTNode) -> None:
        whole = self.get_metadata(WhitespaceInclusivePositionProvider, node, None)
        near: Any = self.get_metadata(PositionProvider, node, whole)
        if whole is None or not hasattr(whole, "start"):
            return
        start, end = self._at(whole.start), self._at(whole.end)
        text = self.blank.code_for_node(changed)
        if self.source[start:end] != self.blank.code_for_node(node):
            return
        if self.source[start:end] == text:
            return
        text, start, end = _narrowed(self.source, start, end, text)
        mutated = self.source[:start] + text + self.source[end:]
        before, after = _lines_around(self.source, start, end), _lines_around(mutated, start, start + len(text))
        scope = ".".join(self.scopes)
        nth = 0
        while (key := _key(self.file, scope, before, after, nth)) in self.found:
            if self.found[key].applied(self.source) == mutated:
                return
            nth += 1
        lines = (near.start.line, near.end.line)
        self.found[key] = Mutant(key, self.file, scope, lines, operator, before, after, start, end, text)


def _only_raising(module: cst.Module) -> set[str]:
    """Return the names of a file's functions that never return."""
    never = m.FunctionDef(returns=m.Annotation(m.Name("NoReturn")))
    return {found.name.value for found in m.findall(module, never) if isinstance(found, cst.FunctionDef)}


def _is_remark(node: cst.CSTNode) -> bool:
    """Tell whether a statement is only there for readers and `import *`: a docstring, or `__all__`."""
    return m.matches(
        node,
        m.SimpleStatementLine(body=[m.Expr(value=TEXT) | m.Assign(targets=[m.AssignTarget(target=m.Name("__all__"))])]),
    )


def _names_a_type(node: cst.CSTNode) -> bool:
    """Tell whether a statement only gives a type another name, as `Range = tuple[int, int]`, or says that it does."""
    named = m.AssignTarget(target=m.Name(m.MatchRegex(r"_?[A-Z]\w*[a-z]\w*")))
    return m.matches(node, m.Assign(targets=[named], value=TYPE)) or m.matches(
        node, m.AnnAssign(annotation=m.Annotation(m.Name("TypeAlias")))
    )


def _words_only(node: cst.CSTNode, changed: cst.CSTNode) -> bool:
    """Tell whether a change inside `raise` is to the wording alone."""
    if m.matches(node, TEXT):
        return True
    if isinstance(node, cst.Call) and isinstance(changed, cst.Call):
        kept = {id(arg) for arg in changed.args}
        gone = [arg for arg in node.args if id(arg) not in kept]
        return bool(gone) and all(m.matches(arg.value, TEXT) for arg in gone)
    return False


def _narrowed(source: str, start: int, end: int, text: str) -> tuple[str, int, int]:
    """Return a replacement without what it has in common with what it replaces, at both ends."""
    while start < end and text and source[start] == text[0]:
        start, text = start + 1, text[1:]
    while start < end and text and source[end - 1] == text[-1]:
        end, text = end - 1, text[:-1]
    return text, start, end


def _lines_around(source: str, start: int, end: int) -> str:
    """Return the lines that hold a span, as one line without what indents them."""
    first = source.rfind("\n", 0, start) + 1
    last = source.find("\n", end)
    return " ".join(source[first : len(source) if last < 0 else last].split())


def _key(file: str, scope: str, before: str, after: str, nth: int) -> str:
    return hashlib.sha256(f"{file}\n{scope}\n{before}\n{after}\n{nth}".encode()).hexdigest()[:12]


def mutants_of(source: str, file: str) -> list[Mutant]:
    """Return every mutant of a file; each is a text of its own."""
    visitor = _Visitor(source, file)
    MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True).visit(visitor)
    return list(visitor.found.values())
