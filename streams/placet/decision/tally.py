"""What a desk did in one batch, added up as it does it."""

from collections import Counter
from dataclasses import dataclass, field

from placet.decision.answer import Answer
from placet.decision.sums import Near
from placet.model.reasons import Reason

RULE_ERRED = Reason.RULE_ERRED


@dataclass(slots=True)
class Tally:
    """What a desk did in one batch: first answers by effect and reason, refusals by reason, waits in ms, limits nearly reached,
    and where reviews of emergencies came to.
    """

    # Counted with every first answer, so plain: a Counter is a class, and its items cost calls.
    intents: dict[str, int] = field(default_factory=dict)
    answers: dict[tuple[int, int], int] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    erred: Counter[str] = field(default_factory=Counter)
    waits_ms: list[int] = field(default_factory=list)
    approvals_ms: list[int] = field(default_factory=list)
    halts_ms: list[int] = field(default_factory=list)
    revokes_ms: list[int] = field(default_factory=list)
    near: list[Near] = field(default_factory=list)
    reviews: Counter[str] = field(default_factory=Counter)

    def count(self, action: str, answer: Answer, waited_ms: int) -> None:
        """Count one first answer."""
        intents, answers, kind = self.intents, self.answers, (answer.effect, answer.reason)
        intents[action] = intents.get(action, 0) + 1
        answers[kind] = answers.get(kind, 0) + 1
        self.waits_ms.append(waited_ms)
        finding = answer.finding
        if finding is not None and finding.missing:
            self.missing.update(finding.missing)
        if answer.reason is RULE_ERRED and finding is not None:
            self.erred.update(finding.rules)
