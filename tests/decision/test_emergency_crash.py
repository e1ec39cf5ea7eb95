"""A grant and its review are one: whatever is lost around the commit of an emergency, both are there once, or neither."""

from collections.abc import Mapping
from typing import Any

import pytest

from placet.errors import Unavailable, Unsure
from placet.model import codec
from placet.model.codec import intent as intent_codec
from placet.model.reasons import Reason, ReviewState, State
from placet.model.topics import Topic
from placet.ports import Emits
from tests.support.glass import LEASE_MS, REVIEW_S, Glass
from tests.support.votes import faults
from tests.support.world import AGENT


def fails_once(glass: Glass, how: str, patch: pytest.MonkeyPatch) -> None:
    """Let the next commit come to nothing, be lost before it happened, or have happened unheard."""
    commit = glass.memory.commit

    def failing(emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:
        patch.undo()
        if how == "lost after":
            commit(emits, inputs)
        if how == "nothing":
            raise Unavailable("not now")
        raise Unsure("who knows")

    patch.setattr(glass.memory, "commit", failing)


def decided(glass: Glass) -> list[Any]:
    """Return every verdict and review that is committed, in order."""
    recs = glass.memory.read(Topic.DECISIONS, 0, 0, 1 << 30, 0)
    named = [(codec.open_frame(rec.value or b"")[0], codec.decode_any(rec.value or b"")) for rec in recs]
    return [record for name, record in named if name in ("verdict", "review")]


def turn(glass: Glass, how: str) -> None:
    """Run one turn whose commit fails, then whatever a worker does then."""
    with pytest.raises(Unavailable if how == "nothing" else Unsure):
        glass.loop.step(0)
    if how != "nothing":
        glass.restart()
    glass.step()


HOW = ("nothing", "lost before", "lost after")


@pytest.mark.parametrize("how", HOW)
def test_a_crash_leaves_no_grant_without_its_review(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    glass = Glass()
    glass.step()
    asked = glass.intent(arguments={"amount": 9_000}, emergency=True)
    glass.send(Topic.INTENTS, intent_codec.frame(asked))
    fails_once(glass, how, monkeypatch)
    turn(glass, how)
    granted, review = decided(glass)
    assert (granted.state, granted.reason) == (State.GRANTED, Reason.EMERGENCY)
    assert (review.state, review.grant_seq, review.seq) == (ReviewState.ASKED, granted.seq, granted.seq + 1)
    assert glass.reviews() == [(AGENT, ReviewState.ASKED)]
    assert faults(glass) == []


@pytest.mark.parametrize("how", HOW)
def test_a_crash_leaves_no_answer_without_what_it_ends(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    glass = Glass()
    asked, review = glass.called()
    glass.send(Topic.VOTES, glass.voted(asked, "user:flo", approve=False, intent_digest=review.digest))
    fails_once(glass, how, monkeypatch)
    turn(glass, how)
    _, _, wrong, revoked = decided(glass)
    assert (wrong.state, revoked.state, revoked.reason) == (ReviewState.WRONG, State.REVOKED, Reason.REVIEWED_WRONG)
    assert glass.reviews() == []
    assert faults(glass) == []


@pytest.mark.parametrize("how", HOW)
def test_a_crash_leaves_one_alarm(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    glass = Glass()
    glass.called()
    glass.later(LEASE_MS)
    glass.clock.now += REVIEW_S * 1000
    fails_once(glass, how, monkeypatch)
    turn(glass, how)
    assert [ReviewState(record.state) for record in decided(glass) if hasattr(record, "grant_seq")] == [
        ReviewState.ASKED,
        ReviewState.OVERDUE,
    ]
    assert glass.reviews() == [(AGENT, ReviewState.OVERDUE)]
    assert faults(glass) == []
