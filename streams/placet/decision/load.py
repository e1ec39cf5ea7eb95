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
    """Counts of open intents by key, and which count each slot stands in.

    A slot is counted from the first time its key is told.
    """

    def __init__(self) -> None:
        self._keys: dict[bytes, Counts] = {}
        self._slots: dict[bytes, tuple[bytes, int]] = {}

    def of(self, key: bytes) -> Sequence[int] | None:
        """Return the counts of a key, or None where nothing of it is open."""
        return self._keys.get(key)

    def move(self, slot: bytes, state: int, key: bytes | None = None) -> None:
        """Count a slot in its new state; one that was never counted, under `key`."""
        at = self._slots.get(slot)
        group = GROUPS[state]
        if at is None:
            if key is None:
                return
            counts = self._keys.get(key)
            if counts is None:
                counts = self._keys[key] = [0, 0, 0]
        else:
            key, before = at
            if before == group:
                return
            counts = self._keys[key]
            counts[before] -= 1
        counts[group] += 1
        self._slots[slot] = (key, group)

    def leave(self, slot: bytes) -> bytes | None:
        """Count a slot no more; return its key, or None where it was not counted."""
        at = self._slots.pop(slot, None)
        if at is None:
            return None
        key, group = at
        counts = self._keys[key]
        counts[group] -= 1
        if not any(counts):
            del self._keys[key]
        return key
