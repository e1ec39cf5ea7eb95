"""How far the signals of one partition are folded, and up to when all of it is quiet."""

from typing import Any

from placet.drivers.acks import InOrder
from placet.drivers.context_app.unbroken import Unbroken

STILL_S = 2.0
"""How long nothing may be on its way before what was fetched and not folded is read again, or was never there."""


class Progress:
    """What one worker knows of a signal partition that it owns.

    `aim` sets the next instant to be said: all signals below `end` lay there
    after the clock said `now`. Once they are folded and kept, `quiet` returns
    that instant, once. A partition that is short of its end and does not move
    is counted in `stuck_s`, by looks and not by the clock: a process that was
    stopped has not stalled. `missed` says after a look that what follows the
    last signal folded has to be read again.
    """

    def __init__(self) -> None:
        self.acks = InOrder()
        self.order = Unbroken()
        self.missed = False
        self.stuck_s = 0.0
        self._heard = -1
        self._folding = False
        self._aim: tuple[int, int] | None = None
        self._place: tuple[int, int, int] | None = None
        self._still_s = 0.0
        self._committed = self._passed = 0

    def hear(self, offset: int) -> None:
        """A signal at `offset` is being folded."""
        self._heard, self._folding = offset, True

    def sent(self, event: Any, done: Any) -> None:
        """What the signal led to was handed over; `done` is when it is kept."""
        self.acks.add(event, done)
        self._folding = False

    def aim(self, now: int, end: int, committed: int, fetched: int, waiting: bool, since_s: float) -> None:
        """Look at the partition `since_s` after the last look.

        `committed` is where the group would begin, `fetched` the consumer's
        position, `waiting` whether fetched signals wait to be folded.
        """
        place = (self._heard, self.acks.settled or 0, fetched)
        idle = self.acks.idle and not self._folding and not waiting
        self._still_s = self._still_s + since_s if idle and place == self._place else 0.0
        still = self._still_s >= STILL_S
        # Offsets are also taken by control records, which nobody ever folds: known when they are not delivered twice.
        self.missed = still and not self.order.nothing_before(fetched)
        self._passed = fetched if still and not self.missed else 0
        self._committed = committed
        if place != self._place or self._reached() >= end:
            self.stuck_s = 0.0
        else:
            self.stuck_s += since_s
        self._place = place
        if self._aim is None:
            self._aim = (now, end)

    def quiet(self) -> int | None:
        """Return up to when all is quiet if that is news, ms."""
        if self._aim is None or self._reached() < self._aim[1]:
            return None
        now, self._aim = self._aim[0], None
        return now

    def _reached(self) -> int:
        return max(self.acks.settled or 0, self._committed, self._passed)
