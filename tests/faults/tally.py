"""What all stories of a run came to, for the last line of `make faults`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.story import Ending


@dataclass
class Tally:
    """Sums over all stories told in this process."""

    seeds: int = 0
    faults: int = 0
    checked: int = 0
    violations: int = 0

    def __str__(self) -> str:
        return (
            f"seeds: {self.seeds}, faults injected: {self.faults}, "
            f"invariants checked: {self.checked}, violations: {self.violations}"
        )


TOTAL = Tally()


def add(ending: Ending) -> None:
    """Count one story."""
    TOTAL.seeds += 1
    TOTAL.faults += ending.faults.total()
    TOTAL.checked += ending.checked
    TOTAL.violations += len(ending.violations)
