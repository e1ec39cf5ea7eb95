"""Emergencies replayed: their reviews are decided again, what bars the next is counted along, and a forged one shows."""

from typing import Any

import pytest

from placet.faces.replay.maker import NO_VOTERS
from placet.faces.replay.same import Range, Same, replay
from placet.faces.replay.source import settled_of
from placet.model.codec import open_frame, review
from placet.model.reasons import ReviewState, State
from placet.model.topics import Topic
from tests.support.glass import LEASE_MS, REVIEW_S, Glass
from tests.support.world import KEK


@pytest.fixture
def glass() -> Glass:
    """Three emergencies: one is found wrong before it is begun, one after, and the last is overdue and bars a fourth."""
    glass = Glass()
    asked, asks = glass.called()
    glass.review(asked, asks, "user:flo", approve=False)
    begun, asks = glass.called()
    glass.claim(begun)
    glass.review(begun, asks, "user:flo", approve=False)
    glass.report(begun, State.DONE)
    glass.called()
    glass.later(LEASE_MS)
    glass.later(REVIEW_S * 1000)
    glass.call()
    return glass


def replayed(glass: Glass, since: int = 0) -> Same:
    return replay(glass.memory, 0, settled_of(glass.memory, glass.keys, KEK, glass.settings), Range(since))


def test_reviews_come_out_the_same_and_what_votes_make_of_them_is_named(glass: Glass) -> None:
    found = replayed(glass)
    # Granted and revoked; granted, claimed, told to stop and done; granted, lapsed; the barred one has no case.
    assert (found.verdicts, found.same, found.differing, found.faulty) == (9, 8, 0, False)
    # Three are asked and one is overdue; two votes are answers of people.
    assert (found.reviews, found.reviews_same, found.unmade[NO_VOTERS]) == (6, 4, 2)


def test_wherever_a_range_begins_reviews_go_on_from_what_is_recorded(glass: Glass) -> None:
    for since in range(glass.clock.now - REVIEW_S * 1000 - LEASE_MS, glass.clock.now, REVIEW_S * 250):
        found = replayed(glass, since)
        assert (found.differing, found.faulty, found.before_range + found.verdicts) == (0, False, 9)


@pytest.mark.parametrize(
    ("state", "field"),
    [(ReviewState.ASKED, "expires_at"), (ReviewState.ASKED, "quorum"), (ReviewState.OVERDUE, "chain")],
)
def test_a_review_that_was_changed_differs_in_what_was_changed(glass: Glass, state: ReviewState, field: str) -> None:
    decisions = glass.memory.topics[Topic.DECISIONS, 0]
    places = [at for at, rec in enumerate(decisions) if rec.value and open_frame(rec.value)[0] == "review"]
    (*_, place) = [at for at in places if review.decode(decisions[at].value or b"").state == state]
    said = review.decode(decisions[place].value or b"")
    changed: dict[str, Any] = {field: () if field == "chain" else 7}
    decisions[place] = decisions[place]._replace(value=review.frame(said._replace(**changed)))
    assert {(one.seq, one.field) for one in replayed(glass).differences} >= {(said.seq, field)}
