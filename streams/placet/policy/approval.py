"""What a step-up waits for: how many yes, of whom, until when, and who may say yes as well after a time."""

from collections.abc import Iterable

import msgspec

from placet.policy import patterns
from placet.policy.forms import ApprovalForm, ReviewForm

OWNER = "owner"
"""In `from`: who owns the resource. Who owns the actor is in the chain, and is never asked."""


class Approval(msgspec.Struct, frozen=True):
    """How many must say yes, of whom (patterns of ids, `group:NAME` or `owner`), within how many ms.

    `later` says, in order of time, who all may from so many ms after the intent was asked. `acr` are the ways to
    authenticate of which each must have taken one, `auth_age_ms_max` how long ago that may be; empty and 0: any.
    """

    quorum: int
    eligible: tuple[str, ...]
    expires_ms: int
    later: tuple[tuple[int, tuple[str, ...]], ...] = ()
    acr: tuple[str, ...] = ()
    auth_age_ms_max: int = 0

    def is_proved(self, acr: str, auth_age_ms: int) -> bool:
        """Return whether somebody who authenticated in this way, and so long ago, may say yes or no."""
        return (not self.acr or acr in self.acr) and (not self.auth_age_ms_max or auth_age_ms <= self.auth_age_ms_max)

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


def approval_of(form: ReviewForm | None) -> Approval | None:
    """Return the requirement a form describes."""
    if form is None:
        return None
    eligible = set(form.eligible)
    first, later = tuple(sorted(eligible)), {}
    for step in sorted(form.escalate if isinstance(form, ApprovalForm) else (), key=lambda step: step.after_s):
        eligible |= set(step.to)
        later[step.after_s * 1000] = tuple(sorted(eligible))
    acr, age_ms = tuple(sorted(set(form.acr or ()))), (form.auth_age_s_max or 0) * 1000
    return Approval(form.quorum, first, form.expires_s * 1000, tuple(later.items()), acr, age_ms)


def together(asked: Iterable[Approval | None]) -> Approval | None:
    """Return one requirement that satisfies all: the greatest quorum, those eligible under each, the shortest times.

    Where no pattern is eligible under all of them, or no `acr` will do for all, nobody is, and the wait ends in expiry.
    """
    merged: Approval | None = None
    for approval in asked:
        if approval is not None:
            merged = approval if merged is None else _both(merged, approval)
    return merged


def _both(one: Approval, other: Approval) -> Approval:
    times = sorted({after_ms for approval in (one, other) for after_ms, _ in approval.later})
    acr = tuple(sorted({*one.acr} & {*other.acr})) if one.acr and other.acr else one.acr or other.acr
    apart = bool(one.acr or other.acr) and not acr
    ages = [approval.auth_age_ms_max for approval in (one, other) if approval.auth_age_ms_max]
    return Approval(
        max(one.quorum, other.quorum),
        () if apart else patterns.meet(one.eligible, other.eligible),
        min(one.expires_ms, other.expires_ms),
        () if apart else tuple((at_ms, patterns.meet(one.at(at_ms), other.at(at_ms))) for at_ms in times),
        acr,
        min(ages, default=0),
    )


def challenge(acr: Iterable[str], auth_age_ms_max: int) -> str:
    """Return how somebody has to authenticate before their vote counts, as a resource server says it (RFC 9470 §3)."""
    said = ['error="insufficient_user_authentication"', 'error_description="a vote on this wants stronger proof"']
    values = " ".join(acr)
    said += [f'acr_values="{values}"'] if values else []
    said += [f'max_age="{auth_age_ms_max // 1000}"'] if auth_age_ms_max else []
    return ", ".join(said)
