"""Patterns over names, as asked, as generated, and where two of them meet."""

import pytest

from placet.policy.patterns import fault_of, matches, meet, source


@pytest.mark.parametrize(
    ("patterns", "name", "covered"),
    [
        (("a.b",), "a.b", True),
        (("a.b",), "a.bc", False),
        (("a.*",), "a.b", True),
        (("a.*",), "a", False),
        (("*",), "", True),
        (("x", "a.*", "y"), "y", True),
        (("a'b",), "a'b", True),
        ((), "a", False),
        (("a*", "b*"), "bc", True),
    ],
)
def test_a_pattern_covers_what_it_says_also_as_generated_code(
    patterns: tuple[str, ...], name: str, covered: bool
) -> None:
    assert matches(patterns, name) is covered
    assert bool(eval(source(patterns, "name"), {"name": name})) is covered


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        (("user:*",), ("user:kim",), ("user:kim",)),
        (("*",), ("user:*",), ("user:*",)),
        (("user:kim",), ("user:mo",), ()),
        (("group:a", "user:*"), ("group:a", "agent:*"), ("group:a",)),
        (("*",), ("group:a",), ()),
        (("user:k*",), ("user:kim*",), ("user:kim*",)),
        (("owner",), ("owner", "user:kim"), ("owner",)),
        (("owner",), ("*",), ("owner",)),
        (("owner",), ("o*",), ()),  # whoever owns it need not be called so
    ],
)
def test_two_lists_meet_in_what_both_cover(a: tuple[str, ...], b: tuple[str, ...], both: tuple[str, ...]) -> None:
    assert meet(a, b) == meet(b, a) == both


def test_what_is_no_pattern_is_said() -> None:
    assert fault_of("a.*") == fault_of("group:x", groups=True) == ""
    assert "only at the end" in fault_of("*.a")
    assert "without white space" in fault_of("a b")
    assert "not known here" in fault_of("group:x")
    assert "named exactly" in fault_of("group:x*", groups=True)
