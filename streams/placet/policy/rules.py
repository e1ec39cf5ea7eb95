"""Rules, actions and bounds as the evaluator sees them, made from the forms of a pack."""

import json
from collections.abc import Iterator, Mapping

import msgspec

from placet.model.reasons import Effect
from placet.policy import patterns
from placet.policy.approval import Approval, approval_of
from placet.policy.emergency import Emergency, emergency_of
from placet.policy.forms import ActionForm, ObligationForm, PackForm, RuleForm
from placet.policy.obligations import Obligation
from placet.policy.shape import Argument, Arguments

GRANTING = frozenset({Effect.PERMIT, Effect.CONSTRAIN, Effect.STEP_UP})
"""Effects that may end in a grant, at once or after people said yes."""

DEADLINE_MS_MAX = 900_000
LEASE_MS, ACT_MS_MAX = 30_000, 300_000


class Bound(msgspec.Struct, frozen=True):
    """How old one fact may be, and what its absence or silence means; ms, None is unbounded."""

    observed_ms: int | None = None
    heard_ms: int | None = None
    otherwise: Effect | None = None


class Action(msgspec.Struct, frozen=True):
    """A declared action: its arguments, what makes it read-only, and its durations in ms."""

    name: str
    arguments: Arguments
    read_only: tuple[tuple[str, str], ...] | None
    deadline_ms_max: int | None
    lease_ms: int
    act_ms_max: int


class Rule(msgspec.Struct, frozen=True):
    """One rule. `name` is `pack/id`; patterns that are None do not narrow it; no `when` is true."""

    name: str
    on: tuple[str, ...]
    resource: tuple[str, ...] | None
    actor: tuple[str, ...] | None
    authority: tuple[str, ...] | None
    any_in_chain: tuple[str, ...] | None
    when: str | None
    effect: Effect
    obligations: tuple[ObligationForm, ...]
    approval: Approval | None
    claim_required: bool
    because: str
    otherwise: Effect | None
    emergency: Emergency | None = None

    def who_facts(self) -> Iterator[str]:
        """Yield facts whose change may change whom this rule is about."""
        if self.any_in_chain:
            yield "mandate"
        for role, wanted in (("actor", self.actor), ("authority", self.authority)):
            if any(pattern.startswith("group:") for pattern in wanted or ()):
                yield role


def rule_of(pack: str, form: RuleForm) -> Rule:
    """Return the rule a form describes."""
    who = form.who
    return Rule(
        name=f"{pack}/{form.id}",
        on=tuple(form.on),
        resource=_tuple(form.resource),
        actor=_tuple(who.actor) if who else None,
        authority=_tuple(who.authority) if who else None,
        any_in_chain=_tuple(who.any_in_chain) if who else None,
        when=form.when,
        effect=Effect[form.effect.upper()],
        obligations=tuple(form.obligations),
        approval=approval_of(form.approval),
        emergency=emergency_of(form.emergency),
        claim_required=form.claim != "granted",
        because=form.because,
        otherwise=Effect[form.otherwise.upper()] if form.otherwise else None,
    )


def _tuple(listed: list[str] | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(listed)


def action_of(name: str, form: ActionForm, pack: PackForm) -> Action:
    """Return a declared action, with the pack's durations where it gives none."""
    arguments = []
    for argument, declared in sorted(form.arguments.items()):
        settings = declared.model_dump(exclude={"one_of"})
        arguments.append(Argument(name=argument, one_of=tuple(declared.one_of or ()), **settings))
    read_only = None
    if form.read_only is not None:
        read_only = tuple(sorted((key, json.dumps(value)) for key, value in form.read_only.items()))
    leases = (form.lease, pack.lease)
    return Action(
        name=name,
        arguments=tuple(arguments),
        read_only=read_only,
        deadline_ms_max=form.deadline_ms_max,
        lease_ms=next((lease.lease_ms for lease in leases if lease and lease.lease_ms), LEASE_MS),
        act_ms_max=next((lease.act_ms_max for lease in leases if lease and lease.act_ms_max), ACT_MS_MAX),
    )


def demands(rule: Rule, action: Action | None) -> tuple[Obligation, ...]:
    """Return the obligations of `rule` on one action; ValueError says which cannot be met there."""
    made: list[Obligation] = []
    declared: Mapping[str, Argument] = {a.name: a for a in action.arguments} if action else {}
    for form in rule.obligations:
        if form.limit:
            argument = declared.get(form.limit.argument)
            if argument is None or argument.type != "int":
                raise ValueError(f"`{form.limit.argument}` is not a declared int argument")
            made.append(Obligation("limit", form.limit.argument, str(form.limit.max)))
        elif form.redact:
            for name in form.redact.arguments:
                if action and name not in declared:
                    raise ValueError(f"`{name}` is not a declared argument")
                made.append(Obligation("redact", name))
        elif form.read_only:
            if action is None or action.read_only is None:
                raise ValueError("the action declares no `read_only` values")
            made += (Obligation("read_only", name, value) for name, value in action.read_only)
        elif form.capability:
            parameters = json.dumps(form.capability.parameters, sort_keys=True, separators=(",", ":"))
            made.append(
                Obligation("capability", form.capability.name, parameters if form.capability.parameters else "")
            )
    return tuple(made)


def reaches(rule: Rule, action: str) -> bool:
    """Whether the rule's `on` covers `action`."""
    return patterns.matches(rule.on, action)
