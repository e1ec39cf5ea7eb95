"""What counts in limits: amounts that open grants hold, and amounts that were spent, by the bucket they were spent in."""

from collections.abc import Mapping

from placet.decision.counts import Count, Part, count_of, first_of, part_of
from placet.model.codec.desk_change import Bucket, Held, Meter
from placet.model.codec.verdict import Hold
from placet.model.reasons import State

HOLD, SPEND, RELEASE, BEYOND = 1, 2, 3, 4
"""Phases of an amount. What goes beyond a limit by people's leave is not counted in it."""
BUCKETS_MOST = 64
"""Into how many parts a window is cut. One more is begun and not yet full, and no more than both are kept."""
WINDOWS_MOST = 4
"""Windows that one limit is counted over in one scope at once, where packs changed it, besides those of grants still open."""
RUNS = frozenset({State.GRANTED, State.CLAIMED})
"""States in which a grant holds its amounts."""
SPENDING = frozenset({State.DONE, State.UNKNOWN})
NOTHING: Mapping[str, int] = {}

Posts = tuple[Hold, ...]


NO_COUNTS: Mapping[str, Count] = {}


def name_of(held: Held | Meter) -> str:
    """Return the name under which a limit is counted in one scope, within a key: in another measure it is another count."""
    return f"{held.limit} {held.measure} {held.scope}"


def bucket_of(instant: int, window_ms: int) -> int:
    """Return the last ms of the bucket that `instant` lies in; without a window there is one, which ends with each spend."""
    if not window_ms:
        return instant
    width = -(-window_ms // BUCKETS_MOST)
    return (instant // width + 1) * width - 1


def spent_at(holds: tuple[Held, ...], instant: int) -> tuple[Held, ...]:
    """Return holds as they are once what they held is spent."""
    return tuple([_spent(held, instant) if held.phase == HOLD else held for held in holds])


def _spent(held: Held, instant: int) -> Held:
    limit, scope, amount, _, window_ms, _, measure = held
    return tuple.__new__(Held, (limit, scope, amount, SPEND, window_ms, bucket_of(instant, window_ms), measure))


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
        return tuple([_post(held, held.phase) for held in now if (held.limit, held.scope) not in known]) if now else ()
    if before in RUNS:
        phase = SPEND if after in SPENDING else RELEASE
        return tuple([_post(held, phase) for held in holds if held.phase == HOLD])
    if before == State.UNKNOWN and after == State.FAILED:
        return tuple([_post(held, RELEASE) for held in holds if held.phase == SPEND])
    return ()


def _post(held: Held, phase: int) -> Hold:
    limit, scope, amount, _, _, _, _ = held
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
        for limit, scope, amount, phase, _, _, measure in holds:
            if phase == HOLD:
                name = f"{limit} {measure} {scope}"
                sums[name] = sums.get(name, 0) + amount
        if not sums:
            del self._keys[key]

    def leave(self, key: bytes, holds: tuple[Held, ...]) -> None:
        """Count no longer what a grant held."""
        sums = self._keys.get(key, {})
        for limit, scope, amount, phase, _, _, measure in holds:
            if phase == HOLD:
                name = f"{limit} {measure} {scope}"
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
        return sorted(part.row for counts in self._keys.values() for count in counts.values() for part in count.parts)

    def spend(self, key: bytes, held: Held, instant: int, seq: int) -> Meter:
        """Count an amount as spent at `instant`; return what is remembered of it over its window now."""
        limit, scope, amount, _, window_ms, _, measure = held
        name, last = f"{limit} {measure} {scope}", bucket_of(instant, window_ms)
        count = self.of(key).get(name)
        if count is None:
            only = tuple.__new__(Bucket, (last, amount))
            row = tuple.__new__(Meter, (key.decode(), limit, scope, seq, window_ms, (only,), measure))
            return self._keep(key, name, None, first_of(row), window_ms)
        known = count.over(window_ms)
        if known is not None and window_ms and instant < count.until and known.ends[-1] == last:
            return self._keep(key, name, count, count.plus(known, amount, seq), window_ms)
        kept = [] if known is None else [one for one in known.row.buckets if _counts(one, window_ms, instant)]
        if not window_ms:
            kept = [Bucket(last, sum(one.amount for one in kept))]
        if kept and kept[-1].last >= last:
            kept[-1] = kept[-1]._replace(amount=kept[-1].amount + amount)
        else:
            kept.append(Bucket(last, amount))
        row = Meter(key.decode(), limit, scope, seq, window_ms, tuple(kept), measure)
        return self._put(key, name, row)

    def take_back(self, key: bytes, held: Held, seq: int) -> Meter | None:
        """Let what was spent count no more, where its bucket is still there; return what is remembered over its window now."""
        name = name_of(held)
        known = self.find(key, name, held.window_ms)
        if known is None:
            return None
        buckets = list(known.row.buckets)
        at = 0 if not held.window_ms else known.ends.index(held.last) if held.last in known.ends else -1
        if at < 0:
            return None
        buckets[at] = buckets[at]._replace(amount=buckets[at].amount - held.amount)
        return self._put(key, name, known.row._replace(seq=seq, buckets=tuple(buckets)))

    def find(self, key: bytes, name: str, window_ms: int) -> Part | None:
        """Return what is remembered of one scope over one window, or None."""
        count = self.of(key).get(name)
        return None if count is None else count.over(window_ms)

    def fill(self, row: Meter) -> None:
        """Remember what was remembered before; `drop` does not take it back."""
        counts = self._keys.setdefault(row.key.encode(), {})
        known = counts.get(name_of(row))
        counts[name_of(row)] = count_of([part_of(row)]) if known is None else known.with_(row)

    def forget(self, row: Meter) -> None:
        """Forget what was spent over one window in a scope, unless it was counted in since."""
        key, name = row.key.encode(), name_of(row)
        count = self.of(key).get(name)
        if count is not None:
            self._set(key, name, count.without(row))

    def keep(self) -> None:
        self._undo.clear()

    def drop(self) -> None:
        for key, name, before in reversed(self._undo):
            self._set(key, name, before)
        self._undo.clear()

    def _put(self, key: bytes, name: str, row: Meter) -> Meter:
        before = self.of(key).get(name)
        after = count_of([part_of(row)]) if before is None else before.with_(row)
        return self._keep(key, name, before, after, row.window_ms)

    def _keep(self, key: bytes, name: str, before: Count | None, after: Count, window_ms: int) -> Meter:
        self._undo.append((key, name, before))
        if before is None:
            self._set(key, name, after)
        else:
            self._keys[key][name] = after
        part = after.over(window_ms)
        assert part is not None
        return part.row

    def _set(self, key: bytes, name: str, count: Count | None) -> None:
        counts = self._keys.setdefault(key, {})
        if count is not None:
            counts[name] = count
        else:
            counts.pop(name, None)
            if not counts:
                del self._keys[key]


def _counts(bucket: Bucket, window_ms: int, instant: int) -> bool:
    return not window_ms or bucket.last + window_ms > instant
