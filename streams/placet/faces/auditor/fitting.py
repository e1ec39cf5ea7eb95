"""Whether the arguments of an intent are those its action declares."""

from typing import Any

import re2

from placet.faces.auditor.packs import Argument, Plain

INT_MAX = 2**53


def fits(declared: tuple[Argument, ...], arguments: Plain) -> bool:
    """Whether arguments are those an action declares, each within its bounds; a bool is no number."""
    names = {one.name for one in declared}
    if not names >= arguments.keys() or any(one.required and one.name not in arguments for one in declared):
        return False
    return all(_fit(one, arguments[one.name]) for one in declared if one.name in arguments)


def _fit(one: Argument, value: Any) -> bool:
    if one.type in ("int", "number"):
        low = -INT_MAX if one.min is None else one.min
        high = INT_MAX if one.max is None else one.max
        kinds = (int,) if one.type == "int" else (int, float)
        return type(value) in kinds and low <= value <= high
    if one.type == "bool":
        return isinstance(value, bool)
    if one.type == "json":
        return True
    if one.type == "string":
        if not isinstance(value, str) or (one.one_of and value not in one.one_of):
            return False
        if one.pattern is not None and re2.fullmatch(one.pattern, value) is None:
            return False
    elif one.type.startswith("list"):
        if not isinstance(value, list) or not all(_member(one.type[5:-1], item) for item in value):
            return False
    elif not isinstance(value, dict) or not all(_member(one.type[12:-1], item) for item in value.values()):
        return False
    return one.max_length is None or len(value) <= one.max_length


def _member(kind: str, item: Any) -> bool:
    if kind == "int":
        return type(item) is int and -INT_MAX <= item <= INT_MAX
    return isinstance(item, bool if kind == "bool" else str)
