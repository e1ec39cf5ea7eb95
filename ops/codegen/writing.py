"""Write the straight-line encoder of one record."""

from __future__ import annotations

from ops.codegen.schema import Type
from ops.codegen.typing_ import hint

COMPLEX = frozenset({"record", "array", "map", "maybe"})
TABLES = ("INT", "LONG", "TEXT")
"""What `_wire` has of encoded values."""


class Writer:
    """Collects the functions of one encoder: one for every value that is not a single number or piece of bytes."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.functions: list[str] = []
        self.made: set[str] = set()

    def pieces(self, kind: Type, value: str, name: str, path: str) -> tuple[list[str], list[str]]:
        """Return the statements to run first, and the expressions that are the bytes of `value` in order.

        `name` is a local that may be used; `path` names the function of a complex value.
        """
        if kind.kind in ("int", "long"):
            return [], [f"{kind.kind.upper()}[{value}]"]
        if kind.kind == "boolean":
            return [], [f'b"\\x01" if {value} else b"\\x00"']
        if kind.kind == "string":
            return [f"{name}_ = {value}.encode()"], [f"LONG[len({name}_)]", f"{name}_"]
        if kind.kind == "bytes":
            return [], [f"LONG[len({value})]", value]
        if kind.kind == "fixed":
            check = [
                f"if len({value}) != {kind.size}:",
                f'    raise unfit("{self.title}.{path}", len({value}), {kind.size})',
            ]
            return check, [value]
        if kind.kind in ("maybe", "array"):
            # Most are empty, and need no call to say so.
            there = f"{value} is None" if kind.kind == "maybe" else f"not {value}"
            return [], [f'b"\\x00" if {there} else {self.function(kind, path)}({value})']
        return [], [f"{self.function(kind, path)}({value})"]

    def function(self, kind: Type, path: str) -> str:
        """Write the function that encodes a complex value, and return its name."""
        name = f"_encode_{kind.name.lower()}" if kind.kind == "record" else f"encode_{path.replace('.', '_')}"
        if name in self.made:
            return name
        self.made.add(name)
        body = getattr(self, f"_{kind.kind}")(kind, path)
        given = "record" if kind.kind == "record" else "value"
        head = [f"def {name}({given}: {hint(kind)}) -> bytes:"]
        if not name.startswith("_"):
            head.append(f'    """Return the bytes of a value of `{path}`."""')
        self.functions += [*head, *("    " + line for line in learning(body)), ""]
        return name

    def _record(self, kind: Type, path: str) -> list[str]:
        before, parts = self.fields(kind, path + ".")
        return [
            f"{', '.join(field.name for field in kind.fields)}{',' * (len(kind.fields) == 1)} = record",
            *before,
            joined(parts),
        ]

    def fields(self, kind: Type, prefix: str = "") -> tuple[list[str], list[str]]:
        """Return the statements and pieces of all fields of a record, each in a local of its name."""
        before: list[str] = []
        parts: list[str] = []
        for field in kind.fields:
            first, more = self.pieces(field.type, field.name, field.name, prefix + field.name)
            before += first
            parts += more
        return before, parts

    def _maybe(self, kind: Type, path: str) -> list[str]:
        before, parts = self.pieces(kind.inner, "value", "value", path + "_some")
        return ["if value is None:", '    return b"\\x00"', *before, joined(['b"\\x02"', *parts])]

    def _array(self, kind: Type, path: str) -> list[str]:
        before, parts = self.pieces(kind.inner, "item", "item", path + "_item")
        lines = ["if not value:", '    return b"\\x00"', "parts = [LONG[len(value)]]", "for item in value:"]
        lines += ["    " + line for line in (*before, _grown(parts))]
        return [*lines, 'parts.append(b"\\x00")', 'return b"".join(parts)']

    def _map(self, kind: Type, path: str) -> list[str]:
        before, parts = self.pieces(kind.inner, "item", "item", path + "_item")
        first, name = self.pieces(Type("string"), "key", "key", path)
        lines = [
            "if not value:",
            '    return b"\\x00"',
            "parts = [LONG[len(value)]]",
            "for key, item in value.items():",
        ]
        lines += ["    " + line for line in (*first, *before, _grown([*name, *parts]))]
        return [*lines, 'parts.append(b"\\x00")', 'return b"".join(parts)']


def learning(lines: list[str]) -> list[str]:
    """Return the body of a function that looks again once what a table does not hold was entered."""
    if not any(f"{table}[" in line for line in lines for table in TABLES):
        return lines
    return [
        "while True:",
        "    try:",
        *("        " + line for line in lines),
        "    except KeyError as missed:",
        "        learn(missed)",
    ]


def _grown(parts: list[str]) -> str:
    return f"parts.append({parts[0]})" if len(parts) == 1 else f"parts += ({', '.join(parts)})"


def joined(parts: list[str]) -> str:
    """Return the statement that gives back all pieces as one."""
    return f"return {parts[0]}" if len(parts) == 1 else f'return b"".join(({", ".join(parts)}))'


def encoder(record: Type, title: str, heads: int) -> list[str]:
    """Return the lines of `encode`, `frame` and what they are made of; of `splice` where `heads` fields come as bytes."""
    writer = Writer(title)
    proved = record.fields[-1].name == "proof"
    names = ", ".join(field.name for field in record.fields)
    if heads:
        body = _spliced(record, writer, heads)
    else:
        plain = Type("record", record.name, fields=record.fields[:-1] if proved else record.fields)
        before, parts = writer.fields(plain)
        unpack = (
            f"({', '.join(field.name for field in plain.fields)}, _) = record" if proved else f"({names},) = record"
        )
        verb = "encode_unsigned" if proved else "encode"
        says = "what its writer signs: all fields before the proof" if proved else "the payload, without framing"
        body = [f"def {verb}(record: {record.name}) -> bytes:", f'    """Return {says}."""']
        body += _tried([unpack, *before, joined(parts)], title)
        if proved:
            proof = writer.function(record.fields[-1].type, "proof")
            body += [f"def encode(record: {record.name}) -> bytes:", '    """Return the payload, without framing."""']
            body += _tried([f"return encode_unsigned(record) + {proof}(record.proof)"], title)
    framed = [f"def frame(record: {record.name}) -> bytes:", '    """Return the payload in Confluent framing."""']
    return [*writer.functions, *body, *framed, "    return HEADER + encode(record)", ""]


def _spliced(record: Type, writer: Writer, heads: int) -> list[str]:
    first, rest = record.fields[:heads], record.fields[heads:]
    before: list[str] = []
    parts: list[str] = ["head"]
    for field in rest:
        if field.type.kind in COMPLEX:
            writer.function(field.type, field.name)
            parts.append(field.name)
        elif field.type.kind == "string":
            # What is spliced to another record are names that stand in many.
            parts.append(f"TEXT[{field.name}]")
        else:
            more, pieces = writer.pieces(field.type, field.name, field.name, field.name)
            before += more
            parts += pieces
    asked = ", ".join(f"{field.name}: {'bytes' if field.type.kind in COMPLEX else hint(field.type)}" for field in rest)
    lines = [
        f"def splice(head: bytes, {asked}) -> bytes:",
        f'    """Return the payload whose first {heads} fields are the bytes `head`.',
        "",
        "    Arrays and what may be null come encoded, by the `encode_` function of the field.",
        '    """',
        *_tried([*before, joined(parts)], writer.title),
    ]
    early, head = writer.fields(Type("record", record.name, fields=first))
    given = ["head"]
    given += [f"encode_{each.name}({each.name})" if each.type.kind in COMPLEX else each.name for each in rest]
    lines += [
        f"def encode(record: {record.name}) -> bytes:",
        '    """Return the payload, without framing."""',
        *_tried(
            [
                f"({', '.join(field.name for field in record.fields)},) = record",
                *early,
                f'head = b"".join(({", ".join(head)}))',
                f"return splice({', '.join(given)})",
            ],
            writer.title,
        ),
    ]
    return lines


def _tried(lines: list[str], title: str) -> list[str]:
    """Return the body of a function that refuses a string with half a surrogate pair."""
    return [
        "    try:",
        *("        " + line for line in learning(lines)),
        "    except UnicodeEncodeError as fault:",
        f'        raise unwritable("{title}", fault) from None',
        "",
    ]
