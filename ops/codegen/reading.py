"""Write the straight-line decoder of one record."""

from __future__ import annotations

from ops.codegen.schema import Type
from ops.codegen.typing_ import hint

TAKEN = frozenset({"b", "i", "j", "n", "end", "here", "fault", "data", "start", "proof_at", "head_at"})


class Reader:
    """Collects the lines of one decoder. Every value gets a local of its own, named by its path."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.locals: set[str] = set(TAKEN)

    def add(self, depth: int, *lines: str) -> None:
        """Append lines, `depth` levels in."""
        self.lines.extend("    " * depth + line for line in lines)

    def local(self, path: str) -> str:
        """Return a name for the value at `path` that no other has."""
        name = path.replace(".", "_")
        while name in self.locals:
            name += "_"
        self.locals.add(name)
        return name

    def read(self, kind: Type, path: str, depth: int) -> str:
        """Write what reads one value at `i`, and return the name it ends up in."""
        name = self.local(path)
        getattr(self, f"_{kind.kind}")(kind, path, name, depth)
        return name

    def _int(self, kind: Type, _path: str, name: str, depth: int) -> None:
        self.add(depth, "n = b[i]")
        self.add(depth, "if n < 128:", f"    {name} = SMALL[n]", "    i += 1")
        self.add(depth, "else:", f"    {name}, i = {kind.kind}_at(b, i)")

    _long = _int

    def _boolean(self, _kind: Type, _path: str, name: str, depth: int) -> None:
        self.add(depth, "n = b[i]", "if n > 1:", '    raise Misread("a boolean of 0 or 1")')
        self.add(depth, f"{name} = n == 1", "i += 1")

    def _span(self, depth: int) -> None:
        self.add(depth, "j = i + SPAN[b[i]]", "if j == i:", "    i, j = span(b, i)")

    def _string(self, _kind: Type, _path: str, name: str, depth: int) -> None:
        self._span(depth)
        self.add(depth, f"{name} = b[i + 1 : j].decode()", "i = j")

    def _bytes(self, _kind: Type, _path: str, name: str, depth: int) -> None:
        self._span(depth)
        self.add(depth, f"{name} = b[i + 1 : j]", "i = j")

    def _fixed(self, kind: Type, _path: str, name: str, depth: int) -> None:
        self.add(depth, f"{name} = b[i : i + {kind.size}]", f"i += {kind.size}")

    def _maybe(self, kind: Type, path: str, name: str, depth: int) -> None:
        self.add(depth, f"{name}: {hint(kind)} = None", "n = b[i]", "i += 1", "if n == 2:")
        inner = self.read(kind.inner, path, depth + 1)
        self.add(depth + 1, f"{name} = {inner}")
        self.add(depth, "elif n:", '    raise Misread("a union index of 0 or 1")')

    def _record(self, kind: Type, path: str, name: str, depth: int) -> None:
        names = {}
        for field in kind.fields:
            self.add(depth, f'here = "{path}.{field.name}"')
            names[field.name] = self.read(field.type, f"{path}.{field.name}", depth)
        self.add(depth, f"{name} = {_built(kind, names)}")

    def _array(self, kind: Type, path: str, name: str, depth: int) -> None:
        self.add(depth, f"{name}: {hint(kind)} = ()", "if b[i]:")
        items = self.local(path + "_list")
        self.add(depth + 1, f"n, i = count(b, i, {kind.inner.least()})", f"{items}: list[{hint(kind.inner)}] = []")
        self.add(depth + 1, "for _ in range(n):")
        item = self.read(kind.inner, path + "_item", depth + 2)
        self.add(depth + 2, f"{items}.append({item})")
        self._closed(path, depth + 1)
        self.add(depth + 1, f"{name} = tuple({items})")
        self.add(depth, "i += 1")

    def _map(self, kind: Type, path: str, name: str, depth: int) -> None:
        self.add(depth, f"{name}: {hint(kind)} = {{}}", "if b[i]:")
        self.add(depth + 1, f"n, i = count(b, i, {1 + kind.inner.least()})", "for _ in range(n):")
        key = self.read(Type("string"), path + "_key", depth + 2)
        self.add(depth + 2, f"if {key} in {name}:", '    raise Misread("a key once")')
        value = self.read(kind.inner, path + "_value", depth + 2)
        self.add(depth + 2, f"{name}[{key}] = {value}")
        self._closed(path, depth + 1)
        self.add(depth, "i += 1")

    def _closed(self, path: str, depth: int) -> None:
        self.add(depth, f'here = "{path}"', "if b[i]:", '    raise Misread("one block, and its end")')


def _built(kind: Type, names: dict[str, str]) -> str:
    """Return the expression that makes a record of what was read of its fields, each by the local in `names`."""
    if not kind.name:
        return "()"
    parts = names.values() if kind.built is None else [names[field] if field else made for field, made in kind.built]
    return f"tuple.__new__({kind.name}, ({', '.join(parts)},))"


def decoder(record: Type, title: str, heads: int) -> list[str]:
    """Return the lines of `decode`, and of `decode_signed` and `decode_parts` where the record has such parts.

    `heads` is how many first fields `decode_parts` measures; 0 where there is none.
    """
    proved = record.fields[-1].name == "proof"
    verb, result = "decode", record.name
    if heads:
        verb, result = "decode_parts", f"tuple[{record.name}, int, int]"
    elif proved:
        verb, result = "decode_signed", f"tuple[{record.name}, int]"
    reader = Reader()
    names = {}
    for index, field in enumerate(record.fields):
        if heads and index == heads:
            reader.add(2, "head_at = i")
        if field.name == "proof":
            reader.add(2, "proof_at = i")
        reader.add(2, f'here = "{field.name}"')
        names[field.name] = reader.read(field.type, field.name, 2)
    says = {
        "decode": f"Return the {record.name} in `data` from `start` to its end; raise PoisonRecord where it is not one.",
        "decode_signed": f"Return the {record.name} in `data` from `start` to its end, and where its proof begins.",
        "decode_parts": f"Return the {record.name} in `data` from `start` to its end, where its first {heads} fields end, "
        "and where its proof begins.",
    }
    built = _built(record, names)
    given = {"decode": built, "decode_signed": f"{built}, proof_at", "decode_parts": f"{built}, head_at, proof_at"}
    lines = [
        f"def {verb}(data: bytes, start: int = 5) -> {result}:",
        f'    """{says[verb]}"""',
        f'    b, i, end, here = data, start, len(data), "{record.fields[0].name}"',
        "    try:",
        *reader.lines,
        "        if i != end:",
        "            raise left_over(i, end)",
        "    except (IndexError, UnicodeDecodeError, Misread) as fault:",
        f'        raise undecodable("{title}", here, i, b, fault) from None',
        f"    return {given[verb]}",
        "",
    ]
    if heads:
        lines += [
            f"def decode_signed(data: bytes, start: int = 5) -> tuple[{record.name}, int]:",
            f'    """{says["decode_signed"]}"""',
            "    record, _, proof_at = decode_parts(data, start)",
            "    return record, proof_at",
            "",
        ]
    if verb != "decode":
        lines += [
            f"def decode(data: bytes, start: int = 5) -> {record.name}:",
            f'    """{says["decode"]}"""',
            f"    return {verb}(data, start)[0]",
            "",
        ]
    return lines
