"""Reviews of emergencies that are not answered: found by digest, by who called them, and by the clock."""

from heapq import heappop, heappush

from placet.decision.answer import Called
from placet.decision.intake import Asked
from placet.model.codec.review import Review
from placet.model.digests import review_digest
from placet.model.reasons import ReviewState

Caller = tuple[str, str, str]
"""Tenant, authority and actor."""


class Reviews:
    """The open reviews of one desk. `drop` takes back all changes since the last `keep`.

    A timer is never cancelled: when its time comes, the review is looked at, and passed over if it is answered by then.
    """

    def __init__(self) -> None:
        self.open: dict[bytes, Review] = {}
        self._by: dict[Caller, set[bytes]] = {}
        self._times: list[tuple[int, bytes]] = []
        self._undo: list[tuple[bytes, Review | None]] = []

    def put(self, review: Review) -> None:
        """Open a review, or replace it by its next record."""
        self._undo.append((review.digest, self.open.get(review.digest)))
        self._set(review)

    def close(self, digest: bytes) -> None:
        """Forget a review that is answered."""
        self._undo.append((digest, self.open.get(digest)))
        self._forget(digest)

    def fill(self, review: Review) -> None:
        """Open a review that was open before; `drop` does not take it back."""
        self._set(review)

    def bar(self, caller: Caller, most: int) -> str:
        """Return why somebody may call no emergency, of which `most` may be unanswered; an empty text where they may."""
        digests = self._by.get(caller, ())
        waiting = sorted((self.open[digest] for digest in digests), key=lambda review: (review.expires_at, review.seq))
        for review in waiting:
            if review.state == ReviewState.OVERDUE:
                return f"the review of emergency {review.id.hex()} is overdue since {review.expires_at}"
        if len(waiting) < most:
            return ""
        return f"{len(waiting)} emergencies are not reviewed, {waiting[0].id.hex()} first: expected fewer than {most}"

    def due(self, instant: int, most: int) -> list[Review]:
        """Return up to `most` reviews that nobody has answered in time, the earliest first."""
        # One whose batch was lost may have two timers: it is told once.
        found: dict[bytes, Review] = {}
        while self.is_due(instant) and len(found) < most:
            _, digest = heappop(self._times)
            found[digest] = self.open[digest]
        return list(found.values())

    def is_due(self, instant: int) -> bool:
        """Return whether the time of any review has come at `instant`."""
        while self._times:
            at, digest = self._times[0]
            review = self.open.get(digest)
            if review is not None and review.state == ReviewState.ASKED and review.expires_at == at:
                return at <= instant
            heappop(self._times)
        return False

    def keep(self) -> None:
        self._undo.clear()

    def drop(self) -> None:
        for digest, before in reversed(self._undo):
            if before is None:
                self._forget(digest)
            else:
                self._set(before)
        self._undo.clear()

    def _set(self, review: Review) -> None:
        before = self.open.get(review.digest)
        self.open[review.digest] = review
        self._by.setdefault(caller_of(review), set()).add(review.digest)
        timed = before is not None and before.state == review.state and before.expires_at == review.expires_at
        if review.state == ReviewState.ASKED and not timed:
            heappush(self._times, (review.expires_at, review.digest))

    def _forget(self, digest: bytes) -> None:
        review = self.open.pop(digest, None)
        if review is None:
            return
        digests = self._by[caller_of(review)]
        digests.discard(digest)
        if not digests:
            del self._by[caller_of(review)]


def caller_of(review: Review) -> Caller:
    """Return who called an emergency."""
    return review.tenant, review.authority, review.actor


def asked_of(asked: Asked, called: Called, partition: int, grant_seq: int, instant: int) -> Review:
    """Return the review that is asked with a grant: there is none without."""
    intent, review = asked.intent, called.emergency.review
    return Review(
        tenant=intent.tenant,
        authority=intent.authority,
        id=intent.id,
        attempt=intent.attempt,
        actor=intent.actor,
        action=intent.action,
        resource=intent.resource,
        purpose=intent.purpose,
        partition=partition,
        seq=-1,
        previous_seq=-1,
        grant_seq=grant_seq,
        instant=instant,
        state=ReviewState.ASKED,
        cause_topic=0,
        cause_partition=0,
        cause_offset=0,
        digest=review_digest(asked.intent_digest, partition, grant_seq),
        quorum=review.quorum,
        eligible=called.eligible,
        acr=review.acr,
        auth_age_ms_max=review.auth_age_ms_max,
        chain=called.chain,
        owner=called.owner,
        unreviewed_max=called.emergency.unreviewed_max,
        asked_at=instant,
        expires_at=instant + review.expires_ms,
        voters=(),
        votes=(),
        by="",
        detail="",
    )
