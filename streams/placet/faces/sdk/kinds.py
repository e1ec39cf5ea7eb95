"""What a catcher does about an answer that grants nothing: one kind for each thing that may be done."""

from enum import StrEnum
from typing import TYPE_CHECKING

from placet.faces.sdk.advice import ENDED, MISASKED, OVER
from placet.model.reasons import Reason, State

if TYPE_CHECKING:
    from placet.faces.sdk.models import Answer


class Kind(StrEnum):
    """Each is an error of `errors`, which says what its catcher does."""

    DENIED = "denied"
    TRY_AGAIN = "try_again"
    OVER_LIMIT = "over_limit"
    MISASKED = "misasked"
    OUTSIDE_MANDATE = "outside_mandate"
    NOT_TRUSTED = "not_trusted"
    HALTED = "halted"
    DEFERRED = "deferred"
    PENDING = "pending"
    ENDED = "ended"
    SETTLED = "settled"


DENIALS = {
    Reason.HALTED: Kind.HALTED,
    **dict.fromkeys((Reason.OUTSIDE_MANDATE, Reason.CHAIN_BROKEN), Kind.OUTSIDE_MANDATE),
    **dict.fromkeys(
        (
            Reason.WRITER_UNPROVED,
            Reason.KEY_COMPROMISED,
            Reason.TENANT_MISMATCH,
            Reason.PRINCIPAL_UNKNOWN,
            Reason.PRINCIPAL_INACTIVE,
        ),
        Kind.NOT_TRUSTED,
    ),
    **dict.fromkeys(MISASKED, Kind.MISASKED),
    Reason.LIMIT_EXCEEDED: Kind.OVER_LIMIT,
}
"""Denials after which a catcher acts in a way of its own; every other one is `Kind.DENIED`."""


def kind_of(answer: "Answer") -> Kind:
    """Return what kind an answer is that grants nothing."""
    if answer.reason is Reason.CLAIM_TAKEN:
        return Kind.SETTLED
    if answer.reason in OVER or answer.state in ENDED:
        return Kind.ENDED
    if answer.state is State.DENIED:
        if answer.retry_after_ms > 0 and answer.reason is not Reason.LIMIT_EXCEEDED:
            return Kind.TRY_AGAIN
        return Kind.OVER_LIMIT if answer.bounds else DENIALS.get(answer.reason, Kind.DENIED)
    if answer.state is State.PENDING:
        return Kind.PENDING
    return Kind.DEFERRED if answer.state is State.DEFERRED else Kind.SETTLED
