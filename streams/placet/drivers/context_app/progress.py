"""How far the signals of one partition are folded, and up to when all of it is quiet."""

from placet.drivers.acks import InOrder


class Progress:
    """What one worker knows of a signal partition that it owns.

    `aim` sets the next instant to be said: all signals below `end` lay there
    after the clock said `now`. Once they are folded and kept, `quiet` returns
    that instant, once. A partition that is short of its end and does not move
    is counted in `stuck_s`, by looks and not by the clock: a process that was
    stopped has not stalled.
    """

    def __init__(self) -> None:
        self.acks = InOrder()
        self.stuck_s = 0.0
        self._heard: int | None = None
        self._aim: tuple[int, int] | None = None
        self._place: tuple[int | None, int | None] = (None, None)
        self._passed = 0

    def hear(self, offset: int) -> None:
        """A signal at `offset` is being folded."""
        self._heard = offset + 1

    def aim(self, now: int, end: int, fetched: int, busy: bool, since_s: float) -> None:
        """Look at the partition `since_s` after the last look.

        `fetched` is the consumer's position, `busy` whether messages of this
        partition are on their way from it.
        """
        place = (self._heard, self.acks.settled)
        still = place == self._place and self.acks.idle and not busy
        # Offsets are also taken by control records, which nobody sees, and a worker may begin at the end: what was
        # fetched counts as folded when two looks in a row find nothing on its way.
        self._passed = fetched if still else 0
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
        return max(self.acks.settled or 0, self._passed)
