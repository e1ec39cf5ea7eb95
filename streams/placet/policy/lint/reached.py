"""Whether anything is met at all: by the patterns of rules and limits, and by each declared action."""

from collections.abc import Iterator, Sequence

from placet.policy import patterns
from placet.policy.contents import Pack
from placet.policy.diagnostics import did_you_mean
from placet.policy.lint.codes import Note
from placet.policy.rules import GRANTING, Rule, reaches
from placet.policy.satisfy import KINDS


def notes(pack: Pack) -> Iterator[Note]:
    """Yield what is never met. A pack that declares no actions may mean any."""
    for number, rule in enumerate(pack.rules):
        if pack.actions:
            yield from _on(pack, rule, number)
        yield from _who(rule, number)
        for part, listed in (("on", rule.on), ("resource", rule.resource)):
            yield from _idle(listed or (), ("rules", number, part))
    for name in pack.actions:
        if not any(reaches(rule, name) and rule.effect in GRANTING for rule in pack.rules):
            message = f"no rule ever grants `{name}`: whatever is asked of it is denied or deferred"
            yield Note("never_granted", message, ("actions", name), "pack.yaml")
    yield from _limits(pack)


def _on(pack: Pack, rule: Rule, number: int) -> Iterator[Note]:
    met = [any(patterns.matches((pattern,), name) for name in pack.actions) for pattern in rule.on]
    for i, pattern in enumerate(rule.on):
        if met[i]:
            continue
        hint = did_you_mean(pattern, pack.actions)
        if any(met):
            message = f"`{pattern}` meets no declared action{hint}"
            yield Note("pattern_idle", message, ("rules", number, "on", i))
        else:
            message = f"`{rule.name}` is about no declared action: nothing meets `{pattern}`{hint}"
            yield Note("unreachable", message, ("rules", number, "on", i))


def _who(rule: Rule, number: int) -> Iterator[Note]:
    for role in ("actor", "authority", "any_in_chain"):
        listed: Sequence[str] | None = getattr(rule, role)
        if listed is None:
            continue
        lost = [pattern for pattern in listed if not _is_somebody(pattern)]
        for pattern in lost:
            head = pattern.partition(":")[0]
            message = f"`{pattern}` is nobody's id: `{head}` is no kind of principal{did_you_mean(head, KINDS)}"
            code = "unreachable" if len(lost) == len(listed) else "pattern_idle"
            yield Note(code, message, ("rules", number, "who", role, listed.index(pattern)))


def _is_somebody(pattern: str) -> bool:
    """Whether an id as placet knows them can match: `kind:name` or a SPIFFE id; a name without a colon may be anybody."""
    head, colon, _ = pattern.partition(":")
    return not colon or head in (*KINDS, "spiffe", "group")


def _idle(listed: Sequence[str], path: tuple[str | int, ...]) -> Iterator[Note]:
    """Yield patterns that another of the same list covers."""
    for i, pattern in enumerate(listed):
        others = [other for j, other in enumerate(listed) if other != pattern or j < i]
        if patterns.covers(others, (pattern,)):
            yield Note("pattern_idle", f"`{pattern}` adds nothing to the others", (*path, i))


def _limits(pack: Pack) -> Iterator[Note]:
    for number, limit in enumerate(pack.form.limits):
        at = ("limits", number)
        if pack.actions and not any(patterns.matches(limit.on, name) for name in pack.actions):
            yield Note("limit_idle", f"`{limit.id}` is about no declared action", (*at, "on"), "pack.yaml")
        if limit.max == 0:
            yield Note("limit_idle", f"`{limit.id}` lets nothing through: its `max` is 0", (*at, "max"), "pack.yaml")
