"""Why the rules say what they say of a case, as plain data for text and JSON."""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import msgspec

from placet.model.case import Case
from placet.model.reasons import Reason
from placet.policy import patterns
from placet.policy.clauses import clauses
from placet.policy.contents import Pack
from placet.policy.evaluate import NO_RULE, Finding, Plan, PolicySet
from placet.policy.expressions import Expression
from placet.policy.finding import Said
from placet.policy.nearest import GRANTED, Bound, nearest, together
from placet.policy.presence import age_of, is_missing
from placet.policy.rules import Rule


class FactExplained(msgspec.Struct, frozen=True):
    """One fact: known, missing or silent under any pack's bound; ages in ms, None when never."""

    fact: str
    state: str
    observed_ms: int | None
    heard_ms: int | None


class ClauseExplained(msgspec.Struct, frozen=True):
    """One clause of a condition with its value, or the word `error`; depth 0 is the whole condition.

    `stops`: it holds no further clause, and with the other value it might have made the condition true.
    """

    depth: int
    text: str
    value: Any
    stops: bool = False


class RuleExplained(msgspec.Struct, frozen=True):
    """One rule whose `on` covers the action: whether it spoke, what it said, and why."""

    rule: str
    effect: str
    because: str
    spoke: bool
    why: str
    lacking: tuple[str, ...] = ()
    clauses: tuple[ClauseExplained, ...] = ()
    reads: dict[str, Any] = msgspec.field(default_factory=dict)
    engine: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """Everything that led to a finding, and what would change it.

    `why_not` says in sentences why the answer is no grant, `emergency` what one may do, or why it changes nothing. Any one of `bounds` would by itself
    make it one; where there is none, all of `together` would.
    """

    action: str
    finding: Finding
    facts: tuple[FactExplained, ...]
    rules: tuple[RuleExplained, ...]
    rules_elsewhere: int
    why_not: tuple[str, ...] = ()
    emergency: str = ""
    bounds: tuple[Bound, ...] = ()
    together: tuple[Bound, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Return this as what JSON can hold, effects and reasons by their names."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        data["finding"] |= {"effect": self.finding.effect.name.lower(), "reason": self.finding.reason.name}
        for told, bound in zip(data["bounds"] + data["together"], self.bounds + self.together, strict=True):
            told["effect"] = bound.effect.name.lower()
        return data


def explain(policies: PolicySet, case: Case) -> Explanation:
    """Return why `policies` say what they say of `case`: facts, rules, clauses and the finding."""
    plan = policies.plan(case.action)
    everywhere = sum(len(pack.rules) for pack in policies.packs)
    if plan is None:
        nobody = ("no rule is about this action, and no pack declares it",)
        return Explanation(case.action, NO_RULE, (), (), everywhere, nobody)
    said = plan.said(case)
    rules = tuple(_rule(plan, pack, rule, case, said) for pack, rule in plan.rules)
    facts = tuple(_fact(plan, fact, case) for fact in plan.facts)
    finding = plan.decide(case)
    alone = nearest(plan, case)
    both = () if alone else together(plan, case)
    why_not = tuple(_why_not(finding, rules))
    broken = _emergency(finding, case)
    return Explanation(case.action, finding, facts, rules, everywhere - len(rules), why_not, broken, alone, both)


def _emergency(finding: Finding, case: Case) -> str:
    """Return what an emergency may do here, or why one that is called changes nothing; empty where there is nothing to say."""
    given = finding.emergency
    if given is None:
        called = case.emergency and finding.effect not in GRANTED
        return "it is called an emergency, and what decides provides for none" if called else ""
    review = given.review
    whom = f"{review.quorum} of {', '.join(review.eligible)}"
    may = f"may run at once, within {min(given.lease_ms, finding.lease_ms)} ms, and {whom} look at it within {review.expires_ms // 1000} s"
    if finding.without is not None:
        return f"it is called an emergency: it {may}"
    missing = "; this one says no purpose" if case.emergency else ""
    return f"called an emergency that says why, it {may}{missing}"


def _why_not(finding: Finding, rules: tuple[RuleExplained, ...]) -> Iterator[str]:
    """Yield why an answer is no grant: who decided, who would have granted and what stopped them."""
    if finding.effect in GRANTED:
        return
    if finding.reason is Reason.ARGUMENTS_UNFIT:
        yield "the arguments are not as the action declares them"
        return
    for one in rules:
        if one.rule in finding.rules:
            yield f"{one.rule} says {one.effect}: {one.why if one.lacking else one.because}"
    if (approval := finding.approval) is not None:
        whom = ", ".join(approval.eligible) or "nobody: no one is eligible under every rule that asks"
        yield f"it waits for {approval.quorum} of {whom}, for {approval.expires_ms // 1000} s"
        if approval.acr or approval.auth_age_ms_max:
            ways = f" by {' or '.join(approval.acr)}" if approval.acr else ""
            since = f" within {approval.auth_age_ms_max // 1000} s" if approval.auth_age_ms_max else ""
            yield f"each of them must have authenticated{ways}{since}"
    granting = [one for one in rules if one.effect in ("permit", "constrain")]
    if any(one.spoke for one in granting):
        return
    yield "no rule permits" if granting else "no rule about this action ever permits"
    for one in granting:
        stopped = [clause.text for clause in one.clauses if clause.stops]
        yield f"{one.rule} would {one.effect}, but " + (
            f"this does not hold: {'; '.join(stopped)}" if stopped else one.why
        )


def _fact(plan: Plan, fact: str, case: Case) -> FactExplained:
    state = "missing" if is_missing(case, fact) else "silent" if plan.is_silent(case, fact) else "known"
    return FactExplained(fact, state, **age_of(case, fact))


def _rule(plan: Plan, pack: Pack, rule: Rule, case: Case, said: Mapping[str, Said]) -> RuleExplained:
    condition = pack.condition(rule, plan.action)
    told = said.get(rule.name)
    elsewhere = "" if told else not_about(rule, case)
    parts: tuple[ClauseExplained, ...] = ()
    reads: dict[str, Any] = {}
    if condition is not None and not elsewhere:
        parts = _clauses(condition, case)
        reads = {".".join(path): _read(condition, path, case) for path in condition.paths}
    effect, lacking = (told.effect, told.missing) if told else (rule.effect, ())
    why = elsewhere or _why(condition, told)
    engine = "" if condition is None else "generated" if condition.source else f"library: {condition.unknown}"
    return RuleExplained(
        rule.name, effect.name.lower(), rule.because, told is not None, why, lacking, parts, reads, engine
    )


def _clauses(condition: Expression, case: Case) -> tuple[ClauseExplained, ...]:
    """Return every clause with its value, and which of those without further clauses stop the whole."""
    told: list[ClauseExplained] = []
    listed = list(clauses(condition.text))
    held: list[bool] = []  # by depth: whether the clause there is not true, nor any around it, and no `!` stands before
    for at, (depth, text) in enumerate(listed):
        below = [d for d, _ in takewhile(lambda one, depth=depth: one[0] > depth, listed[at + 1 :])]  # type: ignore[misc]
        turned = text.startswith("!") and below.count(depth + 1) == 1
        value = condition.part(text, case)
        del held[depth:]
        stops = all(held) and value is not True
        held.append(stops and not turned)
        told.append(ClauseExplained(depth, text, value, stops and (turned or not below)))
    return tuple(told)


def _read(condition: Expression, path: tuple[str, ...], case: Case) -> Any:
    """Return the value at `path`, or the word `unset`: the library reads what is unset as 0 or an empty text."""
    text = _select(path)
    value = condition.part(text, case)
    nothing = value in ("error", "", 0) and value is not False
    return "unset" if nothing and condition.part(f"has({text})", case) is False else value


def _select(path: tuple[str, ...]) -> str:
    """Return CEL that reads `path`; a key that is no identifier is quoted."""
    text = path[0]
    for step in path[1:]:
        quoted = step.replace("\\", "\\\\").replace("'", "\\'")
        text += f".{step}" if step.isidentifier() and step.isascii() else f"['{quoted}']"
    return text


def not_about(rule: Rule, case: Case) -> str:
    """Return why a rule is not about this case, before its condition; empty when it is."""
    if rule.resource is not None and not patterns.matches(rule.resource, case.resource_id):
        return f"resource `{case.resource_id}` is none of {', '.join(rule.resource)}"
    for role, wanted, name in (("actor", rule.actor, case.actor_id), ("authority", rule.authority, case.authority_id)):
        row = getattr(case, role)
        groups = () if row is None else tuple(f"group:{group}" for group in row.groups)
        in_group = any(group in wanted for group in groups) if wanted else False
        if wanted is not None and not (patterns.matches(wanted, name) or in_group):
            return f"{role} `{name}` is none of {', '.join(wanted)}"
    if rule.any_in_chain is not None and not any(patterns.matches(rule.any_in_chain, link) for link in case.chain):
        return f"nobody in the chain is one of {', '.join(rule.any_in_chain)}"
    return ""


def _why(condition: Expression | None, told: Said | None) -> str:
    if told is None:
        return "the condition is false"
    if told.missing:
        return f"not evaluated: {', '.join(told.missing)} missing or silent"
    if told.reason is Reason.RULE_ERRED:
        return "evaluating it errs, or what it demands cannot be met on this action"
    return "it has no condition" if condition is None else "the condition is true"
