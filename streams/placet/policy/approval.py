"""What a step-up waits for: how many yes, of whom, until when, and who may say yes as well after a time."""

from collections.abc import Iterable

import msgspec

from placet.policy import patterns
from placet.policy.forms import ApprovalForm
from placet.policy.patterns import OWNER


class Approval(msgspec.Struct, frozen=True):
    """How many must say yes, of whom (patterns of ids, `group:NAME` or `owner`), within how many ms.

    `later` says, in order of time, who all may from so many ms after the intent was asked.
    """

    quorum: int
    eligible: tuple[str, ...]
    expires_ms: int
    later: tuple[tuple[int, tuple[str, ...]], ...] = ()

    def at(self, waited_ms: int) -> tuple[str, ...]:
        """Return who may say yes so many ms after the intent was asked."""
        eligible = self.eligible
        for after_ms, more in self.later:
            if after_ms > waited_ms:
                break
            eligible = more
        return eligible

    def next_after(self, waited_ms: int) -> int | None:
        """Return how many ms after the intent was asked others are asked next, or None."""
        return next((after_ms for after_ms, _ in self.later if after_ms > waited_ms), None)

    def asks_owner(self) -> bool:
        """Return whether the owner of the resource may say yes, now or later."""
        return any(OWNER in eligible for eligible in (self.eligible, *(more for _, more in self.later)))


def approval_of(form: ApprovalForm | None) -> Approval | None:
    """Return the requirement a form describes."""
    if form is None:
        return None
    eligible = set(form.eligible)
    first, later = tuple(sorted(eligible)), {}
    for step in sorted(form.escalate, key=lambda step: step.after_s):
        eligible |= set(step.to)
        later[step.after_s * 1000] = tuple(sorted(eligible))
    return Approval(form.quorum, first, form.expires_s * 1000, tuple(later.items()))


def together(asked: Iterable[Approval | None]) -> Approval | None:
    """Return one requirement that satisfies all: the greatest quorum, those eligible under each, the shortest time.

    Where no pattern is eligible under all of them nobody is, and the wait ends in expiry.
    """
    merged: Approval | None = None
    for approval in asked:
        if approval is not None:
            merged = approval if merged is None else _both(merged, approval)
    return merged


def _both(one: Approval, other: Approval) -> Approval:
    times = sorted({after_ms for approval in (one, other) for after_ms, _ in approval.later})
    return Approval(
        max(one.quorum, other.quorum),
        patterns.meet(one.eligible, other.eligible),
        min(one.expires_ms, other.expires_ms),
        tuple((after_ms, patterns.meet(one.at(after_ms), other.at(after_ms))) for after_ms in times),
    )
