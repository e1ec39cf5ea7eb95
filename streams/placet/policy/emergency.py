"""Break-glass: what a rule that asks people lets an emergency do at once, and who must look at it afterwards."""

from collections.abc import Iterable

import msgspec

from placet.policy.approval import Approval, approval_of, together
from placet.policy.forms import EmergencyForm


class Emergency(msgspec.Struct, frozen=True):
    """A grant for at most `lease_ms`, and whom `review` asks afterwards whether that was right.

    While as many as `unreviewed_max` of an agent's emergencies under one authority are not answered, it may call no other.
    """

    lease_ms: int
    review: Approval
    unreviewed_max: int


def emergency_of(form: EmergencyForm | None) -> Emergency | None:
    """Return what a form provides."""
    review = approval_of(form.review) if form is not None else None
    return None if form is None or review is None else Emergency(form.lease_ms, review, form.unreviewed_max)


def all_provide(found: Iterable[Emergency | None]) -> Emergency | None:
    """Return what every one of them provides: the shortest lease, one review that satisfies all, the fewest left open.

    None where one of them provides nothing, or where nobody could be asked under all of them.
    """
    provided = list(found)
    given = [one for one in provided if one is not None]
    review = together(one.review for one in given)
    if len(given) < len(provided) or review is None or not review.eligible:
        return None
    return Emergency(min(one.lease_ms for one in given), review, min(one.unreviewed_max for one in given))
