"""Intents that are not at the end of their life: found by slot, by the facts they rest on, and by the clock."""

from collections.abc import Iterable

from placet.decision.answer import Answer
from placet.decision.arrow import NEVER, Cause
from placet.decision.held import key_in
from placet.decision.index import NO_KEYS, Index, Key
from placet.decision.intake import Asked
from placet.decision.life import CLAIMED, DEFERRED, GRANTED
from placet.decision.load import Load, place_of
from placet.decision.meters import Holdings, joined
from placet.model.codec.desk_change import Lease
from placet.model.reasons import Reason

BEGUN = Reason.CLAIMED
SECOND_MS = 1000
SLOT_SIZE = 16
Rests = tuple[bytes | None, tuple[Key, ...]]
"""The key an open intent is counted under, None while that was not told, and the index keys it rests on."""
NO_RESTS: Rests = (None, NO_KEYS)


class Leases:
    """Open intents of one desk. `drop` takes back all changes since the last `keep`.

    An intent is counted from the first time its key is told. A timer is never
    cancelled: when its second comes, the lease is looked at and passed over if
    its time has moved on.
    """

    def __init__(self) -> None:
        self.open: dict[bytes, Lease] = {}
        self.index = Index()
        self.load = Load()
        self.holdings = Holdings()
        self._rests: dict[bytes, Rests] = {}
        # Slots one after the other, also of what is closed by now: objects would stay as long, at four times the bytes.
        self._seconds: dict[int, bytearray] = {}
        self._next = NEVER
        self._undo: list[tuple[bytes, Lease | None, Rests]] = []

    def put(self, lease: Lease, facts: Iterable[Key] = (), key: bytes | None = None) -> None:
        """Open a lease, or replace it by its next state.

        `facts` are the index keys it rests on, none: as before; `key` is that of its intent, to be counted under.
        """
        slot = lease.slot
        before, was = self.open.get(slot), self._rests.get(slot, NO_RESTS)
        self._undo.append((slot, before, was))
        self.open[slot] = lease
        if before is None or before.until != lease.until:
            self._set(slot, lease.until)
        self._stand(slot, before, was, lease, (was[0] or key, tuple(facts) or was[1]))

    def fill(self, leases: Iterable[Lease]) -> None:
        """Open leases that were open before; `drop` does not take them back. Nothing is known of what they rest on.

        They are counted under the keys of their intents, before anything new is held against the bounds.
        """
        seconds, rests = self._seconds, dict[bytes, Rests]()
        for lease in leases:
            slot, key = lease.slot, key_in(lease.intent)
            self.open[slot] = lease
            self._rests[slot] = rests.get(key) or rests.setdefault(key, (key, NO_KEYS))
            self.load.enter(place_of(lease, key))
            if lease.holds:
                self.holdings.enter(key, lease.holds)
            second = lease.until // SECOND_MS
            slots = seconds.get(second)
            if slots is None:
                seconds[second] = bytearray(slot)
            else:
                slots += slot
        self._next = min(seconds, default=NEVER) * SECOND_MS

    def rest(self, slot: bytes, facts: Iterable[Key], key: bytes | None = None) -> None:
        """Note that an open lease rests on other index keys than before."""
        lease, was = self.open[slot], self._rests.get(slot, NO_RESTS)
        self._undo.append((slot, lease, was))
        self._stand(slot, lease, was, lease, (was[0] or key, tuple(facts)))

    def close(self, slot: bytes) -> None:
        """Forget a lease that has come to the end of its life."""
        before, was = self.open.pop(slot), self._rests.get(slot, NO_RESTS)
        self._undo.append((slot, before, was))
        self._stand(slot, before, was, None, NO_RESTS)

    def _stand(self, slot: bytes, before: Lease | None, was: Rests, after: Lease | None, now: Rests) -> None:
        """Let a slot be counted, and found by what it rests on, as it is after a change."""
        if was != now:
            if now == NO_RESTS:
                del self._rests[slot]
            else:
                self._rests[slot] = now
            self.index.move(slot, was[1], now[1])
        if before is not after and not (before and after and before.holds is after.holds and was[0] == now[0]):
            if before is not None and before.holds and was[0] is not None:
                self.holdings.leave(was[0], before.holds)
            if after is not None and after.holds and now[0] is not None:
                self.holdings.enter(now[0], after.holds)
        came = None if was[0] is None or before is None else place_of(before, was[0])
        goes = None if now[0] is None or after is None else place_of(after, now[0])
        if came == goes:
            return
        if came is not None:
            self.load.leave(came)
        if goes is not None:
            self.load.enter(goes)

    def due(self, instant: int, most: int) -> list[Lease]:
        """Return up to `most` leases whose time has come at `instant`, the earliest first; they stay until moved on."""
        found: dict[bytes, Lease] = {}
        for second in self._reached(instant):
            found |= {lease.slot: lease for lease in self._live(second) if lease.until <= instant}
        return sorted(found.values(), key=lambda lease: (lease.until, lease.slot))[:most]

    def is_due(self, instant: int) -> bool:
        """Return whether the time of any lease has come at `instant`."""
        if instant < self._next:
            return False
        soon = [lease.until for second in self._reached(instant) for lease in self._live(second)]
        # Of a second that has not begun its first ms will do: then it is looked at again.
        self._next = min(soon or [second * SECOND_MS for second in self._seconds] or [NEVER])
        return self._next <= instant

    def _set(self, slot: bytes, until: int) -> None:
        second = until // SECOND_MS
        slots = self._seconds.get(second)
        if slots is None:
            self._seconds[second] = bytearray(slot)
        else:
            slots += slot
        self._next = min(self._next, until)

    def _reached(self, instant: int) -> list[int]:
        last = instant // SECOND_MS
        return sorted(second for second in self._seconds if second <= last)

    def _live(self, second: int) -> list[Lease]:
        """Return the leases whose time comes within a second; what has moved on is forgotten there."""
        slots = self._seconds.pop(second)
        found: dict[bytes, Lease] = {}
        for at in range(0, len(slots), SLOT_SIZE):
            lease = self.open.get(bytes(slots[at : at + SLOT_SIZE]))
            if lease is not None and lease.until // SECOND_MS == second:
                found[lease.slot] = lease
        if found:
            self._seconds[second] = bytearray().join(found)
        return list(found.values())

    def keep(self) -> None:
        self._undo.clear()

    def drop(self) -> None:
        for slot, before, was in reversed(self._undo):
            self._stand(slot, self.open.get(slot), self._rests.get(slot, NO_RESTS), before, was)
            if before is None:
                self.open.pop(slot, None)
            else:
                self.open[slot] = before
                self._set(slot, before.until)
        self._undo.clear()


def lease_of(asked: Asked, answer: Answer, seq: int, cause: Cause, asked_at: int) -> Lease:
    """Return what is remembered of an intent whose first answer left it open."""
    claimed = answer.state is CLAIMED
    # Positional and unchecked: a keyword for each of 20 fields would cost more than the rest of opening it.
    return tuple.__new__(
        Lease,
        (
            asked.slot,
            seq,
            answer.state,
            answer.effect,
            answer.reason,
            asked.value,
            cause.offset,
            asked_at,
            answer.until if answer.state is GRANTED else wakes_at(answer, asked_at),
            answer.granted_digest,
            answer.granted_arguments,
            answer.claim_required,
            answer.act_ms_max,
            answer.until,
            answer.set_digest,
            asked.intent.audience if claimed else "",
            b"",
            False,
            (),
            answer.holds,
            b"" if answer.wait is None else answer.wanted,
        ),
    )


def wakes_at(answer: Answer, asked_at: int) -> int:
    """Return when the clock moves what was answered, ms: at its end, or before that when others are to be asked or when
    windows that pass leave enough of a limit.
    """
    if answer.state is CLAIMED:
        return answer.until + answer.act_ms_max
    if answer.again_at and answer.state is DEFERRED:
        return min(answer.until, answer.again_at)
    wait, count = answer.wait, answer.count
    if wait is None or count is None or not wait.later:
        return answer.until
    after_ms = wait.next_after(count.waited_ms)
    return answer.until if after_ms is None else min(answer.until, asked_at + after_ms)


def claimed(lease: Lease, now: Answer, seq: int, executor: str, nonce: bytes) -> Lease:
    """Return a grant as it is remembered once `executor` has claimed it."""
    slot, _, _, effect, _, intent, offset, at, _, digest, arguments, required, act_ms, _, _, _, _, stopped = lease[:18]
    return tuple.__new__(
        Lease,
        (
            slot,
            seq,
            CLAIMED,
            effect,
            BEGUN,
            intent,
            offset,
            at,
            now.until,
            digest,
            arguments,
            required,
            act_ms,
            now.until,
            now.set_digest,
            executor,
            nonce,
            stopped,
            lease.votes,
            joined(lease.holds, now.holds) if now.holds else lease.holds,
            b"",
        ),
    )
