"""Intents that are not at the end of their life: found by slot, by the facts they rest on, and by the clock."""

from collections.abc import Container, Iterable, Iterator

from placet.decision.arrow import Cause
from placet.decision.intake import Asked
from placet.decision.judge import Answer
from placet.model.codec.desk_change import Lease
from placet.model.reasons import State

SECOND_MS = 1000
SMALL = 32
"""A list of slots up to this long is tidied in its turn; a longer one when it has doubled."""
TIDIED = 1
"""Keys looked through for closed leases each time a lease is added."""


class Index:
    """From the key of a fact to the slots that may rest on it.

    Entries of closed slots linger for a while; a slot may stand twice, or
    under a fact that it no longer rests on. Deciding it once too often writes
    nothing. What is closed is dropped a little with each lease that comes, so
    that no batch waits for it.
    """

    def __init__(self) -> None:
        self._slots: dict[str, list[bytes]] = {}
        self._full: dict[str, int] = {}
        self._round: Iterator[str] = iter(())

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, keys: Iterable[str], slot: bytes, live: Container[bytes]) -> None:
        index = self._slots
        for key in keys:
            slots = index.get(key)
            if slots is None:
                index[key] = [slot]
                continue
            slots.append(slot)
            if len(slots) > SMALL and len(slots) > self._full.get(key, SMALL):
                self._tidy(key, slots, live)
        for _ in range(TIDIED):
            key = next(self._round, "")
            if not key:
                self._round = iter(list(index))
                break
            small = index.get(key)
            if small is not None and len(small) <= SMALL:
                self._tidy(key, small, live)

    def _tidy(self, key: str, slots: list[bytes], live: Container[bytes]) -> None:
        """Drop what is closed, and what stands twice; a key of nothing open goes as well."""
        kept = [slot for slot in dict.fromkeys(slots) if slot in live]
        if kept:
            self._slots[key] = kept
        else:
            del self._slots[key]
        if len(kept) > SMALL:
            self._full[key] = 2 * len(kept)
        else:
            self._full.pop(key, None)

    def touched(self, key: str) -> list[bytes]:
        """Return the slots that may rest on `key`, each once, in the order they were added."""
        return list(dict.fromkeys(self._slots.get(key, ())))


class Leases:
    """Open intents of one desk. `drop` takes back all changes since the last `keep`.

    A timer is never cancelled: when its second comes, the lease is looked at
    and passed over if its time has moved on.
    """

    def __init__(self) -> None:
        self.open: dict[bytes, Lease] = {}
        self.index = Index()
        self._seconds: dict[int, list[bytes]] = {}
        self._undo: list[tuple[bytes, Lease | None]] = []

    def put(self, lease: Lease, facts: Iterable[str] = ()) -> None:
        """Open a lease, or replace it by its next state; `facts` are the index keys it rests on besides the old ones."""
        slot = lease.slot
        before = self.open.get(slot)
        self._undo.append((slot, before))
        self.open[slot] = lease
        if before is None or before.until != lease.until:
            self._seconds.setdefault(lease.until // SECOND_MS, []).append(slot)
        self.index.add(facts, slot, self.open)

    def close(self, slot: bytes) -> None:
        """Forget a lease that has come to the end of its life."""
        self._undo.append((slot, self.open.pop(slot)))

    def due(self, instant: int, most: int) -> list[Lease]:
        """Return up to `most` leases whose time has come at `instant`, the earliest first; they stay until moved on."""
        last = instant // SECOND_MS
        found: dict[bytes, Lease] = {}
        for second in sorted(s for s in self._seconds if s <= last):
            later = []
            for slot in self._seconds.pop(second):
                lease = self.open.get(slot)
                if lease is None or lease.until // SECOND_MS != second:
                    continue
                if lease.until <= instant:
                    found[slot] = lease
                later.append(slot)
            if later:
                self._seconds[second] = later
        return sorted(found.values(), key=lambda lease: (lease.until, lease.slot))[:most]

    def next_second(self) -> int | None:
        """Return the ms at which the earliest timer's second begins, or None."""
        return min(self._seconds) * SECOND_MS if self._seconds else None

    def keep(self) -> None:
        self._undo.clear()

    def drop(self) -> None:
        for slot, before in reversed(self._undo):
            if before is None:
                self.open.pop(slot, None)
            else:
                self.open[slot] = before
                self._seconds.setdefault(before.until // SECOND_MS, []).append(slot)
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
            asked.payload,
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
