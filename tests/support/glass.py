"""A shop in which an emergency need not wait for people: they look at it afterwards."""

from typing import Any

from placet.model.codec.intent import Intent
from placet.model.codec.review import Review
from placet.model.reasons import ReviewState
from placet.model.topics import Topic
from tests.support.votes import ASKING, Shop
from tests.support.world import Decision

LEASE_MS, REVIEW_S = 10_000, 3_600
PEOPLE = 'approval: {quorum: 2, from: ["group:finance"], expires_s: 60}'
EMERGENCY = (
    f'emergency: {{lease_ms: {LEASE_MS}, review: {{quorum: 1, from: ["group:finance"], expires_s: {REVIEW_S}}}}}'
)


def pack(emergency: str = EMERGENCY, limits: str = "") -> dict[str, str]:
    """Return the shop's pack, in which large refunds may break the glass."""
    rules = ASKING["rules.yaml"].replace(PEOPLE, f"{PEOPLE}, {emergency}" if emergency else PEOPLE)
    head = ASKING["pack.yaml"].replace("freshness:", f"limits:\n{limits}freshness:" if limits else "freshness:")
    return {**ASKING, "pack.yaml": head, "rules.yaml": rules}


class Glass(Shop):
    """A world in which Ada may call an emergency."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"pack": pack(), **more})

    def call(self, amount: int = 9_000, **more: Any) -> tuple[Intent, list[Decision]]:
        """Ask for a large refund as an emergency; return what was asked and what was said."""
        asked = self.intent(**{"arguments": {"amount": amount}, "emergency": True, **more})
        return asked, self.ask(asked)

    def called(self, amount: int = 9_000, **more: Any) -> tuple[Intent, Review]:
        """Ask for a large refund as an emergency that is granted; return what was asked and its review."""
        asked, said = self.call(amount, **more)
        assert [each.name for each in said] == ["verdict", "review"], said
        return asked, said[1].record

    def review(self, asked: Intent, of: Review, by: str, approve: bool = True, **more: Any) -> list[Decision]:
        """Vote on a review, run one turn, and return what was said."""
        self.send(Topic.VOTES, self.voted(asked, by, approve, intent_digest=of.digest, **more), asked.authority)
        return self.step()

    def reviews(self) -> list[tuple[str, ReviewState]]:
        """Return the open reviews, by who called the emergency, in order."""
        reviews = self.loop.bureau.places[0].desk.book.reviews.open.values()
        return sorted((each.actor, ReviewState(each.state)) for each in reviews)
