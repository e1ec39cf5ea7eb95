"""Recorded verdicts adopted: what a replay goes on from where it made none, or another one, or where its range begins."""

from typing import Any, NamedTuple

from placet.decision.arrow import NEVER
from placet.decision.ballot import Cast, ballot_of
from placet.decision.ballot import Count as Poll
from placet.decision.book import Book
from placet.decision.life import CLAIMED, DEFERRED, DENIED, OPEN, PENDING, UNKNOWN
from placet.decision.meters import BEYOND, HOLD, RELEASE, SPEND, spent_at
from placet.decision.settled import CUT, REST, TRANSIENT_FLAG, slot_of
from placet.decision.ties import MANDATE
from placet.errors import PoisonRecord
from placet.faces.replay.shelf import Shelf
from placet.model.codec import HEADERS, decode_known
from placet.model.codec.desk_change import Held, Lease
from placet.model.codec.review import Review
from placet.model.codec.verdict import Hold, Verdict
from placet.model.keys import key_of
from placet.model.reasons import TRANSIENT, Reason, ReviewState
from placet.ports import Rec

INTENTS, VOTES = HEADERS["intent"], HEADERS["vote"]
ANSWERED = (ReviewState.RIGHT, ReviewState.WRONG)


class Recorded(NamedTuple):
    """A verdict as it was said, and the record of an input that it answers, where one does and is there."""

    said: Verdict
    input: Rec | None


class Adopter:
    """Puts a book where the record says it was. `lost` are attempts of which it is not known what they asked."""

    def __init__(self, book: Book, shelf: Shelf, lost: set[bytes]) -> None:
        self._book = book
        self._shelf = shelf
        self._lost = lost

    def review(self, said: Review) -> None:
        """Let a review stand as it is recorded."""
        if said.state in ANSWERED:
            self._book.reviews.close(said.digest)
        else:
            self._book.reviews.put(said)

    def count(self, said: Verdict, before: Lease | None) -> None:
        """Count what a verdict spends or gives back of what `before` held, where nothing was made that did."""
        key = key_of(said.tenant, said.authority)
        phases = {(one.limit, one.scope): one.phase for one in said.holds}
        for held in before.holds if before is not None else ():
            phase = phases.get((held.limit, held.scope))
            if phase == SPEND:
                self._book.meters.spend(key, held, said.instant, said.seq)
            elif phase == RELEASE and held.phase == SPEND:
                self._book.meters.take_back(key, held, said.seq)

    def adopt(self, recorded: Recorded, before: Lease | None, intent: bytes = b"") -> None:
        """Let an attempt stand as its verdict says, whatever was made of it; `before` is how it stood until then."""
        said = recorded.said
        key = key_of(said.tenant, said.authority)
        slot = slot_of(key, said.id, said.attempt)
        leases = self._book.leases
        if said.previous_seq < 0:
            intent = intent or _intent_in(recorded.input)
            self._remember(slot, said, said.seq)
        elif before is not None:
            intent = before.intent
        known = self._book.settled.find(slot)
        if said.previous_seq >= 0 and known is not None and said.state == DENIED and said.reason in TRANSIENT:
            self._remember(slot, said, known.seq)
        if said.state not in OPEN:
            self._lost.discard(slot)
            if slot in leases.open:
                leases.close(slot)
        elif intent:
            self._lost.discard(slot)
            leases.put(self._lease(slot, said, before, intent, recorded.input), (), key)
            self._read_again(slot)
        else:
            self._lost.add(slot)
            if slot in leases.open:
                leases.close(slot)

    def _remember(self, slot: bytes, said: Verdict, first_seq: int) -> None:
        transient = said.state == DENIED and said.reason in TRANSIENT
        row = REST.pack(
            first_seq,
            said.deadline,
            said.attempt,
            TRANSIENT_FLAG if transient else 0,
            said.intent_digest[:CUT],
            said.action_digest[:CUT],
        )
        self._book.settled.put(slot, row, said.deadline, said.instant)

    def _read_again(self, slot: bytes) -> None:
        self._book.readings.forget(slot)

    def _lease(self, slot: bytes, said: Verdict, before: Lease | None, intent: bytes, rec: Rec | None) -> Lease:
        if said.stop and before is not None:
            return before._replace(seq=said.seq, stopped=True)
        if said.state == UNKNOWN and before is not None:
            spent = spent_at(before.holds, said.instant)
            return before._replace(seq=said.seq, state=UNKNOWN, reason=said.reason, until=NEVER, holds=spent)
        held = tuple(self._held(said, one) for one in said.holds if one.phase in (HOLD, BEYOND))
        known = before.holds if before is not None else ()
        names = {(one.limit, one.scope) for one in known}
        claims = said.state == CLAIMED and said.reason != Reason.CLAIMED
        return Lease(
            slot=slot,
            seq=said.seq,
            state=said.state,
            effect=said.effect,
            reason=said.reason,
            intent=intent,
            asked_offset=said.asked_offset,
            asked_at=said.asked_at,
            until=said.expires_at + (said.act_ms_max if claims else 0),
            granted_digest=said.granted_digest,
            granted_arguments=said.granted_arguments,
            claim_required=said.claim_required,
            act_ms_max=said.act_ms_max,
            expires_at=said.expires_at,
            set_digest=said.set_digest,
            executor=said.executor,
            nonce=said.nonce,
            stopped=False,
            votes=self._votes(said, before, rec),
            holds=known + tuple(one for one in held if (one.limit, one.scope) not in names),
            wanted=_wanted(said),
        )

    def _held(self, said: Verdict, one: Hold) -> Held:
        """Return what a grant holds of a limit: over which window and in which measure, its packs or its mandate say."""
        if one.limit.startswith(MANDATE + "/"):
            measure, window_s = one.scope.split(" ")[:2]
            return Held(one.limit, one.scope, one.amount, one.phase, int(window_s) * 1000, 0, measure)
        active = self._shelf.find(said.tenant, said.set_digest)
        limits = () if active is None else (limit for pack in active.packs for limit in pack.limits)
        limit = next((limit for limit in limits if limit.name == one.limit), None)
        window_ms, measure = (0, "") if limit is None else (limit.window_ms, limit.measure)
        return Held(one.limit, one.scope, one.amount, one.phase, window_ms, 0, measure)

    def _votes(self, said: Verdict, before: Lease | None, rec: Rec | None) -> tuple[bytes, ...]:
        if said.state == DEFERRED or before is None:
            return ()
        if rec is None or rec.value is None or rec.value[:5] not in VOTES:
            return before.votes
        ballot = ballot_of(before).taking(Cast(decode_known(rec.value), rec.value))
        return tuple(cast.value for cast in ballot.casts)


def _intent_in(rec: Rec | None) -> bytes:
    value = b"" if rec is None else rec.value or b""
    return value if value[:5] in INTENTS else b""


def _wanted(said: Verdict) -> bytes:
    """Return the digest of what people are told, as a desk remembers it of what waits for them."""
    asked = said.approval
    if asked is None or said.state != PENDING:
        return b""
    proof = asked.acr, asked.auth_age_ms_max
    return Poll(0, asked.quorum, asked.eligible, asked.voters, {}, None, {}, *proof).wanted


def decoded(value: bytes) -> Any:
    """Return a recorded verdict or review, or None where it cannot be read."""
    try:
        said: Verdict | Review = decode_known(value)
    except PoisonRecord:
        return None
    return said
