"""Conditions that cannot be true or cannot be false, and demands that do not fit the cases they are made of."""

from collections.abc import Iterator

from placet.policy.checked import Node
from placet.policy.contents import Pack
from placet.policy.documents import Path
from placet.policy.expressions import Expression, line_column
from placet.policy.lint.codes import Note
from placet.policy.ranges import Texts, texts
from placet.policy.rules import Rule, demands
from placet.policy.satisfy import Domain, can_hold, domain_of


def notes(pack: Pack) -> Iterator[Note]:
    """Yield what is wrong with each rule's condition and demands by themselves."""
    for number, rule in enumerate(pack.rules):
        if rule.when is not None:
            yield from _condition(pack, rule, ("rules", number, "when"))
        yield from _demands(pack, rule, ("rules", number, "obligations"))


def domain_for(pack: Pack, rule: Rule, action: str) -> Domain:
    """Return what each field may be where `rule` is about an intent of `action`."""
    declared = pack.actions.get(action)
    domain = domain_of(action, declared.arguments if declared else None)
    for path, listed in (
        (("resource", "id"), rule.resource),
        (("actor", "id"), rule.actor),
        (("authority", "id"), rule.authority),
    ):
        exact = _exact(listed)
        if exact is not None:
            domain[path] = exact
    return domain


def _exact(listed: tuple[str, ...] | None) -> Texts | None:
    """Return the ids listed, where all of them are named in full."""
    if listed is None or any(pattern.endswith("*") or pattern.startswith("group:") for pattern in listed):
        return None
    return texts(listed)


def _condition(pack: Pack, rule: Rule, path: Path) -> Iterator[Note]:
    made = [(action, condition) for action in pack.shapes(rule) if (condition := pack.condition(rule, action))]
    domains = [domain_for(pack, rule, action) for action, _ in made]
    never = [not can_hold([(one.tree, True)], domain) for (_, one), domain in zip(made, domains, strict=True)]
    if all(never):
        yield Note("never_true", f"the condition of `{rule.name}` can never be true", path)
        return
    for (action, condition), domain, no in zip(made, domains, never, strict=True):
        if no:
            yield Note("never_true_here", f"on `{action}` the condition of `{rule.name}` can never be true", path)
            continue
        for node in _dead(condition.tree, domain):
            place = line_column(condition.text, _first(node))
            yield Note("clause_never_true", f"on `{action}` what begins here can never be true", path, at=place)
    if not _is_true(made[0][1]) and not any(
        can_hold([(one.tree, False)], domain) for (_, one), domain in zip(made, domains, strict=True)
    ):
        yield Note("always_true", f"the condition of `{rule.name}` is always true: leave it away", path)


def _is_true(condition: Expression) -> bool:
    """Whether the condition is the word `true`, which says that it is meant."""
    return condition.tree.kind == "const"


def _dead(node: Node, domain: Domain) -> Iterator[Node]:
    """Yield the sides of an `||` that cannot be true, outermost first."""
    if node.kind == "call" and node.name in ("_||_", "_&&_"):
        for part in node.parts:
            if node.name == "_||_" and not can_hold([(part, True)], domain):
                yield part
            else:
                yield from _dead(part, domain)


def _first(node: Node) -> int:
    """Return where the text of `node` begins; the library points at signs and dots."""
    return min([node.offset, *(_first(part) for part in node.parts)])


def _demands(pack: Pack, rule: Rule, path: Path) -> Iterator[Note]:
    """Yield demands whose result the action's own declaration would refuse."""
    for name, action in pack.actions.items():
        if not rule.obligations or name not in pack.shapes(rule):
            continue
        declared = {argument.name: argument for argument in action.arguments}
        made = demands(rule, action)
        redacted = {one.argument for one in made if one.kind == "redact"}
        for one in made:
            argument = declared.get(one.argument)
            if argument is None:
                continue
            if one.kind == "limit" and argument.min is not None and int(one.value) < argument.min:
                message = (
                    f"on `{name}` `{one.argument}` is at least {argument.min}: limited to {one.value} it never fits"
                )
                yield Note("contradictory", message, path)
            elif one.kind == "redact" and argument.required:
                message = f"on `{name}` `{one.argument}` is required: without it no action is left that fits"
                yield Note("contradictory", message, path)
            elif one.kind == "limit" and one.argument in redacted:
                yield Note("contradictory", f"on `{name}` `{one.argument}` is limited and redacted", path)
