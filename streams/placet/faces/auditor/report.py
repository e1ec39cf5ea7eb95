"""What the auditor found: each check with what it looked at, what was violated, and what it could not look at."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from placet.model.topics import Topic

SHOWN_MAX = 20
"""Violations of one check that are kept with their text; the rest are counted."""

CHECKS: dict[str, str] = {
    "SEALS": "every decision is sealed: numbers without a gap, roots chained and recomputed, signatures of pinned keys",
    "V1": "every committed record below the sealed positions has exactly one answer, an intent attempt one first answer",
    "V2": "every answer says what its record says, under digests recomputed from that record",
    "V3": "every cited record is committed and was read by the batch that cites it",
    "V4": "first answers stand in the order in which their intents were asked",
    "V5": "a verdict decided again from its case, by the CEL library, is the same verdict",
    "V6": "positions, cuts and instants never go back; every fact lies within the cut of its batch",
    "LIFE": "every attempt moves along the arrows of the life of an intent, from its newest record",
    "V7": "what grants hold and spend of a limit is never more than it, and each hold is spent or released once",
    "V8": "who is revoked is granted nothing from then on, and what was granted before is taken back",
    "V9": "what is halted is neither granted nor claimed, and every partition says which halts stand",
    "V10": "a fact that is missing, silent or not active, a rule that erred, and what was read too late, permit nothing",
    "V11": "every outcome rests on one claim of the granted action, in time, by one executor; nothing ran twice",
    "V12": "what is granted under constraint lies within what was asked",
    "V15": "what was taken is proved by a key that stood when it was read; nothing stays open under one that fell",
    "V18": "everything asked is decided: nothing lies above the sealed positions",
    "V19": "what was granted on votes rests on as many as were wanted: each of one active voter outside the chain, proved as was wanted, on its digest, in time",
    "REVIEWS": "every emergency that was granted has its review, answered by people outside its chain; what nobody answered in time raised its alarm, and bars the next",
    "V20": "the desk's changelog holds what the fold of its decisions holds",
    "QUARANTINE": "every record refused as faulty lies in quarantine with the bytes it came with",
    "WRITERS": "claims and outcomes that were taken are signed by their writers with pinned keys",
}


def title_of(topic: int) -> str:
    """Return a topic's name, also where a faulty record names one that is not."""
    return Topic(topic).title if topic in Topic._value2member_map_ else f"topic {topic}"


class Violation(NamedTuple):
    """One thing that must not be, and where it stands."""

    topic: str
    partition: int
    offset: int
    text: str


@dataclass(slots=True)
class Check:
    """One rule: how often it was looked at, and what came of it. `unchecked` counts by reason what it could not see."""

    name: str
    says: str
    checked: int = 0
    violated: int = 0
    shown: list[Violation] = field(default_factory=list)
    unchecked: Counter[str] = field(default_factory=Counter)

    def fail(self, topic: int, partition: int, offset: int, text: str) -> None:
        """Count a violation, and keep it while there are few."""
        self.violated += 1
        if len(self.shown) < SHOWN_MAX:
            self.shown.append(Violation(title_of(topic), partition, offset, text))

    def skip(self, why: str, count: int = 1) -> None:
        """Count what could not be checked, and why."""
        self.unchecked[why] += count


@dataclass(slots=True)
class Report:
    """All checks of one audit. It is clean when nothing was violated, whatever could not be checked."""

    checks: dict[str, Check] = field(default_factory=lambda: {n: Check(n, s) for n, s in CHECKS.items()})
    read: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    sampled: str = "all"

    def __getitem__(self, name: str) -> Check:
        return self.checks[name]

    @property
    def clean(self) -> bool:
        """Whether no check was violated."""
        return not any(check.violated for check in self.checks.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, as `placet audit --json` prints it."""
        return {
            "clean": self.clean,
            "read": dict(self.read),
            "open": self.opened,
            "decided_again": self.sampled,
            "checks": [
                {
                    "name": check.name,
                    "says": check.says,
                    "checked": check.checked,
                    "violated": check.violated,
                    "violations": [violation._asdict() for violation in check.shown],
                    "not_checked": dict(check.unchecked),
                }
                for check in self.checks.values()
            ],
        }
