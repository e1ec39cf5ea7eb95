"""Patterns over names: exact, a prefix ending in `*`, or `*` alone; and how each reads as Python."""

from collections.abc import Sequence

OWNER = "owner"
"""Among who may approve: whoever owns the resource. It is no id, and of patterns only `*` covers whoever that is.
Who owns the actor is in the chain, and is never asked."""


def fault_of(pattern: str, *, groups: bool = False) -> str:
    """Return why `pattern` cannot be used, or an empty text. `group:NAME` is exact and only where `groups`."""
    if not pattern or len(pattern) > 256 or any(c.isspace() for c in pattern):
        return f"`{pattern}` is not a pattern: 1 to 256 characters without white space"
    if "*" in pattern[:-1]:
        return f"`{pattern}`: `*` stands only at the end of a pattern"
    if pattern.startswith("group:") and not groups:
        return f"`{pattern}`: groups are not known here, only ids"
    if pattern.startswith("group:") and pattern.endswith("*"):
        return f"`{pattern}`: a group is named exactly"
    return ""


def matches(patterns: Sequence[str], name: str) -> bool:
    """Whether any of `patterns` covers `name`."""
    return any(name == p or (p.endswith("*") and name.startswith(p[:-1])) for p in patterns)


def meet(a: Sequence[str], b: Sequence[str]) -> tuple[str, ...]:
    """Return patterns that cover what both `a` and `b` cover."""
    both = {p for p in a if p in b}
    both |= {p for p in a if not p.startswith("group:") and _inside(p, b)}
    both |= {p for p in b if not p.startswith("group:") and _inside(p, a)}
    return tuple(sorted(both))


def covers(others: Sequence[str], patterns: Sequence[str]) -> bool:
    """Whether whatever `patterns` cover is covered by `others`; a group only by itself, or by `*`."""
    return all(p in others or "*" in others or (not p.startswith("group:") and _inside(p, others)) for p in patterns)


def _inside(pattern: str, others: Sequence[str]) -> bool:
    """Whether one of `others` covers all of `pattern`."""
    if pattern == OWNER:
        return OWNER in others or "*" in others
    return any(
        other == pattern or (other.endswith("*") and pattern.startswith(other[:-1]))
        for other in others
        if not other.startswith("group:")
    )


def source(patterns: Sequence[str], name: str) -> str:
    """Return Python that says whether any of `patterns` covers the text in `name`."""
    if "*" in patterns:
        return "True"
    exact = sorted({p for p in patterns if not p.endswith("*")})
    prefixes = sorted({p[:-1] for p in patterns if p.endswith("*")})
    said = []
    if exact:
        said.append(f"{name} == {exact[0]!r}" if len(exact) == 1 else f"{name} in {tuple(exact)!r}")
    if prefixes:
        said.append(f"{name}.startswith({tuple(prefixes)!r})")
    return f"({' or '.join(said)})" if said else "False"
