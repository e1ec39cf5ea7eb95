"""JSON from outside: one value or none, and RFC 8785 by two roads that agree."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.reasons import Reason

JCS = Path(__file__).parents[1] / "vectors" / "jcs"
MOST = 2**53 - 1


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


REFUSED: dict[str, tuple[bytes, str]] = {
    "a name twice": (b'{"a":1,"a":1}', "the name 'a' is given twice"),
    "a name twice, deep down": (b'{"a":[{"b":{"c":1,"d":2,"c":3}}]}', "the name 'c' is given twice"),
    "a name twice, once escaped": (b'{"b":1,"\\u0062":2}', "the name 'b' is given twice"),
    "NaN": (b'{"a":NaN}', "NaN is not a JSON number"),
    "Infinity": (b'{"a":Infinity}', "Infinity is not a JSON number"),
    "-Infinity": (b'{"a":[-Infinity]}', "-Infinity is not a JSON number"),
    "1e400": (b'{"a":1e400}', "not finite"),
    "-1e400": (b'{"a":-1e400}', "not finite"),
    "2^53": (b'{"a":9007199254740992}', "an integer beyond"),
    "2^53 + 1": (b'{"a":9007199254740993}', "an integer beyond"),
    "-2^53 - 1": (b'{"a":-9007199254740993}', "an integer beyond"),
    "30 digits": (b'{"a":' + b"1" * 30 + b"}", "an integer beyond"),
    "5000 digits": (b'{"a":' + b"1" * 5000 + b"}", "an integer beyond"),
    "1e30": (b'{"a":1e30}', "a whole number beyond"),
    "1e16": (b'{"a":1e16}', "a whole number beyond"),
    "9007199254740993.0": (b'{"a":9007199254740993.0}', "a whole number beyond"),
    "a lone surrogate": (b'{"a":"\\ud800"}', "a surrogate without its other half"),
    "a lone surrogate in a name": (b'{"\\udfff":1}', "a surrogate without its other half"),
    "surrogates the wrong way round": (b'{"a":["x","\\udc00\\ud800"]}', "a surrogate without its other half"),
    "a surrogate in UTF-8": (b'{"a":"\xed\xa0\x80"}', "byte 6 is not UTF-8"),
    "NFD": ('{"a":"e\u0301"}'.encode(), "not in Unicode's form NFC"),
    "NFD, escaped": (b'{"a":{"b":["e\\u0301"]}}', "not in Unicode's form NFC"),
    "NFD in a name": ('{"e\u0301":1}'.encode(), "not in Unicode's form NFC"),
    "33 levels": (nested(33), "deeper than 32 levels at byte 160"),
    "33 levels of arrays": (b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "deeper than 32 levels"),
    "ten thousand levels": (b'{"a":' + b"[" * 10_000, "deeper than 32 levels"),
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}', "not JSON"),
    "invalid UTF-8": (b'{"a":"\xff"}', "byte 6 is not UTF-8"),
    "an overlong UTF-8": (b'{"a":"\xc0\xaf"}', "byte 6 is not UTF-8"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "byte 0 is not UTF-8"),
    "something after the end": (b'{"a":1} {}', "not JSON"),
    "a NUL after the end": (b'{"a":1}\x00', "not JSON"),
    "nothing": (b"", "not JSON"),
    "an array": (b"[1]", "a JSON list, expected an object"),
    "a string": (b'"a"', "a JSON str, expected an object"),
    "null": (b"null", "a JSON NoneType, expected an object"),
    "a comma too many": (b'{"a":1,}', "not JSON"),
    "single quotes": (b"{'a':1}", "not JSON"),
    "a comment": (b'{"a":1/**/}', "not JSON"),
    "a leading zero": (b'{"a":01}', "not JSON"),
    "a plus": (b'{"a":+1}', "not JSON"),
    "a bare dot": (b'{"a":1.}', "not JSON"),
    "a control character": (b'{"a":"\n"}', "not JSON"),
    "a broken escape": (b'{"a":"\\x41"}', "not JSON"),
    "an unclosed string": (b'{"a":"', "not JSON"),
    "65537 bytes": (b'{"a":"' + b"x" * (65537 - 8) + b'"}', "65537 bytes, expected at most 65536"),
    "1025 names": (json.dumps({f"n{number}": {} for number in range(1025)}).encode(), "more than 1024 names"),
    "1025 names, spread": (json.dumps({"a": [{"x": 1}] * 1024}).encode(), "more than 1024 names"),
}


@pytest.mark.parametrize("read", [strict.parse, strict.parse_canonical])
@pytest.mark.parametrize(("data", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_trap_is_refused(read: Any, data: bytes, says: str) -> None:
    with pytest.raises(PoisonRecord) as caught:
        read(data)
    assert says in str(caught.value)
    assert caught.value.reason == Reason.ARGUMENTS_MALFORMED


TAKEN: dict[str, tuple[bytes, dict[str, object]]] = {
    "nothing in it": (b" {} ", {}),
    "2^53 - 1": (b'{"a":9007199254740991,"b":-9007199254740991}', {"a": MOST, "b": -MOST}),
    "a fraction": (b'{"a":0.1}', {"a": 0.1}),
    "a whole number written as a fraction": (b'{"a":1.0,"b":1E2}', {"a": 1, "b": 100}),
    "minus nothing": (b'{"a":-0,"b":-0.0,"c":-0e9}', {"a": 0, "b": 0, "c": 0}),
    "a pair of surrogates": (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    "NFC": ('{"\u00e9":"\u00e9"}'.encode(), {"\u00e9": "\u00e9"}),
    "the same name in two objects": (b'{"a":{"b":1},"b":{"b":2}}', {"a": {"b": 1}, "b": {"b": 2}}),
    "brackets in strings": (b'{"a":"' + b"[{" * 500 + b'\\""}', {"a": "[{" * 500 + '"'}),
    "booleans and null": (b'{"a":[true,false,null]}', {"a": [True, False, None]}),
    "escaped NUL": (b'{"a":"\\u0000"}', {"a": "\x00"}),
}


@pytest.mark.parametrize(("data", "value"), TAKEN.values(), ids=TAKEN.keys())
def test_what_is_well_written_is_one_value(data: bytes, value: dict[str, object]) -> None:
    read = strict.parse(data)
    assert read == value
    assert [type(item) for item in read.values()] == [type(item) for item in value.values()]


def test_minus_nothing_has_no_sign() -> None:
    assert math.copysign(1, strict.parse(b'{"a":-0.0}')["a"]) == 1  # type: ignore[arg-type]


def test_bounds_are_kept_to_the_one() -> None:
    assert strict.parse(nested(32))
    assert strict.parse_canonical(nested(32))
    assert strict.parse(b'{"a":"' + b"x" * (65536 - 8) + b'"}')
    assert len(strict.parse(json.dumps({f"n{number}": {} for number in range(1024)}).encode())) == 1024
    assert strict.parse(b'{"a":[[]]}', depth=3, keys=1, most_bytes=10)
    for bound in ({"depth": 2}, {"keys": 0}, {"most_bytes": 9}):
        with pytest.raises(PoisonRecord):
            strict.parse(b'{"a":[[]]}', **bound)


def test_a_long_text_of_quotes_is_looked_at_once() -> None:
    # Scanned anew from each quote this would be 10^9 steps; pytest-timeout would end it.
    with pytest.raises(PoisonRecord):
        strict.parse(b'"' + b'\\"' * 32_700 + b"[" * 40)


VECTORS = sorted(path.stem for path in (JCS / "input").glob("*.json"))


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_rfc_8785(name: str) -> None:
    given_, expected = ((JCS / side / f"{name}.json").read_bytes() for side in ("input", "output"))
    value = json.loads(given_)
    assert strict.canonical(value) == expected
    # Refused by the profile: text that is not NFC (`unicode`; the Hebrew letter U+FB33 in `weird`), numbers beyond
    # 2^53 (`values`), no object (`arrays`).
    if name in ("unicode", "weird", "values", "arrays"):
        with pytest.raises(PoisonRecord):
            strict.parse(given_)
        return
    assert strict.canonical(strict.parse(given_)) == expected
    assert strict.parse_canonical(expected) == strict.parse(given_)
    if given_ != expected:
        with pytest.raises(PoisonRecord, match="not in RFC 8785 form"):
            strict.parse_canonical(given_)


NUMBERS = [
    ("4340000000000001", b"9007199254740994"),
    ("4340000000000002", b"9007199254740996"),
    ("444b1ae4d6e2ef50", b"1e+21"),
    ("3eb0c6f7a0b5ed8d", b"0.000001"),
    ("3eb0c6f7a0b5ed8c", b"9.999999999999997e-7"),
    ("8000000000000000", b"0"),
    ("0000000000000000", b"0"),
]


@pytest.mark.parametrize(("bits", "text"), NUMBERS)
def test_the_numbers_of_rfc_8785(bits: str, text: bytes) -> None:
    number = memoryview(bytes.fromhex(bits)[::-1]).cast("d")[0]
    assert strict.canonical({"n": number}) == b'{"n":' + text + b"}"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_has_no_form(number: float) -> None:
    with pytest.raises(PoisonRecord) as caught:
        strict.canonical({"a": [None, number]})
    assert caught.value.reason == Reason.ARGUMENTS_MALFORMED


@pytest.mark.parametrize("value", [{1: 2}, {"a": b""}, {"a": 2**53}, {"a": 2**70}, {"a": "\ud800"}, {"a": {1}}])
def test_what_json_does_not_have_has_no_form(value: object) -> None:
    with pytest.raises(PoisonRecord):
        strict.canonical(value)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-MOST, MOST)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["1.5", ":1e5", "[12345678901234567", "null", "\x7f", "\u2028", "\ud7ff", "\uffff", "\U00010000"])
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)
DOCUMENTS = st.dictionaries(st.text(max_size=6), TREES, max_size=5)


@given(DOCUMENTS)
def test_both_roads_give_the_bytes_of_rfc8785(value: dict[str, object]) -> None:
    assert strict.canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(DOCUMENTS)
def test_what_is_read_as_canonical_is_what_is_read_at_all(value: dict[str, object]) -> None:
    data = rfc8785.dumps(value)  # type: ignore[arg-type]
    try:
        read = strict.parse(data)
    except PoisonRecord:
        with pytest.raises(PoisonRecord):
            strict.parse_canonical(data)
        return
    again = strict.parse_canonical(data)
    assert repr(again) == repr(read)  # types and signs too
    assert strict.canonical(read) == data
    assert repr(strict.parse(strict.canonical(read))) == repr(read)


@given(DOCUMENTS, st.sampled_from([{"indent": 1}, {"separators": (", ", ": ")}, {"ensure_ascii": True}, {}]))
def test_another_spelling_is_never_taken_as_canonical(value: dict[str, object], style: dict[str, Any]) -> None:
    style = {"separators": (",", ":"), "ensure_ascii": False, **style}
    data = json.dumps(value, **style).encode()
    same = data == rfc8785.dumps(value)  # type: ignore[arg-type]
    try:
        strict.parse_canonical(data)
    except PoisonRecord:
        return
    assert same


@given(st.binary(max_size=60) | st.text('{}[]":,0123456789.eE+-\\untrfalse ', max_size=40).map(str.encode))
def test_nothing_but_a_refusal_ever_leaves(data: bytes) -> None:
    try:
        value = strict.parse(data)
    except PoisonRecord:
        return
    assert strict.parse(strict.canonical(value)) == value


@pytest.mark.parametrize(
    "text",
    ["a", "agent:billing-bot", "spiffe://acme.example/ns/prod/sa/bot", "user:ada@acme.example", "a" * 256, "7%=#,~+"],
)
def test_an_identifier_names_something(text: str) -> None:
    assert strict.identifier(text, "actor") == text
    assert strict.well_formed("x", text, "y")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a b",
        "a\n",
        "\na",
        "a\x00",
        "-a",
        ":a",
        ".",
        "a" * 257,
        "é",
        "ａ",
        "\u0430da",
        'a"b',
        "a\\b",
        "a'b",
        "a<b",
        "a{b",
        "a\u200b",
    ],
)
def test_what_is_no_identifier_is_refused(text: str) -> None:
    assert not strict.well_formed("x", text, "y")
    assert not strict.well_formed(text)
    with pytest.raises(PoisonRecord, match="actor is ") as caught:
        strict.identifier(text, "actor")
    assert caught.value.reason == Reason.MALFORMED


@given(st.lists(st.text("ab\n:-", max_size=3) | st.just("x" * 257), min_size=1, max_size=5))
def test_many_are_well_formed_when_each_is(texts: list[str]) -> None:
    assert strict.well_formed(*texts) == all(strict.well_formed(text) for text in texts)
