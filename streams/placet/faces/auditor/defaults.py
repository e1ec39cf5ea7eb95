"""Defaults of a schema as values: fastavro gives them as JSON has them (Avro 1.12, "Complex Types")."""

from typing import Any


def with_defaults(parsed: Any) -> Any:
    """Return a parsed schema, each default in it as a reader would have read it."""
    named: dict[str, Any] = {}
    waiting, records = [parsed], []
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            if "name" in node:
                named[node["name"]] = node
            if node["type"] == "record":
                records.append(node)
            waiting += [node[inside] for inside in ("type", "items", "values") if inside in node]
            waiting += [field["type"] for field in node.get("fields", ())]
    for record in records:
        for field in record["fields"]:
            if "default" in field:
                field["default"] = _value(field["type"], field["default"], named)
    return parsed


def _value(schema: Any, default: Any, named: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        # The default of a union is of its first branch that has one of its kind; ours are null or one other type.
        return None if default is None else _value(next(each for each in schema if each != "null"), default, named)
    if isinstance(schema, str):
        schema = named.get(schema, {"type": schema})
    kind = schema["type"]
    if kind in {"bytes", "fixed"}:
        return default.encode("latin-1") if isinstance(default, str) else default
    if kind == "array":
        return [_value(schema["items"], item, named) for item in default]
    if kind == "map":
        return {key: _value(schema["values"], item, named) for key, item in default.items()}
    if kind == "record":
        return {
            field["name"]: _value(field["type"], default.get(field["name"], field.get("default")), named)
            for field in schema["fields"]
        }
    return default
