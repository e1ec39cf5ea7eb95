"""Read JSON from outside as exactly one value or not at all, and check the words that name things."""

import json
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from typing import Any, NoReturn

import orjson
import rfc8785

from placet.errors import PoisonRecord
from placet.model.reasons import Reason

INTEGER_MAX = 2**53 - 1
"""The greatest integer that every JSON reader holds exactly (RFC 7493 §2.2)."""
BYTES_MAX, DEPTH_MAX, KEYS_MAX, IDENTIFIER_MAX = 65536, 32, 1024, 256

_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
# In text without white space: a number with a fraction or exponent, or of so many digits that it may be too great.
_NUMBERS_TO_LOOK_AT = re.compile(rb"[\[:,]-?(?:[0-9]{16}|[0-9]+[.eE])")
_SORTED = orjson.OPT_SORT_KEYS
_PLAIN = _SORTED | orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_WORD = r"[A-Za-z0-9][A-Za-z0-9._:/@+~%=#,\-]{0,255}"
_word = re.compile(_WORD).fullmatch


def parse(
    data: bytes, *, most_bytes: int = BYTES_MAX, depth: int = DEPTH_MAX, keys: int = KEYS_MAX
) -> dict[str, object]:
    """Return the JSON object in `data`, at most `depth` levels deep and with at most `keys` names in all.

    Names are given once; text is UTF-8 without lone surrogates and NFC; a
    number is finite, and an `int` where its value is whole, at most
    `INTEGER_MAX` either way. Raise PoisonRecord otherwise.
    """
    if len(data) > most_bytes:
        _refuse(f"{len(data)} bytes, expected at most {most_bytes}")
    _check_depth(data, depth)
    names = 0

    def gather(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal names
        names += len(pairs)
        if names > keys:
            _refuse(f"more than {keys} names")
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            _refuse(f"the name {twice[:64]!r} is given twice in one object")
        return found

    try:
        value = json.loads(
            data.decode(), object_pairs_hook=gather, parse_int=_integer, parse_float=_number, parse_constant=_constant
        )
    except UnicodeDecodeError as fault:
        _refuse(f"byte {fault.start} is not UTF-8")
    except json.JSONDecodeError as fault:
        _refuse(f"not JSON at character {fault.pos}: {fault.msg.lower()}")
    if not isinstance(value, dict):
        _refuse(f"a JSON {type(value).__name__}, expected an object")
    _check_texts(value)
    return value


def parse_canonical(data: bytes) -> dict[str, object]:
    """Return the JSON object in `data` as `parse` does; raise PoisonRecord where `data` is not its RFC 8785 form."""
    # In ASCII without a fraction or a great number, sorted compact output is RFC 8785's.
    # A name given twice, white space or another spelling would not come out the same.
    if data.isascii() and len(data) <= BYTES_MAX:
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            value = None
        if (
            value.__class__ is dict
            and (_is_flat(value) or _is_modest(data))
            and orjson.dumps(value, option=_SORTED) == data
        ):
            return value
    value = parse(data)
    if canonical(value) != data:
        _refuse("not in RFC 8785 form: names sorted, no white space, one spelling for each value")
    return value


def _is_flat(value: dict[str, Any]) -> bool:
    """Say whether an object holds few names, and under them nothing but text, truth values and integers of modest size."""
    for item in value.values():
        kind = item.__class__
        if kind is str or kind is bool or (kind is int and -INTEGER_MAX <= item <= INTEGER_MAX):
            continue
        return False
    return len(value) <= KEYS_MAX


def _is_modest(data: bytes) -> bool:
    """Say whether JSON without white space is shallow, has few names, and no number that needs a closer look."""
    return (
        data.count(b"{") + data.count(b"[") <= DEPTH_MAX
        and data.count(b":") <= KEYS_MAX
        and _NUMBERS_TO_LOOK_AT.search(data) is None
    )


def canonical(value: object) -> bytes:
    """Return the RFC 8785 form of a value made of JSON's types; raise PoisonRecord where it has none."""
    try:
        made = orjson.dumps(value, option=_PLAIN)
    except TypeError:
        made = b"null"
    # `null` may have been NaN.
    if made[:1] in b"{[" and made.isascii() and b"null" not in made and _NUMBERS_TO_LOOK_AT.search(made) is None:
        return made
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except (ValueError, RecursionError) as fault:
        _refuse(f"no RFC 8785 form: {fault}")


def identifier(text: str, what: str) -> str:
    """Return `text` where it may name something; raise PoisonRecord saying what `what` should be."""
    if not well_formed(text):
        raise PoisonRecord(
            f"{what} is {text[:64]!r}, expected 1 to {IDENTIFIER_MAX} ASCII characters: "
            "a letter or digit, then letters, digits and ._:/@+~%=#,-",
            Reason.MALFORMED,
        )
    return text


RESERVED = frozenset({"watermark"})
"""Names that begin keys of another kind: no tenant is called so."""


def tenant(text: str, what: str = "tenant") -> str:
    """Return `text` where it may name a tenant, the first part of every key; raise PoisonRecord saying what it should be."""
    if "/" in identifier(text, what):
        raise PoisonRecord(f"{what} `{text}`: expected no `/` in it", Reason.MALFORMED)
    if text in RESERVED:
        raise PoisonRecord(f"{what} `{text}`: that name is kept for keys of its own kind", Reason.MALFORMED)
    return text


def well_formed(*texts: str) -> bool:
    """Say whether each of `texts` may name something. None may be empty: give another in place of what may be."""
    return _words(len(texts)).fullmatch("\n".join(texts)) is not None


def is_word(text: str) -> bool:
    """Say what `well_formed` does of one text."""
    return _word(text) is not None


@lru_cache(maxsize=64)
def _words(count: int) -> re.Pattern[str]:
    # No word has a line end in it, so there are as many words as texts.
    return re.compile("\n".join([_WORD] * count))


def _check_depth(data: bytes, most: int) -> None:
    if data.count(b"{") + data.count(b"[") <= most:
        return
    deep = 0
    for token in _TOKENS.finditer(data):
        first = data[token.start()]
        if first in b"[{":
            deep += 1
            if deep > most:
                _refuse(f"deeper than {most} levels at byte {token.start()}")
        elif first in b"]}":
            deep -= 1


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > INTEGER_MAX:
        _refuse("an integer beyond 2^53 - 1")
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        _refuse("a number that is not finite")
    if not number.is_integer():
        return number
    if abs(number) > INTEGER_MAX:
        _refuse("a whole number beyond 2^53 - 1")
    return int(number)


def _constant(text: str) -> NoReturn:
    _refuse(f"{text} is not a JSON number")


def _check_texts(value: dict[str, Any]) -> None:
    waiting: list[Sequence[Any]] = [(value,)]
    while waiting:
        for item in waiting.pop():
            if isinstance(item, str):
                if not item.isascii():
                    _check_text(item)
            elif isinstance(item, dict):
                waiting += (tuple(item), tuple(item.values()))
            elif isinstance(item, list):
                waiting.append(item)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse("a surrogate without its other half")
    if not unicodedata.is_normalized("NFC", text):
        _refuse("text that is not in Unicode's form NFC")


def _refuse(says: str) -> NoReturn:
    raise PoisonRecord(f"arguments: {says}", Reason.ARGUMENTS_MALFORMED)
