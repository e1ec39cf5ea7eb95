"""What the model knows of the shop's context, as DESIGN §2 and §3 read it: who may act for whom, and what the rules say."""

from placet.model.reasons import Effect, Reason
from tests.decision.reference.scene import (
    ADA,
    ALAN,
    BOB,
    BOSS,
    EXPORT,
    FINANCE,
    GIVE,
    GRACE,
    LEE,
    OTHER,
    PAY,
    SHOP,
    SUE,
    Ask,
    Deed,
    Given,
    Label,
    Packs,
    Resume,
    Score,
    Status,
    Stop,
)

DEFER_MS, FRESH_MS, NEVER = 20_000, 60_000, 1 << 62
Change = tuple[int, str]
"""How grave a change of the context is (0 the gravest), and what has changed."""


PEOPLE = (GRACE, ALAN, ADA, BOB, SHOP, OTHER, *FINANCE, SUE, LEE, BOSS)


class Known:
    """The context at one instant, looked at anew for every question."""

    def __init__(self) -> None:
        self.now = 0
        self.statuses: dict[str, dict[str, str]] = {name: {} for name in PEOPLE}
        self.mandates = {"m1": ("active", 0), "m2": ("active", 0), "m9": ("active", 0)}
        self.scores: dict[str, dict[str, int]] = {}
        self.labels: dict[str, tuple[str, int]] = {}
        self.halts: dict[tuple[str, str], int] = {}
        self.resumes: dict[tuple[str, str, str], int] = {}
        self.tight = False
        self.tainted: dict[tuple[str, str], bool] = {}

    def hear(self, deed: Deed, now: int) -> Change:
        if isinstance(deed, Stop):
            self.halts[deed.id, deed.scope] = now
            kind, _, name = deed.scope.partition("/")
            return (0, "all") if kind in ("tenant", "action") else (2, f"principal {name}")
        if isinstance(deed, Status):
            self.statuses[deed.name][deed.source] = deed.status
            return 1, f"principal {deed.name}"
        if isinstance(deed, Packs):
            self.tight = deed.tight
            return 3, "all"
        if isinstance(deed, Score):
            self.scores.setdefault(deed.subject, {})[deed.source] = deed.score
            return 4, f"risk {deed.subject}"
        if isinstance(deed, Given):
            self.mandates[deed.id] = (deed.status, deed.expires_at)
            return 5, f"mandate {deed.id}"
        if isinstance(deed, Label):
            self.labels[deed.resource] = (deed.label, now)
            return 6, f"label {deed.resource}"
        assert isinstance(deed, Resume)
        self.resumes[deed.id, deed.scope, deed.by] = now
        return 10, "nothing"

    def standing(self) -> list[tuple[str, str]]:
        """Return the halts that fewer than two operators have taken back since."""
        return [
            halt
            for halt, at in sorted(self.halts.items())
            if sum(word[:2] == halt and said >= at for word, said in self.resumes.items()) < 2
        ]

    def _covered(self, ask: Ask, executor: str) -> bool:
        people = [ask.actor, ask.authority, *between(ask)]
        for _, scope in self.standing():
            kind, _, name = scope.partition("/")
            if (
                kind == "tenant"
                or (kind == "agent" and name in people)
                or (kind == "action" and ask.action == name)
                or (kind == "tool" and name in (ask.audience, executor))
            ):
                return True
        return False

    def active(self, name: str) -> bool:
        return all(status == "active" for status in self.statuses[name].values())

    def _given(self, ask: Ask) -> bool:
        """Whether the mandate named is the actor's, of the authority, and no link of it has ended."""
        whose = {"m1": (ADA, GRACE), "m2": (BOB, GRACE), "m9": (ADA, ALAN), "": (ask.authority, ask.authority)}
        links = [self.mandates[name] for name in chain(ask)]
        return whose[ask.mandate] == (ask.actor, ask.authority) and all(
            status == "active" and not 0 < expires_at <= self.now for status, expires_at in links
        )

    def who(self, ask: Ask, executor: str) -> Reason | None:
        """Return why this actor may not ask this, before any rule: actor and authority, each link, audience, halts."""
        if not (self.active(ask.actor) and self.active(ask.authority)):
            return Reason.PRINCIPAL_INACTIVE
        if not self._given(ask):
            return Reason.CHAIN_BROKEN
        if not all(self.active(name) for name in between(ask)):
            return Reason.PRINCIPAL_INACTIVE
        if ask.mandate == "m2" and ask.action == GIVE:
            return Reason.OUTSIDE_MANDATE
        if not all(self.active(name) for name in (ask.audience, executor) if name):
            return Reason.PRINCIPAL_INACTIVE
        return Reason.HALTED if self._covered(ask, executor) else None

    def rules(self, ask: Ask) -> tuple[Effect, Reason, int | None]:
        """Return what the rules say: the gravest wins. With it the most that may be granted."""
        amount = ask.amount or 0
        if amount < 0:
            return Effect.DENY, Reason.ARGUMENTS_UNFIT, None
        if ask.action == PAY:
            if max(self.scores.get(ask.actor, {}).values(), default=0) >= 70:
                return Effect.DENY, Reason.RULE_DENIED, None
            if amount <= 1000:
                return Effect.PERMIT, Reason.PERMITTED, None
            if amount <= 1400:
                return Effect.CONSTRAIN, Reason.RULE_CONSTRAINED, 1000
            if amount <= 1900:
                return Effect.STEP_UP, Reason.RULE_STEPPED_UP, None
            return Effect.DENY, Reason.NO_RULE, None
        if ask.action == EXPORT:
            if ask.session and self.tainted.get((ask.authority, ask.session)):
                return Effect.DENY, Reason.RULE_DENIED, None
            label, at = self.labels.get(ask.resource, ("", NEVER))
            if not label:
                return Effect.DEFER, Reason.FACT_MISSING, None
            if at < self.now - FRESH_MS:
                return Effect.DEFER, Reason.FACT_SILENT, None
            if label == "restricted":
                return Effect.DENY, Reason.RULE_DENIED, None
        return Effect.PERMIT, Reason.PERMITTED, None


def chain(ask: Ask) -> list[str]:
    """Return the mandates an intent rests on, its own first: ada had hers of grace, bob his of ada."""
    return {"m1": ["m1"], "m2": ["m2", "m1"], "m9": ["m9"], "": []}[ask.mandate]


def between(ask: Ask) -> list[str]:
    return [ADA] if ask.mandate == "m2" else []
