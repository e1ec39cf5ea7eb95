"""What limits say of an intent that could be granted: what it would take, what is left, and what becomes of it."""

from collections.abc import Container, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from placet.context.chain import covers
from placet.decision.intake import Asked
from placet.decision.meters import BEYOND, HOLD, Holdings, Meters
from placet.decision.settings import DeskSettings
from placet.model.case import MandateLimit, MandateRow
from placet.model.codec.case_body import Metered
from placet.model.codec.desk_change import Held, Lease
from placet.model.reasons import Effect, Reason
from placet.model.strict import INTEGER_MAX
from placet.policy import obligations as duties
from placet.policy.approval import together
from placet.policy.finding import Finding
from placet.policy.limits import Limit, amount_of
from placet.policy.obligations import Obligation

NEAR = 80
"""Percent of a limit from which on its use is told."""
ACTIONS_SIZE = 200
"""Patterns of a mandate's limit that are longer than this, together, are named by their digest."""
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

    `rows` are the limits as they stood, `holds` what a grant takes, `over` the limits that people are asked about,
    `waits` the names of those whose budget is waited for.
    """

    finding: Finding
    rows: tuple[Metered, ...] = ()
    holds: tuple[Held, ...] = ()
    over: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()
    detail: str = ""


class Tied(NamedTuple):
    """One limit in the scope that an intent falls under."""

    limit: Limit
    scope: str
    name: str


class Limits:
    """Weighs intents against what is held and spent under their key."""

    def __init__(self, holdings: Holdings, meters: Meters, settings: DeskSettings) -> None:
        self._holdings = holdings
        self._meters = meters
        self._most = settings.scopes_most

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
        intent, arguments = asked.intent, asked.arguments if arguments is None else arguments
        tied = [_tie(limit, limit.scope_of(intent)) for limit in limits]
        if limited:
            tied += _of_mandates(limited, intent.action, arguments)
        if len({each.name for each in tied}) < len(tied):
            tied = _strictest(tied)
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

    def _full(self, key: bytes, tied: list[Tied]) -> bool:
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
        limit, scope, _ = each
        most = min(limit.max, INTEGER_MAX)
        amount = amount_of(limit.measure, granted)
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
        finding, rows = self._finding, tuple(self._rows)
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


def _tie(limit: Limit, scope: str) -> Tied:
    return Tied(limit, scope, f"{limit.name} {scope}")


def _strictest(tied: list[Tied]) -> list[Tied]:
    """Return of limits that count the same the one with the least maximum."""
    least: dict[str, Tied] = {}
    for each in tied:
        known = least.setdefault(each.name, each)
        if each.limit.max < known.limit.max:
            least[each.name] = each
    return list(least.values())


def _left(
    tied: list[Tied],
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
        amount = amount_of(limit.measure, granted)
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


def _of_mandates(limited: tuple[MandateRow, ...], action: str, arguments: Mapping[str, Any]) -> Iterator[Tied]:
    """Yield the limits that mandates of the chain have on an action, every ancestor's among them.

    One that names no actions is about all that have such an argument.
    """
    for row in limited:
        for limit in row.limits:
            if limit.actions:
                if covers(limit.actions, action):
                    yield _of_mandate(row.id, limit)
            elif limit.measure == "count" or limit.measure in arguments:
                yield _of_mandate(row.id, limit)


@lru_cache(maxsize=4096)
def _of_mandate(mandate: str, limit: MandateLimit) -> Tied:
    """Return one limit of a mandate; of another measure, window or actions it is another count."""
    on = ",".join(limit.actions)
    if len(on) > ACTIONS_SIZE:
        on = sha256(on.encode()).hexdigest()
    scope = f"{limit.measure} {limit.window_s} {on}".rstrip()
    made = Limit(
        name=f"mandate/{mandate}",
        per=(),
        on=limit.actions,
        measure=limit.measure,
        window_ms=limit.window_s * 1000,
        max=limit.max,
        over=Effect.DENY,
    )
    return _tie(made, scope)
