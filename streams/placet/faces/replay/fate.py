"""The fate of one attempt in two histories: the one on record, and the one under other packs."""

from dataclasses import dataclass
from typing import Any

from placet.decision.answer import Answer
from placet.decision.life import OPEN, PENDING, UNKNOWN
from placet.decision.meters import HOLD, RELEASE, SPEND
from placet.faces.replay.changes import Changes
from placet.faces.replay.glance import Glance
from placet.faces.replay.opened import Known
from placet.model.codec import verdict
from placet.model.codec.desk_change import Lease
from placet.model.codec.verdict import Hold, Verdict
from placet.model.reasons import Effect, Reason, State

MOMENT_MS = 10_000
POSTS = {HOLD: "taken", SPEND: "spent", RELEASE: "given back"}
MANDATE = b"mandate/"
"""Stands in a verdict that counts amounts in a mandate's limit."""


@dataclass(slots=True)
class Course:
    """One history of an attempt: its first answer, whether people were asked, and whether it was let through and not
    taken back before it began. It is `open` while something may still happen to it.
    """

    effect: str = ""
    asked: bool = False
    passed: bool = False
    open: bool = True


@dataclass(slots=True)
class Fate:
    """Both histories of an attempt. `follows`: it was granted by the same record in both, so what is on record of its
    execution holds for both. `known` is the newest case of what waits for people.
    """

    agent: str
    action: str
    instant: int
    before: Course
    after: Course
    rules: tuple[str, ...] = ()
    terms: bool = False
    limited: bool = False
    follows: bool = False
    known: Known | None = None

    @property
    def ended(self) -> bool:
        return not self.before.open and not self.after.open

    def settle(self, changes: Changes) -> None:
        """Count what came of it."""
        before, after = self.before, self.after
        for course, side in ((before, "before"), (after, "after")):
            if course.asked:
                changes.people["asked", side] += 1
                if course.passed:
                    changes.people["let through", side] += 1
        if before.passed != after.passed:
            what = "blocked" if before.passed else "passed"
        elif self.terms or before.effect != after.effect:
            what = "otherwise"
        else:
            return
        name = {"agent": self.agent, "action": self.action, "rules": " ".join(self.rules)}
        changes.change(name, before.effect, after.effect, what, self.instant // MOMENT_MS)


class Fates:
    """The attempts that have not come to their end in both histories, and what is counted of those that have."""

    def __init__(self, found: Changes) -> None:
        self._found = found
        self._fates: dict[bytes, Fate] = {}

    def of(self, slot: bytes) -> Fate | None:
        """Return the fate of an attempt that has not ended, or None."""
        return self._fates.get(slot)

    def begin(self, slot: bytes, fate: Fate) -> None:
        """Follow an attempt from its first answers on."""
        self._fates[slot] = fate
        self._found.attempts += 1

    def on_record(self, slot: bytes, seen: Glance, value: bytes) -> None:
        """Note an arrow of the recorded history."""
        fate = self._fates.get(slot)
        if fate is None:
            return
        before = fate.before
        before.asked = before.asked or seen.state == PENDING
        before.passed = (before.passed or seen.grants) and seen.state != State.REVOKED
        before.open = seen.state in OPEN
        if fate.limited or MANDATE in value:
            self.post("before", verdict.decode(value).holds)

    def end(self, slot: bytes, lease: Lease | None) -> None:
        """Count an attempt that has come to its end in both histories; `lease` is what is open of it in the other one."""
        fate = self._fates.get(slot)
        if fate is not None:
            fate.after.open = lease is not None and lease.state != UNKNOWN
            if fate.ended:
                fate.settle(self._found)
                del self._fates[slot]

    def finish(self) -> None:
        """Count what has not ended as it stands."""
        for fate in self._fates.values():
            fate.settle(self._found)
        self._fates.clear()

    def post(self, side: str, posts: tuple[Hold, ...]) -> None:
        """Add up what a verdict of one side says of amounts."""
        for one in posts:
            if one.phase in POSTS:
                self._found.budgets[one.limit, side, POSTS[one.phase]] += one.amount


def effect_name(effect: int) -> str:
    """Return an effect's name as people read it."""
    return Effect(effect).name.lower()


def sentences(explained: Any) -> list[str]:
    """Return why rules say what they say, in sentences and without a value of any argument."""
    if explained.why_not:
        return list(explained.why_not)
    return [f"{one.rule} says {one.effect}: {one.because}" for one in explained.rules if one.spoke]


def sampled(fate: Fate, said: Verdict, answer: Answer | None, told: str, why: list[str]) -> dict[str, Any]:
    """Return a sample of a change as JSON has it; `told` is what came here where there is no `answer`."""
    return {
        "intent": said.id.hex(),
        "attempt": said.attempt,
        "tenant": said.tenant,
        "seq": said.seq,
        "agent": said.actor,
        "action": said.action,
        "resource": said.resource,
        "instant": said.instant,
        "before": {
            "effect": fate.before.effect,
            "reason": Reason(said.reason).name.lower(),
            "rules": said.rules,
        },
        "after": {
            "effect": fate.after.effect,
            "reason": answer.reason.name.lower() if answer is not None else told,
            "rules": answer.finding.rules if answer is not None and answer.finding is not None else (),
        },
        "why": why,
    }
