"""When things happen in the demo: rounds of equal length, and cues within a round as parts of it."""

import time
from threading import Event

ROUND_S_MAX = 8.0
ROUND_PART = 0.8


class Clockwork:
    """Rounds begin when it is made. A short demo has one short round, a long one many of 8 s."""

    def __init__(self, for_s: float | None) -> None:
        self.round_s = ROUND_S_MAX if for_s is None else min(ROUND_S_MAX, for_s * ROUND_PART)
        self.ends_s = for_s
        self.ending = Event()
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Return the seconds since it began."""
        return time.monotonic() - self._began

    @property
    def over(self) -> bool:
        """Return whether the time given to the demo is up."""
        return self.ends_s is not None and self.elapsed_s >= self.ends_s

    def cue(self, round_: int, part: float) -> bool:
        """Wait for a part (0 to 1) of a round; return false when the demo ends before."""
        left = (round_ + part) * self.round_s - self.elapsed_s
        return not self.ending.wait(max(0.0, left))

    def pause(self, seconds: float) -> bool:
        """Wait; return false when the demo ends before."""
        return not self.ending.wait(seconds)
