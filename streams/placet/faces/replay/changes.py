"""What would have been otherwise: changes by kind, rule, agent and action, what they do to approvals and budgets, and samples."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

SAMPLES_MOST = 3
"""Samples kept of each kind of change by the same rules."""
KINDS_MOST = 200
"""Kinds of change of which samples are kept."""
Key = tuple[str, ...]


@dataclass(slots=True)
class Changes:
    """What came of another history, of one partition or several.

    `answers` counts first answers by effect before and after. `by_rule`,
    `by_agent` and `by_action` count attempts that changed: by name, then the
    effects before and after, then `blocked`, `passed` or
    `otherwise`, which ends the same by another answer. `people`
    counts attempts that waited for people, and those they let through, before
    and after. `budgets` adds up amounts by limit: spent and held, before and
    after. `moments` counts changes by when they were asked, in units of 10 s.
    """

    attempts: int = 0
    changed: int = 0
    blocked: int = 0
    passed: int = 0
    otherwise: int = 0
    answers: Counter[Key] = field(default_factory=Counter)
    by_rule: Counter[Key] = field(default_factory=Counter)
    by_agent: Counter[Key] = field(default_factory=Counter)
    by_action: Counter[Key] = field(default_factory=Counter)
    people: Counter[Key] = field(default_factory=Counter)
    budgets: Counter[Key] = field(default_factory=Counter)
    moments: Counter[Key] = field(default_factory=Counter)
    not_decided: Counter[Key] = field(default_factory=Counter)
    not_on_record: Counter[Key] = field(default_factory=Counter)
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    instants: tuple[int, int] = (0, 0)

    def add(self, other: "Changes") -> None:
        """Take in what came of other partitions."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for kind, samples in other.samples.items():
            for sample in samples:
                self.sample(kind, sample)
        known = [at for at in (*self.instants, *other.instants) if at]
        self.instants = (min(known), max(known)) if known else (0, 0)

    def wants(self, kind: str) -> bool:
        """Return whether another sample of this kind of change is kept."""
        held = self.samples.get(kind)
        return len(self.samples) < KINDS_MOST if held is None else len(held) < SAMPLES_MOST

    def sample(self, kind: str, sample: dict[str, Any]) -> None:
        """Keep a sample where it is wanted."""
        if self.wants(kind):
            self.samples.setdefault(kind, []).append(sample)

    def change(self, name: Mapping[str, str], before: str, after: str, what: str, moment: int) -> None:
        """Count an attempt whose fate changed; `name` has its `agent` and `action`, `rules` those that decide it."""
        self.changed += 1
        setattr(self, what, getattr(self, what) + 1)
        kind = (before, after, what)
        self.by_agent[name["agent"], *kind] += 1
        self.by_action[name["action"], *kind] += 1
        for rule in name["rules"].split() or ["before any rule"]:
            self.by_rule[rule, *kind] += 1
        self.moments[str(moment), what] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON has it, what is counted most first."""
        told: dict[str, Any] = {name: getattr(self, name) for name in NUMBERS}
        for name in COUNTERS:
            rows = sorted(getattr(self, name).items(), key=lambda row: (-row[1], row[0]))
            told[name] = [[*key, number] for key, number in rows]
        return {**told, "samples": self.samples, "from_ms": self.instants[0], "to_ms": self.instants[1]}


NUMBERS = ("attempts", "changed", "blocked", "passed", "otherwise")
COUNTERS = tuple(one.name for one in fields(Changes) if one.name not in (*NUMBERS, "samples", "instants"))


def changes_of(told: Mapping[str, Any]) -> Changes:
    """Return what JSON tells of another history."""
    made = Changes(samples=told["samples"], instants=(told["from_ms"], told["to_ms"]))
    for name in NUMBERS:
        setattr(made, name, told[name])
    for name in COUNTERS:
        setattr(made, name, Counter({tuple(row[:-1]): row[-1] for row in told[name]}))
    return made
