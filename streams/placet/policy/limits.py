"""Limits as they are counted: whose count an intent falls under, and what it takes of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from placet.model.codec.intent import Intent
from placet.model.reasons import Effect
from placet.model.strict import INTEGER_MAX
from placet.policy import patterns
from placet.policy.approval import Approval, approval_of
from placet.policy.forms import LimitForm
from placet.policy.rules import Action

COUNT = "count"
"""The measure that is 1 for every intent."""
SCOPES = ("authority", "actor", "mandate", "session", "action")
"""What a limit may be counted per; each lies under the key `tenant/authority`."""
OLDER_SCOPES = {"agent": "actor"}
"""Names that packs have for a scope besides."""


class Limit(msgspec.Struct, frozen=True):
    """One limit of a pack. `name` is `pack/id`; `window_ms` 0 counts for good, over the mandate's life.

    `over` is what becomes of an intent that goes beyond `max`, `approval` whom
    a step_up asks; `least` is the least that may be granted under a constrain.
    An intent that does not name the measure takes nothing, unless it `needs` to.
    """

    name: str
    per: tuple[str, ...]
    on: tuple[str, ...]
    measure: str
    window_ms: int
    max: int
    over: Effect
    approval: Approval | None = None
    least: int = 1
    needs: bool = False

    @property
    def grave(self) -> Effect:
        """What is said where too little is left: where there is nothing to constrain to, no."""
        return Effect.DENY if self.over is Effect.CONSTRAIN else self.over

    def is_on(self, action: str) -> bool:
        """Whether the limit is about `action`."""
        return patterns.matches(self.on, action)

    def scope_of(self, intent: Intent) -> str:
        """Return whose count `intent` falls under; the authority is in its key."""
        parts = [f"{part}={getattr(intent, part)}" for part in self.per]
        return " ".join(parts) if parts else "authority"

    def on_action(self, actions: Mapping[str, Action]) -> "Limit":
        """Return the limit as it stands on an action that `actions` declare, by pack: of their least amounts the greatest."""
        declared = [one for action in actions.values() for one in action.arguments if one.name == self.measure]
        least = max([1, *(one.min for one in declared if one.min is not None)])
        needs = not any(one.type == "int" for one in declared)
        return msgspec.structs.replace(self, least=least, needs=needs)


def limit_of(pack: str, form: LimitForm) -> Limit:
    """Return the limit a form describes."""
    per = {OLDER_SCOPES.get(part, part) for part in form.per}
    return Limit(
        name=f"{pack}/{form.id}",
        per=tuple(part for part in SCOPES[1:] if part in per),
        on=tuple(form.on),
        measure=form.measure,
        window_ms=(form.window.sliding_s or 0) * 1000,
        max=min(form.max, INTEGER_MAX),
        over=Effect[form.over.upper()],
        approval=approval_of(form.approval),
    )


def amount_of(limit: Limit, arguments: Mapping[str, Any]) -> int | None:
    """Return how much these arguments take of a limit; None where that is no whole number from 0 on."""
    if limit.measure == COUNT:
        return 1
    amount = arguments.get(limit.measure, None if limit.needs else 0)
    return amount if type(amount) is int and amount >= 0 else None


def recounted(before: Iterable[Limit], after: Iterable[Limit]) -> Iterator[str]:
    """Yield what becomes of what is held and spent of each limit that measures something else, or over another window."""
    known = {limit.name: limit for limit in before}
    for limit in after:
        old = known.get(limit.name, limit)
        if old.measure != limit.measure:
            yield (
                f"limit `{limit.name}` measures `{limit.measure}` instead of `{old.measure}`: it begins at 0, grants held "
                "in the old measure are taken back, and what is under way is spent in it"
            )
        elif old.window_ms != limit.window_ms:
            yield (
                f"limit `{limit.name}` counts over {_over(limit)} instead of {_over(old)}: what was granted before goes on "
                f"counting over {_over(old)}"
            )


def _over(limit: Limit) -> str:
    return f"{limit.window_ms // 1000} s" if limit.window_ms else "the mandate's life"
