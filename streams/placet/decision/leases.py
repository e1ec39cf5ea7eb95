"""Intents that are not at the end of their life: found by slot, by the facts they rest on, and by the clock."""

from collections.abc import Iterable

from placet.decision.arrow import NEVER, Cause
from placet.decision.intake import Asked
from placet.decision.judge import Answer
from placet.decision.load import Load
from placet.model.codec.desk_change import Lease
from placet.model.reasons import Reason, State

SECOND_MS = 1000
SLOT_SIZE = 16
NO_KEYS: tuple[str, ...] = ()


class Index:
    """From the key of a fact to the slots that rest on it, and back.

    What stands alone under its key stands there bare: most facts carry one lease.
    """

    def __init__(self) -> None:
        self._slots: dict[str, bytes | dict[bytes, None]] = {}
        self._keys: dict[bytes, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def keys_of(self, slot: bytes) -> tuple[str, ...]:
        """Return what a slot rests on; nothing where that is not known."""
        return self._keys.get(slot, NO_KEYS)

    def rest(self, slot: bytes, keys: tuple[str, ...]) -> None:
        """Let a slot rest on these keys, and on no others."""
        before = self._keys.get(slot, NO_KEYS)
        if before == keys:
            return
        slots = self._slots
        if before:
            self._leave(slot, before)
        if not keys:
            del self._keys[slot]
            return
        self._keys[slot] = keys
        for key in keys:
            held = slots.setdefault(key, slot)
            if held is slot:
                continue
            if isinstance(held, dict):
                held[slot] = None
            elif held != slot:
                slots[key] = {held: None, slot: None}

    def _leave(self, slot: bytes, keys: tuple[str, ...]) -> None:
        slots = self._slots
        for key in keys:
            held = slots.get(key)
            if isinstance(held, dict):
                held.pop(slot, None)
                if not held:
                    del slots[key]
            elif held == slot:
                del slots[key]

    def touched(self, key: str) -> list[bytes]:
        """Return the slots that rest on `key`."""
        held = self._slots.get(key)
        if held is None:
            return []
        return list(held) if isinstance(held, dict) else [held]


class Leases:
    """Open intents of one desk. `drop` takes back all changes since the last `keep`.

    A timer is never cancelled: when its second comes, the lease is looked at
    and passed over if its time has moved on.
    """

    def __init__(self) -> None:
        self.open: dict[bytes, Lease] = {}
        self.index = Index()
        self.load = Load()
        # Slots one after the other, also of what is closed by now: objects would stay as long, at four times the bytes.
        self._seconds: dict[int, bytearray] = {}
        self._next = NEVER
        self._undo: list[tuple[bytes, Lease | None, tuple[str, ...], bytes | None]] = []

    def put(self, lease: Lease, facts: Iterable[str] = (), key: bytes | None = None) -> None:
        """Open a lease, or replace it by its next state.

        `facts` are the index keys it rests on, none: as before; `key` is that of its intent, to be counted under.
        """
        slot = lease.slot
        before = self.open.get(slot)
        self._undo.append((slot, before, self.index.keys_of(slot), None))
        self.open[slot] = lease
        self.load.move(slot, lease.state, key)
        if before is None or before.until != lease.until:
            self._set(slot, lease.until)
        if facts:
            self.index.rest(slot, tuple(facts))

    def rest(self, slot: bytes, facts: Iterable[str], key: bytes | None = None) -> None:
        """Note that an open lease rests on other index keys than before."""
        lease = self.open[slot]
        self._undo.append((slot, lease, self.index.keys_of(slot), None))
        self.load.move(slot, lease.state, key)
        self.index.rest(slot, tuple(facts))

    def close(self, slot: bytes) -> None:
        """Forget a lease that has come to the end of its life."""
        self._undo.append((slot, self.open.pop(slot), self.index.keys_of(slot), self.load.leave(slot)))
        self.index.rest(slot, NO_KEYS)

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
        for slot, before, keys, key in reversed(self._undo):
            self.index.rest(slot, keys)
            if before is None:
                self.open.pop(slot, None)
                self.load.leave(slot)
            else:
                self.open[slot] = before
                self.load.move(slot, before.state, key)
                self._set(slot, before.until)
        self._undo.clear()


def lease_of(asked: Asked, answer: Answer, seq: int, cause: Cause, asked_at: int) -> Lease:
    """Return what is remembered of an intent whose first answer left it open."""
    claimed = answer.state is State.CLAIMED
    # Positional and unchecked: a keyword for each of 19 fields would cost more than the rest of opening it.
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
            answer.until + answer.act_ms_max if claimed else answer.until,
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
        ),
    )


def claimed(lease: Lease, now: Answer, seq: int, executor: str, nonce: bytes) -> Lease:
    """Return a grant as it is remembered once `executor` has claimed it."""
    slot, _, _, effect, _, intent, offset, at, _, digest, arguments, required, act_ms, _, _, _, _, stopped, votes = (
        lease
    )
    return tuple.__new__(
        Lease,
        (
            slot,
            seq,
            State.CLAIMED,
            effect,
            Reason.CLAIMED,
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
            votes,
        ),
    )
