"""What a well-formed pack may still get wrong: one function for each kind of fault."""

from collections.abc import Iterator

from placet.model.reasons import Effect, Reason
from placet.policy import patterns
from placet.policy.contents import Pack
from placet.policy.diagnostics import Diagnostic, did_you_mean
from placet.policy.documents import Path
from placet.policy.expressions import ConditionError, pattern_fault
from placet.policy.forms import ApprovalForm, LimitForm, PackForm, RuleForm, RulesForm
from placet.policy.limits import COUNT, OLDER_SCOPES, SCOPES
from placet.policy.rules import GRANTING, Rule, demands
from placet.policy.shape import FACTS, is_fact


def faults(pack: Pack, rules_form: RulesForm) -> Iterator[Diagnostic]:
    """Yield every fault of a pack whose forms are valid."""
    yield from _actions(pack)
    yield from _freshness(pack)
    yield from _limits(pack)
    seen: set[str] = set()
    document = pack.documents["rules.yaml"]
    for number, (rule, form) in enumerate(zip(pack.rules, rules_form.rules, strict=True)):
        at: Path = ("rules", number)
        if form.id in seen:
            yield document.diagnose((*at, "id"), f"the rule `{form.id}` is given twice")
        seen.add(form.id)
        for place, message in _rule(form):
            yield document.diagnose((*at, *place), message)
        for place, message in _demands(pack, rule):
            yield document.diagnose((*at, *place), message)
        yield from _condition(pack, rule, (*at, "when"))
    yield from _tests(pack, seen)


def warnings(pack: Pack) -> Iterator[Diagnostic]:
    """Yield what is allowed and is often a mistake: a rule for an action the pack does not declare."""
    if not pack.actions:
        return
    document = pack.documents["rules.yaml"]
    for number, rule in enumerate(pack.rules):
        for i, name in enumerate(rule.on):
            if not name.endswith("*") and name not in pack.actions:
                hint = did_you_mean(name, pack.actions)
                yield document.diagnose(("rules", number, "on", i), f"`{name}` is not declared in `actions`{hint}")


def _actions(pack: Pack) -> Iterator[Diagnostic]:
    document = pack.documents["pack.yaml"]
    form: PackForm = pack.form
    for name, action in form.actions.items():
        for argument, declared in action.arguments.items():
            at: Path = ("actions", name, "arguments", argument)
            ordered = declared.type in {"int", "number"}
            if (declared.min is not None or declared.max is not None) and not ordered:
                yield document.diagnose(at, f"`min` and `max` bound int and number, not {declared.type}")
            if declared.min is not None and declared.max is not None and declared.min > declared.max:
                yield document.diagnose((*at, "max"), f"`max` is below `min` ({declared.min})")
            if declared.max_length is not None and declared.type in ("int", "number", "bool", "json"):
                yield document.diagnose((*at, "max_length"), f"`max_length` does not bound {declared.type}")
            if (declared.pattern is not None or declared.one_of is not None) and declared.type != "string":
                yield document.diagnose(at, f"`pattern` and `one_of` are for string, not {declared.type}")
            fault = pattern_fault(declared.pattern) if declared.pattern is not None else ""
            if fault:
                yield document.diagnose((*at, "pattern"), fault)
        for argument in action.read_only or {}:
            if argument not in action.arguments:
                hint = did_you_mean(argument, action.arguments)
                message = f"`{argument}` is not an argument of `{name}`{hint}"
                yield document.diagnose(("actions", name, "read_only", argument), message, key=True)


def _freshness(pack: Pack) -> Iterator[Diagnostic]:
    document = pack.documents["pack.yaml"]
    seen: set[str] = set()
    for number, entry in enumerate(pack.form.freshness):
        at: Path = ("freshness", number, "fact")
        if not is_fact(entry.fact):
            hint = did_you_mean(entry.fact, [*FACTS, "calendar.freeze"])
            yield document.diagnose(at, f"`{entry.fact}` is not a fact{hint}")
        if entry.fact in seen:
            yield document.diagnose(at, f"the freshness of `{entry.fact}` is given twice")
        seen.add(entry.fact)


def _limits(pack: Pack) -> Iterator[Diagnostic]:
    document = pack.documents["pack.yaml"]
    seen: set[str] = set()
    for number, limit in enumerate(pack.form.limits):
        at: Path = ("limits", number)
        if limit.id in seen:
            yield document.diagnose((*at, "id"), f"the limit `{limit.id}` is given twice")
        seen.add(limit.id)
        for place, message in _limit(limit):
            yield document.diagnose((*at, *place), message)
        for message in _unmeasured(pack, limit):
            yield document.diagnose((*at, "measure"), message)


def _limit(limit: LimitForm) -> Iterator[tuple[Path, str]]:
    """Yield faults of one limit by itself, each with its place in the limit."""
    for i, scope in enumerate(limit.per):
        if scope not in SCOPES and scope not in OLDER_SCOPES:
            message = (
                f"a limit per `{scope}` does not lie under one key (`tenant/authority`): what it counts is "
                f"spread over partitions and nobody sees the sum; use {', '.join(SCOPES)}"
            )
            yield ("per", i), message
    for i, pattern in enumerate(limit.on):
        if fault := patterns.fault_of(pattern):
            yield ("on", i), fault
    if limit.window.mandate and "mandate" not in limit.per:
        yield ("window",), "a limit over the mandate's life is counted per mandate: expected `mandate` in `per`"
    if limit.over == "constrain" and limit.measure == COUNT:
        yield ("over",), "constrain grants what is left of an argument: `count` is none"
    if limit.over == "step_up" and limit.approval is None:
        yield ("over",), "step_up needs `approval` {quorum, from, expires_s}"
    if limit.over != "step_up" and limit.approval is not None:
        yield ("approval",), f"approval belongs to step_up, not to {limit.over}"
    for place, listed, groups in _asked(limit.approval):
        for i, pattern in enumerate(listed):
            if fault := patterns.fault_of(pattern, groups=groups):
                yield (*place, i), fault
    yield from _escalations(limit.approval)


def _unmeasured(pack: Pack, limit: LimitForm) -> Iterator[str]:
    """Yield why an action that a limit is on has no such amount. What a `*` covers besides has to name it when it is asked."""
    if limit.measure == COUNT:
        return
    for name in sorted({*(one for one in limit.on if not one.endswith("*")), *pack.actions}):
        if not patterns.matches(limit.on, name):
            continue
        if name not in pack.actions:
            yield f"`{name}` is not declared in `actions`, so `{limit.measure}` is not known to be an int there"
        elif {one.name: one.type for one in pack.actions[name].arguments}.get(limit.measure) != "int":
            yield f"`{limit.measure}` is not an int argument of `{name}`, nor `count`"


def _rule(form: RuleForm) -> Iterator[tuple[Path, str]]:
    """Yield faults of one rule by itself, each with its place in the rule."""
    effect = Effect[form.effect.upper()]
    for place, listed, groups in (
        (("on",), form.on, False),
        (("resource",), form.resource, False),
        (("who", "actor"), form.who and form.who.actor, True),
        (("who", "authority"), form.who and form.who.authority, True),
        (("who", "any_in_chain"), form.who and form.who.any_in_chain, False),
        *_asked(form.approval),
        (("emergency", "review", "from"), form.emergency and form.emergency.review.eligible, True),
    ):
        for i, pattern in enumerate(listed or ()):
            if fault := patterns.fault_of(pattern, groups=groups):
                yield (*place, i), fault
    if form.obligations and effect not in (Effect.CONSTRAIN, Effect.STEP_UP):
        yield ("obligations",), f"obligations belong to constrain and step_up, not to {form.effect}"
    if effect is Effect.CONSTRAIN and not form.obligations:
        yield ("effect",), "constrain needs `obligations`; without any it would be a permit"
    if effect is Effect.STEP_UP and form.approval is None:
        yield ("effect",), "step_up needs `approval` {quorum, from, expires_s}"
    if effect is not Effect.STEP_UP and form.approval is not None:
        yield ("approval",), f"approval belongs to step_up, not to {form.effect}"
    if form.emergency is not None and effect is not Effect.STEP_UP:
        yield ("emergency",), f"emergency belongs to step_up, whose people it does not wait for, not to {form.effect}"
    yield from _escalations(form.approval)
    if form.claim is not None and effect not in GRANTING:
        yield ("claim",), f"claim belongs to rules that may grant, not to {form.effect}"


def _escalations(form: ApprovalForm | None) -> Iterator[tuple[Path, str]]:
    """Yield faults of the times after which others are asked."""
    seen: set[int] = set()
    for number, step in enumerate(form.escalate if form else ()):
        at: Path = ("approval", "escalate", number, "after_s")
        if form is not None and step.after_s >= form.expires_s:
            yield at, f"others are asked after {step.after_s} s, and the wait ends after {form.expires_s}"
        if step.after_s in seen:
            yield at, f"{step.after_s} s is given twice"
        seen.add(step.after_s)


def _asked(form: ApprovalForm | None) -> Iterator[tuple[Path, list[str], bool]]:
    """Yield the patterns of everybody who is asked, now or later, each list with its place."""
    if form is not None:
        yield ("approval", "from"), form.eligible, True
        yield from (
            (("approval", "escalate", number, "to"), step.to, True) for number, step in enumerate(form.escalate)
        )


def _demands(pack: Pack, rule: Rule) -> Iterator[tuple[Path, str]]:
    exact = [name for name in rule.on if not name.endswith("*")]
    for name in sorted({*exact, *(n for n in pack.actions if patterns.matches(rule.on, n))}):
        try:
            demands(rule, pack.actions.get(name))
        except ValueError as error:
            yield ("obligations",), f"on `{name}`: {error}"


def _condition(pack: Pack, rule: Rule, at: Path) -> Iterator[Diagnostic]:
    document = pack.documents["rules.yaml"]
    for action in pack.shapes(rule):
        try:
            pack.condition(rule, action)
        except ConditionError as error:
            for line, column, message in error.faults:
                yield Diagnostic(document.file, *document.inside(at, line, column), message)


def _tests(pack: Pack, rules: set[str]) -> Iterator[Diagnostic]:
    """Yield tests that name a fact, a rule or an effect's reason that does not exist."""
    for number, test in enumerate(pack.tests):
        document = pack.documents["tests.yaml"]
        at: Path = ("tests", number)
        for i, fact in enumerate(test.given.absent):
            if not is_fact(fact):
                yield document.diagnose(
                    (*at, "given", "absent", i), f"`{fact}` is not a fact{did_you_mean(fact, FACTS)}"
                )
        for fact in test.given.ages:
            if not is_fact(fact):
                message = f"`{fact}` is not a fact{did_you_mean(fact, FACTS)}"
                yield document.diagnose((*at, "given", "ages", fact), message, key=True)
        for i, name in enumerate(test.expect.because or ()):
            if name not in rules:
                message = f"`{name}` is not a rule of this pack{did_you_mean(name, rules)}"
                yield document.diagnose((*at, "expect", "because", i), message)
        if test.expect.reason is not None and test.expect.reason not in Reason.__members__:
            hint = did_you_mean(test.expect.reason, Reason.__members__)
            yield document.diagnose((*at, "expect", "reason"), f"`{test.expect.reason}` is not a reason{hint}")
