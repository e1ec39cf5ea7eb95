"""Open intents that are decided only once the context was read as far as they ask."""

from collections.abc import Callable, Iterator

from placet.decision.arrow import Cause
from placet.decision.leases import Leases
from placet.decision.load import awaits_context
from placet.model.codec.intent import Position

Covers = Callable[[tuple[Position, ...]], bool]
"""Says whether the context was read past all of some positions."""


class Awaiting:
    """What each such intent waits for, by its slot. `covers` says whether that was read.

    One that has moved on is forgotten when it is next looked at, so a batch
    that is dropped need take nothing back; after a restore each is entered
    again as it is decided again.
    """

    def __init__(self, leases: Leases, covers: Covers) -> None:
        self._leases = leases
        self._covers = covers
        self._wanted: dict[bytes, tuple[Position, ...]] = {}

    def wait(self, slot: bytes, positions: tuple[Position, ...]) -> None:
        """Enter an open intent that waits until `positions` were read."""
        self._wanted[slot] = positions

    def done(self, slot: bytes) -> None:
        """Forget an intent that waits for this no longer; nothing where it did not."""
        self._wanted.pop(slot, None)

    def reached(self) -> Iterator[tuple[bytes, Cause]]:
        """Yield every open intent whose wait is over, with the record that it waited for last."""
        for slot, positions in list(self._wanted.items()):
            lease = self._leases.open.get(slot)
            if lease is None or not awaits_context(lease):
                del self._wanted[slot]
            elif self._covers(positions):
                last = positions[-1]
                yield slot, Cause(last.topic, last.partition, last.offset)

    def __bool__(self) -> bool:
        """Return whether any wait is over."""
        return bool(self._wanted) and next(self.reached(), None) is not None
