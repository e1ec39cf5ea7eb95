"""Limits of the model: what open grants hold, and what was spent, kept as a plain list and added up anew each time.

A window slides in 64 parts, and what was spent leaves with the end of its part (`decision/meters`): never too early.
"""

from typing import NamedTuple

from placet.model.reasons import Effect
from tests.decision.reference.scene import EXPORT, GIVE, LOOK, PAY, Ask

Name = tuple[str, str, str]
"""Authority, limit and scope: whose amount it is."""


class Limit(NamedTuple):
    """One limit as it bears on one intent; `seconds` 0 is without end. `quorum` people lift it where it steps up."""

    name: str
    scope: str
    seconds: int
    most: int
    over: Effect
    measures_amount: bool

    def takes(self, amount: int | None) -> int:
        return (amount or 0) if self.measures_amount else 1


class Spent(NamedTuple):
    """An amount that was spent: by which attempt (the seq of its first answer), when (ms), and over what window."""

    name: Name
    by: int
    amount: int
    at: int
    seconds: int

    @property
    def leaves(self) -> int:
        """When it counts no more (ms): after its own window, whatever the limit's is by then."""
        if not self.seconds:
            return 1 << 62
        window = self.seconds * 1000
        part = (window + 63) // 64
        return self.at - self.at % part + part - 1 + window

    def counts(self, now: int) -> bool:
        return now < self.leaves


def limits_on(ask: Ask, tight: bool, chain: list[str]) -> list[Limit]:
    """Return the limits an intent falls under: the pack's, then those of the mandates it rests on, its own first."""
    found: list[Limit] = []
    if ask.action == PAY:
        found.append(Limit("shop/sum", "authority", 300 if tight else 600, 1200 if tight else 2500, Effect.DENY, True))
        found.append(Limit("shop/many", f"actor={ask.actor}", 120, 2, Effect.STEP_UP, False))
    if ask.action == GIVE:
        found.append(Limit("shop/gifts", "authority", 300, 100, Effect.CONSTRAIN, True))
    if ask.action == LOOK:
        found.append(Limit("shop/looks", f"actor={ask.actor}", 60, 2, Effect.DEFER, False))
    if ask.action == EXPORT:
        scope = f"actor={ask.actor} session={ask.session}"
        found.append(Limit("shop/exports", scope, 300, 1, Effect.DENY, False))
    for mandate in chain:
        if mandate == "m1" and ask.action in (PAY, GIVE):
            found.append(Limit("mandate/m1", "amount 0 shop.pay,shop.give", 0, 6000, Effect.DENY, True))
        if mandate == "m2":
            found.append(Limit("mandate/m2", "count 120", 120, 5, Effect.DENY, False))
    return found
