"""What the rules say of one case, and how what each says becomes one finding: the gravest wins."""

from collections.abc import Sequence

import msgspec

from placet.model.reasons import Effect, Reason
from placet.policy import obligations as demands
from placet.policy.approval import Approval, together
from placet.policy.emergency import Emergency, all_provide
from placet.policy.obligations import Obligation
from placet.policy.rules import ACT_MS_MAX, GRANTING, LEASE_MS, Rule

DEFER_MS_MAX = 60_000


class Finding(msgspec.Struct, frozen=True):
    """The answer of the rules to one case; equal outcomes of one plan are the same object.

    rules            `pack/rule` of those that decided, in the order of packs and rules
    obligations      of a permit that is constrained; under step_up those of the grant to come
    claim_required   whether a grant waits for a claim
    lease_ms, act_ms_max  how long a grant waits for its claim, and an execution for its outcome
    approval         what a step_up waits for
    missing          facts whose absence or silence led here
    defer_ms_max     how long a defer may be parked
    emergency        under step_up what an emergency may do instead; of a grant, that it is one
    without          what would be said of the case of such a grant if it were no emergency
    """

    effect: Effect
    reason: Reason
    rules: tuple[str, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    claim_required: bool = True
    lease_ms: int = LEASE_MS
    act_ms_max: int = ACT_MS_MAX
    approval: Approval | None = None
    missing: tuple[str, ...] = ()
    defer_ms_max: int = DEFER_MS_MAX
    emergency: Emergency | None = None
    without: "Finding | None" = None


NO_RULE = Finding(Effect.DENY, Reason.NO_RULE)
"""What is said of an action no rule and no declaration is about."""
ARGUMENTS_UNFIT = Finding(Effect.DENY, Reason.ARGUMENTS_UNFIT)
EVALUATION_DISAGREES = Finding(Effect.DENY, Reason.EVALUATION_DISAGREES)

_FIRED = {
    Effect.PERMIT: Reason.PERMITTED,
    Effect.CONSTRAIN: Reason.RULE_CONSTRAINED,
    Effect.STEP_UP: Reason.RULE_STEPPED_UP,
    Effect.DEFER: Reason.RULE_DEFERRED,
    Effect.DENY: Reason.RULE_DENIED,
}


class Said(msgspec.Struct, frozen=True):
    """What one rule says of a case: its effect, why, what it demands and which facts it lacked."""

    rule: Rule
    effect: Effect
    reason: Reason
    obligations: tuple[Obligation, ...] = ()
    missing: tuple[str, ...] = ()


def fired(rule: Rule, obligations: tuple[Obligation, ...] | None) -> Said:
    """Return what a rule says whose condition is true; demands that cannot be met there (None) are an error."""
    if obligations is None:
        return erred(rule)
    return Said(rule, rule.effect, _FIRED[rule.effect], obligations)


def erred(rule: Rule) -> Said:
    """Return what a rule says that could not be evaluated: deny, and the verdict says so."""
    return Said(rule, Effect.DENY, Reason.RULE_ERRED)


def merge(said: Sequence[Said], lease_ms: int, act_ms_max: int, defer_ms_max: int) -> Finding:
    """Return one finding from what all rules say: the gravest effect, the gravest reason for it, what they demand together."""
    if not said:
        return NO_RULE
    effect = max(one.effect for one in said)
    deciding = [one for one in said if one.effect is effect]
    granting = [one for one in said if one.effect in GRANTING]
    grants = effect in GRANTING
    return Finding(
        effect=effect,
        reason=min(one.reason for one in deciding),
        rules=tuple(one.rule.name for one in deciding),
        obligations=demands.merge(o for one in granting for o in one.obligations) if grants else (),
        claim_required=not grants or any(one.rule.claim_required for one in granting),
        lease_ms=lease_ms,
        act_ms_max=act_ms_max,
        approval=together(one.rule.approval for one in deciding) if effect is Effect.STEP_UP else None,
        missing=tuple(sorted({name for one in deciding for name in one.missing})),
        defer_ms_max=defer_ms_max,
        emergency=all_provide(one.rule.emergency for one in deciding) if effect is Effect.STEP_UP else None,
    )


def at_once(finding: Finding, emergency: Emergency) -> Finding:
    """Return what becomes of a step_up in an emergency: a grant of what people would be asked for, for a short lease."""
    return msgspec.structs.replace(
        finding,
        effect=Effect.CONSTRAIN if finding.obligations else Effect.PERMIT,
        reason=Reason.EMERGENCY,
        lease_ms=min(finding.lease_ms, emergency.lease_ms),
        approval=None,
        without=finding,
    )
