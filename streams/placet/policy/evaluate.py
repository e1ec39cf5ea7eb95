"""The active set of packs: which rules an action meets, and what they say."""

import hashlib
from collections.abc import Iterable, Sequence

from placet.policy.contents import Pack
from placet.policy.expressions import ENGINE
from placet.policy.finding import NO_RULE, Finding
from placet.policy.limits import Limit
from placet.policy.plan import Plan
from placet.policy.rules import Rule

__all__ = ["ENGINE", "NO_RULE", "Finding", "Plan", "PolicySet", "digest_of"]

PLANS_MAX = 4096


def digest_of(digests: Iterable[bytes]) -> bytes:
    """Return the digest of a set of packs, whatever their order: SHA-256 of "placet/set/1" and theirs, sorted."""
    return hashlib.sha256(b"placet/set/1" + b"".join(sorted(digests))).digest()


class PolicySet:
    """All rules of a tenant's active packs, indexed by action. Made once, when the set becomes active."""

    def __init__(self, packs: Sequence[Pack], *, generated: bool = True) -> None:
        self.packs = tuple(packs)
        self.engine = ENGINE
        self.digest = digest_of([pack.digest for pack in packs])
        self._generated = generated
        self._rules: list[tuple[Pack, Rule]] = [(pack, rule) for pack in packs for rule in pack.rules]
        self._exact: dict[str, set[int]] = {}
        self._prefixes: dict[str, set[int]] = {}
        for number, (_, rule) in enumerate(self._rules):
            for pattern in rule.on:
                index, key = (self._prefixes, pattern[:-1]) if pattern.endswith("*") else (self._exact, pattern)
                index.setdefault(key, set()).add(number)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self._declared = {name for pack in packs for name in pack.actions}
        self._plans: dict[str, Plan | None] = {}
        self._shared: dict[tuple[tuple[int, ...], tuple[Limit, ...]], Plan] = {}

    @classmethod
    def of(cls, packs: Sequence[Pack], *, generated: bool = True) -> "PolicySet":
        """Return the set of `packs`; with `generated` false the CEL library alone evaluates."""
        return cls(packs, generated=generated)

    def plan(self, action: str) -> Plan | None:
        """Return what the set has to say about `action`, or None: no rule is about it and no pack declares it."""
        try:
            return self._plans[action]
        except KeyError:
            pass
        plan = self._make(action)
        if len(self._plans) >= PLANS_MAX:
            # Names of actions come from outside, so they may not fill the memory.
            self._plans = {}
        self._plans[action] = plan
        return plan

    def _make(self, action: str) -> Plan | None:
        numbers = set(self._exact.get(action, ()))
        for length in self._lengths:
            numbers |= self._prefixes.get(action[:length], set()) if length <= len(action) else set()
        found = tuple(sorted(numbers))
        declared = action in self._declared
        if not found and not declared:
            return None
        limits = self._limits(action)
        if not declared and (found, limits) in self._shared:
            return self._shared[found, limits]
        rules = [self._rules[number] for number in found]
        about = {id(pack) for pack, _ in rules}
        packs = [pack for pack in self.packs if id(pack) in about or action in pack.actions]
        plan = Plan(action, rules, packs, limits, generated=self._generated)
        if not declared:
            self._shared[found, limits] = plan
        return plan

    def _limits(self, action: str) -> tuple[Limit, ...]:
        """Return what limits an action, of whichever pack of the set."""
        actions = {pack.name: pack.actions[action] for pack in self.packs if action in pack.actions}
        return tuple(limit.on_action(actions) for pack in self.packs for limit in pack.limits if limit.is_on(action))
