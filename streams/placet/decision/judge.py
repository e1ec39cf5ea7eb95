"""One intent under the context of one instant: what the answer is, what may run, and what it rests on."""

import msgspec

from placet.context.facts import HALT_ROLE, KEY_ROLE, sized
from placet.context.halts import Halt
from placet.context.join import Joiner
from placet.context.parties import Refused
from placet.context.tables import Tables
from placet.decision import ballot as ballots
from placet.decision.answer import Answer
from placet.decision.ballot import Ballot, Count
from placet.decision.intake import Asked
from placet.decision.library import Library
from placet.decision.life import CLAIMED, GRANTED
from placet.decision.limits import Limits
from placet.decision.settings import DeskSettings
from placet.model import strict
from placet.model.case import ORIGINS
from placet.model.codec import case_body
from placet.model.codec._wire import LONG, long
from placet.model.codec.desk_change import Lease, Session
from placet.model.codec.intent import Intent, Position
from placet.model.codec.seal import Mark
from placet.model.codec.verdict import Approval
from placet.model.digests import action_digest
from placet.model.reasons import Effect, Reason, State
from placet.policy import obligations as duties
from placet.policy.approval import Approval as Wait
from placet.policy.evaluate import Finding, Plan, PolicySet

BUDGET = "B:"
"""Prefix of the index key of what is left of a limit in one scope."""
NO_LIMITS = b"\x00"
"""What a case body says of limits where there are none."""
NO_SESSION = sized(ORIGINS[0].encode()) + long(0) + long(-1)
"""What a case body says of a session that nothing came back to: its origin, its rank, and the seq that said so."""
PERMITTING = frozenset({Effect.PERMIT, Effect.CONSTRAIN})
STEP_UP = Effect.STEP_UP
DETAIL_MAX = 256
SAMPLE = 4
"""An intent whose digest begins with fewer than this of 4096 is evaluated by the CEL library as well."""


class Judge:
    """Decides intents at one instant. What it joined for the last one stands until the next."""

    def __init__(
        self, joiner: Joiner, library: Library, tables: Tables, settings: DeskSettings, limits: Limits
    ) -> None:
        self.joiner = joiner
        self._limits = limits
        self._metered = NO_LIMITS
        self._library = library
        self._tables = tables
        self._settings = settings
        self._cut = b""
        self._instant = 0
        self._set_digest: bytes | None = None
        self._set = self._quiet = b""
        self.halts: list[Halt] = []
        self._votes: tuple[bytes, ...] = ()

    def begin(self, instant: int, cut: bytes) -> None:
        """Start a batch; `cut` is the encoded array of marks that every case of it carries."""
        self._instant, self._cut = instant, cut
        self._instant_ = long(instant)
        self._set_digest = None
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
        intent, joiner = asked.intent, self.joiner
        joiner.clear()
        self._metered, self._votes = NO_LIMITS, ()
        if active is None or plan is None:
            return _unruled(active)
        proof = intent.proof
        if proof is None and not plan.unsigned_intents:
            return self._deny(active, Reason.WRITER_UNPROVED, "the packs want this action's intents signed")
        if proof is not None and self._tables.keys.fallen:
            fell = self._tables.keys.fell(proof.kid, intent.tenant)
            if fell is not None:
                joiner.note(KEY_ROLE + fell.fact)
                return self._deny(active, Reason.KEY_COMPROMISED, f"key `{proof.kid}`")
        try:
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
        if (plan.limits or joiner.limited) and finding.effect <= STEP_UP:
            return self._within(asked, active, plan, finding, lease, ballot)
        if finding.effect is not STEP_UP:
            return self._conclude(asked, active, finding)
        finding, count = ballots.put_again(plan, case, finding, self._count(plan, finding, lease, ballot))
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
        said = weighed.finding
        count = self._count(plan, said, lease, ballot)
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
        answer = self._conclude(asked, active, said, count)
        answer.detail = answer.detail or weighed.detail
        if answer.grants:
            answer.holds, answer.near = weighed.holds, weighed.near
        elif answer.reason is Reason.OVERLOADED:
            answer.retry_after_ms = self._settings.retry_ms
        key = asked.key.decode()
        self.joiner.index += [f"{BUDGET}{key}/{name}" for name in weighed.waits]
        return answer

    def _count(self, plan: Plan, finding: Finding, lease: Lease | None, ballot: Ballot | None) -> Count | None:
        """Return what the votes come to where people are asked, else None."""
        if finding.effect is not STEP_UP or finding.approval is None:
            return None
        held = ballot or (Ballot(self._instant) if lease is None else ballots.ballot_of(lease))
        self._votes = tuple(cast.value for cast in held.casts)
        return ballots.count(
            finding.approval, held, self.joiner.case, plan.declared, self.joiner.voter, self.joiner.fell
        )

    def _conclude(self, asked: Asked, active: PolicySet, finding: Finding, count: Count | None = None) -> Answer:
        if finding.effect in PERMITTING:
            return self._grant(asked, active, finding)
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
        approval = Approval(count.quorum, count.eligible, until, count.voters)
        if count.met:
            answer = self._grant(asked, active, finding, count)
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

    def _grant(self, asked: Asked, active: PolicySet, finding: Finding, count: Count | None = None) -> Answer:
        intent = asked.intent
        until = min(self._instant + finding.lease_ms, intent.deadline, self.joiner.until)
        answer = Answer(GRANTED, finding.effect, finding.reason, active.digest, active.engine, "", finding, until)
        answer.granted_digest, answer.act_ms_max = asked.action_digest, finding.act_ms_max
        if finding.obligations or count is not None:
            arguments = asked.arguments if count is None else count.arguments
            needed = duties.capabilities_needed(finding.obligations)
            if not needed <= self.joiner.capabilities(intent.tenant, intent.audience):
                return self._deny(active, Reason.CAPABILITY_MISSING, f"the audience lacks {', '.join(sorted(needed))}")
            granted = duties.apply(arguments, finding.obligations)
            if granted != asked.arguments:
                answer.granted_arguments = strict.canonical(granted)
                answer.granted_digest = action_digest(
                    intent.tenant,
                    intent.authority,
                    intent.actor,
                    intent.audience,
                    intent.action,
                    intent.resource,
                    answer.granted_arguments,
                )
        if count is not None:
            bound = bool(finding.obligations) or answer.granted_arguments is not None
            answer.effect, answer.reason = Effect.CONSTRAIN if bound else Effect.PERMIT, Reason.APPROVED
        if not finding.claim_required and intent.audience:
            answer.claim_required = False
            answer.state = CLAIMED
        return answer

    def _deny(self, active: PolicySet, reason: Reason, detail: str) -> Answer:
        return Answer(State.DENIED, Effect.DENY, reason, active.digest, active.engine, detail)

    def body(self, asked: Asked, answer: Answer, session: Session | None) -> bytes:
        """Return the framed CaseBody of the intent judged last: the record, each fact and each vote, as they came."""
        facts, count = self.joiner.facts, self.joiner.count
        if answer.set_digest is not self._set_digest:
            self._set_digest = answer.set_digest
            self._set = self._instant_ + sized(answer.set_digest) + sized(answer.engine.encode())
            self._quiet = self._set + NO_SESSION + self._cut
        size = len(asked.value)
        parts = [case_body.HEADER, LONG.get(size) or long(size), asked.value]
        if session is None:
            parts.append(self._quiet)
        else:
            heard = (sized(ORIGINS[session.origin].encode()), long(session.rank), long(session.seq))
            parts += (self._set, *heard, self._cut)
        if count:
            parts.append(LONG.get(count) or long(count))
            parts += facts
        parts += (b"\x00", self._metered, case_body.encode_votes(self._votes) if self._votes else b"\x00")
        return b"".join(parts)


def _unruled(active: PolicySet | None) -> Answer:
    """Return the answer to an action that no rule is about."""
    if active is None:
        return Answer(State.DENIED, Effect.DENY, Reason.PACK_MISSING)
    return Answer(State.DENIED, Effect.DENY, Reason.NO_RULE, active.digest, active.engine)


def marks_of(marks: dict[tuple[int, int], tuple[int, int]]) -> tuple[Mark, ...]:
    """Return marks as a Seal and a case carry them, in order of topic and partition."""
    return tuple(Mark(topic, part, offset, at) for (topic, part), (offset, at) in sorted(marks.items()))
