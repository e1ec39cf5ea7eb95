"""Laws of reviews: the table forgets a batch that was lost, and in any history every emergency is looked at or tells that it is not."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from placet.decision.reviews import Reviews
from placet.model.codec.review import Review
from placet.model.reasons import Reason, ReviewState
from tests.support.glass import EMERGENCY, Glass, pack
from tests.support.votes import faults
from tests.support.world import AGENT, PERSON, Decision

NUMBERS = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), NUMBERS, st.integers(1, 5)),
        st.tuples(st.just("due"), st.integers(0, 6), st.integers(1, 3)),
        st.tuples(st.just("answer"), NUMBERS, st.just(0)),
        st.tuples(st.sampled_from(("keep", "drop")), st.just(0), st.just(0)),
    ),
    max_size=30,
)


def a_review(number: int, expires_at: int, state: ReviewState = ReviewState.ASKED) -> Review:
    actor = f"agent:{number % 2}"
    fields: dict[str, Any] = dict.fromkeys(Review._fields, 0)
    texts = dict.fromkeys(("action", "resource", "purpose", "owner", "by", "detail"), "")
    lists = dict.fromkeys(("eligible", "acr", "chain", "voters", "votes"), ())
    about = {
        "tenant": "t",
        "authority": "u",
        "actor": actor,
        "id": bytes([number] * 16),
        "digest": bytes([number] * 32),
    }
    return Review(**{**fields, **texts, **lists, **about, "expires_at": expires_at, "seq": number, "state": state})


def overdue(review: Review) -> Review:
    return review._replace(state=ReviewState.OVERDUE)


@settings(deadline=None, max_examples=300)
@given(STEPS)
def test_the_table_holds_what_was_kept_and_tells_each_that_is_due_once(steps: list[tuple[str, int, int]]) -> None:
    reviews = Reviews()
    kept: dict[bytes, Review] = {}
    now: dict[bytes, Review] = {}
    for name, number, other in steps:
        if name == "ask":
            review = a_review(number, other)
            reviews.put(review)
            now[review.digest] = review
        elif name == "due":
            waiting = [each for each in now.values() if each.state == ReviewState.ASKED and each.expires_at <= number]
            assert reviews.is_due(number) == bool(waiting)
            found = reviews.due(number, other)
            expected = sorted(waiting, key=lambda each: (each.expires_at, each.digest))[:other]
            assert found == expected
            for review in found:
                reviews.put(overdue(review))
                now[review.digest] = overdue(review)
        elif name == "answer":
            reviews.close(bytes([number] * 32))
            now.pop(bytes([number] * 32), None)
        elif name == "keep":
            reviews.keep()
            kept = dict(now)
        else:
            reviews.drop()
            now = dict(kept)
        assert reviews.open == now
        for actor in ("agent:0", "agent:1"):
            mine = [each for each in now.values() if each.actor == actor]
            late = any(each.state == ReviewState.OVERDUE for each in mine)
            assert bool(reviews.bar(("t", "u", actor), 2)) == (late or len(mine) >= 2)
        assert reviews.bar(("t", "u", "agent:2"), 1) == ""


DEEDS = st.lists(
    st.sampled_from(("call", "call", "yes", "no", "own", "claim", "wait", "long", "restart", "suspend", "plain")),
    min_size=4,
    max_size=12,
)


def play(glass: Glass, deed: str, called: list[Any]) -> list[Decision]:
    """Let one thing happen, and return what was said."""
    if deed in ("call", "plain"):
        asked, said = glass.call(emergency=deed == "call")
        called += [(asked, one.record) for one in said if one.name == "review"]
        return said
    if deed in ("wait", "long"):
        return glass.later({"wait": 4_000, "long": 61_000}[deed])
    if deed == "restart":
        glass.restart()
        return glass.step()
    if deed == "suspend":
        glass.suspend("user:fay", groups=("finance",))
        return glass.step()
    if not called:
        return []
    asked, review = called[-1] if deed == "claim" else called[0]
    if deed == "claim":
        return glass.claim(asked)
    voter = {"yes": "user:fay", "no": "user:flo", "own": AGENT}[deed]
    glass.clock.now += 1
    said = glass.review(asked, review, voter, deed != "no")
    if any(one.name == "review" and one.record.state in (ReviewState.RIGHT, ReviewState.WRONG) for one in said):
        called.pop(0)
    return said


@settings(deadline=None, max_examples=25)
@given(DEEDS)
def test_in_any_history_every_emergency_has_its_review_and_none_follows_one_that_is_overdue(deeds: list[str]) -> None:
    wide = EMERGENCY.replace("expires_s: 3600", "expires_s: 60").replace(
        '["group:finance"]', f'["group:finance", "{AGENT}"]'
    )
    glass = Glass(pack=pack(wide))
    called: list[Any] = []
    open_: dict[bytes, ReviewState] = {}
    for deed in deeds:
        said = play(glass, deed, called)
        for at, one in enumerate(said):
            if one.name == "review":
                open_[one.record.digest] = ReviewState(one.record.state)
            elif one.name == "verdict" and one.record.reason == Reason.EMERGENCY:
                assert ReviewState.OVERDUE not in open_.values()
                after = said[at + 1]
                assert (after.name, after.record.grant_seq) == ("review", one.record.seq)
                assert {AGENT, PERSON} <= {*after.record.chain}
    assert faults(glass) == []
