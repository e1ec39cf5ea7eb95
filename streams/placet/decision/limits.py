"""What limits say of an intent that could be granted: what it would take, what is left, and what becomes of it."""

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

import msgspec

from placet.decision.intake import Asked
from placet.decision.meters import BEYOND, HOLD, Holdings, Meters
from placet.decision.settings import DeskSettings
from placet.decision.ties import Tied, Ties, of_mandates, strictest, tie
from placet.model.case import MandateRow
from placet.model.codec import case_body
from placet.model.codec._wire import LONG, long
from placet.model.codec.case_body import Metered
from placet.model.codec.desk_change import Held, Lease
from placet.model.codec.intent import Intent
from placet.model.reasons import Effect, Reason
from placet.model.strict import INTEGER_MAX
from placet.policy import obligations as duties
from placet.policy.approval import together
from placet.policy.finding import Finding
from placet.policy.limits import Limit, amount_of
from placet.policy.obligations import Obligation

NEAR = 80
"""Percent of a limit from which on its use is told."""
TIES_MOST = 10_000
"""Scopes of those who ask that are remembered."""
NOBODY: Container[str] = frozenset()
GRANTS = frozenset({Effect.PERMIT, Effect.CONSTRAIN})


class Near(NamedTuple):
    """A limit of which NEAR percent are reached by a grant, in one scope of a key."""

    key: str
    limit: str
    scope: str
    used: int
    max: int


class Weighed(msgspec.Struct, gc=False):
    """What is said of an intent once its limits are asked.

    `rows` are the limits as they stood, as a case body has them, `holds` what a grant takes, `over` the limits that people are asked about,
    `waits` the names of those whose budget is waited for.
    """

    finding: Finding
    rows: bytes = b"\x00"
    holds: tuple[Held, ...] = ()
    over: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()
    detail: str = ""


class Limits:
    """Weighs intents against what is held and spent under their key."""

    def __init__(self, holdings: Holdings, meters: Meters, settings: DeskSettings) -> None:
        self._holdings = holdings
        self._meters = meters
        self._most = settings.scopes_most
        self._ties: dict[tuple[int, str, str, str, str], Ties] = {}

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
            within = self._within(asked, ties.tied, finding, instant, () if lease is None else lease.holds)
            if within is not None:
                return within
        arguments = asked.arguments if arguments is None else arguments
        tied = ties.tied
        if limited:
            tied = strictest([*tied, *of_mandates(limited, asked.intent.action, arguments)])
        own = {} if lease is None else {f"{held.limit} {held.scope}": held for held in lease.holds}
        if self._full(asked.key, tied):
            crowded = f"more than {self._most} scopes of limits are counted for this authority"
            return Weighed(
                msgspec.structs.replace(finding, effect=Effect.DENY, reason=Reason.OVERLOADED), detail=crowded
            )
        used = [self._used(asked.key, each, own, instant) for each in tied]
        demands = _left(tied, used, own, arguments, finding.obligations)
        granted = duties.apply(arguments, demands) if demands else arguments
        sums = _Sums(finding, asked.key.decode())
        for each, others in zip(tied, used, strict=True):
            sums.add(each, others, own.get(each.name), granted, approved)
        return sums.weighed(demands)

    def _of_packs(self, intent: Intent, limits: tuple[Limit, ...]) -> Ties:
        """Return the limits of packs in the scopes that an intent falls under, remembered."""
        key = id(limits), intent.actor, intent.mandate, intent.session, intent.action
        known = self._ties.get(key)
        if known is None or known.limits is not limits:
            if len(self._ties) >= TIES_MOST:
                self._ties.clear()
            tied = strictest([tie(limit, limit.scope_of(intent)) for limit in limits])
            plain = all(limit.over is not Effect.CONSTRAIN for limit in limits)
            known = self._ties[key] = Ties(limits, tied, plain)
        return known

    def _within(
        self, asked: Asked, tied: tuple[Tied, ...], finding: Finding, instant: int, holds_now: tuple[Held, ...]
    ) -> Weighed | None:
        """Return what is said of a grant that is well within all its limits, as most are; None where it is not."""
        held, spent = self._holdings.of(asked.key), self._meters.of(asked.key)
        own = {f"{limit} {scope}": amount for limit, scope, amount, phase, _, _ in holds_now if phase == HOLD}
        if len(spent) + len(held) + len(tied) > self._most:
            return None
        rows: list[bytes] = [long(len(tied))]
        holds: list[Held] = []
        for limit, scope, name, head in tied:
            amount, most = amount_of(limit, asked.arguments), min(limit.max, INTEGER_MAX)
            mine = own.get(name, 0)
            used = held.get(name, 0) - mine
            count = spent.get(name)
            if count is not None:
                used += count.spent(instant, limit.window_ms)
            if amount is None or (used + amount) * 100 >= NEAR * most:
                return None
            rows += (
                head,
                LONG.get(used) or long(used),
                LONG.get(mine) or long(mine),
                LONG.get(most) or long(most),
                LONG.get(amount) or long(amount),
                b"\x00",
            )
            if amount:
                holds.append(tuple.__new__(Held, (limit.name, scope, amount, HOLD, limit.window_ms, 0)))
        rows.append(b"\x00")
        return Weighed(finding, b"".join(rows), tuple(holds))

    def _full(self, key: bytes, tied: tuple[Tied, ...]) -> bool:
        """Return whether a scope that is not counted yet would be one too many under its key."""
        spent, held = self._meters.of(key), self._holdings.of(key)
        if len(spent) + len(held) + len(tied) <= self._most:
            return False
        fresh = sum(each.name not in spent and each.name not in held for each in tied)
        return bool(fresh) and len(spent) + len(held) + fresh > self._most

    def _used(self, key: bytes, each: Tied, own: Mapping[str, Held], instant: int) -> int:
        """Return what others hold and what was spent of a limit."""
        used = self._holdings.of(key).get(each.name, 0)
        count = self._meters.of(key).get(each.name)
        if count is not None:
            used += count.spent(instant, each.limit.window_ms)
        mine = own.get(each.name)
        return used - mine.amount if mine is not None and mine.phase == HOLD else used


class _Sums:
    """What limits say, one after the other."""

    def __init__(self, finding: Finding, key: str) -> None:
        self._finding = finding
        self._key = key
        self._effect = Effect.PERMIT
        self._reason = Reason.LIMIT_EXCEEDED
        self._said: list[tuple[Limit, Effect, str]] = []
        self._waits: list[str] = []
        self._rows: list[Metered] = []
        self._holds: list[Held] = []
        self._near: list[Near] = []

    def add(
        self, each: Tied, used: int, own: Held | None, granted: Mapping[str, Any], approved: Container[str]
    ) -> None:
        limit, scope = each.limit, each.scope
        most = min(limit.max, INTEGER_MAX)
        amount = amount_of(limit, granted)
        if amount is None:
            self._reason = Reason.AMOUNT_UNFIT
            detail = f"limit `{limit.name}` measures `{limit.measure}`: expected a whole number from 0 on"
            self._said.append((limit, Effect.DENY, detail))
            return
        leave = limit.over is Effect.STEP_UP and limit.name in approved
        over = not most or used + amount > most
        held = own.amount if own is not None and own.phase == HOLD else 0
        self._rows.append(Metered(limit.name, scope, used, held, most, amount, leave and over))
        if not over:
            if amount:
                self._holds.append(Held(limit.name, scope, amount, HOLD, limit.window_ms, 0))
            if used * 100 < NEAR * most <= (used + amount) * 100:
                self._near.append(Near(self._key, limit.name, scope, used + amount, most))
        elif leave:
            self._holds.append(Held(limit.name, scope, amount, BEYOND, limit.window_ms, 0))
        else:
            left = max(most - used, 0)
            detail = f"limit `{limit.name}` ({scope}): {used} of {most} used, {left} left, {amount} asked"
            # Where what is left is too little to be granted, there is nothing to constrain to.
            self._said.append((limit, Effect.DENY if limit.over is Effect.CONSTRAIN else limit.over, detail))
            if limit.over is Effect.DEFER:
                self._waits.append(each.name)

    def weighed(self, demands: tuple[Obligation, ...]) -> Weighed:
        """Return what all limits say together with the rules: the gravest wins."""
        finding, rows = self._finding, case_body.encode_limits(tuple(self._rows))
        gravest = max((effect for _, effect, _ in self._said), default=Effect.PERMIT)
        over = tuple(limit.name for limit, effect, _ in self._said if effect is Effect.STEP_UP)
        if not self._said:
            if demands != finding.obligations and finding.effect in GRANTS:
                finding = _constrained(finding, demands)
            return Weighed(finding, rows, tuple(self._holds), over, (), tuple(self._near))
        deciding = [(limit, detail) for limit, effect, detail in self._said if effect is gravest]
        rules = tuple(limit.name for limit, _ in deciding)
        approval = None
        if gravest is Effect.STEP_UP:
            asked = [limit.approval for limit, _ in deciding]
            approval = together([finding.approval, *asked])
            if finding.effect is Effect.STEP_UP:
                rules = (*finding.rules, *rules)
        said = msgspec.structs.replace(
            finding, effect=gravest, reason=self._reason, rules=rules, obligations=(), approval=approval
        )
        if gravest is Effect.STEP_UP:
            said = msgspec.structs.replace(said, obligations=finding.obligations)
        waits = tuple(self._waits) if gravest is Effect.DEFER else ()
        return Weighed(said, rows, (), over, waits, (), "; ".join(detail for _, detail in deciding))


def _left(
    tied: tuple[Tied, ...],
    used: list[int],
    own: Mapping[str, Held],
    arguments: Mapping[str, Any],
    demands: tuple[Obligation, ...],
) -> tuple[Obligation, ...]:
    """Return demands, with those of limits that constrain to what is left: of several on one argument the smallest.

    A grant that is decided again is bound to what it holds: what is left by now may be more.
    """
    granted = duties.apply(arguments, demands) if demands else arguments
    bounds: list[Obligation] = []
    for each, others in zip(tied, used, strict=True):
        limit = each.limit
        amount = amount_of(limit, granted)
        if limit.over is not Effect.CONSTRAIN or not amount:
            continue
        bound = min(limit.max, INTEGER_MAX) - others
        mine = own.get(each.name)
        if mine is not None and mine.phase == HOLD:
            bound = min(bound, mine.amount)
        if limit.least <= bound < amount:
            bounds.append(Obligation("limit", limit.measure, str(bound)))
    return duties.merge([*demands, *bounds]) if bounds else demands


def _constrained(finding: Finding, demands: tuple[Obligation, ...]) -> Finding:
    """Return a finding that grants what a limit leaves."""
    reason = min(finding.reason, Reason.LIMIT_EXCEEDED)
    return msgspec.structs.replace(finding, effect=Effect.CONSTRAIN, reason=reason, obligations=demands)
