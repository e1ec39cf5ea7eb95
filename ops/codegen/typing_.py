"""The Python type of each Avro type, and the class of each record."""

from __future__ import annotations

from ops.codegen.schema import Type

PLAIN = {"int": "int", "long": "int", "boolean": "bool", "string": "str", "bytes": "bytes", "fixed": "bytes"}
METHODS = frozenset({"index", "count"})  # of tuple: a field of that name hides the method


def hint(kind: Type) -> str:
    """Return the annotation of a value of this type."""
    if kind.kind == "array":
        return f"tuple[{hint(kind.inner)}, ...]"
    if kind.kind == "map":
        return f"dict[str, {hint(kind.inner)}]"
    if kind.kind == "maybe":
        return f"{hint(kind.inner)} | None"
    return (kind.name or "object") if kind.kind == "record" else PLAIN[kind.kind]


def nested(record: Type) -> list[Type]:
    """Return the records inside `record`, inner ones first, each once."""
    found: list[Type] = []

    def walk(kind: Type) -> None:
        if kind.item is not None:
            walk(kind.item)
        for field in kind.fields:
            walk(field.type)
        if kind.kind == "record" and kind is not record and kind not in found:
            found.append(kind)

    walk(record)
    return found


def named_tuple(record: Type, whole: str) -> list[str]:
    """Return the lines of the class of one record, a part of `whole`; each field with what its schema says of it."""
    says = record.doc or f"A part of `{whole}`."
    lines = [f"class {record.name}(NamedTuple):", f'    """{says}"""', ""]
    for field in record.fields:
        remark = f"{field.type.size} bytes" if field.type.kind == "fixed" else ""
        remark = "; ".join(part for part in (remark, field.doc) if part)
        ignored = "  # type: ignore[assignment]" if field.name in METHODS else ""
        lines.append(f"    {field.name}: {hint(field.type)}{ignored}" + (f"  # {remark}" if remark else ""))
    return [*lines, ""]
