"""How much is open under each key, what is parked, waits for people, and is granted or begun; and how much of each actor
only waits for the context.
"""

from collections.abc import Sequence

from placet.decision.held import writer_in
from placet.model.codec.desk_change import Lease
from placet.model.reasons import Reason, State

PARKED, PENDING, HELD, AWAITING = 0, 1, 2, 3
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
Place = tuple[bytes, int]
"""Whose place an open intent takes, and of which kind."""


DEFERRED, SILENT = int(State.DEFERRED), int(Reason.CONTEXT_SILENT)


def awaits_context(lease: Lease) -> bool:
    """Return whether an open intent was deferred because the context was behind what it asks."""
    return lease.state == DEFERRED and lease.reason == SILENT


def place_of(lease: Lease, key: bytes) -> Place:
    """Return whose place an open intent takes: that of its key, or of its actor where nothing was decided of it.

    Whom it may act for is not known before the context was read as far as it asks: no authority's place is taken so.
    """
    state = lease.state
    if state == DEFERRED and lease.reason == SILENT:
        return writer_in(lease.intent), AWAITING
    return key, GROUPS[state]


class Load:
    """Counts of open intents by key, and of those that wait for the context by actor, as `tenant/actor`."""

    def __init__(self) -> None:
        self._keys: dict[bytes, Counts] = {}
        self._writers: dict[bytes, int] = {}

    def of(self, key: bytes) -> Sequence[int] | None:
        """Return the counts of a key, or None where nothing of it is open."""
        return self._keys.get(key)

    def awaiting(self, writer: bytes) -> int:
        """Return how many intents of an actor wait for the context."""
        return self._writers.get(writer, 0)

    def enter(self, place: Place) -> None:
        """Count one more in a place."""
        key, group = place
        if group == AWAITING:
            self._writers[key] = self._writers.get(key, 0) + 1
            return
        counts = self._keys.get(key)
        if counts is None:
            counts = self._keys[key] = [0, 0, 0]
        counts[group] += 1

    def leave(self, place: Place) -> None:
        """Count one less in a place."""
        key, group = place
        if group == AWAITING:
            self._writers[key] -= 1
            if not self._writers[key]:
                del self._writers[key]
            return
        counts = self._keys[key]
        counts[group] -= 1
        if not any(counts):
            del self._keys[key]
