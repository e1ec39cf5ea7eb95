"""What a bench found: its figures beside their targets, and whether what it wrote holds what placet promises."""

import json
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from placet.faces.auditor import Report, audit
from placet.faces.bench import machine
from placet.ports import Log

AUDIT_SAMPLE = 20_000


@cache
def targets() -> dict[str, dict[str, dict[str, float]]]:
    """Return every target: bench, then figure, then `at_least` or `at_most`."""
    found: dict[str, dict[str, dict[str, float]]] = json.loads((Path(__file__).parent / "targets.json").read_bytes())
    return found


@dataclass(slots=True)
class Result:
    """The figures of one bench. It is clean while no audit of what it wrote found a violation."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    profile_us: dict[str, float] = field(default_factory=dict)
    audits: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether there was an audit and none found anything."""
        return bool(self.audits) and all(one["clean"] for one in self.audits.values())

    def told(self) -> dict[str, Any]:
        """Return all of it as JSON has it. A violation makes every target missed, and so does a figure that is absent."""
        wanted = targets()[self.name]
        met = {name: self.clean and _meets(self.figures.get(name), bound) for name, bound in wanted.items()}
        return {
            "bench": self.name,
            "figures": self.figures,
            "targets": wanted,
            "met": met,
            "profile_us": self.profile_us,
            "clean": self.clean,
            "audits": self.audits,
            "machine": machine.facts(),
        }


def _meets(value: Any, bound: dict[str, float]) -> bool:
    if not isinstance(value, int | float):
        return False
    return bound.get("at_least", value) <= value <= bound.get("at_most", value)


def tell(text: str) -> None:
    """Say how far a bench is, on stderr."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


def audited(log: Log, keys: Path, kek: bytes, verdicts: int | None) -> dict[str, Any]:
    """Return what the auditor found in `log`, which must hold exactly `verdicts` verdicts, where told, and no refusal."""
    tell("audit of what was written")
    report: Report = audit(log, json.loads(keys.read_bytes()), kek, sample=AUDIT_SAMPLE)
    violations = [
        f"{found.topic}/{found.partition}@{found.offset}: {name}: {found.text}"
        for name, check in report.checks.items()
        for found in check.shown
    ]
    read = dict(report.read)
    said = {name: read.get(name, 0) for name in ("verdict", "repeat", "refusal")}
    if verdicts is not None and said != {"verdict": verdicts, "repeat": 0, "refusal": 0}:
        violations.append(f"expected {verdicts} verdicts and nothing else, read {said}")
    return {
        "clean": report.clean and not violations,
        "read": read,
        "decided_again": report.sampled,
        "checked": {name: check.checked for name, check in report.checks.items()},
        "violations": violations[:20],
    }
