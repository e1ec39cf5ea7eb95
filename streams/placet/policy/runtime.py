"""What generated conditions call: CEL's meaning where Python's differs. Each raises where CEL errs."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import re2

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
NOTHING: Mapping[str, Any] = {}
_NUMBERS = (int, float)


class Errs(Exception):
    """CEL has no value here. The library is asked, since it knows which errors are absorbed."""


def _i(value: int) -> int:
    """Return `value` when it fits int64: CEL's overflow is an error."""
    if INT64_MIN <= value <= INT64_MAX:
        return value
    raise Errs("overflow")


def _div(a: int, b: int) -> int:
    """Return a / b truncated towards zero, as in CEL."""
    quotient = abs(a) // abs(b)
    return _i(quotient if (a < 0) == (b < 0) else -quotient)


def _mod(a: int, b: int) -> int:
    """Return the remainder with the sign of `a`; INT64_MIN % -1 overflows in CEL."""
    if a == INT64_MIN and b == -1:
        raise Errs("overflow")
    rest = abs(a) % abs(b)
    return rest if a >= 0 else -rest


def _eq(a: Any, b: Any) -> bool:
    """Return CEL's equality of dynamic values: numbers by value, True is not 1, other kinds differ."""
    if a is None or b is None or a is True or a is False or b is True or b is False:
        return a is b
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(_eq, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_eq(v, b[k]) for k, v in a.items())
    if isinstance(a, _NUMBERS):
        return isinstance(b, _NUMBERS) and a == b
    return type(a) is type(b) and bool(a == b)


def _lt(a: Any, b: Any) -> bool:
    """Return a < b of dynamic values of one kind; raises across kinds."""
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return bool(a < b)
    if type(a) is type(b) and type(a) in (str, bool):
        return bool(a < b)
    raise Errs("no such overload")


def _le(a: Any, b: Any) -> bool:
    """Return a <= b of dynamic values of one kind; raises across kinds."""
    return _lt(a, b) or (not _lt(b, a) and a == b)


def _b(value: Any) -> bool:
    """Return a dynamic value that must be a bool."""
    if value is True or value is False:
        return bool(value)
    raise Errs("not a bool")


def _at(holder: Any, key: Any) -> Any:
    """Return the member of a map by text or of a list by index; raises where there is none."""
    if isinstance(holder, (list, tuple)):
        if type(key) is int and key >= 0:
            return holder[key]
    elif isinstance(holder, Mapping) and type(key) is str:
        return holder[key]
    raise Errs("no such member")


def _has(holder: Any, key: str) -> bool:
    """Return whether a dynamic map has a member; raises on what is not a map."""
    if isinstance(holder, Mapping):
        return key in holder
    raise Errs("no such overload")


def _in(item: Any, holder: Any) -> bool:
    """Return whether a dynamic list holds an equal item, or a map the key."""
    if isinstance(holder, (list, tuple)):
        return any(_eq(item, member) for member in holder)
    if isinstance(holder, Mapping) and type(item) is str:
        return item in holder
    raise Errs("no such overload")


def _size(value: Any) -> int:
    """Return code points of text, members of a list or a map."""
    if isinstance(value, (str, list, tuple, Mapping)):
        return len(value)
    raise Errs("no such overload")


def _s(value: Any) -> str:
    """Return a dynamic value that must be text."""
    if type(value) is str:
        return value
    raise Errs("not text")


def _l(value: Any) -> Any:
    """Return what a fold may run over: a list, or the keys of a map."""
    if isinstance(value, (list, tuple, Mapping)):
        return value
    raise Errs("no such overload")


def matcher(pattern: str) -> Any:
    """Return a remembered test of RE2 `pattern` anywhere in a text (google-re2 costs 4-7 µs a search)."""
    compiled = re2.compile(pattern)

    @lru_cache(maxsize=4096)
    def found(text: str) -> bool:
        return compiled.search(text) is not None

    return found


patterns = lru_cache(maxsize=1024)(matcher)
"""One matcher for each constant pattern."""

NAMES: dict[str, Any] = {
    name: value for name, value in list(globals().items()) if name.startswith("_") and callable(value)
} | {"NOTHING": NOTHING}
