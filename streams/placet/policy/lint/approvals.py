"""Approvals nobody can give: more voters than there are, voters who are part of the chain, or two asked for at once that exclude each other."""

from collections.abc import Iterator
from itertools import combinations, islice

from placet.model.reasons import Effect
from placet.policy import patterns
from placet.policy.approval import Approval, together
from placet.policy.contents import Pack
from placet.policy.documents import Path
from placet.policy.lint.codes import Note
from placet.policy.lint.conditions import domain_for
from placet.policy.rules import Rule, reaches
from placet.policy.satisfy import can_hold

PAIRS_MAX = 2_000


def notes(pack: Pack) -> Iterator[Note]:
    """Yield what is wrong with the approvals of a pack, each by itself and each beside each."""
    asking = [(number, rule) for number, rule in enumerate(pack.rules) if rule.approval is not None]
    for number, rule in asking:
        if rule.approval is not None:
            yield from _alone(rule, rule.approval, ("rules", number, "approval"))
        if rule.emergency is not None:
            yield from _alone(rule, rule.emergency.review, ("rules", number, "emergency", "review"))
    for (_, first), (number, second) in islice(combinations(asking, 2), PAIRS_MAX):
        note = _apart(pack, first, second, number)
        if note is not None:
            yield note


def _alone(rule: Rule, approval: Approval, path: Path) -> Iterator[Note]:
    left = [pattern for pattern in approval.eligible if not _in_chain(pattern, rule)]
    if not left:
        message = f"`{rule.name}` asks only those who are in the chain themselves, and whose votes do not count"
        yield Note("approval_impossible", message, (*path, "from"))
        return
    most = _most(left)
    if most is not None and most < approval.quorum:
        message = f"`{rule.name}` asks for {approval.quorum} of {most}: {', '.join(left)}"
        yield Note("approval_impossible", message, (*path, "quorum"))


def _in_chain(pattern: str, rule: Rule) -> bool:
    """Whether everyone `pattern` names is the actor or the authority of every case the rule is about."""
    if pattern.endswith("*") or pattern.startswith("group:"):
        return False
    return (pattern,) in (_only(rule.actor), _only(rule.authority))


def _only(listed: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(set(listed))


def _most(eligible: list[str]) -> int | None:
    """Return how many people are eligible, or None where a group or a pattern may hold any number."""
    if any(pattern.endswith("*") or pattern.startswith("group:") for pattern in eligible):
        return None
    return len(eligible)


def _apart(pack: Pack, first: Rule, second: Rule, number: int) -> Note | None:
    one, other = first.approval, second.approval
    assert one is not None
    assert other is not None
    both = together([one, other])
    eligible = both.eligible if both is not None else ()
    most = _most(list(eligible))
    if most is None or most >= max(one.quorum, other.quorum):
        return None
    for action in pack.actions:
        if reaches(first, action) and reaches(second, action) and _at_once(pack, first, second, action):
            return Note(
                "approvals_apart",
                _told(first, second, action, eligible, one, other),
                ("rules", number, "approval", "from"),
            )
    return None


def _at_once(pack: Pack, first: Rule, second: Rule, action: str) -> bool:
    """Whether nothing speaks against both asking, and no graver rule that has no condition speaks anyway."""
    if any(_strangers(getattr(first, part), getattr(second, part)) for part in ("resource", "actor", "authority")):
        return False
    conditions = [one for rule in (first, second) if (one := pack.condition(rule, action)) is not None]
    domain = {**domain_for(pack, first, action), **domain_for(pack, second, action)}
    if not can_hold([(one.tree, True) for one in conditions], domain):
        return False
    return not any(
        reaches(rule, action)
        and rule.effect > Effect.STEP_UP
        and (rule.when, rule.resource, rule.actor, rule.authority, rule.any_in_chain) == (None,) * 5
        for rule in pack.rules
    )


def _strangers(a: tuple[str, ...] | None, b: tuple[str, ...] | None) -> bool:
    """Whether no id is named by both lists; of groups nobody knows."""
    if a is None or b is None or any(pattern.startswith("group:") for pattern in (*a, *b)):
        return False
    return not patterns.meet(a, b)


def _told(first: Rule, second: Rule, action: str, eligible: tuple[str, ...], one: Approval, other: Approval) -> str:
    who = ", ".join(eligible) or "nobody"
    if one.acr and other.acr and not {*one.acr} & {*other.acr}:
        ways = f"{' or '.join(one.acr)} and {' or '.join(other.acr)}"
        return f"on `{action}` `{first.name}` and `{second.name}` may ask at once, and no `acr` is both {ways}"
    return (
        f"on `{action}` `{first.name}` and `{second.name}` may ask at once, "
        f"and of {', '.join(one.eligible)} and {', '.join(other.eligible)} {who} is eligible under both"
    )
