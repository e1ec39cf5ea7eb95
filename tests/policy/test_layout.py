"""The one layout keeps what a file says and every comment, is the same laid out again, and refuses where it cannot."""

from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from placet.faces.cli.folders import SHIPPED, read_pack
from placet.policy import documents, layout
from placet.policy.diagnostics import PackError
from placet.policy.layout import comments, lay_out
from tests.architecture.house import ROOT

UGLY = """\

# top
rules:
- id:   quote   # here
  on: [ payments.quote,payments.x ]


  when:  >   # folded
     a && b ||
     c
  who: {actor:   ["agent:*"] ,
     authority: [x]}   # trailing
  # between
  effect:    permit
  obligations:
  - redact: {arguments: [note]}
  - {read_only: {}}
  because:   a long sentence that
    continues here
# of two
-   id: two\x20\x20
    on:
      - a   # x
      - 'b''s # own'
    because: |
      # no comment

      kept
# end


"""
LAID = """\
# top
rules:
  - id: quote  # here
    on: [payments.quote, payments.x]

    when: >  # folded
      a && b ||
      c
    who: {actor: ["agent:*"], authority: [x]}  # trailing
    # between
    effect: permit
    obligations:
      - redact: {arguments: [note]}
      - {read_only: {}}
    because: a long sentence that continues here

  # of two
  - id: two
    on:
      - a  # x
      - 'b''s # own'
    because: |
      # no comment

      kept
# end
"""


def test_a_file_comes_out_in_the_one_layout() -> None:
    assert lay_out("rules.yaml", UGLY) == LAID
    assert lay_out("rules.yaml", LAID) == LAID
    assert lay_out("rules.yaml", UGLY.replace("\n", "\r\n")) == LAID


@pytest.mark.parametrize("name", SHIPPED)
def test_the_packs_that_come_with_placet_are_laid_out(name: str) -> None:
    for file, text in read_pack(ROOT / "policies" / name).items():
        assert lay_out(file, text) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb:\n  - {id: a,  # one\n     on: [b]}\n", 3), ("a: [1,\n  # one\n  2]\n", 2)],
)
def test_a_comment_that_cannot_keep_its_place_is_refused_at_its_line(text: str, line: int) -> None:
    with pytest.raises(PackError) as refused:
        lay_out("rules.yaml", text)
    assert str(refused.value).startswith(f"rules.yaml:{line}:1: this comment cannot keep its place")


@pytest.mark.parametrize("text", ["a:   # said\n-  { }\n-  0\n-  0\n", "a: |\n  x\n  y", "a:  # said\n- {}\n- x\n"])
def test_whatever_cannot_be_laid_out_safely_is_refused_and_not_changed(text: str) -> None:
    try:
        laid = lay_out("any.yaml", text)
    except PackError as refused:
        said = str(refused)
    else:
        said = "cannot be laid out" * (documents.read("any.yaml", laid).data == documents.read("any.yaml", text).data)
    assert "cannot be laid out" in said


def test_what_cannot_be_read_is_refused_as_at_load() -> None:
    for text in ("a: 1\na: 2\n", "a: &x 1\nb: *x\n", "a: [\n", ""):
        with pytest.raises(PackError):
            lay_out("rules.yaml", text)


KEYS = st.text("abcxyz", min_size=1, max_size=4)
PLAIN = st.one_of(
    st.integers(-99, 99).map(str),
    st.sampled_from(
        ["true", "text", "two words", "a-b", "x:y", "it's", "'# quoted'", '"a \\" b"', "''", "null", "a#b"]
    ),
)
FLOW: st.SearchStrategy[str] = st.recursive(
    st.sampled_from(["1", "a", "true", "'b c'", '"#"']),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda items: "[" + " ,  ".join(items) + "]")
        | st.dictionaries(KEYS, inner, min_size=1, max_size=2).map(
            lambda pairs: "{ " + ",".join(f"{key}:  {value}" for key, value in pairs.items()) + "}"
        )
    ),
    max_leaves=4,
)
NOISE = st.sampled_from(["", "   # said", "  #x", " "])
BETWEEN = st.lists(st.sampled_from(["", "   ", "# alone", "      # far in"]), max_size=3)


@st.composite
def blocks(draw: Any, indent: int = 0, depth: int = 2) -> list[str]:
    """Draw a block map with odd indentation, spaces, blank lines and comments."""
    lines: list[str] = []
    for key in draw(st.lists(KEYS, min_size=1, max_size=3, unique=True)):
        lines += draw(BETWEEN)
        start = " " * indent + key + ":"
        kind = draw(st.sampled_from(["plain", "flow", "map", "list", "text"] if depth else ["plain", "flow"]))
        if kind == "map":
            lines += [start + draw(NOISE), *draw(blocks(indent + draw(st.integers(1, 4)), depth - 1))]
        elif kind == "list":
            deeper = indent + draw(st.integers(0, 3))
            items = draw(st.lists(st.one_of(PLAIN, FLOW), min_size=1, max_size=3))
            lines += [start + draw(NOISE), *(f"{' ' * deeper}-  {item}{draw(NOISE)}" for item in items)]
        elif kind == "text":
            sign = draw(st.sampled_from([">", "|", ">-", "|-"]))
            lines += [f"{start}  {sign}", f"{' ' * (indent + 3)}some words", "", f"{' ' * (indent + 3)}# and more"]
        else:
            lines.append(f"{start}   {draw(PLAIN if kind == 'plain' else FLOW)}{draw(NOISE)}")
    return lines


@settings(max_examples=60, deadline=None)
@given(lines=blocks(), last=BETWEEN)
def test_no_layout_changes_what_is_said_or_loses_a_comment(lines: list[str], last: list[str]) -> None:
    text = "\n".join((*lines, *last, ""))
    try:
        laid = lay_out("any.yaml", text)
    except PackError:
        reject()  # it is refused and stays as it was, as a list with a `null` and a comment is
    assert documents.read("any.yaml", laid).data == documents.read("any.yaml", text).data
    assert [said for _, said in comments(laid)] == [said for _, said in comments(text)]
    assert laid.count("#") == text.count("#")
    assert lay_out("any.yaml", laid) == laid
    assert all(line == line.rstrip() for line in laid.split("\n"))


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("a: [\n", "this file cannot be laid out: its YAML is too unusual"),
        ("a: 2\n", "this file cannot be laid out without changing what it says"),
        ("a: 1\n# more\n", "this file cannot be laid out without changing what it says"),
    ],
)
def test_a_file_that_would_not_be_the_same_is_refused_whole(
    made: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "_laid", lambda _: made)
    with pytest.raises(PackError) as refused:
        lay_out("rules.yaml", "a: 1\n")
    assert str(refused.value) == f"rules.yaml:1:1: {says}"
