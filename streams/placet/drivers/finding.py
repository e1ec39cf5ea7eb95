"""One thing that is not as it must be: what, where, what was expected, and what to do next."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What `placet doctor` found. `grave` ends a promise; what is not is worth knowing.

    `code` names the kind for programs, and never changes.
    """

    code: str
    grave: bool
    where: str
    found: str
    expected: str
    next: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; expected {self.expected}"


def fault(code: str, where: str, found: str, expected: str, next_: str) -> Finding:
    """Return a finding that ends a promise."""
    return Finding(code, grave=True, where=where, found=found, expected=expected, next=next_)


def warning(code: str, where: str, found: str, expected: str, next_: str) -> Finding:
    """Return a finding that is worth knowing."""
    return Finding(code, grave=False, where=where, found=found, expected=expected, next=next_)
