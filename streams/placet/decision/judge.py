"""One intent under the context of one instant: what the answer is, what may run, and what it rests on."""

from collections.abc import Container

import msgspec

from placet.context.facts import HALT_ROLE, sized
from placet.context.halts import Halt
from placet.context.join import Joiner
from placet.context.parties import Refused
from placet.context.tables import Tables
from placet.decision.intake import Asked
from placet.decision.library import Library
from placet.decision.life import CLAIMED, GRANTED
from placet.decision.limits import NOBODY, Limits, Near
from placet.decision.settings import DeskSettings
from placet.model import strict
from placet.model.case import ORIGINS
from placet.model.codec import case_body
from placet.model.codec._wire import LONG
from placet.model.codec.desk_change import Held, Lease, Session
from placet.model.codec.intent import Intent, Position
from placet.model.codec.seal import Mark
from placet.model.codec.verdict import Approval, Hold, Obligation
from placet.model.digests import action_digest
from placet.model.reasons import Effect, Reason, State
from placet.policy import obligations as duties
from placet.policy.evaluate import Finding, Plan, PolicySet

SESSION = "T:"
"""Prefix of the index key of what came back to a session."""
BUDGET = "B:"
"""Prefix of the index key of what is left of a limit in one scope."""
NO_LIMITS = b"\x00"
"""What a case body says of limits where there are none."""
NO_SESSION = sized(ORIGINS[0].encode()) + LONG[0] + LONG[-1]
"""What a case body says of a session that nothing came back to: its origin, its rank, and the seq that said so."""
PERMITTING = frozenset({Effect.PERMIT, Effect.CONSTRAIN})
SAMPLE = 4
"""An intent whose digest begins with fewer than this of 4096 is evaluated by the CEL library as well."""


class Answer(msgspec.Struct, gc=False):
    """What a desk would say now. `until` is when the clock moves it on; `finding` is None before any rule was asked.

    `holds` are the amounts a grant counts, and `posts` what is said of amounts; `over` names the limits whose `approval`
    is asked, and `near` those of which little is left.
    """

    state: State
    effect: Effect
    reason: Reason
    set_digest: bytes = b""
    engine: str = ""
    detail: str = ""
    finding: Finding | None = None
    until: int = 0
    granted_digest: bytes = b""
    granted_arguments: bytes | None = None
    claim_required: bool = True
    act_ms_max: int = 0
    retry_after_ms: int = 0
    approval: Approval | None = None
    holds: tuple[Held, ...] = ()
    posts: tuple[Hold, ...] = ()
    near: tuple[Near, ...] = ()
    over: tuple[str, ...] = ()

    @property
    def grants(self) -> bool:
        return self.state is GRANTED or self.state is CLAIMED


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
        self._set_digest = self._set = b""
        self.halts: list[Halt] = []

    def begin(self, instant: int, cut: bytes) -> None:
        """Start a batch; `cut` is the encoded array of marks that every case of it carries."""
        self._instant, self._cut = instant, cut
        self._instant_ = LONG[instant]
        self.joiner.begin(instant)
        self.halts = self._tables.halts.standing(instant)

    def plan_of(self, intent: Intent) -> tuple[PolicySet | None, Plan | None]:
        """Return the tenant's active set and its plan for the action; None where there is none."""
        active = self._library.active.get(intent.tenant)
        return active, None if active is None else active.plan(intent.action)

    def covers(self, positions: tuple[Position, ...]) -> bool:
        """Return whether the context of this batch was read up to all of `positions`."""
        marks = self._tables.marks
        return all(marks.get((p.topic, p.partition), (0, 0))[0] > p.offset for p in positions)

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
        approved: Container[str] = NOBODY,
    ) -> Answer:
        """Return the answer to an intent; the facts and the index keys it rests on are the joiner's.

        `executor` is who claims it or has claimed it, where somebody does; `lease` is the grant that is decided again,
        and `approved` the limits that people have given it leave to exceed.
        """
        intent = asked.intent
        self.joiner.clear()
        self._metered = NO_LIMITS
        if active is None:
            return Answer(State.DENIED, Effect.DENY, Reason.PACK_MISSING)
        if plan is None:
            return Answer(State.DENIED, Effect.DENY, Reason.NO_RULE, active.digest, active.engine)
        if intent.proof is None and not plan.unsigned_intents:
            return self._deny(active, Reason.WRITER_UNPROVED, "the packs want this action's intents signed")
        try:
            case = self.joiner.join(intent, asked.asker, asked.arguments, plan.facts)
            if executor and executor != intent.audience:
                self.joiner.executor(intent.tenant, executor)
        except Refused as refused:
            return self._deny(active, refused.reason, refused.detail)
        for halt in self.halts:
            if halt.covers(intent, case.chain, executor):
                self.joiner.note(HALT_ROLE + halt.fact)
                return self._deny(active, Reason.HALTED, f"halt `{halt.id}` of {halt.scope}")
        case.session_origin = ORIGINS[session.origin] if session else ORIGINS[0]
        case.session_rank = session.rank if session else 0
        if intent.session:
            self.joiner.index.append(f"{SESSION}{intent.tenant}/{intent.authority}/{intent.session}")
        digest = asked.intent_digest
        finding = plan.decide(case, digest[0] == 0 and digest[1] >> 4 < SAMPLE)
        if (plan.limits or self.joiner.limited) and finding.effect <= Effect.STEP_UP:
            return self._within(asked, active, plan, finding, lease, approved)
        return self._conclude(asked, active, finding)

    def _within(
        self,
        asked: Asked,
        active: PolicySet,
        plan: Plan,
        finding: Finding,
        lease: Lease | None,
        approved: Container[str],
    ) -> Answer:
        """Return the answer to what may be granted, under the limits of packs and of the mandates it rests on."""
        weighed = self._limits.weigh(asked, plan.limits, self.joiner.limited, finding, self._instant, lease, approved)
        self._metered = weighed.rows
        answer = self._conclude(asked, active, weighed.finding)
        answer.detail = answer.detail or weighed.detail
        if answer.grants:
            answer.holds, answer.near = weighed.holds, weighed.near
        elif answer.state is State.PENDING:
            answer.over = weighed.over
        elif answer.reason is Reason.OVERLOADED:
            answer.retry_after_ms = self._settings.retry_ms
        key = asked.key.decode()
        self.joiner.index += [f"{BUDGET}{key}/{name}" for name in weighed.waits]
        return answer

    def _conclude(self, asked: Asked, active: PolicySet, finding: Finding) -> Answer:
        intent, effect, instant = asked.intent, finding.effect, self._instant
        if effect in PERMITTING:
            return self._grant(asked, active, finding)
        answer = Answer(State.DENIED, effect, finding.reason, active.digest, active.engine, "", finding)
        if effect is Effect.DEFER:
            answer.state = State.DEFERRED
            self.joiner.await_feeds(finding.missing)
            answer.until = min(instant + finding.defer_ms_max, intent.deadline)
        elif effect is Effect.STEP_UP:
            answer.state = State.PENDING
            wanted = finding.approval
            wait_ms = wanted.expires_ms if wanted else self._settings.approval_ms
            answer.until = min(instant + wait_ms, intent.deadline)
            if wanted:
                answer.approval = Approval(wanted.quorum, wanted.eligible, answer.until)
        return answer

    def _grant(self, asked: Asked, active: PolicySet, finding: Finding) -> Answer:
        intent = asked.intent
        answer = Answer(GRANTED, finding.effect, finding.reason, active.digest, active.engine, "", finding)
        answer.granted_digest = asked.action_digest
        if finding.obligations:
            needed = duties.capabilities_needed(finding.obligations)
            if not needed <= self.joiner.capabilities(intent.tenant, intent.audience):
                return self._deny(active, Reason.CAPABILITY_MISSING, f"the audience lacks {', '.join(sorted(needed))}")
            granted = duties.apply(asked.arguments, finding.obligations)
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
        answer.until = min(self._instant + finding.lease_ms, intent.deadline, self.joiner.until)
        answer.act_ms_max = finding.act_ms_max
        if not finding.claim_required and intent.audience:
            answer.claim_required = False
            answer.state = CLAIMED
        return answer

    def _deny(self, active: PolicySet, reason: Reason, detail: str) -> Answer:
        return Answer(State.DENIED, Effect.DENY, reason, active.digest, active.engine, detail)

    def body(self, asked: Asked, answer: Answer, session: Session | None) -> bytes:
        """Return the framed CaseBody of the intent judged last: the record, and each fact, as they came."""
        facts, count = self.joiner.facts, self.joiner.count
        if answer.set_digest is not self._set_digest:
            self._set_digest = answer.set_digest
            self._set = sized(answer.set_digest) + sized(answer.engine.encode())
        heard = NO_SESSION
        if session:
            heard = b"".join((sized(ORIGINS[session.origin].encode()), LONG[session.rank], LONG[session.seq]))
        return b"".join(
            (
                case_body.HEADER,
                LONG[len(asked.value)],
                asked.value,
                self._instant_,
                self._set,
                heard,
                self._cut,
                *((LONG[count], *facts) if count else ()),
                b"\x00",
                self._metered,
            )
        )


def obligations_of(finding: Finding) -> tuple[Obligation, ...]:
    """Return a finding's obligations as a verdict carries them."""
    return tuple(Obligation(o.kind, o.argument, o.value) for o in finding.obligations)


def marks_of(marks: dict[tuple[int, int], tuple[int, int]]) -> tuple[Mark, ...]:
    """Return marks as a Seal and a case carry them, in order of topic and partition."""
    return tuple(Mark(topic, part, offset, at) for (topic, part), (offset, at) in sorted(marks.items()))
