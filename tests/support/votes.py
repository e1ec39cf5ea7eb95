"""A shop in which people are asked: a pack with requirements of every kind, and those who may vote and may not."""

from typing import Any

from placet.model.codec.intent import Intent
from placet.model.codec.sensitivity import Sensitivity
from placet.model.codec.verdict import Verdict
from placet.model.reasons import Reason
from placet.model.topics import Topic
from tests.decision.test_halts import audited
from tests.support.world import AGENT, PACK, TENANT, Decision, World

FINANCE = ("user:flo", "user:fay", "user:fin")
RULES = """\
rules:
  - {id: refund, because: small, on: [shop.refund], when: "arguments.amount <= 5000", effect: permit}
  - {id: people, because: large, on: [shop.refund], when: "arguments.amount > 5000", effect: step_up,
     approval: {quorum: 2, from: ["group:finance"], expires_s: 60}}
  - {id: huge, because: huge, on: [shop.refund], when: "arguments.amount > 50000", effect: step_up,
     obligations: [{limit: {argument: amount, max: 60000}}],
     approval: {quorum: 3, from: ["group:finance", "user:lee"], expires_s: 30}}
  - {id: risk, because: risk, on: [shop.refund], when: "has(actor.risk.score) && actor.risk.score >= 70", effect: deny}
  - {id: worry, because: worry, on: [shop.refund], when: "has(actor.risk.score) && actor.risk.score >= 40", effect: step_up,
     approval: {quorum: 3, from: ["group:finance"], expires_s: 60}}
  - {id: export, because: data, on: [shop.export], effect: step_up, approval: {quorum: 1, from: [owner], expires_s: 60}}
  - {id: look, because: slow, on: [shop.look], effect: step_up,
     approval: {quorum: 1, from: ["user:flo"], expires_s: 60,
                escalate: [{after_s: 10, to: ["user:sue"]}, {after_s: 20, to: ["group:finance"]}]}}
  - {id: send, because: list, on: [shop.send], effect: step_up, claim: granted,
     approval: {quorum: 2, from: ["user:*"], expires_s: 60}}
"""
ASKING = dict(
    PACK,
    **{
        "pack.yaml": PACK["pack.yaml"].replace(
            "freshness:",
            "  shop.send: {arguments: {to: {type: list<string>}, cc: {type: list<string>, required: false},"
            " copies: {type: int, min: 1}, text: {type: string}}}\nfreshness:",
        ),
        "rules.yaml": RULES,
        "tests.yaml": """\
tests:
  - says: a small refund is permitted
    intent: {actor: agent:ada, action: shop.refund, resource: order/7, arguments: {amount: 10}}
    expect: {effect: permit, because: [refund]}
""",
    },
)


class Shop(World):
    """A world with three people of finance, one of support, the agent's owner, and a desk that asks them."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"pack": ASKING, **more})
        for name in FINANCE:
            self.publish_principal(name, kind="user", groups=("finance",))
        for name in ("user:sue", "user:boss", "user:lee"):
            self.publish_principal(name, kind="user", groups=("support",))
        self.publish_principal(AGENT, owner="user:boss", observed_at=self.clock.now + 1)

    def refund(self, amount: int = 9_000, **more: Any) -> Intent:
        """Ask for a refund that waits for people, and return what was asked."""
        asked = self.intent(arguments={"amount": amount}, **more)
        self.ask(asked)
        return asked

    def own(self, resource: str, owner: str) -> None:
        """Publish who owns a resource."""
        record = Sensitivity(TENANT, resource, "internal", owner, None, (), "dlp", self.clock.now, None)
        self.context(Topic.SENSITIVITY, self.signed("sensitivity", record, self.classifier))

    def suspend(self, name: str, **more: Any) -> None:
        """Publish that somebody is suspended; heard with the next turn."""
        self.clock.now += 1
        self.publish_principal(name, **{"kind": "user", "status": "suspended", **more})


def only(said: list[Decision]) -> Any:
    """Return the one record among what was said."""
    assert len(said) == 1, said
    return said[0].record


def refused(said: list[Decision]) -> Reason:
    """Return why the one record was refused."""
    assert [each.name for each in said] == ["refusal"], said
    return Reason(said[0].record.reason)


def approval(verdict: Verdict) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """Return how many of whom are wanted, and who has said yes."""
    assert verdict.approval is not None
    return verdict.approval.quorum, verdict.approval.eligible, verdict.approval.voters


def faults(world: World) -> list[str]:
    """Return what an auditor finds wrong with all that was recorded."""
    return [f"{check.name}: {each.text}" for check in audited(world).checks.values() for each in check.shown]
