"""What many rows have in common is held once: memory for tens of thousands of rows is mostly repetition."""

from collections.abc import Hashable
from typing import Any, TypeVar

H = TypeVar("H", bound=Hashable)
SAME_MOST = 100_000
"""Values that are remembered; past it they begin anew, and rows made before keep what they have."""


class Same:
    """Owners, groups, patterns and the like: thousands of rows share few of them, so each is held once."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}
        self._maps: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}

    def one(self, value: H) -> H:
        """Return `value` (texts, or text in a tuple or a set), or the equal one that came before it."""
        if len(self._known) >= SAME_MOST:
            self._known.clear()
        found: H = self._known.setdefault(value, value)
        return found

    def map(self, value: dict[str, str]) -> dict[str, str]:
        """Return `value`, or the equal one that came before it. Nobody changes either."""
        if len(self._maps) >= SAME_MOST:
            self._maps.clear()
        return self._maps.setdefault(tuple(value.items()), value)
