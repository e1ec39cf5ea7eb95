"""Limits tied to whom they count: each with the scope that an intent falls under, and the name it is counted by."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

from placet.context.facts import sized
from placet.context.reach import covers
from placet.model.case import MandateLimit, MandateRow
from placet.model.codec._wire import long
from placet.model.codec.intent import Intent
from placet.model.reasons import Effect
from placet.policy.limits import COUNT, SCOPES, Limit

MANDATE = "mandate"
"""Stands before the id of a mandate in the name of its limits, where those of a pack have its name."""
NEAR = 80
"""Percent of a limit from which on its use is told."""
NOTHING_OWN = b"\x00"
"""What a case body says of what an intent holds itself, where it holds nothing."""
ACTIONS_SIZE = 200
"""Patterns of a mandate's limit that are longer than this, together, are named by their digest."""


class Tied(NamedTuple):
    """One limit in the scope that an intent falls under.

    `head` is its name and scope as a case body and a verdict have them, `mid` what a case body has between what others use
    and what is asked; `brink` is the least use of which it is told that little is left.
    """

    limit: Limit
    scope: str
    name: str
    measure: str
    window_ms: int
    head: bytes
    mid: bytes
    brink: int


class Ties(NamedTuple):
    """The limits of an action in the scopes of one who asks; `plain` says that none of them changes what is granted."""

    limits: tuple[Limit, ...]
    tied: tuple[Tied, ...]
    plain: bool


class Loose(NamedTuple):
    """One limit that is not tied yet, with all of it that is the same in each scope."""

    limit: Limit
    name: str
    head: bytes
    mid: bytes
    brink: int

    def tie(self, scope: str) -> Tied:
        """Return the limit in a scope."""
        limit = self.limit
        # Positional and unchecked: whoever asks for the first time is tied before anything is said.
        return tuple.__new__(
            Tied,
            (
                limit,
                scope,
                self.name + scope,
                limit.measure,
                limit.window_ms,
                self.head + sized(scope.encode()),
                self.mid,
                self.brink,
            ),
        )


class Meant:
    """The limits of one action, not tied yet, and the names of an intent that say in which scopes they count it."""

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        self.limits = limits
        self._plain = all(limit.over is not Effect.CONSTRAIN for limit in limits)
        self._loose = [loosen(limit) for limit in limits]
        parts = [part for part in SCOPES[1:] if any(part in limit.per for limit in limits)]
        self.names_of: Callable[[Intent], object] = attrgetter(*parts) if parts else _nobody

    def tie(self, intent: Intent) -> Ties:
        """Return the limits in the scopes that an intent falls under."""
        tied = [loose.tie(loose.limit.scope_of(intent)) for loose in self._loose]
        return Ties(self.limits, strictest(tied), self._plain)


def loosen(limit: Limit) -> Loose:
    """Return a limit that can be tied to scopes."""
    return Loose(
        limit,
        f"{limit.name} {limit.measure} ",
        sized(limit.name.encode()),
        NOTHING_OWN + long(limit.max),
        -(-NEAR * limit.max // 100),
    )


def _nobody(_: Intent) -> object:
    return None


def strictest(tied: list[Tied]) -> tuple[Tied, ...]:
    """Return of limits that count the same the one with the least maximum."""
    least: dict[str, Tied] = {}
    for each in tied:
        known = least.setdefault(each.name, each)
        if each.limit.max < known.limit.max:
            least[each.name] = each
    return tuple(least.values())


def of_mandates(limited: tuple[MandateRow, ...], action: str, arguments: AbstractSet[str]) -> Iterator[Tied]:
    """Yield the limits that mandates of the chain have on an action, every ancestor's among them.

    An action that a limit names itself needs what it measures; of others it is about those that have such an argument
    among `arguments`: the names of all that was asked and of all that would run.
    """
    for row in limited:
        for limit in row.limits:
            needs = action in limit.actions
            if limit.actions and not covers(limit.actions, action):
                continue
            if needs or limit.measure == COUNT or limit.measure in arguments:
                yield _of_mandate(row.id, limit, needs)


def scope_of_mandate(measure: str, window_s: int, actions: tuple[str, ...]) -> str:
    """Return the scope of a mandate's limit: of another measure, window or actions it is another count."""
    on = ",".join(actions)
    if len(on) > ACTIONS_SIZE:
        on = sha256(on.encode()).hexdigest()
    return f"{measure} {window_s} {on}".rstrip()


@lru_cache(maxsize=4096)
def _of_mandate(mandate: str, limit: MandateLimit, needs: bool) -> Tied:
    scope = scope_of_mandate(limit.measure, limit.window_s, limit.actions)
    made = Limit(
        name=f"{MANDATE}/{mandate}",
        per=(),
        on=limit.actions,
        measure=limit.measure,
        window_ms=limit.window_s * 1000,
        max=limit.max,
        over=Effect.DENY,
        needs=needs,
    )
    return loosen(made).tie(scope)
