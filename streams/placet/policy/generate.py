"""A checked condition as Python: the same value as the library's, or a raise, and never a third thing.

CEL's `&&` and `||` differ from Python's `and` and `or` only when an operand errs.
So the text is plain `(a and b)`; after a raise the library is asked. What is not in
the tables below is Unknown, and that condition stays with the library.
"""

from collections.abc import Callable

from placet.policy.checked import Node
from placet.policy.reading import path_of, tested_path
from placet.policy.shape import Arguments, has_source, read_source

_SCALAR = ("bool", "int", "double", "string")
_ORDER = {"_<_": ("<", "_lt"), "_<=_": ("<=", "_le"), "_>_": (">", "_lt"), "_>=_": (">=", "_le")}
_ARITHMETIC = {"_+_": "_i({0} + {1})", "_-_": "_i({0} - {1})", "_*_": "_i({0} * {1})"}
_ARITHMETIC |= {"_/_": "_div({0}, {1})", "_%_": "_mod({0}, {1})", "-_": "_i(-{0})"}
_LOGIC = {"_&&_": "({0} and {1})", "_||_": "({0} or {1})", "!_": "(not {0})"}
_TEXT = {"startsWith": "{0}.startswith({1})", "endsWith": "{0}.endswith({1})", "contains": "({1} in {0})"}


class Unknown(Exception):
    """This part has no Python form here; the condition stays with the library."""


def translate(tree: Node, arguments: Arguments | None) -> str:
    """Return Python for a bool condition over the locals of a generated function; raises Unknown."""
    return Translator(arguments).bool(tree)


class Translator:
    """One condition on its way to Python; `bound` names the locals that stand for fold variables."""

    def __init__(self, arguments: Arguments | None) -> None:
        self.arguments = arguments
        self.bound: dict[str, str] = {}
        self.count = 0

    def bool(self, node: Node) -> str:
        text = self.value(node)
        if node.type == "bool":
            return text
        if node.type == "dyn":
            return f"_b({text})"
        raise Unknown(f"a {node.type} as bool")

    def string(self, node: Node) -> str:
        text = self.value(node)
        if node.type == "string":
            return text
        if node.type == "dyn":
            return f"_s({text})"
        raise Unknown(f"a {node.type} as string")

    def value(self, node: Node) -> str:
        bound = frozenset(self.bound)
        tested = tested_path(node, bound)
        if tested is not None:
            text = has_source(tested, self.arguments)
            if text is not None:
                return text
        elif (path := path_of(node, bound)) is not None:
            text = read_source(path, self.arguments)
            if text is not None:
                return text
        maker: Callable[[Node], str] | None = getattr(self, f"_{node.kind}", None)
        if maker is None:
            raise Unknown(node.kind)
        return maker(node)

    def _const(self, node: Node) -> str:
        if node.type in ("null", "bool", "int", "string"):
            return repr(node.value)
        if node.type == "double" and abs(node.value) < 1e300:
            return repr(node.value)
        raise Unknown(f"a constant of type {node.type}")

    def _ident(self, node: Node) -> str:
        if node.name in self.bound:
            return self.bound[node.name]
        raise Unknown(f"`{node.name}` as a value")

    def _select(self, node: Node) -> str:
        holder = node.parts[0]
        if holder.type == "dyn" or holder.type.startswith("map<string"):
            return f"_at({self.value(holder)}, {node.name!r})"
        raise Unknown(f"a field of {holder.type}")

    def _has(self, node: Node) -> str:
        holder = node.parts[0]
        if holder.type == "dyn" or holder.type.startswith("map<string"):
            return f"_has({self.value(holder)}, {node.name!r})"
        raise Unknown(f"has() of {holder.type}")

    def _list(self, node: Node) -> str:
        items = [self.value(part) for part in node.parts]
        return "(" + "".join(f"{item}, " for item in items).rstrip() + ")"

    def _call(self, node: Node) -> str:
        name, parts = node.name, node.parts
        if name in _LOGIC:
            return _LOGIC[name].format(*(self.bool(part) for part in parts))
        if name == "_?_:_":
            return f"({self.value(parts[1])} if {self.bool(parts[0])} else {self.value(parts[2])})"
        if name in ("_==_", "_!=_"):
            return self._equal(node)
        if name in _ORDER:
            return self._order(node)
        if name in _TEXT and len(parts) == 2:
            return _TEXT[name].format(self.string(parts[0]), self.string(parts[1]))
        if name == "matches" and parts[1].kind == "const":
            return f"matcher({parts[1].value!r})({self.string(parts[0])})"
        if name == "@in":
            return self._member(node)
        return self._operate(node)

    def _operate(self, node: Node) -> str:
        """Return size, index, arithmetic of ints and joined text."""
        name, kinds = node.name, {part.type for part in node.parts}
        values = [self.value(part) for part in node.parts]
        if name == "size" and len(values) == 1:
            return f"_size({values[0]})"
        if name == "_[_]":
            return f"_at({values[0]}, {values[1]})"
        if kinds == {"int"} and name in _ARITHMETIC:
            return _ARITHMETIC[name].format(*values)
        if kinds == {"string"} and name == "_+_":
            return f"({values[0]} + {values[1]})"
        raise Unknown(f"`{name}`")

    def _equal(self, node: Node) -> str:
        left, right = node.parts
        a, b = self.value(left), self.value(right)
        if left.type == right.type and left.type in _SCALAR:
            return f"({a} {'==' if node.name == '_==_' else '!='} {b})"
        return f"_eq({a}, {b})" if node.name == "_==_" else f"(not _eq({a}, {b}))"

    def _order(self, node: Node) -> str:
        left, right = node.parts
        a, b = self.value(left), self.value(right)
        sign, helper = _ORDER[node.name]
        if left.type == right.type and left.type in _SCALAR:
            return f"({a} {sign} {b})"
        if any(part.type not in (*_SCALAR, "dyn") for part in node.parts):
            raise Unknown(f"order of {left.type} and {right.type}")
        return f"{helper}({a}, {b})" if sign[0] == "<" else f"{helper}({b}, {a})"

    def _member(self, node: Node) -> str:
        item, holder = node.parts
        a, b = self.value(item), self.value(holder)
        if item.type in ("string", "int") and holder.type in (f"list<{item.type}>", f"map<{item.type}, string>"):
            return f"({a} in {b})"
        return f"_in({a}, {b})"

    def _fold(self, node: Node) -> str:
        """Recognise the five macros by the shape the parser gives them."""
        over, start, _, step, result = node.parts
        name = self._bind(node.name)
        outer = dict(self.bound)
        source = self.value(over)
        if not over.type.startswith(("list", "map")):
            source = f"_l({source})"
        self.bound[node.name] = name
        try:
            if start.kind == "const" and start.type == "bool":
                word = {"_&&_": "all", "_||_": "any"}.get(step.name)
                if word and _is(step.parts[0], node.second) and _is(result, node.second):
                    return f"{word}({self.bool(step.parts[1])} for {name} in {source})"
            if step.name == "_?_:_" and start.kind == "const" and start.value == 0 and result.name == "_==_":
                return f"(sum(1 for {name} in {source} if {self.bool(step.parts[0])}) == 1)"
            if start.kind == "list" and not start.parts and _is(result, node.second):
                keep = f" if {self.bool(step.parts[0])}" if step.name == "_?_:_" else ""
                added = step.parts[1] if step.name == "_?_:_" else step
                if added.name == "_+_" and added.parts[1].kind == "list" and len(added.parts[1].parts) == 1:
                    return f"[{self.value(added.parts[1].parts[0])} for {name} in {source}{keep}]"
        finally:
            self.bound = outer
        raise Unknown("a fold of no known macro")

    def _bind(self, name: str) -> str:
        self.count += 1
        return f"v{self.count}_{name}" if name.isidentifier() and name.isascii() else f"v{self.count}"


def _is(node: Node, name: str) -> bool:
    return node.kind == "ident" and node.name == name
