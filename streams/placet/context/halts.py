"""Halts: an operator's word that nothing of a kind may begin, until two operators take it back."""

from typing import NamedTuple

from placet.errors import PoisonRecord
from placet.model import strict
from placet.model.codec.control import Control
from placet.model.codec.intent import Intent
from placet.model.reasons import Reason

ALL, TENANT = "all", "tenant"
NAMED = ("authority", "agent", "action", "tool")
"""Scopes that go on with `/` and a name; of an action a last `*` stands for any rest."""
RESUMERS = 2
"""So many different operators take a halt back."""

HaltKey = tuple[str, str, str]


class Halt(NamedTuple):
    """One halt as its control record says it. `place` is the partition and offset of that record, `heard_at` its append time."""

    tenant: str
    id: str
    scope: str
    observed_at: int
    expires_at: int
    by: str
    reason: str
    place: tuple[int, int]
    heard_at: int
    fact: bytes

    @property
    def key(self) -> HaltKey:
        return self.tenant, self.id, self.scope

    def covers(self, intent: Intent, chain: tuple[str, ...], executor: str = "") -> bool:
        """Return whether `intent` may not go on while this halt stands.

        `chain` are all principals from its authority to its actor, `executor` who has claimed it, where somebody has.
        """
        if self.scope == ALL:
            return True
        if intent.tenant != self.tenant:
            return False
        kind, _, name = self.scope.partition("/")
        if kind == "action":
            return intent.action == name or (name.endswith("*") and intent.action.startswith(name[:-1]))
        if kind == "tool":
            return name in (intent.audience, executor)
        if kind == "agent":
            return name in chain
        return kind == TENANT or name == intent.authority

    def is_of_tool(self, tenant: str, name: str) -> bool:
        """Return whether this halt is of that one executor."""
        return self.scope == f"tool/{name}" and self.tenant == tenant


class Halts:
    """Every halt heard, and who took it back. What stands is the same in whatever order the records came."""

    def __init__(self) -> None:
        self._halts: dict[HaltKey, Halt] = {}
        self._resumed: dict[HaltKey, dict[str, int]] = {}

    def halt(self, halt: Halt) -> bool:
        """Take a halt; return whether that changed anything. Of one heard twice the one that ends later stands."""
        known = self._halts.get(halt.key)
        if known is not None and _gravity(known) >= _gravity(halt):
            return False
        self._halts[halt.key] = halt
        return True

    def resume(self, key: HaltKey, issuer: str, at: int) -> bool:
        """Take the word of one operator, given at `at` (ms), that the halt may end; return whether that changed anything."""
        by = self._resumed.setdefault(key, {})
        if by.get(issuer, -1) >= at:
            return False
        by[issuer] = at
        return True

    def standing(self, instant: int) -> list[Halt]:
        """Return the halts that stand at `instant` (ms), by tenant, id and scope."""
        return [halt for _, halt in sorted(self._halts.items()) if not self._ended(halt, instant)]

    def missing(self, key: HaltKey, instant: int) -> int | None:
        """Return how many operators must still take a halt back, or None where it does not stand at `instant`."""
        halt = self._halts.get(key)
        return None if halt is None or self._ended(halt, instant) else RESUMERS - self._words(halt)

    def _ended(self, halt: Halt, instant: int) -> bool:
        return (0 < halt.expires_at <= instant) or self._words(halt) >= RESUMERS

    def _words(self, halt: Halt) -> int:
        # Nobody takes back what is not said yet.
        return sum(at >= halt.observed_at for at in self._resumed.get(halt.key, {}).values())


def _gravity(halt: Halt) -> tuple[bool, int, int, tuple[int, int]]:
    return not halt.expires_at, halt.expires_at, halt.observed_at, halt.place


def halt_of(heard: Control, issuer: str, place: tuple[int, int], heard_at: int, fact: bytes) -> Halt:
    """Return a control record as the halt it is; raise PoisonRecord where its scope is none."""
    strict.identifier(heard.id, "control.id")
    kind, slash, name = heard.scope.partition("/")
    if slash and kind in NAMED:
        if heard.scope != "action/*":
            strict.identifier(name.removesuffix("*") if kind == "action" else name, "control.scope")
    elif heard.scope not in (ALL, TENANT):
        raise PoisonRecord(
            f"control scope `{heard.scope[:64]}`: expected all, tenant, or {', '.join(NAMED)} with `/` and a name",
            Reason.MALFORMED,
        )
    return Halt(
        heard.tenant,
        heard.id,
        heard.scope,
        heard.observed_at,
        heard.expires_at,
        issuer,
        heard.reason,
        place,
        heard_at,
        fact,
    )
