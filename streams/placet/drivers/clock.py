"""The wall clock of this machine, read once per batch."""

import time


class SystemClock:
    """`ports.Clock` over the operating system's clock."""

    def now_ms(self) -> int:
        """Return the wall clock in ms since 1970 (UTC). It may go back; the desk never does."""
        return time.time_ns() // 1_000_000
