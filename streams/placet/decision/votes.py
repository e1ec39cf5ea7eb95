"""Votes: what people say of an intent that waits for them, each once, bound to its digest."""

from placet.context.marks import on_time
from placet.decision import intake
from placet.decision.arrow import Cause
from placet.decision.ballot import Cast, Fault, ballot_of
from placet.decision.book import Book
from placet.decision.follow import Follow
from placet.decision.judge import Judge
from placet.decision.questions import Questions
from placet.decision.reviewing import Reviewing
from placet.model.codec.desk_change import Lease
from placet.model.codec.vote import Vote
from placet.model.reasons import Reason, State
from placet.ports import Rec

HELD_MOST = 64
"""Votes held on one intent: a quorum is 16 at most, the rest are of voters who may not vote any more."""


class Votes:
    """What a desk does with the records of `placet.votes`."""

    def __init__(self, book: Book, judge: Judge, questions: Questions, follow: Follow, reviewing: Reviewing) -> None:
        self._book = book
        self._judge = judge
        self._questions = questions
        self._follow = follow
        self._reviewing = reviewing

    def vote(self, rec: Rec, said: tuple[Vote, bytes]) -> None:
        """Take a vote and decide its intent again, or refuse it by name; one that is held already hears what it led to."""
        vote, key = said
        slot = intake.slot_in(key, vote.id, vote.attempt)
        lease = self._book.leases.open.get(slot)
        if lease is not None and rec.value in lease.votes:
            self._book.voice.repeat(rec, vote.tenant, vote.authority, (vote.id, vote.attempt), lease.seq, key)
            return
        review = self._book.reviews.open.get(vote.intent_digest)
        if review is not None and rec.value in review.votes:
            self._book.voice.repeat(rec, vote.tenant, vote.authority, (vote.id, vote.attempt), review.seq, key)
            return
        if review is not None:
            fault = self._reviewing.vote(rec, vote, review, key)
        elif lease is not None and lease.state == State.PENDING:
            fault = self._take(vote, lease, rec)
        else:
            fault = self._closed(slot, lease)
        if fault is not None:
            identity = (vote.tenant, vote.authority, vote.id, vote.attempt)
            self._book.refuse(rec, *fault, identity, key)

    def _closed(self, slot: bytes, lease: Lease | None) -> Fault:
        """Return why a vote is refused where nothing waits.

        Past its deadline an attempt is as if it had not been asked, whether or not it is remembered still.
        """
        known = self._book.settled.find(slot)
        if lease is None and (known is None or known.deadline <= self._book.instant):
            return Reason.VOTE_UNKNOWN, "nobody asked under this id and attempt"
        return Reason.VOTE_LATE, "nothing waits for people under this id and attempt"

    def _take(self, vote: Vote, lease: Lease, rec: Rec) -> Fault | None:
        """Count a vote and decide its intent again; return why it is refused where it is."""
        on_time(rec, max(vote.voted_at, vote.auth_time))
        asked = self._questions.recall(lease)
        if vote.intent_digest != asked.intent_digest:
            return Reason.VOTE_MISMATCH, f"on another intent: expected the digest {asked.intent_digest.hex()}"
        if max(rec.at, self._book.instant) >= lease.expires_at:
            return Reason.VOTE_LATE, f"appended at {rec.at}, the wait ended at {lease.expires_at}"
        ballot, cast = ballot_of(lease), Cast(vote, rec.value or b"", rec.at)
        before = ballot.standing(vote.voter)
        if before is not None and before.order > cast.order:
            return Reason.VOTE_OUTDATED, f"`{vote.voter}` voted again at {before.vote.voted_at}"
        ballot = ballot.taking(cast)
        if len(ballot.casts) > HELD_MOST:
            return Reason.VOTE_REFUSED, f"{HELD_MOST} votes are held: expected no more"
        session = self._book.session_of(asked)
        active, plan = self._judge.plan_of(asked.intent)
        now = self._judge.judge(asked, active, plan, session, "", lease, ballot)
        # Where nobody is asked any more the answer is the context's, and the vote is not needed for it.
        fault = None if now.count is None else now.count.faults.get(vote.voter)
        if fault is None:
            taken = None if now.count is None else ballot
            self._follow.go(lease, asked, now, Cause(rec.topic, rec.partition, rec.offset), session, taken)
        return fault
