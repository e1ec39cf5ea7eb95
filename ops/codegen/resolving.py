"""How to read what an older schema wrote as the present one has it (Avro 1.12, "Schema Resolution")."""

from __future__ import annotations

from dataclasses import replace

from ops.codegen.schema import REQUIRED, Field, Type

PROMOTED = frozenset({("int", "long"), ("string", "bytes"), ("bytes", "string")})


def resolved(writer: Type, reader: Type | None, where: str) -> Type:
    """Return the type that is laid out as `writer` and becomes a value of `reader`; of None what is read and let go.

    Raise ValueError where the one cannot be read as the other.
    """
    if reader is None:
        return replace(
            writer,
            name="",
            item=writer.item and resolved(writer.item, None, where),
            fields=tuple(replace(each, type=resolved(each.type, None, where)) for each in writer.fields),
        )
    if reader.kind == "maybe" and writer.kind != "maybe":
        return resolved(writer, reader.inner, where)
    if reader.kind != writer.kind and (writer.kind, reader.kind) not in PROMOTED:
        raise ValueError(f"{where}: {reader.kind} does not read {writer.kind}")
    if writer.kind == "record":
        return _record(writer, reader, where)
    if writer.kind == "fixed" and writer.size != reader.size:
        raise ValueError(f"{where}: {reader.size} bytes do not read {writer.size}")
    if writer.item is not None:
        return replace(writer, item=resolved(writer.item, reader.inner, where))
    return Type(reader.kind) if writer.kind in {"string", "bytes"} else writer


def _record(writer: Type, reader: Type, where: str) -> Type:
    written = {field.name: field for field in writer.fields}
    taken: dict[str, Field] = {}
    built = []
    for field in reader.fields:
        source = next((name for name in (field.name, *field.aliases) if name in written), "")
        if source:
            taken[source] = field
        elif field.default is REQUIRED:
            raise ValueError(f"{where}.{field.name}: the writer has no such field, and there is no default for it")
        built.append((source, "" if source else literal(field.type, field.default)))
    fields = []
    for field in writer.fields:
        wanted = taken[field.name].type if field.name in taken else None
        fields.append(replace(field, type=resolved(field.type, wanted, f"{where}.{field.name}")))
    return replace(writer, name=reader.name, fields=tuple(fields), built=tuple(built))


def literal(kind: Type, default: object) -> str:
    """Return the Python expression of a default, as a decoder would have given it."""
    if kind.kind == "maybe":
        return "None" if default is None else literal(kind.inner, default)
    if isinstance(default, list):
        return f"({''.join(f'{literal(kind.inner, item)}, ' for item in default)})"
    if isinstance(default, dict) and kind.kind == "map":
        return f"{{{', '.join(f'{key!r}: {literal(kind.inner, item)}' for key, item in default.items())}}}"
    if isinstance(default, dict):
        return f"{kind.name}({', '.join(literal(each.type, default.get(each.name, each.default)) for each in kind.fields)})"
    if isinstance(default, str) and kind.kind in {"bytes", "fixed"}:
        return repr(default.encode("latin-1"))
    return repr(default)
