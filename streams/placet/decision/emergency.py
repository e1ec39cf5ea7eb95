"""What is called an emergency: granted at once where rules provide for it and its caller may call one, else told why not."""

from placet.decision.answer import Answer, Called
from placet.decision.life import WAITING
from placet.decision.reviews import Reviews
from placet.model.case import Case
from placet.model.codec.desk_change import Lease
from placet.model.codec.intent import Intent
from placet.model.reasons import Effect, Reason, State
from placet.policy.approval import OWNER
from placet.policy.emergency import Emergency

NO_PROVISION = "called an emergency, and what decides provides for none"
NO_PURPOSE = "called an emergency, and no purpose says why"


def in_emergency(reviews: Reviews, intent: Intent, answer: Answer, lease: Lease | None) -> Answer:
    """Return the answer to what is called an emergency: refused where earlier ones of its caller are to be looked at first.

    What stands stays. One that changes nothing is told so.
    """
    if answer.emergency is not None:
        stands = lease is not None and lease.state not in WAITING
        caller = intent.tenant, intent.authority, intent.actor
        bar = "" if stands else reviews.bar(caller, answer.emergency.emergency.unreviewed_max)
        return Answer(State.DENIED, Effect.DENY, Reason.EMERGENCY_BARRED, detail=bar) if bar else answer
    if not answer.grants and answer.reason is not Reason.REJECTED:
        finding = answer.finding
        provided = finding is not None and finding.effect is Effect.STEP_UP and finding.emergency is not None
        said = NO_PURPOSE if provided and not intent.purpose.strip() else NO_PROVISION
        answer.detail = f"{answer.detail}; {said}" if answer.detail else said
    return answer


def called(case: Case, emergency: Emergency) -> Called:
    """Return what is to be reviewed of an emergency that is granted: by whom, and who had a part in it.

    The owner of the resource is asked by name, and not at all where nobody is known to own it.
    """
    owner = case.resource.owner if case.resource is not None else None
    named = (owner if pattern == OWNER else pattern for pattern in emergency.review.eligible)
    eligible = tuple(sorted({pattern for pattern in named if pattern}))
    chain = tuple(dict.fromkeys((case.authority_id, *case.chain, case.actor_id)))
    return Called(emergency, eligible, chain, (case.actor.owner or "") if case.actor is not None else "")
