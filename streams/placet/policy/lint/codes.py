"""What a lint finding is: a code with its severity and meaning, a message, and a place."""

from typing import Literal, TypeAlias

import msgspec

from placet.policy.documents import Path

Severity: TypeAlias = Literal["error", "warning"]

CODES: dict[str, tuple[Severity, str]] = {
    "shadowed": ("error", "a graver rule speaks whenever this one does, so that this one never decides"),
    "contradictory": ("error", "two rules differ about exactly the same cases, or a rule demands what cannot run"),
    "never_true": ("error", "the condition cannot be true, whatever is asked"),
    "unreachable": ("error", "no declared action is met, or nobody can be meant"),
    "approval_impossible": ("error", "nobody can satisfy this approval"),
    "approvals_apart": ("warning", "two approvals may be asked at once, and nobody is eligible under both"),
    "never_true_here": ("warning", "on one of the rule's actions the condition cannot be true"),
    "clause_never_true": ("warning", "a part of the condition cannot be true where it stands"),
    "always_true": ("warning", "the condition is true of everything that fits the declaration"),
    "redundant": ("warning", "another rule says the same whenever this one does"),
    "pattern_idle": ("warning", "one of the patterns adds nothing, or meets nothing"),
    "never_granted": ("warning", "an action is declared, and no rule ever grants it"),
    "limit_idle": ("warning", "a limit counts nothing, or lets nothing through"),
    "not_compared": ("warning", "too many rules are about the same actions: not every two were compared"),
}
"""Every code: how grave it is, and what it means."""


class Lint(msgspec.Struct, frozen=True, order=True):
    """One finding about one place; line and column count from 1."""

    file: str
    line: int
    column: int
    code: str
    message: str

    @property
    def severity(self) -> Severity:
        """How grave it is: an error is never meant, a warning may be."""
        return CODES[self.code][0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity} {self.code}: {self.message}"


class Note(msgspec.Struct, frozen=True):
    """A finding whose place is still to be looked up: the file, the path in it, and `at`, (line, column) inside a text."""

    code: str
    message: str
    path: Path
    file: str = "rules.yaml"
    at: tuple[int, int] | None = None
