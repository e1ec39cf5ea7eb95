"""YAML 1.2 read strictly, with the place of every key, value and character kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from placet.policy.diagnostics import Diagnostic, PackError

Path = tuple[str | int, ...]
DEPTH_MAX = 16
_TAG = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Document:
    """One YAML file as plain data, and where each part of it stands."""

    file: str
    text: str
    data: Any = None
    values: dict[Path, Node] = field(default_factory=dict)
    keys: dict[Path, Node] = field(default_factory=dict)

    def place(self, path: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Return line and column of the value at `path`, or of its nearest parent that exists."""
        steps = tuple(path)
        if key and steps in self.keys:
            return _start(self.keys[steps])
        while steps not in self.values:
            if not steps:
                return (1, 1)
            steps = steps[:-1]
        return _start(self.values[steps])

    def diagnose(self, path: Sequence[str | int], message: str, *, key: bool = False) -> Diagnostic:
        """Return `message` as a diagnostic at the value (or the key) at `path`."""
        return Diagnostic(self.file, *self.place(path, key=key), message)

    def inside(self, path: Path, line: int, column: int) -> tuple[int, int]:
        """Return where in the file the character at `line:column` of the scalar at `path` stands.

        Works for every way YAML has of writing a scalar: characters that are not
        white space keep their order in all of them, so the two texts are walked side by side.
        """
        node = self.values.get(path)
        if not isinstance(node, ScalarNode):
            return self.place(path)
        lines = node.value.split("\n")
        offset = sum(len(text) + 1 for text in lines[: line - 1]) + column - 1
        raw = node.start_mark.index
        if node.style in ("|", ">"):
            raw = self.text.index("\n", raw) + 1
        last = node.end_mark.index
        for count, character in enumerate(node.value):
            if not character.isspace():
                while raw < last and self.text[raw] != character:
                    raw += 1
            if count >= offset:
                break
            raw += not character.isspace()
        before = self.text[: min(raw, last)]
        return (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _start(node: Node) -> tuple[int, int]:
    return (node.start_mark.line + 1, node.start_mark.column + 1)


def read(file: str, text: str) -> Document:
    """Return `text` as a document of maps, lists, text, integers, booleans and null.

    Raises PackError for bad YAML, a key given twice, anchors, tags, floats,
    several documents, and nesting deeper than 16. `no` and dates stay text.
    """
    document = Document(file, text)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = error.problem or error.context or "not YAML"
        raise PackError([Diagnostic(file, line, column, f"not YAML: {problem}")]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else "nested too deep"
        raise PackError([Diagnostic(file, 1, 1, f"not YAML: {first}")]) from None
    found: list[Diagnostic] = []
    if root is None:
        raise PackError([Diagnostic(file, 1, 1, "the file is empty")])
    document.data = _plain(document, root, (), found)
    if found:
        raise PackError(found)
    return document


def _plain(document: Document, node: Node, path: Path, found: list[Diagnostic]) -> Any:
    def fault(at: Node, message: str) -> None:
        found.append(Diagnostic(document.file, *_start(at), message))

    document.values[path] = node
    if node.anchor:
        fault(node, "anchors and aliases are not taken: write the value where it is used")
        return None
    if len(path) > DEPTH_MAX:
        fault(node, f"nested deeper than {DEPTH_MAX}")
        return None
    if isinstance(node, MappingNode):
        members: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or not isinstance(key.value, str):
                fault(key, "a key must be text")
                continue
            name = str(key.value)
            if name in members:
                fault(key, f"`{name}` is given twice")
                continue
            document.keys[(*path, name)] = key
            members[name] = _plain(document, value, (*path, name), found)
        return members
    if isinstance(node, SequenceNode):
        return [_plain(document, item, (*path, i), found) for i, item in enumerate(node.value)]
    return _scalar(node, fault)


def _scalar(node: Node, fault: Any) -> Any:
    tag = str(node.tag)
    text = str(node.value)
    if tag in (_TAG + "str", _TAG + "timestamp"):
        return text
    if tag == _TAG + "int":
        if text.lstrip("+-").isdecimal() and len(text) <= 20:
            return int(text)
        fault(node, f"`{text}` is not a plain decimal integer")
    elif tag == _TAG + "bool":
        return text.lower() == "true"
    elif tag == _TAG + "null":
        return None
    elif tag == _TAG + "float":
        fault(node, f"`{text}` is not an integer: amounts are integers of minor units")
    else:
        fault(node, f"the tag `{tag}` is not taken")
    return None
