"""The rules of a set of packs put to one case, each condition run by the CEL library itself."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from cel_expr_python import cel  # type: ignore[import-untyped]

from placet.faces.auditor.asking import Wanted, wanted_of
from placet.faces.auditor.fitting import fits
from placet.faces.auditor.glass import Glass, glass_of
from placet.faces.auditor.joining import Joined, covers
from placet.faces.auditor.packs import EFFECTS, Action, Argument, Pack, Plain
from placet.faces.auditor.reading import Needs, Path, needs_of
from placet.faces.auditor.shape import FIELDS, RECORDS, Shape
from placet.faces.auditor.table import CONSTRAIN, DENY, EMERGENCY, PERMIT, STEP_UP

UNFIT, NO_RULE, ERRED, MISSING, SILENT = 410, 420, 430, 470, 480
FIRED = {5: 450, 4: 490, 3: 500, 2: 510, 1: 520}
GRANTING = (PERMIT, CONSTRAIN, STEP_UP)
NOTHING: Needs = Needs(frozenset(), frozenset(), frozenset())
Demand = tuple[str, str, str]


class Word(NamedTuple):
    """What one rule says."""

    rule: str
    effect: int
    reason: int
    demands: tuple[Demand, ...] = ()
    missing: tuple[str, ...] = ()
    at_once: bool = False
    approval: Plain | None = None
    emergency: Plain | None = None


class Said(NamedTuple):
    """What all rules say together; durations in ms are those of a grant under it."""

    effect: int
    reason: int
    rules: tuple[str, ...] = ()
    demands: tuple[Demand, ...] = ()
    missing: tuple[str, ...] = ()
    claim_required: bool = True
    lease_ms: int = 0
    act_ms_max: int = 0
    wanted: Wanted | None = None
    glass: Glass | None = None
    without: "Said | None" = None
    """What would be said if a grant at once were no emergency."""


@lru_cache(maxsize=512)
def _shape(declared: Action | None) -> Shape:
    return Shape(declared)


@lru_cache(maxsize=4096)
def _compiled(text: str, shape: Shape) -> tuple[Any, Needs]:
    program = shape.env.compile(text)
    if program.return_type() != cel.Type.BOOL:
        raise RuntimeError(f"`{text}` is not a condition")
    return program, needs_of(program, shape.declared)


def put(packs: list[Pack], intent: Plain, arguments: Plain, known: Joined, instant: int) -> Said | None:
    """Return what the packs say of an intent, or None where they have nothing to say about its action."""
    about = about_action(packs, intent["action"])
    if about is None:
        return None
    packs = [pack for pack, _ in about]
    action = intent["action"]
    for pack in packs:
        if action in pack.actions and not fits(pack.actions[action].arguments, arguments):
            return Said(DENY, UNFIT)
    words = [
        word
        for pack, rules in about
        for rule in rules
        if (word := _ask(pack, rule, intent, arguments, known, instant)) is not None
    ]
    leases = [pack.actions.get(action) or pack for pack in packs]
    said = _together(words, min(one.lease_ms for one in leases), min(one.act_ms_max for one in leases))
    if not (intent["emergency"] and intent["purpose"].strip()) or said.glass is None:
        return said
    lease_ms = min(said.lease_ms, said.glass.lease_ms)
    effect = CONSTRAIN if said.demands else PERMIT
    return said._replace(effect=effect, reason=EMERGENCY, lease_ms=lease_ms, wanted=None, without=said)


def about_action(packs: list[Pack], action: str) -> list[tuple[Pack, list[Plain]]] | None:
    """Return the packs that declare an action or have rules for it, each with those rules; None where none does."""
    found = [(pack, [rule for rule in pack.rules if covers(rule["on"], action)]) for pack in packs]
    kept = [(pack, rules) for pack, rules in found if rules or action in pack.actions]
    return kept or None


def _together(words: list[Word], lease_ms: int, act_ms_max: int) -> Said:
    if not words:
        return Said(DENY, NO_RULE)
    effect = max(word.effect for word in words)
    gravest = [word for word in words if word.effect == effect]
    granting = [word for word in words if word.effect in GRANTING] if effect in GRANTING else []
    return Said(
        effect,
        min(word.reason for word in gravest),
        tuple(word.rule for word in gravest),
        merged(demand for word in granting for demand in word.demands),
        tuple(sorted({name for word in gravest for name in word.missing})),
        not granting or not all(word.at_once for word in granting),
        lease_ms,
        act_ms_max,
        wanted_of([word.approval for word in gravest if word.approval]) if effect == STEP_UP else None,
        glass_of([word.emergency for word in gravest]) if effect == STEP_UP else None,
    )


def merged(demands: Iterator[Demand]) -> tuple[Demand, ...]:
    """Return demands once each, of limits on one argument the tightest."""
    kept: set[Demand] = set()
    limits: dict[str, int] = {}
    for kind, name, value in demands:
        if kind == "limit":
            limits[name] = min(int(value), limits.get(name, int(value)))
        else:
            kept.add((kind, name, value))
    return tuple(sorted(kept | {("limit", name, str(bound)) for name, bound in limits.items()}))


def _ask(pack: Pack, rule: Plain, intent: Plain, arguments: Plain, known: Joined, instant: int) -> Word | None:
    """Return what one rule says, or None where it is not about this case or its condition is false."""
    groups = _about(pack, rule, intent, known, instant)
    if groups is None:
        return None
    name = f"{pack.name}/{rule['id']}"
    declared = pack.actions.get(intent["action"])
    shape = _shape(declared)
    program, needs = _compiled(rule["when"], shape) if rule.get("when") is not None else (None, NOTHING)
    lacking = list(_lacking(pack, needs, groups, arguments, known, instant))
    if lacking:
        return _unmet(name, rule, pack, lacking)
    if program is not None:
        answer = _eval(program, shape, arguments, known)
        if answer is None:
            return Word(name, DENY, ERRED)
        if not answer:
            return None
    demands = _demands(rule, declared)
    if demands is None:
        return Word(name, DENY, ERRED)
    effect = EFFECTS[rule["effect"]]
    at_once = rule.get("claim") == "granted"
    return Word(name, effect, FIRED[effect], demands, (), at_once, rule.get("approval"), rule.get("emergency"))


def _about(pack: Pack, rule: Plain, intent: Plain, known: Joined, instant: int) -> set[str] | None:
    """Return the records in which a rule looks up groups, or None where it is not about this case."""
    if rule.get("resource") and not covers(rule["resource"], intent["resource"]):
        return None
    who = rule.get("who") or {}
    groups: set[str] = set()
    for role in ("actor", "authority"):
        wanted = who.get(role)
        if wanted is None:
            continue
        named = [one[6:] for one in wanted if one.startswith("group:")]
        if named:
            groups.add(role)
        plain = [one for one in wanted if not one.startswith("group:")]
        # A group is looked up only in a record that is fresh; else the rule is about this case, and unmet.
        among = bool(named) and (_late(pack, role, known, instant) or bool({*named} & {*known.roots[role]["groups"]}))
        if not among and not covers(plain, intent[role]):
            return None
    chain = who.get("any_in_chain")
    if chain is not None and not any(covers(chain, link) for link in known.chain):
        return None
    return groups


def _lacking(
    pack: Pack, needs: Needs, groups: set[str], arguments: Plain, known: Joined, instant: int
) -> Iterator[tuple[str, int]]:
    """Yield the name of each thing a rule needs that is missing or silent, and which of the two."""
    needed = needs.facts | groups
    for fact in sorted(needed | needs.asked):
        if fact not in known.known:
            known.absent.add(fact)
            if fact in needed:
                yield fact, MISSING
        elif _late(pack, fact, known, instant):
            yield fact, SILENT
    for part in sorted(needs.parts):
        if _unset(part, arguments, known):
            yield (".".join(part) if part[0] == "arguments" else part[0]), MISSING


def _late(pack: Pack, fact: str, known: Joined, instant: int) -> bool:
    bound = pack.freshness.get(fact, {})
    for column, times in (("observed_ms", known.observed), ("heard_ms", known.heard)):
        if bound.get(column) is not None and times.get(fact, -(2**62)) < instant - bound[column]:
            return True
    return False


def _unset(part: Path, arguments: Plain, known: Joined) -> bool:
    """Whether an optional part is not set, in a record that is there."""
    if part[0] == "arguments":
        return part[1] not in arguments
    if part[0] not in RECORDS or part[0] not in known.known:
        return False
    field = known.roots[part[0]].get(part[1])
    return part[2] not in field if len(part) > 2 and field is not None else field is None


def _unmet(name: str, rule: Plain, pack: Pack, lacking: list[tuple[str, int]]) -> Word:
    effects = []
    for fact, _ in lacking:
        otherwise = rule.get("else") or pack.freshness.get(fact, {}).get("else") or "deny"
        effects.append(DENY if fact.startswith("arguments.") else EFFECTS[otherwise])
    return Word(name, max(effects), min(why for _, why in lacking), missing=tuple(fact for fact, _ in lacking))


def _eval(program: Any, shape: Shape, arguments: Plain, known: Joined) -> bool | None:
    variables = {**known.roots, "arguments": arguments}
    values = {root: shape.value(root, variables.get(root, {})) for root in (*FIELDS, "calendar", "arguments")}
    try:
        answer = program.eval(shape.env.Activation(values)).plain_value()
    except (RuntimeError, ValueError, TypeError):
        return None
    return answer if isinstance(answer, bool) else None


def _demands(rule: Plain, declared: Action | None) -> tuple[Demand, ...] | None:
    """Return what a rule demands of one action, or None where it cannot be met there."""
    names: dict[str, Argument] = {one.name: one for one in declared.arguments} if declared else {}
    made: list[Demand] = []
    for form in rule.get("obligations") or ():
        if "limit" in form:
            argument = names.get(form["limit"]["argument"])
            if argument is None or argument.type != "int":
                return None
            made.append(("limit", argument.name, str(form["limit"]["max"])))
        elif "redact" in form:
            wanted = form["redact"]["arguments"]
            if declared and not names.keys() >= set(wanted):
                return None
            made += (("redact", name, "") for name in wanted)
        elif "read_only" in form:
            if declared is None or declared.read_only is None:
                return None
            made += (("read_only", name, value) for name, value in declared.read_only)
        else:
            held = form["capability"]
            with_ = held.get("with") or {}
            made.append(
                ("capability", held["name"], json.dumps(with_, sort_keys=True, separators=(",", ":")) if with_ else "")
            )
    return tuple(made)
