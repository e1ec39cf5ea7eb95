"""The auditor's own copy of what may follow what (DESIGN §3), of effects, states and reasons it tells apart."""

PERMIT, CONSTRAIN, STEP_UP, DEFER, DENY = 1, 2, 3, 4, 5

(
    ASKED,
    DENIED,
    DEFERRED,
    PENDING,
    GRANTED,
    CLAIMED,
    DONE,
    FAILED,
    REFUSED,
    UNKNOWN,
    REVOKED,
    LAPSED,
    EXPIRED,
    WITHDRAWN,
) = range(14)

NAMES = (
    "asked",
    "denied",
    "deferred",
    "pending",
    "granted",
    "claimed",
    "done",
    "failed",
    "refused",
    "unknown",
    "revoked",
    "lapsed",
    "expired",
    "withdrawn",
)

FOLLOWS: dict[int, frozenset[int]] = {
    ASKED: frozenset({DENIED, DEFERRED, PENDING, GRANTED, CLAIMED}),
    DEFERRED: frozenset({DENIED, PENDING, GRANTED, CLAIMED, WITHDRAWN}),
    PENDING: frozenset({DENIED, DEFERRED, GRANTED, CLAIMED, EXPIRED, WITHDRAWN}),
    GRANTED: frozenset({CLAIMED, REVOKED, LAPSED, WITHDRAWN}),
    CLAIMED: frozenset({DONE, FAILED, REFUSED, UNKNOWN}),
    UNKNOWN: frozenset({DONE, FAILED}),
}
"""States that are not keys are ends."""

WAITING = frozenset({DEFERRED, PENDING})
HELD = frozenset({GRANTED, CLAIMED})
HOLDING = frozenset({GRANTED, CLAIMED, UNKNOWN})
BY_CLOCK = frozenset({LAPSED, UNKNOWN, EXPIRED})
BY_OUTCOME = frozenset({DONE, FAILED, REFUSED})

APPROVED, REJECTED, VOTED, ASKED_ANEW = 505, 605, 754, 757
EMERGENCY_BARRED, EMERGENCY, REVIEWED_WRONG = 457, 507, 607
ASKED_REVIEW, RIGHT, WRONG, OVERDUE = 1, 2, 3, 4
"""Where the review of an emergency is; right and wrong are ends."""
STILL = frozenset({VOTED, ASKED_ANEW})
"""Reasons of a record that leaves an attempt pending: a vote counts, or others are asked."""

FAULTY_BELOW = 200
"""Refusals with a lesser reason leave the record's bytes in quarantine."""
TRANSIENT = frozenset({310, 320, 330})
"""Lagging, overloaded, context silent: attempt + 1 may follow."""


def name_of(state: int) -> str:
    """Return a state's name, also of one that is not in the table."""
    return NAMES[state] if 0 <= state < len(NAMES) else f"state {state}"


def state_of(effect: int, *, claim_required: bool) -> int | None:
    """Return the state an effect leads to, or None for what is not an effect."""
    granted = GRANTED if claim_required else CLAIMED
    return {PERMIT: granted, CONSTRAIN: granted, STEP_UP: PENDING, DEFER: DEFERRED, DENY: DENIED}.get(effect)
