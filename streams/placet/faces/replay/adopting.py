"""Recorded verdicts adopted: what a replay goes on from where it made none, or another one, or where its range begins."""

from typing import NamedTuple

from placet.decision.arrow import NEVER
from placet.decision.ballot import Cast, ballot_of
from placet.decision.ballot import Count as Poll
from placet.decision.book import Book
from placet.decision.intake import Intake
from placet.decision.life import CLAIMED, DEFERRED, DENIED, OPEN, PENDING, UNKNOWN
from placet.decision.meters import BEYOND, HOLD
from placet.decision.settled import CUT, REST, TRANSIENT_FLAG, slot_of
from placet.errors import PoisonRecord
from placet.model.codec import HEADERS, decode_known
from placet.model.codec.desk_change import Held, Lease
from placet.model.codec.verdict import Verdict
from placet.model.keys import key_of
from placet.model.reasons import TRANSIENT, Reason
from placet.ports import Rec

INTENTS, VOTES = HEADERS["intent"], HEADERS["vote"]


class Recorded(NamedTuple):
    """A verdict as it was said, and the record of an input that it answers, where one does and is there."""

    said: Verdict
    input: Rec | None


class Adopter:
    """Puts a book where the record says it was. `lost` are attempts of which it is not known what they asked."""

    def __init__(self, book: Book, reader: Intake, lost: set[bytes]) -> None:
        self._book = book
        self._reader = reader
        self._lost = lost

    def adopt(self, recorded: Recorded, before: Lease | None, intent: bytes = b"") -> None:
        """Let an attempt stand as its verdict says, whatever was made of it; `before` is how it stood until then."""
        said = recorded.said
        key = key_of(said.tenant, said.authority)
        slot = slot_of(key, said.id, said.attempt)
        leases = self._book.leases
        if said.previous_seq < 0:
            intent = intent or _intent_in(recorded.input)
            self._remember(slot, said)
        elif before is not None:
            intent = before.intent
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

    def _remember(self, slot: bytes, said: Verdict) -> None:
        transient = said.state == DENIED and said.reason in TRANSIENT
        row = REST.pack(
            said.seq,
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
            return before._replace(seq=said.seq, state=UNKNOWN, reason=said.reason, until=NEVER)
        held = tuple(
            Held(one.limit, one.scope, one.amount, one.phase, 0, 0) for one in said.holds if one.phase in (HOLD, BEYOND)
        )
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
    return Poll(0, asked.quorum, asked.eligible, asked.voters, {}, None, {}).wanted


def decoded(value: bytes) -> Verdict | None:
    """Return a recorded verdict, or None where it cannot be read."""
    try:
        said: Verdict = decode_known(value)
    except PoisonRecord:
        return None
    return said
