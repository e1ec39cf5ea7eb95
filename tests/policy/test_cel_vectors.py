"""The CEL specification's own cases: the library against the published values, and generated Python against them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cel_expr_python import cel  # type: ignore[import-untyped]

from placet.policy import checked, runtime
from placet.policy.generate import Translator, Unknown

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "vectors" / "cel" / "cases.jsonl").read_text("utf-8").splitlines()
]
KNOWN_GAPS = {
    "fields/qualified_identifier_resolution/qualified_identifier_resolution_unchecked",
    "fields/qualified_identifier_resolution/map_value_repeat_key_heterogeneous",
}
"""Cases in which cel-expr-python 0.1.3 itself is known to differ from the specification."""

_PRIMITIVES = {
    "INT64": cel.Type.INT,
    "UINT64": cel.Type.UINT,
    "DOUBLE": cel.Type.DOUBLE,
    "STRING": cel.Type.STRING,
    "BYTES": cel.Type.BYTES,
    "BOOL": cel.Type.BOOL,
}


def _type(declared: dict[str, Any]) -> Any:
    if "primitive" in declared:
        return _PRIMITIVES[declared["primitive"]]
    if "map_type" in declared:
        return cel.Type.Map(_type(declared["map_type"]["key_type"]), _type(declared["map_type"]["value_type"]))
    if "list_type" in declared:
        return cel.Type.List(_type(declared["list_type"]["elem_type"]))
    return cel.Type.NULL


def _plain(value: dict[str, Any]) -> Any:
    """Return the published value as (kind, content), so that 1, 1.0 and True differ."""
    (kind, content), *_ = value.items()
    if kind in ("int64_value", "uint64_value"):
        return int(content)
    if kind == "double_value":
        return float(content)
    if kind == "bytes_value":
        return base64.b64decode(content["base64"])
    if kind == "null_value":
        return None
    if kind == "list_value":
        return [_plain(item) for item in content.get("values", ())]
    if kind == "map_value":
        return {_plain(entry["key"]): _plain(entry["value"]) for entry in content.get("entries", ())}
    return content


def _same(a: Any, b: Any) -> bool:
    """Equal in value and in kind; a tuple of generated code stands for a list."""
    if isinstance(a, bytearray):
        a = bytes(a)
    if isinstance(b, list):
        return isinstance(a, (list, tuple)) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(_same(a[key], b[key]) for key in b)
    return type(a) is type(b) and bool(a == b)


def _library(case: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    variables = {entry["name"]: _type(entry["ident"]["type"]) for entry in case.get("type_env", ())}
    data = {entry["key"]: _plain(entry["value"]["value"]) for entry in case.get("bindings", ())}
    env = cel.NewEnv(variables=variables)
    return env.compile(case["expr"], disable_check=case.get("disable_check", False)), data


def _name(case: dict[str, Any]) -> str:
    return f"{case['file']}/{case['section']}/{case['name']}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_the_library_says_what_the_specification_says(case: dict[str, Any]) -> None:
    try:
        program, data = _library(case)
        value = program.eval(data=data)
    except RuntimeError:
        value = None
    erred = value is None or value.type() == cel.Type.ERROR
    agrees = erred if "value" not in case else not erred and _same(value.plain_value(), _plain(case["value"]))
    assert agrees is (_name(case) not in KNOWN_GAPS)


def _generated(case: dict[str, Any]) -> tuple[str, Any]:
    """Return what became of a case in generated Python: refused, raised, or a value."""
    try:
        program, data = _library(case)
        tree = checked.read(program.serialize())
        translator = Translator(None)
        translator.bound = {name: f"data[{name!r}]" for name in data}
        source = translator.value(tree)
    except (RuntimeError, ValueError, Unknown):
        return "refused", None
    names = {**runtime.NAMES, "matcher": runtime.patterns, "data": data}
    try:
        return "value", eval(source, names)
    except Exception:  # noqa: BLE001  any raise leaves the case to the library
        return "raised", None


def test_generated_code_is_never_wrong_on_a_published_case() -> None:
    counts = {"value": 0, "raised": 0, "refused": 0}
    wrong = []
    for case in CASES:
        kind, value = _generated(case)
        counts[kind] += 1
        if kind == "value" and ("value" not in case or not _same(value, _plain(case["value"]))):
            wrong.append((_name(case), case["expr"], value))
    assert wrong == []
    assert sum(counts.values()) == 600
    # What is refused or raises goes to the library; most of what packs are written with must not.
    assert counts["value"] >= 250, counts
