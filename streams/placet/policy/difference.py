"""What changes when one set of packs takes the place of another: which answers, by which rules, the gravest loosening first."""

from collections.abc import Iterator, Sequence

import msgspec

from placet.model.reasons import Effect
from placet.policy.contents import Pack
from placet.policy.evaluate import NO_RULE, Finding, PolicySet
from placet.policy.limits import recounted
from placet.policy.situations import case_of
from placet.policy.variations import Situation, variations

CASES = 5_000
"""Situations looked at in all, where not said otherwise."""
_TERMS = {Effect.DEFER: ("defer_ms_max",), Effect.DENY: ()}
_GRANT = ("obligations", "approval", "emergency", "claim_required", "lease_ms", "act_ms_max")


class Change(msgspec.Struct):
    """One kind of change: from one effect to another because of the same rules; `example` is the first met.

    `rules` are those that decided and do so no more where the answer became milder, those that decide
    now and did not where it became graver, else all that decide; none where it is for want of a rule.
    `terms` names what differs of two answers of the same effect, as obligations or the approval asked.
    """

    old: Finding
    new: Finding
    rules: tuple[str, ...]
    terms: tuple[str, ...]
    example: Situation
    actions: set[str]
    count: int = 1

    @property
    def loosened(self) -> int:
        """How far the answer became milder: deny to permit is 4, the other way -4, 0 where only terms differ."""
        return int(self.old.effect - self.new.effect)


class Difference(msgspec.Struct):
    """Every kind of change, gravest loosening first, over how many situations; the rules that read differently, and what
    becomes of what is counted in limits that measure something else, or over another window.
    """

    changes: list[Change]
    cases: int
    added: list[str]
    removed: list[str]
    changed: list[str]
    recounted: list[str]


def compare(old: Sequence[Pack], new: Sequence[Pack], *, cases: int = CASES, seed: str = "placet") -> Difference:
    """Return what `new` answers differently from `old`, over the tests of both and situations around them.

    The same packs, `cases` and `seed` always give the same. Nothing found is no proof that nothing changes.
    """
    before, after = PolicySet.of(old), PolicySet.of(new)
    found: dict[tuple[object, ...], Change] = {}
    looked = 0
    actions = _actions(old, new)
    for number, action in enumerate(actions):
        share = (cases - looked) // (len(actions) - number)
        for situation in variations([*old, *new], action, share, seed):
            looked += 1
            change = _change(before, after, situation)
            if change is not None:
                key = (change.old.effect, change.new.effect, change.rules, change.terms)
                had = found.setdefault(key, change)
                if had is not change:
                    had.count += 1
                    had.actions.add(action)
    ours, theirs = dict(_texts(new)), dict(_texts(old))
    return Difference(
        sorted(found.values(), key=lambda one: (-one.loosened, -one.old.effect, one.rules, one.terms)),
        looked,
        sorted(ours.keys() - theirs.keys()),
        sorted(theirs.keys() - ours.keys()),
        sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]),
        list(recounted(*([limit for pack in packs for limit in pack.limits] for packs in (old, new)))),
    )


def _change(before: PolicySet, after: PolicySet, situation: Situation) -> Change | None:
    case = case_of(situation.given, situation.intent)
    old, new = (plan.decide(case) if (plan := one.plan(case.action)) else NO_RULE for one in (before, after))
    terms = _terms(old, new)
    if old.effect is new.effect and not terms:
        return None
    return Change(old, new, _because(old, new), terms, situation, {case.action})


def _terms(old: Finding, new: Finding) -> tuple[str, ...]:
    """Return what differs of two answers of the same effect."""
    if old.effect is not new.effect:
        return ()
    return tuple(name for name in _TERMS.get(old.effect, _GRANT) if getattr(old, name) != getattr(new, name))


def _because(old: Finding, new: Finding) -> tuple[str, ...]:
    if old.effect is new.effect:
        return tuple(sorted({*old.rules, *new.rules}))
    graver, milder = (old, new) if old.effect > new.effect else (new, old)
    return tuple(name for name in graver.rules if name not in milder.rules) or graver.rules


def _actions(old: Sequence[Pack], new: Sequence[Pack]) -> list[str]:
    """Return every action that is declared, tested or named by a rule; of patterns only what is declared counts."""
    named = {name for pack in (*old, *new) for name in pack.actions}
    named |= {test.intent.action for pack in (*old, *new) for test in pack.tests}
    named |= {
        pattern for pack in (*old, *new) for rule in pack.rules for pattern in rule.on if not pattern.endswith("*")
    }
    return sorted(named)


def _texts(packs: Sequence[Pack]) -> Iterator[tuple[str, object]]:
    for pack in packs:
        yield from ((rule.name, msgspec.structs.replace(rule, because="")) for rule in pack.rules)
