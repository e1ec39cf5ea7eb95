"""Change is heard: open intents decided again when what they rest on has changed, and moved on by the clock."""

from collections.abc import Iterable
from itertools import islice

from placet.context.tables import CALENDAR, FEED, HALT, MANDATE, PRINCIPAL, RESOURCE, RESUME, RISK, SESSION
from placet.context.writers import KEY, WRITERS
from placet.decision.answer import Answer
from placet.decision.arrow import CLOCK, NEVER, Cause, Said
from placet.decision.book import Book
from placet.decision.claims import SILENT
from placet.decision.follow import Follow
from placet.decision.intake import Asked
from placet.decision.judge import BUDGET, Judge
from placet.decision.library import SET
from placet.decision.life import OPEN, WAITING
from placet.decision.load import awaits_context
from placet.decision.meters import spent_at
from placet.decision.questions import BEHIND, Questions
from placet.model.codec.desk_change import Lease, Session
from placet.model.reasons import Effect, Reason, State

GRAVEST_FIRST = (HALT, WRITERS, KEY, PRINCIPAL, SET, RISK, MANDATE, RESOURCE, SESSION, CALENDAR, FEED, BUDGET, RESUME)
GRAVITY = {key: rank for rank, key in enumerate(GRAVEST_FIRST)}
"""Which change is swept first: halts before keys, keys before suspensions, suspensions before packs, packs before risk."""

SILENCE: dict[State, tuple[State, Reason]] = {
    State.DEFERRED: (State.DENIED, Reason.DEFER_ENDED),
    State.PENDING: (State.EXPIRED, Reason.APPROVAL_ENDED),
    State.GRANTED: (State.LAPSED, Reason.LEASE_ENDED),
    State.CLAIMED: (State.UNKNOWN, Reason.SILENT_AFTER_CLAIM),
}
"""Where the clock moves a state whose time has passed."""


class Sweeps:
    """The open intents that still have to be decided again, gravest change first, a bounded slice a batch."""

    def __init__(self, book: Book, judge: Judge, questions: Questions, follow: Follow) -> None:
        self._book = book
        self._judge = judge
        self._questions = questions
        self._follow = follow
        self._waiting: dict[bytes, Cause] = {}
        self._swept: dict[bytes, Cause] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def touch(self, changes: Iterable[tuple[str, Cause]]) -> None:
        """Note that facts have changed; what rests on them will be decided again."""
        found: dict[bytes, Cause] = {}
        open_ = self._book.leases.open
        for key, cause in sorted(changes, key=lambda change: GRAVITY[change[0][:2]]):
            everything = key.startswith((SET, HALT, WRITERS))
            for slot in self._in_order(open_ if everything else self._book.leases.index.touched(key)):
                found.setdefault(slot, cause)
        if found:
            for slot, cause in self._waiting.items():
                found.setdefault(slot, cause)
            self._waiting = found

    def reach(self) -> None:
        """Note whose wait for the context is over."""
        found = dict(self._book.awaiting.reached())
        for slot in self._in_order(found):
            self._waiting.setdefault(slot, found[slot])

    def touch_all(self, cause: Cause) -> None:
        """Note that everything open has to be decided again, as after a restore."""
        self._waiting = dict.fromkeys(self._in_order(self._book.leases.open), cause)

    def _in_order(self, slots: Iterable[bytes]) -> list[bytes]:
        """Return open slots by the seq of their newest decision: the same whatever was dropped or restored before."""
        leases = self._book.leases.open
        return sorted(slots, key=lambda slot: leases[slot].seq)

    def sweep(self, most: int) -> None:
        """Decide the next slice again, of at most so many."""
        for slot, cause in list(islice(self._waiting.items(), most)):
            self._swept[slot] = self._waiting.pop(slot)
            lease = self._book.leases.open.get(slot)
            if lease is not None:
                self.again(lease, cause)

    def tick(self, most: int) -> None:
        """Move on what the clock has overtaken, the earliest first and at most so many."""
        for lease in self._book.leases.due(self._book.instant, most):
            if lease.state in WAITING and self._book.instant < lease.expires_at:
                self.again(lease, CLOCK, tell=lease.state == State.PENDING)
            else:
                self.end(lease)

    def end(self, lease: Lease) -> None:
        """Move on one open intent whose time has passed."""
        state, reason = SILENCE[State(lease.state)]
        asked = self._questions.recall(lease)
        answer = Answer(state, Effect(lease.effect), reason, granted_digest=lease.granted_digest)
        if state is State.DENIED:
            answer.effect = Effect.DENY
            if awaits_context(lease) and not self._judge.covers(asked.intent.at_least):
                answer.reason, answer.detail = Reason.CONTEXT_SILENT, BEHIND
                answer.retry_after_ms = self._book.settings.retry_ms
        said = Said(executor=lease.executor, nonce=lease.nonce)
        seq = self._book.move(lease, asked, answer, CLOCK, None, said)
        if state in OPEN:
            holds = spent_at(lease.holds, self._book.instant) if lease.holds else ()
            self._book.open(lease._replace(seq=seq, state=state, reason=reason, until=NEVER, holds=holds))
        else:
            self._book.close(lease.slot)

    def keep(self) -> None:
        self._swept.clear()

    def drop(self) -> None:
        self._waiting = {**self._swept, **self._waiting}
        self._swept.clear()

    def again(self, lease: Lease, cause: Cause, *, tell: bool = False) -> None:
        """Decide one open intent again; an unchanged answer writes nothing, but where it is to be told."""
        state = State(lease.state)
        if state is State.UNKNOWN or lease.stopped:
            return
        if state in WAITING and lease.expires_at <= self._book.instant:
            return  # its time is over: the clock ends it, and no change of the context may come before
        waits = state is State.PENDING
        asked = self._questions.recall(lease)
        if awaits_context(lease):
            if not self._judge.covers(asked.intent.at_least):
                self._wait_for(lease, asked, cause)
                return
            self._book.awaiting.done(lease.slot)
        session = self._book.session_of(asked)
        active, plan = self._judge.plan_of(asked.intent)
        now = self._judge.judge(asked, active, plan, session, lease.executor, lease)
        self._book.leases.rest(lease.slot, self._judge.joiner.index, asked.key)
        if state not in WAITING:
            self._held(lease, asked, now, cause, session)
        elif now.state is not state:
            self._questions.guide.tell(now, asked, plan, self._judge.joiner)
            self._follow.go(lease, asked, now, cause, session)
        elif tell or (waits and now.wanted != lease.wanted):
            self._follow.go(lease, asked, now, cause, session)
        elif not waits:
            self._wait_on(lease, now)

    def _wait_for(self, lease: Lease, asked: Asked, cause: Cause) -> None:
        """Let an intent go on waiting for the context, or free its place where what it rests on has fallen meanwhile.

        Nothing is decided of it: it may be asked again, as the next attempt.
        """
        fell = self._judge.joiner.fallen(asked.intent)
        if not fell:
            self._book.awaiting.wait(lease.slot, asked.intent.at_least)
            self._book.leases.rest(lease.slot, self._judge.joiner.grounds(asked.intent), asked.key)
            return
        answer = Answer(State.DENIED, Effect.DENY, Reason.CONTEXT_SILENT, detail=f"{BEHIND}, and {fell}")
        answer.retry_after_ms = self._book.settings.retry_ms
        self._book.move(lease, asked, answer, cause, None)
        self._book.close(lease.slot)

    def _wait_on(self, lease: Lease, now: Answer) -> None:
        """Let what goes on being deferred be looked at when windows that pass leave enough, and not after its end."""
        until = min(now.again_at or NEVER, lease.expires_at)
        if until != lease.until:
            self._book.open(lease._replace(until=until))

    def _held(self, lease: Lease, asked: Asked, now: Answer, cause: Cause, session: Session | None) -> None:
        """Take back a grant that would not be given again, or tell who carries it out to stop."""
        state = State(lease.state)
        recounted = now.recounted and state is State.GRANTED
        if now.grants and now.granted_digest == lease.granted_digest and not recounted:
            ends = self._judge.joiner.until
            if state is State.CLAIMED or ends >= lease.until:
                return
            now.detail = f"its mandate ends at {ends}, before the lease"
        if now.reason is SILENT:
            return  # silence is for the claim to meet: the lease is short, and nothing was said against it
        body = self._judge.body(asked, now, session) if now.set_digest else None
        now.detail = now.detail or now.reason.name.lower()
        now.granted_digest, now.granted_arguments, now.until = b"", None, 0
        now.reason = Reason.CONTEXT_CHANGED
        if cause.at:
            self._book.tally.revokes_ms.append(self._book.instant - cause.at)
        if state is State.CLAIMED:
            now.state = state
            said = Said(executor=lease.executor, nonce=lease.nonce, stop=True)
            seq = self._book.move(lease, asked, now, cause, body, said)
            self._book.open(lease._replace(seq=seq, stopped=True))
        else:
            now.state = State.REVOKED
            self._book.move(lease, asked, now, cause, body)
            self._book.close(lease.slot)
