"""What the model says of one intent at one instant: the rules, the limits and the votes together (DESIGN §4.3 to §4.6)."""

from placet.model.reasons import Effect, Reason
from tests.decision.reference.budget import Limit, Spent, limits_on
from tests.decision.reference.known import DEFER_MS, Known, chain
from tests.decision.reference.lives import (
    BEYOND,
    HOLD,
    NEVER,
    RUNS,
    Answer,
    Open,
    S,
)
from tests.decision.reference.people import OF_LIMIT, OF_RULE, Wanted, tally
from tests.decision.reference.scene import (
    EXPORT,
    GIVE,
    LOOK,
    PAY,
    Ask,
    Vote,
)

Votes = dict[str, Vote]
Names = tuple[str, ...]
LEASE_MS = 30_000


class Judge:
    """Decides under what is known, and what is held and spent, now."""

    def __init__(self) -> None:
        self.known = Known()
        self.open: dict[tuple[str, int, int], Open] = {}
        self.spent: list[Spent] = []
        self.now = 0

    def _judge(self, ask: Ask, lease: Open | None = None, executor: str = "", votes: Votes | None = None) -> Answer:
        """Return what is said of an intent now; `votes` are those on it, None: those that it holds."""
        if ask.action not in (PAY, GIVE, LOOK, EXPORT):
            return Answer(S.DENIED, Effect.DENY, Reason.NO_RULE)
        why = self.known.who(ask, executor)
        if why is not None:
            return Answer(S.DENIED, Effect.DENY, why)
        effect, reason, most = self.known.rules(ask)
        missing = reason in (Reason.FACT_MISSING, Reason.FACT_SILENT)
        if effect in (Effect.DEFER, Effect.DENY):
            return self._waits(ask, Answer(S.DENIED, effect, reason, missing=missing), DEFER_MS)
        amount = ask.amount if ask.amount is None or most is None else min(most, ask.amount)
        now, wanted, over = self._limited(ask, effect, reason, amount, lease)
        if wanted is None:
            return self._as_left(ask, lease, now, most)
        held = lease.votes if lease and votes is None else votes or {}
        count = now.tally = tally(held.values(), ask, wanted, self.known, lease.asked_at if lease else self.now)
        if count.no:
            return Answer(S.DENIED, Effect.DENY, Reason.REJECTED, tally=count)
        if not count.met:
            return now
        # What the rules demand of a grant is demanded of this one too.
        amount = count.amount if count.amount is None or most is None else min(most, count.amount)
        now, _, _ = self._limited(ask, Effect.PERMIT, Reason.PERMITTED, amount, lease, over)
        if now.state in RUNS:
            now.effect = Effect.PERMIT if now.amount == ask.amount and most is None else Effect.CONSTRAIN
            now.reason = Reason.APPROVED
        now.tally = count
        return now

    def _as_left(self, ask: Ask, lease: Open | None, now: Answer, most: int | None) -> Answer:
        """Return what is said of what votes left of a grant, where nobody has to be asked any more."""
        votes = lease.votes.values() if lease and lease.state in RUNS and now.state in RUNS else ()
        offers = [vote.amount for vote in votes if vote.yes and vote.amount is not None]
        if ask.amount is None or min([ask.amount, *offers]) == ask.amount:
            return now
        least = min(offers if most is None else [most, *offers])
        left, _, _ = self._limited(ask, now.effect, now.reason, least, lease)
        left.effect = Effect.CONSTRAIN if left.state in RUNS else left.effect
        return left

    def _limited(
        self, ask: Ask, effect: Effect, reason: Reason, amount: int | None, lease: Open | None, leave: Names = ()
    ) -> tuple[Answer, Wanted | None, Names]:
        """Return what may be granted under the limits: each holds, or what is over it decides, the gravest first.

        With it what people are asked for, and the limits they are asked about; `leave` are those they let it exceed.
        """
        limits = limits_on(ask, self.known.tight, chain(ask))
        own = {(limit.name, limit.scope): held for limit, held, phase in lease.holds if phase == HOLD} if lease else {}
        used = {limit: self._used(ask, limit) - own.get((limit.name, limit.scope), 0) for limit in limits}
        for limit in [limit for limit in limits if limit.over is Effect.CONSTRAIN and effect <= Effect.CONSTRAIN]:
            left = min(limit.most - used[limit], own.get((limit.name, limit.scope), limit.most))
            if amount is not None and 1 <= left < amount:
                amount, effect, reason = left, Effect.CONSTRAIN, min(reason, Reason.LIMIT_EXCEEDED)
        over = [limit for limit in limits if not limit.most or used[limit] + limit.takes(amount) > limit.most]
        against = [limit for limit in over if limit.name not in leave]
        wanted = OF_RULE if effect is Effect.STEP_UP else None
        if against:
            gravest = max(Effect.DENY if each.over is Effect.CONSTRAIN else each.over for each in against)
            now = Answer(S.DENIED, gravest, Reason.LIMIT_EXCEEDED)
            if gravest is Effect.STEP_UP:
                wanted = wanted.with_(OF_LIMIT) if wanted else OF_LIMIT
                return self._waits(ask, now, wanted.wait_ms), wanted, tuple(each.name for each in against)
            if gravest is Effect.DEFER:
                now.waits = [(ask.authority, each.name, each.scope) for each in against]
                now.wakes = max(self._leaves(ask, each, used[each], each.takes(amount)) for each in against)
            return self._waits(ask, now, DEFER_MS), None, ()
        if wanted:
            return self._waits(ask, Answer(S.PENDING, effect, reason), wanted.wait_ms), wanted, ()
        state = S.CLAIMED if ask.action == LOOK and ask.audience else S.GRANTED
        holds = [(limit, limit.takes(amount), BEYOND if limit in over else HOLD) for limit in limits]
        holds = [hold for hold in holds if hold[1] or hold[2] == BEYOND]
        return Answer(state, effect, reason, amount, min(self.now + LEASE_MS, self._ends(ask)), holds), None, ()

    def _waits(self, ask: Ask, now: Answer, wait_ms: int) -> Answer:
        """Return an answer that is no grant, in the state that its effect leads to."""
        now.state = {Effect.DEFER: S.DEFERRED, Effect.STEP_UP: S.PENDING}.get(now.effect, S.DENIED)
        now.until = min(self.now + wait_ms, self._ends(ask))
        return now

    def _ends(self, ask: Ask) -> int:
        """Return when nothing of it may be open any more: at its deadline, or with the first mandate it rests on."""
        return min([ask.deadline, *(ends for _, ends in (self.known.mandates[name] for name in chain(ask)) if ends)])

    def _used(self, ask: Ask, limit: Limit) -> int:
        name = (ask.authority, limit.name, limit.scope)
        held = sum(
            amount
            for lease in self.open.values()
            if lease.state in RUNS and lease.ask.authority == ask.authority
            for each, amount, phase in lease.holds
            if phase == HOLD and (each.name, each.scope) == name[1:]
        )
        return held + sum(each.amount for each in self.spent if each.name == name and each.counts(self.now))

    def _leaves(self, ask: Ask, limit: Limit, used: int, amount: int) -> int:
        """Return when so much of what was spent has passed that an amount is within a limit (ms), NEVER where it never is."""
        for spent in sorted(self.spent, key=lambda each: each.leaves):
            if spent.name == (ask.authority, limit.name, limit.scope) and self.now < spent.leaves < NEVER:
                used -= spent.amount
                if used + amount <= limit.most:
                    return spent.leaves
        return NEVER
