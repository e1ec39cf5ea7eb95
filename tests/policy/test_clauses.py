"""A condition is shown clause by clause: parted at its own signs, never inside brackets or texts."""

import pytest

from placet.policy.clauses import clauses


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", [(0, "a")]),
        ("a && b || c", [(0, "a && b || c"), (1, "a && b"), (2, "a"), (2, "b"), (1, "c")]),
        ("((a) && (b))", [(0, "(a) && (b)"), (1, "a"), (1, "b")]),
        ("(a) && (b)", [(0, "(a) && (b)"), (1, "a"), (1, "b")]),
        ("x == '&& \\'||' && y", [(0, "x == '&& \\'||' && y"), (1, "x == '&& \\'||'"), (1, "y")]),
        ('x == """a" && b""" || y', [(0, 'x == """a" && b""" || y'), (1, 'x == """a" && b"""'), (1, "y")]),
        ("l.all(x, x && y) && z", [(0, "l.all(x, x && y) && z"), (1, "l.all(x, x && y)"), (1, "z")]),
        ("c ? a && b : d", [(0, "c ? a && b : d")]),
        ("!(a || b)", [(0, "!(a || b)"), (1, "a || b"), (2, "a"), (2, "b")]),
        # A sign inside brackets of any kind, or inside a text, parts nothing.
        ("(a ? b : c) && d", [(0, "(a ? b : c) && d"), (1, "a ? b : c"), (1, "d")]),
        ("x == '?' && y", [(0, "x == '?' && y"), (1, "x == '?'"), (1, "y")]),
        ("m[a && b] || c", [(0, "m[a && b] || c"), (1, "m[a && b]"), (1, "c")]),
        ("x in {'k': a || b} && c", [(0, "x in {'k': a || b} && c"), (1, "x in {'k': a || b}"), (1, "c")]),
        ("f(g(a), b) && c", [(0, "f(g(a), b) && c"), (1, "f(g(a), b)"), (1, "c")]),
        ("'(' == x && (y)", [(0, "'(' == x && (y)"), (1, "'(' == x"), (1, "y")]),
        ("'a\" || b' == x && y", [(0, "'a\" || b' == x && y"), (1, "'a\" || b' == x"), (1, "y")]),
        ("'''a' || b''' == x && y", [(0, "'''a' || b''' == x && y"), (1, "'''a' || b''' == x"), (1, "y")]),
        ("'a\\\\' == x && y", [(0, "'a\\\\' == x && y"), (1, "'a\\\\' == x"), (1, "y")]),
        ("'' == x && y", [(0, "'' == x && y"), (1, "'' == x"), (1, "y")]),
        ("a && b && c", [(0, "a && b && c"), (1, "a"), (1, "b"), (1, "c")]),
        ("a&&b", [(0, "a&&b"), (1, "a"), (1, "b")]),
        ("  a   &&\n b ", [(0, "a && b"), (1, "a"), (1, "b")]),
        ("!!a", [(0, "!!a"), (1, "!a"), (2, "a")]),
        ("(a) == (b)", [(0, "(a) == (b)")]),
        ("( (a) )", [(0, "a")]),
        ("!(a) && b", [(0, "!(a) && b"), (1, "!(a)"), (2, "a"), (1, "b")]),
        ("f(a) && !g(b)", [(0, "f(a) && !g(b)"), (1, "f(a)"), (1, "!g(b)"), (2, "g(b)")]),
    ],
)
def test_a_condition_is_taken_apart_at_its_own_signs_only(text: str, parts: list[tuple[int, str]]) -> None:
    assert list(clauses(text)) == parts
