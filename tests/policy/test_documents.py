"""YAML is read strictly and every place in it is known, down to a character of a condition."""

import pytest

from placet.policy.diagnostics import PackError
from placet.policy.documents import read

WRITTEN = {
    "plain": "k: ab == cd\n",
    "plain over lines": "k: ab\n  ==\n    cd\n",
    "single": "k: 'ab == cd'\n",
    "double": 'k: "ab == cd"\n',
    "literal": "k: |\n  ab ==\n    cd\n",
    "literal with a gap": "k: |\n\n  ab\n\n  == cd\n",
    "folded": "k: >\n  ab ==\n  cd\n",
    "folded and stripped": "k: >-\n    ab\n    == cd\n",
    "in brackets": "{k: ab == cd}\n",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_character_is_found_however_the_scalar_is_written(text: str) -> None:
    document = read("f", text)
    value = document.data["k"]
    for word in ("ab", "==", "cd"):
        at = value.index(word)
        before = value[:at]
        line, column = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
        in_file = text.index(word)
        expected = (text[:in_file].count("\n") + 1, in_file - (text[:in_file].rfind("\n") + 1) + 1)
        assert document.inside(("k",), line, column) == expected


def test_escapes_and_doubled_quotes_do_not_lose_the_place() -> None:
    assert read("f", "k: 'it''s  xy'\n").inside(("k",), 1, 7) == (1, 12)
    assert read("f", 'k: "a\\"b xy"\n').inside(("k",), 1, 5) == (1, 10)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("k: no", "no"),
        ("k: yes", "yes"),
        ("k: 2026-11-23", "2026-11-23"),
        ("k: true", True),
        ("k: -12", -12),
        ("k: '12'", "12"),
        ("k: null", None),
        ("k:", None),
        ("k: [a, 1]", ["a", 1]),
    ],
)
def test_values_are_what_yaml_1_2_says(text: str, data: object) -> None:
    value = read("f", text).data["k"]
    assert (value, type(value)) == (data, type(data))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k: 0x1F", "f:1:4: `0x1F` is not a plain decimal integer"),
        ("k: 1e3", "f:1:4: `1e3` is not an integer: amounts are integers of minor units"),
        ("k: !!python/object:os.system x", "f:1:4: the tag `tag:yaml.org,2002:python/object:os.system` is not taken"),
        ("k: 1\n---\nk: 2", "f:2:1: not YAML: but found another document"),
        ("a: &a [x]\nb: *a", "f:1:4: anchors and aliases are not taken: write the value where it is used"),
        ("1: x", None),
        ("[a]: x", "f:1:1: a key must be text"),
        ("k: " + "[" * 20 + "]" * 20, "f:1:20: nested deeper than 16"),
        ("\tk: 1", "f:1:1: not YAML: found character '\\t' that cannot start any token"),
    ],
)
def test_what_packs_do_not_take_is_refused_at_its_place(text: str, expected: str | None) -> None:
    if expected is None:
        assert read("f", text).data == {"1": "x"}
        return
    with pytest.raises(PackError) as refused:
        read("f", text)
    assert str(refused.value.diagnostics[0]) == expected


@pytest.mark.parametrize(("text", "value"), [("1" * 20, 11111111111111111111), ("+7", 7), ("-7", -7), ("007", 7)])
def test_an_integer_is_decimal_and_of_twenty_characters_at_most(text: str, value: int) -> None:
    assert read("a.yaml", f"a: {text}\n").data == {"a": value}


@pytest.mark.parametrize("text", ["1" * 21, "0x1F", "0o17"])
def test_any_other_integer_is_refused(text: str) -> None:
    with pytest.raises(PackError, match=f"`{text}` is not a plain decimal integer"):
        read("a.yaml", f"a: {text}\n")
