"""Break-glass: an emergency is granted at once where rules provide for it, and people look at it afterwards."""

from typing import Any

import pytest

from placet.decision import reviewing
from placet.decision.emergency import NO_PROVISION, NO_PURPOSE
from placet.model.codec import intent as intent_codec
from placet.model.digests import intent_digest, review_digest
from placet.model.reasons import Effect, Reason, ReviewState, State
from placet.model.topics import Topic
from tests.support.glass import EMERGENCY, LEASE_MS, REVIEW_S, Glass, pack
from tests.support.votes import Shop, faults, only, refused
from tests.support.world import AGENT, PERSON, digest_of, states


def test_an_emergency_is_granted_at_once_for_a_short_lease_and_its_review_is_asked_with_it() -> None:
    glass = Glass()
    asked, (granted, review) = glass.call()
    verdict, asks = granted.record, review.record
    assert (verdict.state, verdict.effect, verdict.reason) == (State.GRANTED, Effect.PERMIT, Reason.EMERGENCY)
    assert (verdict.granted_digest, verdict.expires_at) == (digest_of(asked), glass.clock.now + LEASE_MS)
    assert (verdict.rules, verdict.approval) == (("shop/people",), None)
    digest = intent_digest(intent_codec.encode_unsigned(asked), intent_codec.FINGERPRINT)
    assert asks.digest == review_digest(digest, 0, verdict.seq)
    assert (asks.state, asks.grant_seq, asks.seq) == (ReviewState.ASKED, verdict.seq, verdict.seq + 1)
    assert (asks.id, asks.actor, asks.purpose) == (asked.id, AGENT, "the customer asked")
    assert (asks.quorum, asks.eligible, asks.voters) == (1, ("group:finance",), ())
    assert (asks.chain, asks.owner) == ((PERSON, AGENT), "user:boss")
    assert asks.expires_at == glass.clock.now + REVIEW_S * 1000
    assert states(glass.claim(asked)) == [State.CLAIMED]
    assert states(glass.report(asked)) == [State.DONE]
    assert glass.reviews() == [(AGENT, ReviewState.ASKED)]
    assert faults(glass) == []


def test_what_is_no_emergency_waits_for_people_as_before() -> None:
    glass = Glass()
    asked, said = glass.call(emergency=False)
    assert (only(said).state, only(said).detail) == (State.PENDING, "")
    glass.vote(asked, "user:flo")
    assert only(glass.vote(asked, "user:fay")).reason == Reason.APPROVED
    assert glass.reviews() == []
    assert faults(glass) == []


UNCHANGED: dict[str, tuple[str, dict[str, Any], int, State, str]] = {
    "no rule provides for one": ("", {}, 9_000, State.PENDING, NO_PROVISION),
    "one of two rules provides for none": (EMERGENCY, {}, 60_000, State.PENDING, NO_PROVISION),
    "no reason": (EMERGENCY, {"purpose": " "}, 9_000, State.PENDING, NO_PURPOSE),
    "a broken chain": (EMERGENCY, {"mandate": "m9"}, 9_000, State.DENIED, NO_PROVISION),
    "no rule": (EMERGENCY, {"action": "shop.burn", "arguments": {}}, 0, State.DENIED, NO_PROVISION),
}


@pytest.mark.parametrize("kind", UNCHANGED)
def test_an_emergency_that_nothing_provides_for_changes_nothing_and_is_told_so(kind: str) -> None:
    emergency, more, amount, state, says = UNCHANGED[kind]
    glass = Glass(pack=pack(emergency))
    asked, said = glass.call(amount, **more)
    told = only(said)
    assert told.state == state
    assert told.detail.endswith(says)
    plain = asked._replace(id=bytes(15) + b"\xff", emergency=False)
    same = only(glass.ask(plain))
    names = ("state", "effect", "reason", "rules", "approval", "expires_at")
    assert [getattr(told, name) for name in names] == [getattr(same, name) for name in names]
    assert glass.reviews() == []
    assert faults(glass) == []


def test_an_emergency_of_what_is_permitted_anyway_is_an_ordinary_grant() -> None:
    glass = Glass()
    _, said = glass.call(10)
    assert (only(said).reason, only(said).expires_at) == (Reason.PERMITTED, glass.clock.now + 30_000)
    assert faults(glass) == []


def test_an_emergency_breaks_no_denial_and_no_halt() -> None:
    glass = Glass()
    glass.publish_risk(90)
    _, said = glass.call()
    assert (only(said).state, only(said).reason) == (State.DENIED, Reason.RULE_DENIED)
    glass.publish_risk(0)
    glass.clock.now += 1
    glass.halt("tenant")
    _, said = glass.call()
    assert [each.record.reason for each in said if each.name == "verdict"] == [Reason.HALTED]
    assert glass.reviews() == []
    assert faults(glass) == []


ENOUGH = "  - {id: sum, per: [authority], on: [shop.refund], measure: amount, window: {sliding_s: 600}, max: 10000, because: enough, over: %s}\n"


@pytest.mark.parametrize(
    ("over", "state", "reason"),
    [
        ("deny", State.DENIED, Reason.LIMIT_EXCEEDED),
        (
            'step_up, approval: {quorum: 1, from: ["group:finance"], expires_s: 50}',
            State.PENDING,
            Reason.LIMIT_EXCEEDED,
        ),
        ("constrain", State.GRANTED, Reason.EMERGENCY),
    ],
)
def test_an_emergency_goes_beyond_no_limit(over: str, state: State, reason: Reason) -> None:
    glass = Glass(pack=pack(limits=ENOUGH % over))
    glass.called()
    asked, said = glass.call()
    first = said[0].record
    assert (first.state, first.reason) == (state, reason)
    if state is State.PENDING:
        assert (first.approval.quorum, first.rules) == (2, ("shop/people", "shop/sum"))
        glass.vote(asked, "user:flo")
        granted = only(glass.vote(asked, "user:fay"))
        assert (granted.reason, len(glass.reviews())) == (Reason.APPROVED, 1)
    if state is State.GRANTED:
        assert (first.effect, first.granted_arguments) == (Effect.CONSTRAIN, b'{"amount":1000}')
        assert [each.name for each in said] == ["verdict", "review"]
    assert faults(glass) == []


def test_one_of_those_asked_finds_it_right() -> None:
    glass = Glass()
    asked, review = glass.called()
    answered = only(glass.review(asked, review, "user:flo", reason="the site was down"))
    assert (answered.state, answered.by, answered.detail) == (ReviewState.RIGHT, "user:flo", "the site was down")
    assert (answered.voters, answered.previous_seq) == (("user:flo",), review.seq)
    assert (answered.cause_topic, answered.cause_offset) == (Topic.VOTES, 0)
    assert glass.reviews() == []
    assert states(glass.claim(asked)) == [State.CLAIMED]
    assert faults(glass) == []


def test_a_review_wants_as_many_as_its_quorum_each_proved_as_is_wanted() -> None:
    two = EMERGENCY.replace("quorum: 1", "quorum: 2").replace(
        "expires_s: 3600", "expires_s: 3600, acr: [phr], auth_age_s_max: 60"
    )
    glass = Glass(pack=pack(two))
    asked, review = glass.called()
    weak = glass.review(asked, review, "user:flo")
    assert (refused(weak), 'acr_values="phr", max_age="60"' in weak[0].record.detail) == (Reason.VOTER_UNPROVED, True)
    proof: dict[str, Any] = {"acr": "phr", "auth_time": glass.clock.now}
    first = only(glass.review(asked, review, "user:flo", **proof))
    assert (first.state, first.voters, first.by) == (ReviewState.ASKED, ("user:flo",), "")
    assert [each.name for each in glass.review(asked, review, "user:flo", **proof)] == ["repeat"]
    second = only(glass.review(asked, review, "user:fay", **proof))
    assert (second.state, second.voters) == (ReviewState.RIGHT, ("user:fay", "user:flo"))
    assert faults(glass) == []


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (AGENT, Reason.VOTER_IN_CHAIN),
        (PERSON, Reason.VOTER_IN_CHAIN),
        ("user:boss", Reason.VOTER_IN_CHAIN),
        ("user:sue", Reason.VOTER_NOT_ASKED),
        ("user:nobody", Reason.VOTER_UNKNOWN),
    ],
)
def test_who_had_a_part_in_it_or_is_not_asked_does_not_review_it(by: str, reason: Reason) -> None:
    glass = Glass(
        pack=pack(EMERGENCY.replace('["group:finance"]', f'["group:finance", "{AGENT}", "{PERSON}", "user:boss"]'))
    )
    asked, review = glass.called()
    assert refused(glass.review(asked, review, by)) == reason
    assert glass.reviews() == [(AGENT, ReviewState.ASKED)]
    assert faults(glass) == []


def test_a_vote_that_was_cast_on_the_wait_is_none_on_the_review() -> None:
    glass = Glass()
    asked, review = glass.called()
    assert refused(glass.vote(asked, "user:flo")) == Reason.VOTE_LATE
    assert refused(glass.review(asked, review, "user:flo", arguments={"amount": 1})) == Reason.VOTE_REFUSED
    glass.suspend("user:flo", groups=("finance",))
    assert refused(glass.review(asked, review, "user:flo")) == Reason.VOTER_INACTIVE
    glass.review(asked, review, "user:fay")
    assert refused(glass.review(asked, review, "user:fin")) == Reason.VOTE_LATE
    assert faults(glass) == []


def test_what_was_no_emergency_is_revoked_before_it_is_begun_and_stopped_after() -> None:
    glass = Glass()
    asked, review = glass.called()
    wrong, revoked = glass.review(asked, review, "user:flo", approve=False, reason="it could wait")
    assert (wrong.record.state, wrong.record.by, wrong.record.detail) == (
        ReviewState.WRONG,
        "user:flo",
        "it could wait",
    )
    assert (revoked.state, revoked.record.reason, revoked.record.detail) == (
        State.REVOKED,
        Reason.REVIEWED_WRONG,
        "it could wait",
    )
    assert refused(glass.claim(asked)) == Reason.CLAIM_UNKNOWN
    asked, review = glass.called()
    glass.claim(asked)
    wrong, stopped = glass.review(asked, review, "user:flo", approve=False)
    assert (stopped.state, stopped.record.stop, stopped.record.reason) == (State.CLAIMED, True, Reason.REVIEWED_WRONG)
    assert states(glass.report(asked)) == [State.DONE]
    assert glass.reviews() == []
    assert faults(glass) == []


def test_a_review_that_nobody_answers_is_overdue_once_and_bars_the_next_until_it_is_answered() -> None:
    glass = Glass()
    asked, review = glass.called()
    glass.later(LEASE_MS)
    assert glass.later(REVIEW_S * 1000 - LEASE_MS - 1) == []
    overdue = only(glass.later(1))
    assert (overdue.state, overdue.cause_topic, overdue.previous_seq) == (ReviewState.OVERDUE, 0, review.seq)
    assert glass.later(1_000_000) == []
    _, said = glass.call()
    barred = only(said)
    assert (barred.state, barred.reason) == (State.DENIED, Reason.EMERGENCY_BARRED)
    assert barred.detail == f"the review of emergency {asked.id.hex()} is overdue since {review.expires_at}"
    _, said = glass.call(emergency=False)
    assert only(said).state == State.PENDING
    assert only(glass.review(asked, overdue, "user:flo")).state == ReviewState.RIGHT
    glass.called()
    assert faults(glass) == []


def test_an_overdue_review_bars_nobody_else_and_nothing_else() -> None:
    glass = Glass()
    glass.publish_principal("agent:bob")
    glass.publish_mandate(id="m2", delegate="agent:bob")
    glass.called()
    glass.later(LEASE_MS)
    glass.later(REVIEW_S * 1000)
    glass.called(actor="agent:bob", mandate="m2")
    assert glass.reviews() == [(AGENT, ReviewState.OVERDUE), ("agent:bob", ReviewState.ASKED)]
    _, said = glass.call(10)
    assert only(said).reason == Reason.PERMITTED
    assert faults(glass) == []


def test_a_pack_lets_fewer_emergencies_be_unanswered() -> None:
    glass = Glass(pack=pack(EMERGENCY.replace("lease_ms", "unreviewed_max: 2, lease_ms")))
    (first, review), _ = glass.called(), glass.called()
    _, said = glass.call()
    assert (only(said).reason, only(said).detail) == (
        Reason.EMERGENCY_BARRED,
        f"2 emergencies are not reviewed, {first.id.hex()} first: expected fewer than 2",
    )
    glass.review(first, review, "user:flo")
    glass.called()
    assert faults(glass) == []


def test_what_waits_for_something_else_and_is_granted_later_has_its_review_then() -> None:
    glass = Glass(pack=pack(""))
    asked, said = glass.call()
    assert only(said).state == State.PENDING
    glass.push(pack(), 2)
    granted, review = glass.later(1)
    assert (granted.state, granted.record.reason) == (State.GRANTED, Reason.EMERGENCY)
    assert (review.name, review.record.grant_seq) == ("review", granted.record.seq)
    assert states(glass.claim(asked)) == [State.CLAIMED]
    assert glass.reviews() == [(AGENT, ReviewState.ASKED)]
    assert faults(glass) == []


def test_a_grant_is_taken_back_where_the_pack_provides_for_no_emergency_any_more() -> None:
    glass = Glass()
    glass.called()
    glass.push(pack(""), 2)
    assert only(glass.later(1)).state == State.REVOKED
    assert glass.reviews() == [(AGENT, ReviewState.ASKED)]
    assert faults(glass) == []


def test_a_review_outlives_a_restart_with_its_votes_and_its_time() -> None:
    glass = Glass(pack=pack(EMERGENCY.replace("quorum: 1", "quorum: 2")))
    asked, review = glass.called()
    glass.review(asked, review, "user:flo")
    other, _ = glass.called()
    glass.restart()
    glass.step()
    second = only(glass.review(asked, review, "user:fay"))
    assert (second.state, second.voters) == (ReviewState.RIGHT, ("user:fay", "user:flo"))
    glass.later(LEASE_MS)
    glass.restart()
    told = [each.record for each in glass.later(REVIEW_S * 1000) if each.name == "review"]
    assert [(each.id, each.state) for each in told] == [(other.id, ReviewState.OVERDUE)]
    glass.restart()
    _, said = glass.call()
    assert said[-1].record.reason == Reason.EMERGENCY_BARRED
    assert faults(glass) == []


def test_an_id_that_is_given_to_another_intent_leaves_the_review_of_the_first() -> None:
    glass = Glass()
    asked, review = glass.called()
    glass.later(LEASE_MS)
    glass.later(130_000)
    other = glass.intent(id=asked.id, arguments={"amount": 10}, purpose="another")
    assert states(glass.ask(other)) == [State.GRANTED]
    (wrong,) = glass.review(asked, review, "user:flo", approve=False)
    assert wrong.record.state == ReviewState.WRONG
    assert states(glass.claim(other)) == [State.CLAIMED]
    assert faults(glass) == []


def test_the_owner_of_the_resource_reviews_by_name() -> None:
    glass = Glass(pack=pack(EMERGENCY.replace('["group:finance"]', "[owner]")))
    glass.own("order/7", "user:sue")
    asked, review = glass.called()
    assert review.eligible == ("user:sue",)
    assert only(glass.review(asked, review, "user:sue")).state == ReviewState.RIGHT
    assert faults(glass) == []


def test_votes_on_a_review_are_bounded_so_that_its_record_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviewing, "HELD_BYTES_MAX", 1_000)
    glass = Glass(pack=pack(EMERGENCY.replace("quorum: 1", "quorum: 3")))
    asked, review = glass.called()
    assert only(glass.review(asked, review, "user:flo", reason="x" * 300)).voters == ("user:flo",)
    said = glass.review(asked, review, "user:fay", reason="x" * 600)
    assert (refused(said), said[0].record.detail) == (
        Reason.VOTE_REFUSED,
        "the votes on it are more than 1000 bytes: expected shorter ones",
    )
    monkeypatch.setattr(reviewing, "HELD_MOST", 1)
    assert refused(glass.review(asked, review, "user:fay")) == Reason.VOTE_REFUSED
    assert faults(glass) == []


def test_a_shop_without_emergencies_has_no_reviews() -> None:
    shop = Shop()
    shop.refund()
    assert shop.loop.bureau.places[0].desk.book.reviews.open == {}
