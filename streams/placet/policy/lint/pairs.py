"""Rules beside each other: one that never decides because of another, and two that differ about the same cases."""

from collections.abc import Iterator

from placet.model.reasons import Effect
from placet.policy import patterns
from placet.policy.contents import Pack
from placet.policy.lint.codes import Note
from placet.policy.lint.conditions import domain_for
from placet.policy.rules import GRANTING, Rule
from placet.policy.satisfy import can_hold

PAIRS_MAX = 50_000


def notes(pack: Pack) -> Iterator[Note]:
    """Yield for each rule the first other that speaks whenever it does and leaves it nothing to say."""
    index, left = Index(pack), PAIRS_MAX
    for number, rule in enumerate(pack.rules):
        if not _ever(pack, rule):
            continue  # told by itself
        for other in index.beside(rule):
            left -= 1
            if left < 0:
                message = f"more than {PAIRS_MAX} pairs of rules about the same actions: the others were not compared"
                yield Note("not_compared", message, ("rules",))
                return
            note = _note(pack, rule, other, number)
            if note is not None:
                yield note
                break


class Index:
    """The rules of a pack by the patterns of their `on`."""

    def __init__(self, pack: Pack) -> None:
        self._rules = pack.rules
        self._by: dict[str, list[int]] = {}
        for number, rule in enumerate(pack.rules):
            for pattern in rule.on:
                self._by.setdefault(pattern, []).append(number)
        self._lengths = sorted({len(pattern) for pattern in self._by if pattern.endswith("*")})

    def beside(self, rule: Rule) -> Iterator[Rule]:
        """Yield, gravest first, the others whose `on` may cover that of `rule`."""
        name = rule.on[0]
        stem = name.removesuffix("*")
        found = set(self._by.get(name, ()))
        for length in self._lengths:
            if length - 1 <= len(stem):
                found.update(self._by.get(f"{stem[: length - 1]}*", ()))
        others = [self._rules[number] for number in sorted(found) if self._rules[number] is not rule]
        yield from sorted(others, key=lambda other: -other.effect)


def _note(pack: Pack, rule: Rule, other: Rule, number: int) -> Note | None:
    """Return what `other` makes of `rule`, or None where each has something to say."""
    if other.effect < rule.effect or not _about(other, rule) or not _implied(pack, rule, other):
        return None
    same = _about(rule, other) and _implied(pack, other, rule)
    at = ("rules", number)
    if other.effect > rule.effect and _silences(pack, rule, other):
        said = f"`{other.name}` says {_name(other)}"
        if same:
            message = f"`{rule.name}` says {_name(rule)} and {said} of exactly the same cases"
            return Note("contradictory", message, (*at, "effect"))
        return Note("shadowed", f"`{rule.name}` never decides: {said} whenever its own condition holds", at)
    if other.effect is rule.effect and _says_no_more(rule, other) and not (same and other.name > rule.name):
        return Note("redundant", f"`{other.name}` says the same whenever `{rule.name}` does", at)
    return None


def _name(rule: Rule) -> str:
    return rule.effect.name.lower()


def _about(other: Rule, rule: Rule) -> bool:
    """Whether `other` is about everything `rule` is about, before conditions."""
    for part in ("on", "resource", "actor", "authority", "any_in_chain"):
        wide, narrow = getattr(other, part), getattr(rule, part)
        if wide is not None and (narrow is None or not patterns.covers(wide, narrow)):
            return False
    return True


def _ever(pack: Pack, rule: Rule) -> bool:
    """Whether the condition of `rule` may hold on any action."""
    made = [(action, pack.condition(rule, action)) for action in pack.shapes(rule)]
    return any(one is None or can_hold([(one.tree, True)], domain_for(pack, rule, action)) for action, one in made)


def _implied(pack: Pack, rule: Rule, other: Rule) -> bool:
    """Whether the condition of `other` is never false where that of `rule` is true."""
    if other.when is None or other.when == rule.when:
        return True
    for action in pack.shapes(rule):
        own, wider = pack.condition(rule, action), pack.condition(other, action)
        if wider is None:
            continue
        if can_hold([*([(own.tree, True)] if own else []), (wider.tree, False)], domain_for(pack, rule, action)):
            return False
    return True


def _silences(pack: Pack, rule: Rule, other: Rule) -> bool:
    """Whether the graver `other` leaves nothing of `rule`: neither its demands, nor its claim, nor what it says for want of a fact."""
    if other.effect in GRANTING:
        return not rule.obligations and (other.claim_required or not rule.claim_required)
    if rule.effect is not Effect.DEFER or other.when is None:
        return True
    return all(_facts(pack, other, action) <= _facts(pack, rule, action) for action in pack.shapes(rule))


def _facts(pack: Pack, rule: Rule, action: str) -> frozenset[str]:
    condition = pack.condition(rule, action)
    return condition.facts if condition else frozenset()


def _says_no_more(rule: Rule, other: Rule) -> bool:
    """Whether a rule of the same effect demands, asks and waits for nothing that `other` does not."""
    return (rule.obligations, rule.approval, rule.emergency, rule.otherwise) == (
        other.obligations,
        other.approval,
        other.emergency,
        other.otherwise,
    ) and (other.claim_required or not rule.claim_required or rule.effect not in GRANTING)
