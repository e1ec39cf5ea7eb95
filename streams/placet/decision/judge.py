"""One intent under the context of one instant: what the answer is, what may run, and what it rests on."""

import msgspec

from placet.context.facts import HALT_ROLE
from placet.context.halts import Halt
from placet.context.join import Joiner
from placet.context.parties import Refused
from placet.context.tables import Tables
from placet.decision import ballot as ballots
from placet.decision.answer import Answer
from placet.decision.ballot import PERMITTING, Ballot, Count
from placet.decision.bodies import NO_LIMITS, Bodies
from placet.decision.emergency import called, in_emergency
from placet.decision.intake import Asked
from placet.decision.library import Library
from placet.decision.life import CLAIMED, GRANTED
from placet.decision.limits import Limits
from placet.decision.reviews import Reviews
from placet.decision.settings import DeskSettings
from placet.model.case import ORIGINS
from placet.model.codec.desk_change import Lease, Session
from placet.model.codec.intent import Intent, Position
from placet.model.codec.verdict import Approval
from placet.model.reasons import Effect, Reason, State
from placet.policy import obligations as duties
from placet.policy.approval import Approval as Wait
from placet.policy.evaluate import Finding, Plan, PolicySet

BUDGET = "B:"
"""Prefix of the index key of what is left of a limit in one scope."""
DETAIL_MAX = 256
SAMPLE = 4
"""An intent whose digest begins with fewer than this of 4096 is evaluated by the CEL library as well."""


class Judge:
    """Decides intents at one instant. What it joined for the last one stands until the next."""

    def __init__(
        self,
        joiner: Joiner,
        library: Library,
        tables: Tables,
        settings: DeskSettings,
        limits: Limits,
        reviews: Reviews,
    ) -> None:
        self.joiner = joiner
        self._limits = limits
        self._reviews = reviews
        self._metered = NO_LIMITS
        self._library = library
        self._tables = tables
        self._settings = settings
        self._instant = 0
        self._bodies = Bodies()
        self.halts: list[Halt] = []
        self._votes: tuple[bytes, ...] = ()

    def begin(self, instant: int, cut: bytes) -> None:
        """Start a batch; `cut` is the encoded array of marks that every case of it carries."""
        self._instant = instant
        self._bodies.begin(instant, cut)
        self.joiner.begin(instant)
        self.halts = self._tables.halts.standing(instant)

    def plan_of(self, intent: Intent) -> tuple[PolicySet | None, Plan | None]:
        """Return the tenant's active set and its plan for the action; None where there is none."""
        active = self._library.active.get(intent.tenant)
        return active, None if active is None else active.plan(intent.action)

    def covers(self, positions: tuple[Position, ...]) -> bool:
        """Return whether the context of this batch was read up to all of `positions`."""
        return self._tables.covers(positions)

    def halt_of_tool(self, tenant: str, name: str) -> Halt | None:
        """Return the halt of one executor, or None where none stands."""
        return next((halt for halt in self.halts if halt.is_of_tool(tenant, name)), None)

    def keeps_case(self, intent: Intent, answer: Answer) -> bool:
        """Return whether the case of a first answer is kept: it was decided by packs, for an authority that is known.

        Nobody's data key is made for a name that anybody can make up.
        """
        if not answer.set_digest:
            return False
        return answer.finding is not None or self.joiner.knows(intent.tenant, intent.authority)

    def judge(
        self,
        asked: Asked,
        active: PolicySet | None,
        plan: Plan | None,
        session: Session | None,
        executor: str = "",
        lease: Lease | None = None,
        ballot: Ballot | None = None,
    ) -> Answer:
        """Return the answer to an intent; the facts and the index keys it rests on are the joiner's.

        `executor` is who claims it or has claimed it, where somebody does; `lease` is what is open and decided again,
        and `ballot` the votes on it, none: those that the lease holds.
        """
        answer = self._decide(asked, active, plan, session, executor, lease, ballot)
        return in_emergency(self._reviews, asked.intent, answer, lease) if asked.intent.emergency else answer

    def _decide(
        self,
        asked: Asked,
        active: PolicySet | None,
        plan: Plan | None,
        session: Session | None,
        executor: str,
        lease: Lease | None,
        ballot: Ballot | None,
    ) -> Answer:
        intent, joiner = asked.intent, self.joiner
        joiner.clear()
        self._metered, self._votes = NO_LIMITS, ()
        if active is None:
            return Answer(State.DENIED, Effect.DENY, Reason.PACK_MISSING)
        if plan is None:
            return Answer(State.DENIED, Effect.DENY, Reason.NO_RULE, active.digest, active.engine)
        try:
            joiner.prove(intent, unsigned=plan.unsigned_intents)
            case = joiner.join(intent, asked.asker, asked.arguments, plan.facts)
            if executor and executor != case.audience:
                joiner.executor(case.tenant, executor)
        except Refused as refused:
            return self._deny(active, refused.reason, refused.detail)
        for halt in self.halts:
            if halt.covers(intent, case.chain, executor):
                joiner.note(HALT_ROLE + halt.fact)
                return self._deny(active, Reason.HALTED, f"halt `{halt.id}` of {halt.scope}")
        case.session_origin = ORIGINS[session.origin] if session else ORIGINS[0]
        case.session_rank = session.rank if session else 0
        if case.session_id:
            joiner.index.append(joiner.standing.session_key)
        digest = asked.intent_digest
        finding = plan.decide(case, digest[0] == 0 and digest[1] >> 4 < SAMPLE)
        if (plan.limits or joiner.limited) and finding.effect <= Effect.STEP_UP:
            return self._within(asked, active, plan, finding, lease, ballot)
        count = self._count(plan, finding, lease, ballot)
        if count is None:
            left = None
            if lease is not None and lease.votes:
                finding, left = ballots.as_left(plan, case, finding, lease)
                self._votes = () if left is None else lease.votes
            return self._conclude(asked, active, finding, None, left)
        finding, count = ballots.put_again(plan, case, finding, count)
        return self._conclude(asked, active, finding, count)

    def _within(
        self,
        asked: Asked,
        active: PolicySet,
        plan: Plan,
        finding: Finding,
        lease: Lease | None,
        ballot: Ballot | None,
    ) -> Answer:
        """Return the answer to what may be granted, under the limits of packs and of the mandates it rests on.

        Where people say yes it is weighed again: what their votes leave, with leave to exceed what they were asked about.
        """
        limited, instant = self.joiner.limited, self._instant
        weighed = self._limits.weigh(asked, plan.limits, limited, finding, instant, lease)
        if weighed.finding.effect is Effect.STEP_UP and finding.without is not None:
            # A limit asks people: no emergency goes beyond one, so those whom the rules ask are asked too.
            finding = finding.without
            weighed = self._limits.weigh(asked, plan.limits, limited, finding, instant, lease)
        said, left = weighed.finding, None
        count = self._count(plan, said, lease, ballot)
        if count is None:
            narrow, left = ballots.as_left(
                plan, self.joiner.case, finding, lease if said.effect in PERMITTING else None
            )
            if lease is not None and left is not None:
                self._votes = lease.votes
                weighed = self._limits.weigh(asked, plan.limits, limited, narrow, instant, lease, arguments=left)
                said = weighed.finding
        if count is not None and count.met:
            finding, count = ballots.put_again(plan, self.joiner.case, finding, count)
            said = finding if count is None else said
        if count is not None and count.met:
            free = Effect.CONSTRAIN if finding.obligations else Effect.PERMIT
            finding = msgspec.structs.replace(finding, effect=free)
            weighed = self._limits.weigh(
                asked, plan.limits, limited, finding, instant, lease, weighed.over, count.arguments
            )
            if weighed.finding.effect in PERMITTING:
                said = msgspec.structs.replace(said, obligations=weighed.finding.obligations)
            else:
                said, count = weighed.finding, None
        self._metered = weighed.rows
        answer = self._conclude(asked, active, said, count, left)
        answer.detail = answer.detail or weighed.detail
        if answer.grants:
            answer.holds, answer.posted = weighed.holds, weighed.posted
            answer.near, answer.recounted = weighed.near, weighed.recounted
        elif answer.reason is Reason.OVERLOADED:
            answer.retry_after_ms = self._settings.retry_ms
        elif answer.reason is Reason.LIMIT_EXCEEDED:
            answer.stood = weighed.stood
            if weighed.again_at and answer.effect is not Effect.STEP_UP:
                answer.again_at, answer.retry_after_ms = weighed.again_at, weighed.again_at - instant
        if weighed.waits:
            key = asked.key.decode()
            self.joiner.index += [f"{BUDGET}{key}/{name}" for name in weighed.waits]
        return answer

    def _count(self, plan: Plan, finding: Finding, lease: Lease | None, ballot: Ballot | None) -> Count | None:
        """Return what the votes come to where people are asked, else None."""
        if finding.effect is not Effect.STEP_UP or finding.approval is None:
            return None
        held = ballot or (Ballot(self._instant) if lease is None else ballots.ballot_of(lease))
        self._votes = tuple(cast.value for cast in held.casts)
        return ballots.count(
            finding.approval, held, self.joiner.case, plan.declared, self.joiner.voter, self.joiner.fell
        )

    def _conclude(
        self,
        asked: Asked,
        active: PolicySet,
        finding: Finding,
        count: Count | None = None,
        left: dict[str, object] | None = None,
    ) -> Answer:
        if finding.effect in PERMITTING:
            return self._grant(asked, active, finding, left)
        intent, effect, instant = asked.intent, finding.effect, self._instant
        if count is not None and finding.approval is not None:
            return self._by_people(asked, active, finding, finding.approval, count)
        answer = Answer(State.DENIED, effect, finding.reason, active.digest, active.engine, "", finding)
        ends = min(intent.deadline, self.joiner.until)
        if effect is Effect.DEFER:
            answer.state = State.DEFERRED
            self.joiner.await_feeds(finding.missing)
            answer.until = min(instant + finding.defer_ms_max, ends)
        elif effect is Effect.STEP_UP:
            answer.state = State.PENDING
            answer.until = min(instant + self._settings.approval_ms, ends)
        return answer

    def _by_people(self, asked: Asked, active: PolicySet, finding: Finding, wait: Wait, count: Count) -> Answer:
        """Return a grant where the votes suffice, a denial where one of them is a no, else what is waited for."""
        until = min(self._instant + wait.expires_ms, asked.intent.deadline, self.joiner.until)
        approval = Approval(count.quorum, count.eligible, until, count.voters, count.acr, count.auth_age_ms_max)
        if count.met:
            answer = self._grant(asked, active, finding, count.arguments)
            answer.approval, answer.count = approval._replace(expires_at=0), count
            return answer
        answer = Answer(State.PENDING, Effect.STEP_UP, finding.reason, active.digest, active.engine, "", finding, until)
        answer.approval, answer.wait, answer.count = approval, wait, count
        if self._votes:
            answer.detail = f"{len(count.voters)} of {count.quorum} votes count"
        if count.rejection is not None:
            answer.state, answer.effect, answer.reason, answer.until = State.DENIED, Effect.DENY, Reason.REJECTED, 0
            answer.detail = count.rejection.reason[:DETAIL_MAX] or f"`{count.rejection.voter}` said no"
            answer.approval = None
        return answer

    def _grant(
        self, asked: Asked, active: PolicySet, finding: Finding, left: dict[str, object] | None = None
    ) -> Answer:
        """Return a grant; `left` are the arguments that people let through, None where they were not asked."""
        intent = asked.intent
        until = min(self._instant + finding.lease_ms, intent.deadline, self.joiner.until)
        answer = Answer(GRANTED, finding.effect, finding.reason, active.digest, active.engine, "", finding, until)
        answer.granted_digest, answer.act_ms_max = asked.action_digest, finding.act_ms_max
        if finding.obligations or left is not None:
            arguments = asked.arguments if left is None else left
            needed = duties.capabilities_needed(finding.obligations)
            if not needed <= self.joiner.capabilities(intent.tenant, intent.audience):
                return self._deny(active, Reason.CAPABILITY_MISSING, f"the audience lacks {', '.join(sorted(needed))}")
            granted = duties.apply(arguments, finding.obligations)
            if granted != asked.arguments:
                answer.bind(intent, granted)
        if left is not None:
            bound = bool(finding.obligations) or answer.granted_arguments is not None
            answer.effect, answer.reason = Effect.CONSTRAIN if bound else Effect.PERMIT, Reason.APPROVED
        elif finding.without is not None and finding.emergency is not None:
            answer.reason, answer.emergency = Reason.EMERGENCY, called(self.joiner.case, finding.emergency)
        if not finding.claim_required and intent.audience:
            answer.claim_required = False
            answer.state = CLAIMED
        return answer

    def _deny(self, active: PolicySet, reason: Reason, detail: str) -> Answer:
        return Answer(State.DENIED, Effect.DENY, reason, active.digest, active.engine, detail)

    def body(self, asked: Asked, answer: Answer, session: Session | None) -> bytes:
        """Return the framed CaseBody of the intent judged last: the record, each fact and each vote, as they came."""
        facts = (self.joiner.count, self.joiner.facts)
        return self._bodies.of(asked.value, answer, session, facts, self._metered, self._votes)
