"""How much of a pack its own tests exercise: each rule fired, each clause of each condition seen true and seen false."""

import msgspec

from placet.policy.checked import Node
from placet.policy.clauses import clauses
from placet.policy.contents import Pack
from placet.policy.evaluate import PolicySet
from placet.policy.explain import not_about
from placet.policy.expressions import Expression
from placet.policy.fused import UNFIT
from placet.policy.rules import Rule
from placet.policy.situations import case_of


class ClauseCovered(msgspec.Struct):
    """One clause that holds no further clause, and in how many tests it came out either way."""

    text: str
    true: int = 0
    false: int = 0


class RuleCovered(msgspec.Struct):
    """One rule, in how many tests its condition held, and its clauses; a constant condition has none."""

    rule: str
    file: str
    line: int
    column: int
    fired: int = 0
    clauses: list[ClauseCovered] = msgspec.field(default_factory=list)

    @property
    def total(self) -> int:
        """How many things there are to see: the rule firing, and each clause both ways."""
        return 1 + 2 * len(self.clauses)

    @property
    def covered(self) -> int:
        """How many of them were seen."""
        return (self.fired > 0) + sum((one.true > 0) + (one.false > 0) for one in self.clauses)

    def missing(self) -> list[str]:
        """Return in words what was not seen."""
        never = ["it never fired"] if not self.fired else []
        for one in self.clauses:
            never += [f"never {way}: {one.text}" for way in ("true", "false") if not getattr(one, way)]
        return never


class Coverage(msgspec.Struct):
    """The rules of a pack, in its order, with what its tests saw of each."""

    rules: list[RuleCovered]

    @property
    def total(self) -> int:
        """How many things there are to see."""
        return sum(rule.total for rule in self.rules)

    @property
    def covered(self) -> int:
        """How many of them were seen."""
        return sum(rule.covered for rule in self.rules)

    @property
    def percent(self) -> float:
        """Return what was seen of all there is, in percent, rounded down to a tenth: 100 means everything."""
        return self.covered * 1000 // self.total / 10


def measure(pack: Pack, *, matching: str = "") -> Coverage:
    """Return what the tests whose sentence contains `matching` see of each rule.

    A clause counts where its rule is about the case and all that the rule needs is known. Of a rule
    on several actions a clause counts on any of them.
    """
    found = {rule.name: _blank(pack, number, rule) for number, rule in enumerate(pack.rules)}
    policies = PolicySet.of([pack])
    for test in pack.tests:
        plan = policies.plan(test.intent.action) if matching in test.says else None
        if plan is None:
            continue
        case = case_of(test.given, test.intent)
        if plan.mask(case) == UNFIT:
            continue
        said = plan.said(case)
        for _, rule in plan.rules:
            told = said.get(rule.name)
            if (told and told.missing) or (told is None and not_about(rule, case)):
                continue
            covered = found[rule.name]
            covered.fired += rule.name in plan.fired(case)
            condition = pack.condition(rule, plan.action)
            for one in covered.clauses if condition else ():
                value = condition.part(one.text, case) if condition else None
                one.true += value is True
                one.false += value is False
    return Coverage(list(found.values()))


def _blank(pack: Pack, number: int, rule: Rule) -> RuleCovered:
    document = pack.documents["rules.yaml"]
    line, column = document.place(("rules", number, "id"))
    shape = next(pack.shapes(rule), "")
    condition = pack.condition(rule, shape)
    texts = _leaves(condition) if condition else []
    return RuleCovered(rule.name, document.file, line, column, clauses=[ClauseCovered(text) for text in texts])


def _leaves(condition: Expression) -> list[str]:
    """Return the clauses that hold no further clause, each once, in order."""
    if not _reads(condition.tree):
        return []
    listed = list(clauses(condition.text))
    last = [at + 1 == len(listed) or listed[at + 1][0] <= depth for at, (depth, _) in enumerate(listed)]
    return list(dict.fromkeys(text for (_, text), leaf in zip(listed, last, strict=True) if leaf))


def _reads(node: Node) -> bool:
    return node.kind == "ident" or any(_reads(part) for part in node.parts)
