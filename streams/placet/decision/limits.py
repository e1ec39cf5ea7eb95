"""What limits say of an intent that could be granted: what it would take, what is left, and what becomes of it."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

import msgspec

from placet.decision.intake import Asked
from placet.decision.meters import HOLD, WINDOWS_MOST, Holdings, Meters, name_of
from placet.decision.settings import DeskSettings
from placet.decision.sums import Exceeded, Sums, Weighed, left_of
from placet.decision.ties import Meant, Tied, Ties, of_mandates, strictest
from placet.model.case import MandateRow
from placet.model.codec._wire import LONG, long
from placet.model.codec.desk_change import Held, Lease
from placet.model.codec.intent import Intent
from placet.model.reasons import Effect, Reason
from placet.policy import obligations as duties
from placet.policy.finding import Finding
from placet.policy.limits import COUNT, Limit, amount_of

TIES_MOST = 10_000
"""Scopes of those who ask that are remembered."""
MEANT_MOST = 1_000
"""Actions whose limits are remembered."""
NOBODY: Container[str] = frozenset()
NOBODY_LET = b"\x00"
"""Ends a limit in a case body that nobody let an intent exceed."""
HELD = long(HOLD)
"""Ends an amount in a verdict that is held."""


class Limits:
    """Weighs intents against what is held and spent under their key."""

    def __init__(self, holdings: Holdings, meters: Meters, settings: DeskSettings) -> None:
        self._holdings = holdings
        self._meters = meters
        self._most = settings.scopes_most
        self._meant: dict[int, Meant] = {}
        self._ties: dict[tuple[int, object], Ties] = {}

    def weigh(
        self,
        asked: Asked,
        limits: tuple[Limit, ...],
        limited: tuple[MandateRow, ...],
        finding: Finding,
        instant: int,
        lease: Lease | None = None,
        approved: Container[str] = NOBODY,
        arguments: Mapping[str, Any] | None = None,
    ) -> Weighed:
        """Return what becomes of a finding that may lead to a grant, under the limits of packs and of mandates.

        What `lease`, the grant that is decided again, holds itself is left out of what is used. `approved` names limits
        that people have given leave to exceed: only a limit that steps up can be. `arguments` are those that may run,
        where they are not the ones asked.
        """
        ties = self._of_packs(asked.intent, limits)
        if arguments is None and not limited and ties.plain and not finding.obligations:
            within = (
                self._within(asked, ties.tied, finding, instant)
                if lease is None
                else self._still_within(asked, ties.tied, finding, instant, lease)
            )
            if within is not None:
                return within
        arguments = asked.arguments if arguments is None else arguments
        runs = duties.apply(arguments, finding.obligations) if finding.obligations else arguments
        tied = ties.tied
        if limited:
            tied = strictest([*tied, *of_mandates(limited, asked.intent.action, asked.arguments.keys() | runs.keys())])
        own = {} if lease is None else {name_of(held): held for held in lease.holds}
        if crowded := self._crowded(asked.key, tied):
            return Weighed(
                msgspec.structs.replace(finding, effect=Effect.DENY, reason=Reason.OVERLOADED), detail=crowded
            )
        used = [self._used(asked.key, each, own, instant) for each in tied]
        demands = left_of(tied, used, own, arguments, finding.obligations)
        granted = duties.apply(arguments, demands) if demands else arguments
        sums = Sums(finding, asked.key.decode())
        for each, others in zip(tied, used, strict=True):
            sums.add(each, others, own.get(each.name), granted, approved)
        weighed = sums.weighed(demands)
        weighed.recounted = lease is not None and _recounted(tied, lease)
        if sums.exceeded:
            weighed.stood = tuple([(each.limit, others) for each, others in zip(tied, used, strict=True)])
            weighed.again_at = self._again_at(asked.key, sums.exceeded, instant)
        return weighed

    def _of_packs(self, intent: Intent, limits: tuple[Limit, ...]) -> Ties:
        """Return the limits of packs in the scopes that an intent falls under, remembered."""
        meant = self._meant.get(id(limits))
        if meant is None or meant.limits is not limits:
            if len(self._meant) >= MEANT_MOST:
                self._meant.clear()
            meant = self._meant[id(limits)] = Meant(limits)
        key = id(limits), meant.names_of(intent)
        known = self._ties.get(key)
        if known is None or known.limits is not limits:
            if len(self._ties) >= TIES_MOST:
                self._ties.clear()
            known = self._ties[key] = meant.tie(intent)
        return known

    def _within(self, asked: Asked, tied: tuple[Tied, ...], finding: Finding, instant: int) -> Weighed | None:
        """Return what is said of a first grant that is well within all its limits, as most are; None where it is not."""
        held, spent = self._holdings.of(asked.key), self._meters.of(asked.key)
        if len(spent) + len(held) + len(tied) > self._most:
            return None
        arguments = asked.arguments
        rows: list[bytes] = [long(len(tied))]
        posts: list[bytes] = []
        holds: list[Held] = []
        for limit, scope, name, measure, window_ms, head, mid, brink in tied:
            amount: object = 1 if measure == COUNT else arguments.get(measure)
            if amount.__class__ is not int:
                amount = amount_of(limit, arguments)
            used, count = held.get(name, 0), spent.get(name)
            if count is not None:
                if len(count.parts) >= WINDOWS_MOST:
                    return None
                used += count.total if instant < count.until else count.spent(instant)
            if amount is None or not 0 <= amount < brink - used:
                return None
            taken = LONG.get(amount) or long(amount)
            rows += (head, LONG.get(used) or long(used), mid, taken, NOBODY_LET)
            if amount:
                posts += (head, taken, HELD)
                holds.append(tuple.__new__(Held, (limit.name, scope, amount, HOLD, window_ms, 0, measure)))
        rows.append(b"\x00")
        posted = b"".join((long(len(holds)), *posts, b"\x00")) if holds else b""
        return Weighed(finding, b"".join(rows), tuple(holds), posted=posted)

    def _still_within(
        self, asked: Asked, tied: tuple[Tied, ...], finding: Finding, instant: int, lease: Lease
    ) -> Weighed | None:
        """Return what is said of a grant that holds what it takes of all its limits and is well within them; else None."""
        held, spent = self._holdings.of(asked.key), self._meters.of(asked.key)
        own = {name_of(one): one for one in lease.holds}
        rows: list[bytes] = [long(len(tied))]
        for limit, _, name, _, _, head, mid, brink in tied:
            amount, mine, count = amount_of(limit, asked.arguments), own.pop(name, None), spent.get(name)
            if mine is None or mine.phase != HOLD or mine.amount != amount or name not in held:
                return None
            used = held[name] - amount
            if count is not None:
                used += count.total if instant < count.until else count.spent(instant)
            if used + amount >= brink:
                return None
            taken = LONG.get(amount) or long(amount)
            rows += (head, LONG.get(used) or long(used), taken, mid[1:], taken, NOBODY_LET)
        # What is held besides is of a limit that is gone, or counted in another measure.
        return None if own else Weighed(finding, b"".join((*rows, b"\x00")))

    def _crowded(self, key: bytes, tied: tuple[Tied, ...]) -> str:
        """Return why one of these may not be counted: it would be a scope, or a window of one, too many; or an empty text."""
        spent, held = self._meters.of(key), self._holdings.of(key)
        if len(spent) + len(held) + len(tied) > self._most:
            fresh = sum(each.name not in spent and each.name not in held for each in tied)
            if fresh and len(spent) + len(held) + fresh > self._most:
                return f"more than {self._most} scopes of limits are counted for this authority"
        for each in tied:
            count = spent.get(each.name)
            if count is not None and len(count.parts) >= WINDOWS_MOST and not count.over(each.limit.window_ms):
                return (
                    f"limit `{each.limit.name}` ({each.scope}) is still counted over {len(count.parts)} other windows"
                )
        return ""

    def _used(self, key: bytes, each: Tied, own: Mapping[str, Held], instant: int) -> int:
        """Return what others hold and what was spent of a limit."""
        used = self._holdings.of(key).get(each.name, 0)
        count = self._meters.of(key).get(each.name)
        if count is not None:
            used += count.spent(instant)
        mine = own.get(each.name)
        return used - mine.amount if mine is not None and mine.phase == HOLD else used

    def _again_at(self, key: bytes, exceeded: list[Exceeded], instant: int) -> int:
        """Return when windows that pass leave enough of every limit that was exceeded; 0 where that takes more than time."""
        latest = 0
        for tied, used, needed in exceeded:
            count = self._meters.of(key).get(tied.name)
            if count is None or not tied.limit.max:
                return 0
            held = used - count.spent(instant)
            at = count.falls_to(tied.limit.max - needed - held, instant)
            if at is None:
                return 0
            latest = max(latest, at)
        return latest


def _recounted(tied: Iterable[Tied], lease: Lease) -> bool:
    """Return whether a grant holds something of a limit, in its scope, that is counted in another measure by now."""
    measures = {(each.limit.name, each.scope): each.limit.measure for each in tied}
    return any(held.measure != measures.get((held.limit, held.scope), held.measure) for held in lease.holds)
