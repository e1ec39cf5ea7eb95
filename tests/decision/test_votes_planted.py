"""Desks with a bug in how they count votes: the auditor names what each of them lets through."""

from collections.abc import Callable

import pytest

from placet.decision import ballot, votes
from placet.decision.ballot import Ballot, Cast, Count
from placet.model.codec.intent import Intent
from placet.model.reasons import Reason, State
from tests.support.votes import Shop, faults
from tests.support.world import AGENT, PERSON, states

Patch = pytest.MonkeyPatch


def counts_twice(patch: Patch) -> None:
    """Take each vote as a voter's own, also where the voter has voted before."""

    def taking(self: Ballot, cast: Cast) -> Ballot:
        return Ballot(self.asked_at, (*self.casts, cast))

    patch.setattr(Ballot, "taking", taking)


def forgets_quorum(patch: Patch) -> None:
    patch.setattr(Count, "met", property(lambda self: bool(self.voters)))


def forgets_the_chain(patch: Patch) -> None:
    patch.setattr(ballot, "part_of", lambda voter, case: "")
    patch.setattr(ballot, "_is_among", lambda pattern, row, case: True)


def forgets_who_is_active(patch: Patch) -> None:
    judged = ballot.fault_of

    def fault_of(*given: object) -> object:
        fault = judged(*given)  # type: ignore[arg-type]
        return None if fault is not None and fault[0] is Reason.VOTER_INACTIVE else fault

    patch.setattr(ballot, "fault_of", fault_of)


def forgets_the_digest(patch: Patch) -> None:
    taken = votes.Votes._take

    def take(self: votes.Votes, vote: object, lease: object, rec: object) -> object:
        asked = self._questions.recall(lease)  # type: ignore[arg-type]
        return taken(self, vote._replace(intent_digest=asked.intent_digest), lease, rec)  # type: ignore[attr-defined, arg-type]

    patch.setattr(votes.Votes, "_take", take)


def forgets_who_is_asked(patch: Patch) -> None:
    patch.setattr(ballot, "_is_among", lambda pattern, row, case: True)


def both(shop: Shop, asked: Intent, first: str, second: str) -> list[State]:
    shop.vote(asked, first)
    shop.clock.now += 1
    return states(shop.vote(asked, second))


def once_suspended(shop: Shop, asked: Intent) -> list[State]:
    shop.suspend("user:fay", groups=("finance",))
    return both(shop, asked, "user:flo", "user:fay")


def on_another(shop: Shop, asked: Intent) -> list[State]:
    shop.vote(asked, "user:flo")
    return states(shop.vote(asked, "user:fay", intent_digest=bytes(32)))


PLANTED: dict[str, tuple[Callable[[Patch], None], Callable[[Shop, Intent], list[State]], str]] = {
    "one vote counted twice": (
        counts_twice,
        lambda shop, asked: both(shop, asked, "user:flo", "user:flo"),
        "V19: counts a voter twice",
    ),
    "too few": (
        forgets_quorum,
        lambda shop, asked: states(shop.vote(asked, "user:flo")),
        "V19: `granted` on 1 votes, fewer than were wanted",
    ),
    "the agent's own": (
        forgets_the_chain,
        lambda shop, asked: both(shop, asked, AGENT, "user:flo"),
        f"V19: counts `{AGENT}`, who asks or answers for it",
    ),
    "the requester's own": (
        forgets_the_chain,
        lambda shop, asked: both(shop, asked, PERSON, "user:flo"),
        f"V19: counts `{PERSON}`, who asks or answers for it",
    ),
    "the owner's of the agent": (
        forgets_the_chain,
        lambda shop, asked: both(shop, asked, "user:boss", "user:flo"),
        "V5: effect is 1, decided again it is 3",
    ),
    "a suspended voter's": (forgets_who_is_active, once_suspended, "V19: counts `user:fay`, who is not active"),
    "on another digest": (forgets_the_digest, on_another, "V19: counts a vote on another intent digest"),
    "from outside": (
        forgets_who_is_asked,
        lambda shop, asked: both(shop, asked, "user:sue", "user:flo"),
        "V5: effect is 1, decided again it is 3",
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_desk_that_counts_what_does_not_count_is_found(bug: str, monkeypatch: Patch) -> None:
    plant, story, found = PLANTED[bug]
    plant(monkeypatch)
    shop = Shop()
    asked = shop.refund()
    assert story(shop, asked)[-1:] == [State.GRANTED]
    monkeypatch.undo()
    assert found in faults(shop)
