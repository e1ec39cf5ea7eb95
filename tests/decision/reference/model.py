"""The desk of one partition as DESIGN §2 to §4 describe it: no index, no bytes, no undo, everything looked at anew.

It knows the shop (`shop.py`) by heart and plays on `scene`s. Written from the design, it imports nothing that decides.
"""

from collections.abc import Iterable
from hashlib import sha256

from placet.model.reasons import Effect, Reason, State
from tests.decision.reference.budget import Spent
from tests.decision.reference.judge import Judge
from tests.decision.reference.known import NEVER, Change, between, chain
from tests.decision.reference.lives import (
    AFTER,
    HOLD,
    RELEASE,
    RUNS,
    SILENCE,
    SPEND,
    WAITING,
    Answer,
    Hold,
    Open,
    S,
)
from tests.decision.reference.people import fault_of
from tests.decision.reference.scene import (
    EXPORT,
    PAY,
    Ask,
    Back,
    Begin,
    Deed,
    Said,
    Told,
    Vote,
)

ACT_MS, LAG_MS, AHEAD_MS = 300_000, 10_000, 900_000
PARKED_MOST, PENDING_MOST, HELD_MOST = 3, 3, 8


class Model(Judge):
    """One partition. `put` says what happens, `turn` decides what has come since the last turn and returns what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []
        self.settled: dict[tuple[str, int, int], tuple[Ask, int, bool]] = {}
        self.seq = 0
        self.said: list[Said] = []
        self.changes: list[Change] = []
        self.freed: list[Change] = []
        self.woken = False
        self.came: list[tuple[int, int, Deed]] = []

    # What happens.

    def put(self, deed: Deed, now: int) -> None:
        """Take what happens at `now` (ms): the context hears it at once, the rest waits for its turn."""
        if isinstance(deed, Ask | Back):
            self.came.append((2, now, deed))
        elif isinstance(deed, Vote):
            self.came.append((1, now, deed))
        elif isinstance(deed, Begin | Told):
            self.came.append((0, now, deed))
        else:
            self.changes.append(self.known.hear(deed, now))

    def crash(self) -> None:
        """Forget all but what was said: everything open is decided again, and what is halted said again."""
        self.woken, self.told, self.changes, self.freed = True, [], [], []

    def turn(self, now: int) -> list[Said]:
        """Decide: sweeps, ticks, outcomes, votes, intents, in this order; return what was said."""
        self.now = self.known.now = now
        self.said = []
        self._tell_halts()
        changes, self.changes, self.freed = [*self.changes, *self.freed], [], []
        if any(what.startswith("label") for _, what in changes):
            changes.append((8, "labels"))
        for lease in self._touched(sorted(changes, key=lambda change: change[0])):
            self._again(lease)
        for lease in sorted(self.open.values(), key=lambda lease: (lease.moves, _slot(lease.ask))):
            if lease.until <= now:
                self._silent(lease)
            elif lease.moves <= now:
                self._again(lease)
        came, self.came = sorted(self.came, key=lambda each: each[0]), []
        for _, at, deed in came:
            if isinstance(deed, Ask):
                self._asked(deed, at)
            elif isinstance(deed, Back):
                self._taken_back(deed)
            elif isinstance(deed, Begin):
                self._begun(deed, at)
            elif isinstance(deed, Told):
                self._reported(deed)
            elif isinstance(deed, Vote):
                self._voted(deed, at)
        return self.said

    # What is said.

    def _say(self, kind: str, *what: object) -> int:
        self.said.append((kind, self.seq, *what))
        self.seq += 1
        return self.seq - 1

    def _refuse(self, ask: Ask, reason: Reason) -> None:
        self._say("refusal", ask.id, ask.attempt, reason.name)

    def _move(self, ask: Ask, lease: Open | None, now: Answer, stop: bool = False) -> int:
        """Say the next arrow of an attempt, and what becomes of its amounts."""
        before = lease.state if lease else S.ASKED
        assert stop or now.state in AFTER[before], (before, now.state)
        held, posts = lease.holds if lease else [], []
        if stop:
            pass
        elif now.state in RUNS:
            posts = [(hold, hold[2]) for hold in _fresh(held, now.holds)]
        elif before in RUNS:
            posts = [(hold, SPEND if now.state in (S.DONE, S.UNKNOWN) else RELEASE) for hold in held if hold[2] == HOLD]
        elif before is S.UNKNOWN and now.state is S.FAILED:
            posts = [(hold, RELEASE) for hold in held if hold[2] == HOLD]
            self.spent = [each for each in self.spent if lease is None or each.by != lease.first]
        for (limit, amount, _), phase in posts:
            name = (ask.authority, limit.name, limit.scope)
            if phase == SPEND:
                self.spent.append(Spent(name, lease.first if lease else -1, amount, self.now, limit.seconds))
            elif phase == RELEASE:
                self.freed.append((9, f"budget {name}"))
        granted = now.amount if now.state in RUNS and not stop else None
        said = tuple((limit.name, limit.scope, amount, phase) for (limit, amount, _), phase in posts)
        return self._say(
            "verdict", ask.id, ask.attempt, now.state.name, now.effect.name, now.reason.name, granted, stop, said
        )

    def _open(self, ask: Ask, now: Answer, seq: int, asked_at: int, before: Open | None = None) -> None:
        claimed = now.state is S.CLAIMED
        until, executor = now.until + ACT_MS * claimed, ask.audience if claimed else ""
        self.open[ask.identity] = Open(
            ask,
            asked_at,
            before.first if before else seq,
            seq,
            now.state,
            now.effect,
            now.amount,
            until,
            now.holds,
            now.waits,
            now.missing,
            executor,
            votes=before.votes if before else {},
            tally=now.tally,
            wakes=now.wakes,
        )

    def _tell_halts(self) -> None:
        standing = self.known.standing()
        for halt in standing:
            if halt not in self.told:
                self._say("halted", *halt, False)
        for halt in self.told:
            if halt not in standing:
                self._say("halted", *halt, True)
        self.told = standing

    def _touched(self, changes: Iterable[Change]) -> list[Open]:
        """Return what is open and rests on what has changed, the gravest change first, of each the longest decided first."""
        found: list[Open] = []
        everything = sorted(self.open.values(), key=lambda lease: lease.seq)
        for _, what in changes:
            found += [each for each in everything if each not in found and self._rests(each, what)]
        if self.woken:
            found += [each for each in everything if each not in found]
        self.woken = False
        return found

    def _rests(self, lease: Open, what: str) -> bool:
        ask = lease.ask
        people = [ask.actor, ask.authority, *between(ask), ask.audience, lease.executor]
        grounds = [f"principal {name}" for name in people] + [f"mandate {name}" for name in chain(ask)]
        grounds += [f"principal {name}" for name in lease.votes] if lease.tally else []
        grounds += [f"risk {ask.actor}"] * (ask.action == PAY) + [f"label {ask.resource}"] * (ask.action == EXPORT)
        grounds += [f"session {ask.authority} {ask.session}"] * bool(ask.session)
        grounds += [f"budget {name}" for name in lease.waits] + ["labels"] * lease.missing
        return what == "all" or what in grounds

    # What becomes of it.

    def _asked(self, ask: Ask, at: int) -> None:
        first = self.settled.get(ask.identity)
        if first is not None and first[0].deadline > self.now and ask.deadline > self.now:
            if first[0] == ask:
                self._say("repeat", ask.id, ask.attempt, first[1])
            else:
                self._refuse(ask, Reason.INTENT_ID_REUSED)
        elif ask.identity in self.open:
            self._refuse(ask, Reason.INTENT_ID_REUSED)
        elif ask.deadline <= self.now:
            self._refuse(ask, Reason.ASKED_TOO_LATE)
        elif ask.deadline - self.now > AHEAD_MS:
            self._refuse(ask, Reason.DEADLINE_TOO_FAR)
        elif ask.attempt > 1 and not self._follows(ask):
            self._refuse(ask, Reason.ATTEMPT_NOT_NEXT)
        else:
            shed = self._shed(ask, at)
            now = self._judge(ask) if shed is None else Answer(S.DENIED, Effect.DENY, shed)
            seq = self._move(ask, None, now)
            self.settled[ask.identity] = (ask, seq, shed is not None)
            if now.state in AFTER:
                self._open(ask, now, seq, at)

    def _follows(self, ask: Ask) -> bool:
        before = self.settled.get((ask.authority, ask.id, ask.attempt - 1))
        return before is not None and before[0].deadline > self.now and before[2] and before[0].deed == ask.deed

    def _shed(self, ask: Ask, at: int) -> Reason | None:
        """Return the transient refusal of what was read late, or of one too many of its authority."""
        if self.now - at > LAG_MS:
            return Reason.LAGGING
        mine = [lease.state for lease in self.open.values() if lease.ask.authority == ask.authority]
        parked, pending = mine.count(S.DEFERRED), mine.count(S.PENDING)
        full = parked >= PARKED_MOST or pending >= PENDING_MOST or len(mine) - parked - pending >= HELD_MOST
        return Reason.OVERLOADED if full else None

    def _taken_back(self, back: Back) -> None:
        lease = self.open.get(back.ask.identity)
        if lease is None or lease.state not in {*WAITING, S.GRANTED}:
            self._refuse(back.ask, Reason.CLAIM_UNKNOWN)
        elif back.actor != lease.ask.actor:
            self._refuse(back.ask, Reason.CLAIM_MISMATCH)
        else:
            self._end(lease, Answer(S.WITHDRAWN, lease.effect, Reason.WITHDRAWN_BY_ACTOR))

    def _end(self, lease: Open, now: Answer) -> None:
        self._move(lease.ask, lease, now)
        del self.open[lease.ask.identity]

    def _begun(self, claim: Begin, at: int) -> None:
        lease = self.open.get(claim.ask.identity)
        if lease is not None and (lease.nonce, lease.executor) == (claim.nonce, claim.executor):
            self._say("repeat", claim.ask.id, claim.ask.attempt, lease.seq)
            return
        why = self._not_begun(claim, lease, at)
        if lease is None or why is not None:
            self._refuse(claim.ask, why or Reason.CLAIM_UNKNOWN)
            return
        now = self._judge(lease.ask, lease, claim.executor)
        if now.reason is Reason.FACT_SILENT:
            self._refuse(claim.ask, Reason.CONTEXT_SILENT)
        elif now.state not in RUNS or now.amount != lease.amount:
            reason = Reason.GRANT_DIFFERS if now.state in RUNS else Reason.CONTEXT_CHANGED
            self._end(lease, Answer(S.REVOKED, now.effect, reason))
        else:
            now.state, now.reason = S.CLAIMED, Reason.CLAIMED
            lease.seq = self._move(lease.ask, lease, now)
            lease.holds = lease.holds + _fresh(lease.holds, now.holds)
            lease.state, lease.until = S.CLAIMED, self.now + ACT_MS
            lease.executor, lease.nonce, lease.missing, lease.waits = claim.executor, claim.nonce, False, []
            lease.tally = now.tally

    def _not_begun(self, claim: Begin, lease: Open | None, at: int) -> Reason | None:
        if lease is None or lease.state not in RUNS:
            return Reason.CLAIM_UNKNOWN
        if lease.state is S.CLAIMED:
            return Reason.CLAIM_TAKEN
        if lease.ask._replace(amount=lease.amount).deed != claim.ask._replace(amount=claim.amount).deed:
            return Reason.CLAIM_MISMATCH
        if self.now - at > LAG_MS:
            return Reason.LAGGING
        if lease.ask.audience and lease.ask.audience != claim.executor:
            return Reason.CLAIM_MISMATCH
        if not lease.ask.audience and not self.known.active(claim.executor):
            return Reason.CLAIM_MISMATCH
        if not lease.ask.audience and f"tool/{claim.executor}" in [scope for _, scope in self.known.standing()]:
            return Reason.HALTED
        return None

    def _reported(self, told: Told) -> None:
        lease, state = self.open.get(told.ask.identity), State[told.result]
        if lease is None or lease.state not in (S.CLAIMED, S.UNKNOWN):
            self._refuse(told.ask, Reason.OUTCOME_UNKNOWN)
        elif (
            state not in AFTER[lease.state]
            or (told.settles and lease.state is not S.UNKNOWN)
            or (not told.settles and (lease.executor != told.executor or (lease.nonce and lease.nonce != told.nonce)))
            or (not told.settles and state is S.DONE and told.amount != lease.amount)
        ):
            self._refuse(told.ask, Reason.OUTCOME_MISMATCH)
        else:
            self._end(lease, Answer(state, lease.effect, Reason.SETTLED if told.settles else Reason.REPORTED))
            session = (lease.ask.authority, lease.ask.session)
            if told.origin and lease.ask.session:
                self.known.tainted[session] = self.known.tainted.get(session, False) or told.origin == "external"
                self.freed.append((7, f"session {session[0]} {session[1]}"))

    def _voted(self, vote: Vote, at: int) -> None:
        """Count a vote on what waits for people, once, and decide again."""
        lease = self.open.get(vote.ask.identity)
        if lease is not None and lease.votes.get(vote.voter) == vote:
            self._say("repeat", vote.ask.id, vote.ask.attempt, lease.seq)
            return
        if lease is None or lease.state is not S.PENDING:
            first = self.settled.get(vote.ask.identity)
            asked = first is not None and first[0].deadline > self.now
            self._refuse(vote.ask, Reason.VOTE_LATE if asked or lease is not None else Reason.VOTE_UNKNOWN)
            return
        before = lease.votes.get(vote.voter)
        if vote.ask != lease.ask:
            self._refuse(vote.ask, Reason.VOTE_MISMATCH)
        elif at >= lease.until:
            self._refuse(vote.ask, Reason.VOTE_LATE)
        elif before is not None and before.at > vote.at:
            self._refuse(vote.ask, Reason.VOTE_OUTDATED)
        else:
            votes = {**lease.votes, vote.voter: vote}
            now = self._judge(lease.ask, lease, votes=votes)
            came_at = max(vote.at, lease.asked_at, at)
            fault = fault_of(vote, lease.ask, now.tally.wanted, self.known, came_at) if now.tally else None
            if fault is not None:
                self._refuse(vote.ask, fault)
            else:
                lease.votes = votes if now.tally else lease.votes
                self._follow(lease, now, Reason.VOTED)

    def _follow(self, lease: Open, now: Answer, told: Reason) -> None:
        """What waited moves on, or people are told anew whom is waited for: no longer than they were told before."""
        if lease.state is S.PENDING and now.state is S.PENDING:
            now.reason, now.until = told, min(now.until, lease.until)
        seq = self._move(lease.ask, lease, now)
        del self.open[lease.ask.identity]
        if now.state in AFTER:
            self._open(lease.ask, now, seq, lease.asked_at, lease)

    def _again(self, lease: Open) -> None:
        """Decide what is open again; what is answered as before is not said."""
        if lease.state is S.UNKNOWN or lease.stopped or (lease.state in WAITING and lease.until <= self.now):
            return
        now = self._judge(lease.ask, lease, lease.executor)
        told, tells = lease.tally and lease.tally.told, now.tally and now.tally.told
        lease.waits, lease.missing, lease.tally = now.waits, now.missing, now.tally
        lease.wakes = now.wakes
        if lease.state in WAITING:
            if now.state is not lease.state or (lease.state is S.PENDING and told != tells):
                self._follow(lease, now, Reason.ASKED_ANEW)
        elif now.reason is Reason.FACT_SILENT:
            pass  # silence is met at the claim
        elif (
            now.state in RUNS
            and now.amount == lease.amount
            and (lease.state is S.CLAIMED or self._ends(lease.ask) >= lease.until)
        ):
            pass
        elif lease.state is S.CLAIMED:
            lease.stopped = True
            lease.seq = self._move(lease.ask, lease, Answer(S.CLAIMED, now.effect, Reason.CONTEXT_CHANGED), stop=True)
        else:
            self._end(lease, Answer(S.REVOKED, now.effect, Reason.CONTEXT_CHANGED))

    def _silent(self, lease: Open) -> None:
        """The time of an open attempt has come."""
        state, reason = SILENCE[lease.state]
        now = Answer(state, Effect.DENY if state is S.DENIED else lease.effect, reason)
        if state is not S.UNKNOWN:
            self._end(lease, now)
            return
        lease.seq = self._move(lease.ask, lease, now)
        lease.state, lease.until = state, NEVER


def _slot(ask: Ask) -> bytes:
    """Return what stands for an attempt: of two whose time comes in the same ms the lesser goes first."""
    identity = b"acme/%b\0%b%b" % (ask.authority.encode(), ask.id.to_bytes(16, "big"), ask.attempt.to_bytes(2, "big"))
    return sha256(identity).digest()[:16]


def _fresh(holds: list[Hold], more: list[Hold]) -> list[Hold]:
    """Return of `more` what is held of limits, in their scopes, that `holds` do not name."""
    known = [(limit.name, limit.scope) for limit, _, _ in holds]
    return [hold for hold in more if (hold[0].name, hold[0].scope) not in known]
