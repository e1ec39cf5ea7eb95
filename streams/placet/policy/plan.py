"""The rules that can match one action, tied to it once, and decided in one pass per case."""

from collections.abc import Iterable, Sequence

from placet.model.case import Case
from placet.model.reasons import Effect, Reason
from placet.policy import finding as findings
from placet.policy import oracle
from placet.policy.contents import Pack
from placet.policy.finding import DEFER_MS_MAX, Finding, Said
from placet.policy.fused import UNFIT, Bound, build, source_of
from placet.policy.limits import Limit
from placet.policy.obligations import Obligation
from placet.policy.presence import UNBOUND, Unit, is_silent
from placet.policy.rules import ACT_MS_MAX, DEADLINE_MS_MAX, LEASE_MS, Rule, demands
from placet.policy.shape import use_of

MEMO_MAX = 65_536


class Plan:
    """All that the packs say about one action.

    `facts` are those any of its rules may read: a change of one of them may
    change an answer. Durations are ms; of several packs the strictest holds.
    `declared` are the arguments as each pack declares them.
    `disagreements` counts samples in which generated code and library differed.
    """

    __slots__ = (
        "_bounds",
        "_broke",
        "_library",
        "_memo",
        "_met",
        "_run",
        "_same",
        "_units",
        "act_ms_max",
        "action",
        "deadline_ms_max",
        "declared",
        "defer_ms_max",
        "disagreements",
        "facts",
        "lease_ms",
        "limits",
        "rules",
        "source",
        "unsigned_intents",
    )

    def __init__(
        self,
        action: str,
        rules: Sequence[tuple[Pack, Rule]],
        packs: Sequence[Pack],
        limits: tuple[Limit, ...] = (),
        *,
        generated: bool = True,
    ) -> None:
        self.action = action
        self.limits = limits
        asked = [rule.approval for _, rule in rules] + [limit.approval for limit in limits]
        asked += [rule.emergency.review for _, rule in rules if rule.emergency is not None]
        owner = any(approval.asks_owner() for approval in asked if approval is not None)
        self.rules = tuple(rules)
        self.disagreements = 0
        declared = [pack.actions[action] for pack in packs if action in pack.actions]
        self.lease_ms = min((_lease(pack, action) for pack in packs), default=LEASE_MS)
        self.act_ms_max = min((_act(pack, action) for pack in packs), default=ACT_MS_MAX)
        said = [one.deadline_ms_max for one in declared if one.deadline_ms_max is not None]
        self.deadline_ms_max = min(said, default=DEADLINE_MS_MAX)
        self.defer_ms_max = min((pack.defer_ms_max for pack in packs), default=DEFER_MS_MAX)
        self.unsigned_intents = bool(packs) and all(pack.unsigned_intents for pack in packs)
        if generated:
            for pack, rule in self.rules:
                oracle.judge(pack, rule, action)
        self._tie(action, {"resource"} if owner else set())
        shapes = self.declared = [one.arguments for one in declared]
        self.source = source_of(self._bounds, self._units, shapes, generated=generated)
        self._run = build(self.source, self._ask)
        # The same pass with every condition asked of the library: the oracle of a sample.
        self._library = build(source_of(self._bounds, self._units, shapes, generated=False), self._ask)
        self._memo: dict[int, Finding] = {UNFIT: findings.ARGUMENTS_UNFIT, 0: findings.NO_RULE}
        self._same: dict[Finding, Finding] = {}
        self._broke: dict[Finding, Finding] = {}

    def _tie(self, action: str, facts: set[str]) -> None:
        """Give each thing that may be absent, and each rule, its bits; `facts` are needed whatever the rules read."""
        units: dict[Unit, tuple[int, int]] = {}
        self._bounds: list[Bound] = []
        self._met: list[tuple[Obligation, ...] | None] = []
        conditions = [pack.condition(rule, action) for pack, rule in self.rules]
        wanted = [list(_units(pack, rule, action)) for pack, rule in self.rules]
        for unit in (unit for listed in wanted for unit in listed):
            units.setdefault(unit, (1 << 2 * len(units), 2 << 2 * len(units)))
            facts.add(unit.name)
        base = 2 * len(units)
        for number, ((_, rule), condition, listed) in enumerate(zip(self.rules, conditions, wanted, strict=True)):
            needs = sum({bit for unit in listed for bit in units[unit]})
            bit = 1 << base + 3 * number
            roles = {unit.name: sum(units[unit]) for unit in listed if unit.required and unit.part is None}
            self._bounds.append(Bound(rule, condition, needs, bit, bit << 1, bit << 2, roles))
            facts.update(rule.who_facts())
            try:
                action_declared = self.rules[number][0].actions.get(action)
                self._met.append(demands(rule, action_declared))
            except ValueError:
                self._met.append(None)
        self._units = [(unit, *bits) for unit, bits in units.items()]
        self.facts = tuple(sorted(fact for fact in facts if not fact.startswith("arguments.")))

    def _ask(self, number: int, case: Case) -> int:
        bound = self._bounds[number]
        said = bound.condition.ask(case) if bound.condition else True
        return bound.erred if said is None else bound.fired if said else 0

    def decide(self, case: Case, sample: bool = False) -> Finding:
        """Return what the rules say of `case`. With `sample` both engines run, and a difference is a deny."""
        mask = self._run(case)
        if sample and mask != self._library(case):
            self.disagreements += 1
            return findings.EVALUATION_DISAGREES
        finding = self._memo.get(mask)
        if finding is None:
            finding = self._find(mask)
        return self._broken(finding, case) if case.emergency else finding

    def decide_with_library(self, case: Case) -> Finding:
        """Return what the CEL library alone says of `case`; for auditors."""
        mask = self._library(case)
        finding = self._memo.get(mask) or self._find(mask)
        return self._broken(finding, case) if case.emergency else finding

    def _broken(self, finding: Finding, case: Case) -> Finding:
        """Return what is said of a case that is called an emergency: what it would be without, but where rules provide for it.

        One that does not say why is none.
        """
        if finding.emergency is None or not case.purpose.strip():
            return finding
        made = self._broke.get(finding)
        if made is None:
            made = self._broke[finding] = findings.at_once(finding, finding.emergency)
        return made

    def mask(self, case: Case) -> int:
        """Return the bits of what each rule says of `case`; UNFIT where its arguments are not as declared."""
        return self._run(case)

    def fired(self, case: Case) -> tuple[str, ...]:
        """Return the rules whose condition holds on `case`, deciding or not."""
        mask = self._run(case)
        return () if mask == UNFIT else tuple(bound.rule.name for bound in self._bounds if mask & bound.fired)

    def said(self, case: Case) -> dict[str, Said]:
        """Return what each rule that speaks says of `case`, by rule."""
        mask = self._run(case)
        return {} if mask == UNFIT else {one.rule.name: one for one in self._said(mask)}

    def is_silent(self, case: Case, fact: str) -> bool:
        """Whether `fact` is older than a bound any of these rules puts on it."""
        return any(is_silent(case, fact, unit.bound) for unit, _, _ in self._units if unit.name == fact)

    def _find(self, mask: int) -> Finding:
        if len(self._memo) > MEMO_MAX:
            self._memo = {UNFIT: findings.ARGUMENTS_UNFIT, 0: findings.NO_RULE}
        finding = findings.merge(list(self._said(mask)), self.lease_ms, self.act_ms_max, self.defer_ms_max)
        finding = self._same.setdefault(finding, finding)
        self._memo[mask] = finding
        return finding

    def _said(self, mask: int) -> Iterable[Said]:
        for (_, rule), bound, met in zip(self.rules, self._bounds, self._met, strict=True):
            if mask & bound.fired:
                yield findings.fired(rule, met)
            elif mask & bound.erred:
                yield findings.erred(rule)
            elif mask & bound.unmet:
                yield self._unmet(rule, mask & bound.needs)

    def _unmet(self, rule: Rule, lacking: int) -> Said:
        """Return what a rule says that lacks facts: its own `else`, or the gravest of theirs, or deny."""
        effects, reasons, names = [], [], []
        for unit, missing, silent in self._units:
            if not lacking & (missing | silent):
                continue
            arrives = not unit.name.startswith("arguments.")
            said = (rule.otherwise or unit.bound.otherwise or Effect.DENY) if arrives else Effect.DENY
            effects.append(said)
            reasons.append(Reason.FACT_MISSING if lacking & missing else Reason.FACT_SILENT)
            names.append(unit.name)
        return Said(rule, max(effects), min(reasons), missing=tuple(names))


def _units(pack: Pack, rule: Rule, action: str) -> Iterable[Unit]:
    """Yield what `rule` needs to be there on `action`."""
    condition = pack.condition(rule, action)
    needed = {fact for fact in rule.who_facts() if fact in ("actor", "authority")}
    needed |= condition.facts if condition else frozenset()
    for fact in sorted(needed):
        yield Unit(fact, pack.freshness.get(fact, UNBOUND))
    if condition is None:
        return
    for fact in sorted(condition.asked - needed):
        yield Unit(fact, pack.freshness.get(fact, UNBOUND), required=False)
    for part in sorted(condition.parts):
        fact = use_of(part, condition.arguments).fact or ".".join(part)
        yield Unit(fact, pack.freshness.get(fact, UNBOUND), part)


def _lease(pack: Pack, action: str) -> int:
    declared = pack.actions.get(action)
    return declared.lease_ms if declared else pack.form.lease.lease_ms or LEASE_MS


def _act(pack: Pack, action: str) -> int:
    declared = pack.actions.get(action)
    return declared.act_ms_max if declared else pack.form.lease.act_ms_max or ACT_MS_MAX
