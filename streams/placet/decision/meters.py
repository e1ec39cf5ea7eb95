"""What counts in limits: amounts that open grants hold, and amounts that were spent, by the bucket they were spent in."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

import msgspec

from placet.model.codec.desk_change import Bucket, Held, Meter
from placet.model.codec.verdict import Hold
from placet.model.reasons import State

HOLD, SPEND, RELEASE, BEYOND = 1, 2, 3, 4
"""Phases of an amount. What goes beyond a limit by people's leave is not counted in it."""
BUCKETS_MOST = 64
"""Into how many parts a window is cut. One more is begun and not yet full, and no more than both are kept."""
RUNS = frozenset({State.GRANTED, State.CLAIMED})
"""States in which a grant holds its amounts."""
SPENDING = frozenset({State.DONE, State.UNKNOWN})
NOTHING: Mapping[str, int] = {}

Posts = tuple[Hold, ...]


class Count(msgspec.Struct, frozen=True, gc=False):
    """What was spent in one scope: as it is written, and for adding up, the ends of its buckets and the sums up to each."""

    row: Meter
    ends: tuple[int, ...]
    sums: tuple[int, ...]

    def spent(self, instant: int, window_ms: int) -> int:
        """Return what still counts at `instant` over a window; 0 is one without an end."""
        total = self.sums[-1]
        if not window_ms or self.ends[0] + window_ms > instant:
            return total
        gone = bisect_right(self.ends, instant - window_ms)
        return total - self.sums[gone - 1]

    def is_over(self, instant: int) -> bool:
        """Return whether nothing of it counts any more."""
        return bool(self.row.window_ms) and self.ends[-1] + self.row.window_ms <= instant


NO_COUNTS: Mapping[str, Count] = {}


def name_of(held: Held | Meter) -> str:
    """Return the name under which a limit is counted in one scope, within a key."""
    return f"{held.limit} {held.scope}"


def bucket_of(instant: int, window_ms: int) -> int:
    """Return the last ms of the bucket that `instant` lies in; without a window there is one, which ends with each spend."""
    if not window_ms:
        return instant
    width = -(-window_ms // BUCKETS_MOST)
    return (instant // width + 1) * width - 1


def spent_at(holds: tuple[Held, ...], instant: int) -> tuple[Held, ...]:
    """Return holds as they are once what they held is spent."""
    return tuple(
        held._replace(phase=SPEND, last=bucket_of(instant, held.window_ms)) if held.phase == HOLD else held
        for held in holds
    )


def joined(holds: tuple[Held, ...], more: tuple[Held, ...]) -> tuple[Held, ...]:
    """Return holds, and of `more` those in limits and scopes that they do not name."""
    if holds == more:
        return holds
    named = {(held.limit, held.scope) for held in holds}
    fresh = tuple(held for held in more if (held.limit, held.scope) not in named)
    return holds + fresh if fresh else holds


def posts_of(before: int, holds: tuple[Held, ...], after: int, now: tuple[Held, ...]) -> Posts:
    """Return what a step from one state to another says of amounts: held before, and held with its answer.

    A grant takes holds, and a claim those of limits that came since. Their end spends or releases each once; what is
    unknown counts as spent, and is released where it turns out to have failed.
    """
    if after in RUNS:
        if now == holds:
            return ()
        known = {(held.limit, held.scope) for held in holds}
        return tuple(_post(held, held.phase) for held in now if (held.limit, held.scope) not in known)
    if before in RUNS:
        phase = SPEND if after in SPENDING else RELEASE
        return tuple(_post(held, phase) for held in holds if held.phase == HOLD)
    if before == State.UNKNOWN and after == State.FAILED:
        return tuple(_post(held, RELEASE) for held in holds if held.phase == SPEND)
    return ()


def _post(held: Held, phase: int) -> Hold:
    limit, scope, amount, _, _, _ = held
    return tuple.__new__(Hold, (limit, scope, amount, phase))


class Holdings:
    """What open grants hold, by key and name; derived from them, so nothing has to be taken back."""

    def __init__(self) -> None:
        self._keys: dict[bytes, dict[str, int]] = {}

    def of(self, key: bytes) -> Mapping[str, int]:
        """Return what is held under a key, by name."""
        return self._keys.get(key, NOTHING)

    def enter(self, key: bytes, holds: tuple[Held, ...]) -> None:
        """Count what a grant holds."""
        sums = self._keys.setdefault(key, {})
        for limit, scope, amount, phase, _, _ in holds:
            if phase == HOLD:
                name = f"{limit} {scope}"
                sums[name] = sums.get(name, 0) + amount
        if not sums:
            del self._keys[key]

    def leave(self, key: bytes, holds: tuple[Held, ...]) -> None:
        """Count no longer what a grant held."""
        sums = self._keys.get(key, {})
        for limit, scope, amount, phase, _, _ in holds:
            if phase == HOLD:
                name = f"{limit} {scope}"
                left = sums[name] - amount
                if left:
                    sums[name] = left
                else:
                    del sums[name]
        if not sums:
            self._keys.pop(key, None)


class Meters:
    """What was spent, by key and name. `drop` takes back all since the last `keep`."""

    def __init__(self) -> None:
        self._keys: dict[bytes, dict[str, Count]] = {}
        self._undo: list[tuple[bytes, str, Count | None]] = []

    def of(self, key: bytes) -> Mapping[str, Count]:
        """Return what was spent under a key, by name."""
        return self._keys.get(key, NO_COUNTS)

    def rows(self) -> list[Meter]:
        """Return all that is counted, in order."""
        return sorted(count.row for counts in self._keys.values() for count in counts.values())

    def spend(self, key: bytes, held: Held, instant: int, seq: int) -> Meter:
        """Count an amount as spent at `instant`; return what is remembered of its scope now."""
        limit, scope, amount, _, window_ms, _ = held
        name, last = f"{limit} {scope}", bucket_of(instant, window_ms)
        known = self.of(key).get(name)
        if known is None:
            only = tuple.__new__(Bucket, (last, amount))
            row = tuple.__new__(Meter, (key.decode(), limit, scope, seq, window_ms, (only,)))
            return self._put(key, name, None, Count(row, (last,), (amount,)))
        if window_ms and known.ends[0] + window_ms > instant and known.ends[-1] >= last:
            # Nothing leaves, and no bucket is begun: as where many amounts are spent one after the other.
            *before, newest = known.row.buckets
            grown = tuple.__new__(Bucket, (newest.last, newest.amount + amount))
            row = tuple.__new__(Meter, (known.row.key, limit, scope, seq, window_ms, (*before, grown)))
            return self._put(key, name, known, Count(row, known.ends, (*known.sums[:-1], known.sums[-1] + amount)))
        kept = [one for one in known.row.buckets if _counts(one, window_ms, instant)]
        if not window_ms:
            kept = [Bucket(last, sum(one.amount for one in kept))]
        if kept and kept[-1].last >= last:
            kept[-1] = kept[-1]._replace(amount=kept[-1].amount + amount)
        else:
            kept.append(Bucket(last, amount))
        while len(kept) > BUCKETS_MOST + 1:
            # Only where the window was another before. What is put together leaves with the later of both.
            kept[:2] = [Bucket(kept[1].last, kept[0].amount + kept[1].amount)]
        spent = Meter(known.row.key, limit, scope, seq, window_ms, tuple(kept))
        return self._put(key, name, known, _count(spent))

    def take_back(self, key: bytes, held: Held, seq: int) -> Meter | None:
        """Let what was spent count no more, where its bucket is still there; return what is remembered of its scope now."""
        name = name_of(held)
        known = self.of(key).get(name)
        if known is None or known.row.window_ms != held.window_ms:
            return None
        buckets = list(known.row.buckets)
        at = 0 if not held.window_ms else known.ends.index(held.last) if held.last in known.ends else -1
        if at < 0:
            return None
        buckets[at] = buckets[at]._replace(amount=buckets[at].amount - held.amount)
        return self._put(key, name, known, _count(known.row._replace(seq=seq, buckets=tuple(buckets))))

    def find(self, key: str, limit: str, scope: str) -> Count | None:
        """Return what is remembered of one scope, or None."""
        return self.of(key.encode()).get(f"{limit} {scope}")

    def fill(self, row: Meter) -> None:
        """Remember what was remembered before; `drop` does not take it back."""
        self._keys.setdefault(row.key.encode(), {})[name_of(row)] = _count(row)

    def forget(self, row: Meter) -> None:
        """Forget a scope, unless it was counted in since."""
        key, name = row.key.encode(), name_of(row)
        known = self.of(key).get(name)
        if known is not None and known.row is row:
            self._set(key, name, None)

    def keep(self) -> None:
        self._undo.clear()

    def drop(self) -> None:
        for key, name, before in reversed(self._undo):
            self._set(key, name, before)
        self._undo.clear()

    def _put(self, key: bytes, name: str, before: Count | None, count: Count) -> Meter:
        self._undo.append((key, name, before))
        self._keys.setdefault(key, {})[name] = count
        return count.row

    def _set(self, key: bytes, name: str, count: Count | None) -> None:
        counts = self._keys.setdefault(key, {})
        if count is not None:
            counts[name] = count
        else:
            counts.pop(name, None)
            if not counts:
                del self._keys[key]


def _count(row: Meter) -> Count:
    ends = tuple([bucket.last for bucket in row.buckets])
    return Count(row, ends, tuple(accumulate([bucket.amount for bucket in row.buckets])))


def _counts(bucket: Bucket, window_ms: int, instant: int) -> bool:
    return not window_ms or bucket.last + window_ms > instant
