"""What a loaded pack holds."""

from collections.abc import Iterator

from placet.model.reasons import Effect
from placet.policy.diagnostics import Diagnostic
from placet.policy.documents import Document
from placet.policy.expressions import Expression, compile_condition
from placet.policy.forms import PackForm
from placet.policy.limits import Limit, limit_of
from placet.policy.rules import Action, Bound, Rule, action_of, reaches
from placet.policy.situations import TestForm


class Pack:
    """A loaded pack. Its digest is its identity; `warnings` are what an author should know and may ignore."""

    def __init__(
        self,
        form: PackForm,
        rules: tuple[Rule, ...],
        tests: tuple[TestForm, ...],
        digest: bytes,
        documents: dict[str, Document],
    ) -> None:
        self.name = form.name
        self.version = form.version
        self.form = form
        self.rules = rules
        self.tests = tests
        self.digest = digest
        self.documents = documents
        self.unsigned_intents = form.unsigned_intents
        self.defer_ms_max = form.defer_ms_max
        self.actions: dict[str, Action] = {name: action_of(name, made, form) for name, made in form.actions.items()}
        self.freshness: dict[str, Bound] = {
            entry.fact: Bound(entry.observed_ms, entry.heard_ms, Effect[entry.otherwise.upper()])
            for entry in form.freshness
        }
        self.limits: tuple[Limit, ...] = tuple(limit_of(form.name, limit) for limit in form.limits)
        self.warnings: list[Diagnostic] = []

    def condition(self, rule: Rule, action: str) -> Expression | None:
        """Return the checked condition of `rule` as it reads on `action`, or None where it has none."""
        if rule.when is None:
            return None
        declared = self.actions.get(action)
        return compile_condition(rule.when, declared.arguments if declared else None)

    def shapes(self, rule: Rule) -> Iterator[str]:
        """Yield the declared actions `rule` is about, and one undeclared name where it reaches beyond them."""
        yield from (name for name in self.actions if reaches(rule, name))
        for pattern in rule.on:
            if pattern.endswith("*"):
                yield pattern[:-1] + "~"
            elif pattern not in self.actions:
                yield pattern
