"""How much is open under each key: what is parked, what waits for people, and what is granted or begun."""

from collections.abc import Sequence

from placet.model.reasons import State

PARKED, PENDING, HELD = 0, 1, 2
GROUPS: dict[int, int] = {
    State.DEFERRED: PARKED,
    State.PENDING: PENDING,
    State.GRANTED: HELD,
    State.CLAIMED: HELD,
    State.UNKNOWN: HELD,
}
NAMES = ("parked", "waiting for people", "granted or begun")

Counts = list[int]
"""Open intents of one key: parked, pending, held."""


class Load:
    """Counts of open intents by key."""

    def __init__(self) -> None:
        self._keys: dict[bytes, Counts] = {}

    def of(self, key: bytes) -> Sequence[int] | None:
        """Return the counts of a key, or None where nothing of it is open."""
        return self._keys.get(key)

    def enter(self, key: bytes, state: int) -> None:
        """Count one more of `key` in this state."""
        counts = self._keys.get(key)
        if counts is None:
            counts = self._keys[key] = [0, 0, 0]
        counts[GROUPS[state]] += 1

    def leave(self, key: bytes, state: int) -> None:
        """Count one less of `key` in this state."""
        counts = self._keys[key]
        counts[GROUPS[state]] -= 1
        if not any(counts):
            del self._keys[key]
