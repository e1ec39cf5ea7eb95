"""What limits say of one intent, one after the other and then together, and what that leaves."""

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

import msgspec

from placet.decision.meters import BEYOND, HOLD
from placet.decision.ties import NEAR, Tied
from placet.model.codec import case_body
from placet.model.codec.case_body import Metered
from placet.model.codec.desk_change import Held
from placet.model.reasons import Effect, Reason
from placet.policy import obligations as duties
from placet.policy.approval import together
from placet.policy.finding import Finding
from placet.policy.limits import Limit, amount_of
from placet.policy.obligations import Obligation
from placet.policy.room import Stood

GRANTS = frozenset({Effect.PERMIT, Effect.CONSTRAIN})


class Near(NamedTuple):
    """A limit of which NEAR percent are reached by a grant, in one scope of a key."""

    key: str
    limit: str
    scope: str
    used: int
    max: int


class Exceeded(NamedTuple):
    """A limit that leaves too little: what others used of it, and how much has to be left before anything is granted."""

    tied: Tied
    used: int
    needed: int


class Weighed(msgspec.Struct, gc=False):
    """What is said of an intent once its limits are asked.

    `rows` are the limits as they stood, as a case body has them, `holds` what a grant takes, `over` the limits that people are asked about,
    `waits` the names of those whose budget is waited for. `recounted` says that what was held before is held in
    another measure. `posted` is what a verdict says of `holds` where nothing was held before, in its bytes, or empty. Of a refusal `stood` are its limits, and `again_at` when windows alone leave enough for it, or 0.
    """

    finding: Finding
    rows: bytes = b"\x00"
    holds: tuple[Held, ...] = ()
    over: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()
    detail: str = ""
    recounted: bool = False
    posted: bytes = b""
    stood: tuple[Stood, ...] = ()
    again_at: int = 0


class Sums:
    """What limits say, one after the other."""

    def __init__(self, finding: Finding, key: str) -> None:
        self._finding = finding
        self._key = key
        self._reason = Reason.LIMIT_EXCEEDED
        self._said: list[tuple[Limit, Effect, str]] = []
        self._waits: list[str] = []
        self._rows: list[Metered] = []
        self._holds: list[Held] = []
        self._near: list[Near] = []
        self.exceeded: list[Exceeded] = []

    def add(
        self, each: Tied, used: int, own: Held | None, granted: Mapping[str, Any], approved: Container[str]
    ) -> None:
        """Hear one limit of what would run; `used` is what others have of it, `own` what this intent holds."""
        limit, scope = each.limit, each.scope
        most = limit.max
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
                self._holds.append(Held(limit.name, scope, amount, HOLD, limit.window_ms, 0, limit.measure))
            if used * 100 < NEAR * most <= (used + amount) * 100:
                self._near.append(Near(self._key, limit.name, scope, used + amount, most))
        elif leave:
            self._holds.append(Held(limit.name, scope, amount, BEYOND, limit.window_ms, 0, limit.measure))
        else:
            left = max(most - used, 0)
            detail = f"limit `{limit.name}` ({scope}): {used} of {most} used, {left} left, {amount} asked"
            self._said.append((limit, limit.grave, detail))
            self.exceeded.append(Exceeded(each, used, limit.least if limit.over is Effect.CONSTRAIN else amount))
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


def left_of(
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
        bound = limit.max - others
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
