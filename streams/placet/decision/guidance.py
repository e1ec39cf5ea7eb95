"""What is told with a refusal besides its reason: what the rules would rather have had, and whom one may ask."""

from placet.context.join import Joiner
from placet.context.reach import covers
from placet.decision.answer import Answer
from placet.decision.intake import Asked
from placet.decision.ties import MANDATE
from placet.model.case import MandateRow
from placet.model.codec.verdict import Bound
from placet.model.reasons import Effect, Reason
from placet.policy.bounds import Bounds, Told
from placet.policy.evaluate import Plan
from placet.policy.room import room

BOUNDED = frozenset({Reason.ARGUMENTS_UNFIT, Reason.NO_RULE, Reason.RULE_DENIED, Reason.RULE_STEPPED_UP})
"""Reasons that another argument might do away with."""
PLANS_MOST = 1_000
"""Plans whose turning points are remembered."""


class Guide:
    """Adds to answers that grant nothing. It costs a grant nothing, and a refusal a bounded share of deciding it."""

    def __init__(self) -> None:
        self._bounds: dict[int, tuple[Plan, Bounds]] = {}

    def tell(self, answer: Answer, asked: Asked, plan: Plan | None, joiner: Joiner) -> None:
        """Put `bounds` and `ask` into the answer to the intent that `joiner` joined last; nothing into a grant.

        What is told follows from the case alone, so that it can be checked again. Nobody is named that
        the packs, the intent or its own chain of mandates do not name.
        """
        if answer.effect < Effect.STEP_UP:
            return
        if answer.approval is not None:
            answer.ask = answer.approval.eligible
        elif answer.reason is Reason.OUTSIDE_MANDATE:
            answer.ask = _narrow(asked)
        elif answer.reason is Reason.CHAIN_BROKEN and asked.intent.authority != asked.intent.actor:
            answer.ask = (asked.intent.authority,)
        elif answer.reason is Reason.LIMIT_EXCEEDED:
            answer.ask = _limiting(asked, answer)
        finding = answer.finding
        if plan is not None and answer.stood and answer.reason is Reason.LIMIT_EXCEEDED:
            left = room(plan, joiner.case, answer.stood, answer.effect)
            answer.bounds = () if left is None else (_bound(left),)
        if plan is not None and finding is not None and answer.reason in BOUNDED:
            told = self._of(plan).told(joiner.case, finding)
            if told:
                answer.bounds = tuple(map(_bound, told))

    def _of(self, plan: Plan) -> Bounds:
        known = self._bounds.get(id(plan))
        if known is None:
            if len(self._bounds) >= PLANS_MOST:
                self._bounds.clear()
            known = self._bounds[id(plan)] = plan, Bounds(plan)
        return known[1]


def _bound(told: Told) -> Bound:
    return Bound(told.argument, told.comparison, str(told.value), told.effect)


def _limiting(asked: Asked, answer: Answer) -> tuple[str, ...]:
    """Return who handed on the mandates whose limits leave too little, the actor's own first."""
    party = asked.asker.party
    rules = answer.finding.rules if answer.finding else ()
    links = party.links if party else ()
    return tuple(dict.fromkeys(link.delegator for link in links if f"{MANDATE}/{link.id}" in rules))


def _narrow(asked: Asked) -> tuple[str, ...]:
    """Return who handed on the mandates that do not cover what is asked, the actor's own first."""
    party, intent = asked.asker.party, asked.intent

    def is_narrow(link: MandateRow) -> bool:
        return not (covers(link.actions, intent.action) and covers(link.resources, intent.resource))

    return tuple(dict.fromkeys(link.delegator for link in party.links if is_narrow(link))) if party else ()
