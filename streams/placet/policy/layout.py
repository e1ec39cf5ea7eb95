"""The one layout of a pack's files: indentation, spaces, blank lines and comments in their place, the meaning untouched."""

from itertools import pairwise

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from placet.policy import documents
from placet.policy.diagnostics import Diagnostic, PackError

WIDTH = 1 << 20
"""No line is broken for its length: what is on one line stays on one."""


def lay_out(file: str, text: str) -> str:
    """Return `text` in the one layout; PackError where it cannot be read, or cannot be laid out and stay what it is.

    Two spaces for each level, `- ` two further in, one space after commas and colons, flow lists and
    maps on one line, two spaces before a comment that ends a line, a comment on its own line as far in as
    what follows, at most one blank line, one between rules and between tests that take several lines,
    and no white space at ends. Keys, quotes and folded texts stay as their author wrote them. The result
    is read again and compared: the same data, the same comments in the same order, and laid out again the same text.
    """
    before = documents.read(file, text)
    theirs = comments(text)
    try:
        laid = _laid(text)
        ours = comments(laid)
        same = documents.read(file, laid).data == before.data and _laid(laid) == laid
    except (PackError, YAMLError):
        # The emitter has made something that cannot be read again, as it does of some lists that hold `{}`.
        raise PackError([Diagnostic(file, 1, 1, "this file cannot be laid out: its YAML is too unusual")]) from None
    for at, (line, comment) in enumerate(theirs):
        if at >= len(ours) or ours[at][1] != comment:
            message = "this comment cannot keep its place: put it on a line before the list or map it stands in"
            raise PackError([Diagnostic(file, line, 1, message)])
    if not same or len(ours) != len(theirs):
        raise PackError([Diagnostic(file, 1, 1, "this file cannot be laid out without changing what it says")])
    return laid


def comments(text: str) -> list[tuple[int, str]]:
    """Return the comments of a YAML text in order, each with its line, from 1."""
    lines, ends, inside = _measured(text)
    rests = [(n, line[ends.get(n, 0) :].strip()) for n, line in enumerate(lines) if n not in inside]
    return [(n + 1, rest) for n, rest in rests if rest.startswith("#")]


class _Out:
    """A stream that keeps what is written to it."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> None:
        self.parts.append(text)


def _laid(text: str) -> str:
    yaml, out = YAML(), _Out()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width, yaml.preserve_quotes, yaml.brace_single_entry_mapping_in_flow_sequence = WIDTH, True, True
    yaml.encoding = None  # type: ignore[assignment]  # text, not bytes
    yaml.dump(yaml.load(text.replace("\r\n", "\n") + "\n"), out)
    return _spaced(_commented("".join(out.parts)))


def _commented(text: str) -> str:
    """Return `text` with each comment where it belongs."""
    lines, ends, inside = _measured(text)
    made = list(lines)
    indent = 0
    for number in reversed(range(len(lines))):
        line = lines[number]
        if number in inside:
            continue
        end = ends.get(number, 0)
        rest = line[end:].strip()
        if end:
            indent = len(line) - len(line.lstrip())
            made[number] = line[:end] + (f"  {rest}" if rest else "")
        elif rest:
            made[number] = " " * indent + rest
    return "\n".join(made)


def _spaced(text: str) -> str:
    """Return `text` with its blank lines in order, and one line end at its end."""
    lines, _, inside = _measured(text)
    starts = _items(text, lines)
    made: list[str] = []
    for number, line in enumerate(lines):
        blank = not line.strip() and number not in inside
        if blank and (not made or not made[-1]):
            continue
        if number in starts and made[-1]:
            made.append("")
        made.append("" if blank else line if number in inside else line.rstrip())
    return "\n".join(made).rstrip("\n") + "\n"


def _items(text: str, lines: list[str]) -> set[int]:
    """Return the lines that want a blank one before them: rules or tests of which some take several lines.

    With an item go the comments right before it. The first follows its key at once.
    """
    root = _composed(text)
    found: set[int] = set()
    for key, value in root.value if isinstance(root, MappingNode) else ():
        if key.value not in ("rules", "tests") or not isinstance(value, SequenceNode) or value.flow_style:
            continue
        firsts = [item.start_mark.line for item in value.value]
        if not any(isinstance(item, MappingNode) and not item.flow_style for item in value.value):
            continue
        for _, first in pairwise(firsts):
            while lines[first - 1].lstrip().startswith("#"):
                first -= 1
            found.add(first)
    return found


def _measured(text: str) -> tuple[list[str], dict[int, int], set[int]]:
    """Return the lines, where the content of each ends, and those inside a text of several lines."""
    text = text if text.endswith("\n") else text + "\n"  # else the end of the stream counts as content
    lines = text.split("\n")
    ends: dict[int, int] = {}
    for token in YAML(typ="safe", pure=True).scan(text):
        start, end = token.start_mark, token.end_mark
        # A text may be marked as ending where the next token begins.
        first, *more = text[start.index : end.index].rstrip().split("\n")
        if getattr(token, "style", None) in ("|", ">"):
            first = first.split(" #")[0].rstrip()
        for line, column in (
            (start.line, start.column + len(first)),
            (start.line + len(more), len((more or [""])[-1])),
        ):
            ends[line] = max(ends.get(line, 0), column)
    return lines, ends, _inside(_composed(text))


def _composed(text: str) -> Node | None:
    node: Node | None = YAML(typ="safe", pure=True).compose(text)
    return node


def _inside(node: Node | None) -> set[int]:
    """Return the lines of every scalar of several lines, but its first."""
    if isinstance(node, ScalarNode):
        start, end = node.start_mark, node.end_mark
        last = end.line if end.column else end.line - 1
        return set(range(start.line + 1, last + 1))
    if isinstance(node, MappingNode):
        return {line for pair in node.value for part in pair for line in _inside(part)}
    return {line for part in node.value for line in _inside(part)} if isinstance(node, SequenceNode) else set()
