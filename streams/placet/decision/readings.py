"""What open intents asked, as it was read when they came: of so many the newest, the others are read again."""

from placet.decision.intake import Asked

READINGS_MOST = 20_000
"""Readings kept at most, some 3 KB each."""


class Readings:
    """Readings by slot, in two generations. The older one is let go of whole, when the younger is full.

    Most intents end soon. What is open for long would fill a table that keeps what came first.
    """

    def __init__(self, most: int = READINGS_MOST) -> None:
        self._most = most // 2
        self._young: dict[bytes, Asked] = {}
        self._old: dict[bytes, Asked] = {}

    def put(self, asked: Asked) -> None:
        """Remember a reading."""
        if len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[asked.slot] = asked

    def get(self, slot: bytes) -> Asked | None:
        """Return what was asked under `slot`, or None where it is to be read again."""
        return self._young.get(slot) or self._old.get(slot)

    def forget(self, slot: bytes) -> None:
        """Let go of an intent at the end of its life."""
        if self._young.pop(slot, None) is None:
            self._old.pop(slot, None)
