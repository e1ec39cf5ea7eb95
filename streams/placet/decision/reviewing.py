"""What becomes of the review of an emergency: the votes it takes, its end, and the alarm where nobody answers in time."""

from placet.context.marks import on_time
from placet.context.tables import PRINCIPAL, Tables
from placet.decision import ballot as ballots
from placet.decision.answer import Answer
from placet.decision.arrow import CLOCK, Cause, Said
from placet.decision.ballot import Ballot, Cast, Count, Fault
from placet.decision.book import Book
from placet.decision.intake import slot_in
from placet.decision.questions import Questions
from placet.model.case import Case, PrincipalRow
from placet.model.codec import decode_known
from placet.model.codec.review import Review
from placet.model.codec.vote import Vote
from placet.model.digests import review_digest
from placet.model.reasons import Effect, Reason, ReviewState, State
from placet.policy.approval import Approval
from placet.ports import Rec

HELD_MOST, HELD_BYTES_MAX, DETAIL_MAX = 32, 1 << 18, 256
"""Votes held on one review: a quorum is 16 at most, the rest are of voters who may not vote any more. Each record of a
review repeats them, and has to fit into one of a broker.
"""


class Reviewing:
    """Counts votes on reviews as on what waits for people, and lets the clock speak of those that nobody answers."""

    def __init__(self, book: Book, questions: Questions, tables: Tables) -> None:
        self._book = book
        self._questions = questions
        self._tables = tables

    def vote(self, rec: Rec, vote: Vote, review: Review, key: bytes) -> Fault | None:
        """Take a vote on a review that is open; return why it is refused where it is."""
        on_time(rec, max(vote.voted_at, vote.auth_time))
        if vote.arguments is not None:
            return Reason.VOTE_REFUSED, "a review says right or wrong: expected no arguments"
        ballot, cast = _ballot_of(review), Cast(vote, rec.value or b"", rec.at)
        before = ballot.standing(vote.voter)
        if before is not None and before.order > cast.order:
            return Reason.VOTE_OUTDATED, f"`{vote.voter}` voted again at {before.vote.voted_at}"
        ballot = ballot.taking(cast)
        if len(ballot.casts) > HELD_MOST:
            return Reason.VOTE_REFUSED, f"{HELD_MOST} votes are held: expected no more"
        if sum(len(each.value) for each in ballot.casts) > HELD_BYTES_MAX:
            return Reason.VOTE_REFUSED, f"the votes on it are more than {HELD_BYTES_MAX} bytes: expected shorter ones"
        count = self._count(review, ballot)
        fault = count.faults.get(vote.voter)
        if fault is None:
            self._take(review, ballot, count, vote, Cause(rec.topic, rec.partition, rec.offset))
            if count.rejection is not None:
                self.take_back(slot_in(key, review.id, review.attempt), review, count.rejection)
        return fault

    def tick(self, most: int) -> None:
        """Say of up to `most` reviews that nobody has answered them in time."""
        for review in self._book.reviews.due(self._book.instant, most):
            self._book.review(review._replace(state=ReviewState.OVERDUE), CLOCK)

    def _count(self, review: Review, ballot: Ballot) -> Count:
        """Return what votes come to under who their voters are now, and who had a part in it when it was granted."""
        case = Case()
        case.instant, case.tenant, case.arguments = self._book.instant, review.tenant, {}
        case.actor_id, case.authority_id, case.chain = review.actor, review.authority, review.chain
        case.resource, case.actor = None, _owned_by(review)
        asked = Approval(review.quorum, review.eligible, 0, (), review.acr, review.auth_age_ms_max)
        return ballots.count(asked, ballot, case, [], self._meet, self._fell)

    def _meet(self, tenant: str, name: str) -> PrincipalRow | None:
        return self._tables.principals.get(f"{PRINCIPAL}{tenant}/{name}")

    def _fell(self, vote: Vote) -> bool:
        return vote.proof is None or self._tables.keys.fell(vote.proof.kid, vote.tenant) is not None

    def _take(self, review: Review, ballot: Ballot, count: Count, vote: Vote, cause: Cause) -> None:
        state, by = ReviewState(review.state), ""
        if count.rejection is not None:
            state, by = ReviewState.WRONG, count.rejection.voter
        elif count.met:
            state, by = ReviewState.RIGHT, vote.voter
        after = review._replace(
            state=state,
            voters=count.voters,
            votes=tuple(cast.value for cast in ballot.casts),
            by=by,
            detail=vote.reason[:DETAIL_MAX] if by else "",
        )
        self._book.review(after, cause)

    def take_back(self, slot: bytes, review: Review, no: Vote) -> None:
        """End the grant of an emergency that was none, where it is open still: revoked, or told to stop."""
        book, lease = self._book, self._book.leases.open.get(slot)
        if lease is None or lease.stopped or lease.state not in (State.GRANTED, State.CLAIMED):
            return
        asked = self._questions.recall(lease)
        if review_digest(asked.intent_digest, review.partition, review.grant_seq) != review.digest:
            return  # its id was given to another intent since
        claimed = lease.state == State.CLAIMED
        answer = Answer(
            State.CLAIMED if claimed else State.REVOKED,
            Effect(lease.effect),
            Reason.REVIEWED_WRONG,
            detail=no.reason[:DETAIL_MAX] or f"`{no.voter}` found that it was no emergency",
        )
        said = Said(executor=lease.executor, nonce=lease.nonce, stop=claimed)
        seq = book.move(lease, asked, answer, CLOCK, None, said)
        if claimed:
            book.open(lease._replace(seq=seq, stopped=True))
        else:
            book.close(slot)


def _ballot_of(review: Review) -> Ballot:
    return Ballot(review.asked_at, tuple(Cast(decode_known(value), value) for value in review.votes))


def _owned_by(review: Review) -> PrincipalRow | None:
    """Return the actor of an emergency as far as its owner says who may not review it."""
    if not review.owner:
        return None
    return PrincipalRow("", review.actor, "", "", True, review.owner, (), {}, frozenset(), 0, 0, ())
