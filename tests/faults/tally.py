"""What stories come to: each by itself, and all of a run for the last line of `make faults`."""

from collections import Counter
from dataclasses import dataclass, field

from placet.faces.auditor.report import Report
from tests.faults.script import Way


@dataclass
class Ending:
    """What became of one story."""

    seed: int
    faults: Counter[tuple[str, Way]] = field(default_factory=Counter)
    checked: int = 0
    violations: list[str] = field(default_factory=list)

    def hold(self, report: Report) -> None:
        """Take what the auditor says."""
        for check in report.checks.values():
            self.checked += check.checked
            self.violations += [f"{check.name}: {violation}" for violation in check.shown]


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
