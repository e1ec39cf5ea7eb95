"""What votes do: each counts once, for one digest, of those who are asked and outside the chain; then it is decided again."""

from collections.abc import Callable

import pytest

from placet.decision.settings import DeskSettings
from placet.model.codec import intent as intent_codec
from placet.model.codec.intent import Intent
from placet.model.digests import intent_digest
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from tests.support.votes import Shop, approval, faults, only, refused
from tests.support.world import AGENT, PERSON, Decision, digest_of, states


def test_two_people_say_yes_and_what_they_were_asked_for_is_granted() -> None:
    shop = Shop()
    asked = shop.intent(arguments={"amount": 9_000})
    waits = only(shop.ask(asked))
    assert (waits.state, approval(waits)) == (State.PENDING, (2, ("group:finance",), ()))
    first = only(shop.vote(asked, "user:flo"))
    assert (first.state, first.reason, approval(first)) == (
        State.PENDING,
        Reason.VOTED,
        (2, ("group:finance",), ("user:flo",)),
    )
    granted = only(shop.vote(asked, "user:fay"))
    assert (granted.state, granted.effect, granted.reason) == (State.GRANTED, Effect.PERMIT, Reason.APPROVED)
    assert (granted.granted_digest, granted.granted_arguments) == (digest_of(asked), None)
    assert approval(granted) == (2, ("group:finance",), ("user:fay", "user:flo"))
    assert granted.expires_at == shop.clock.now + 30_000
    assert (granted.cause_topic, granted.cause_offset) == (Topic.VOTES, 1)
    assert states(shop.claim(asked)) == [State.CLAIMED]
    assert states(shop.report(asked)) == [State.DONE]
    assert faults(shop) == []


def twin(shop: Shop, asked: Intent) -> list[Decision]:
    """Vote with the digest of an intent that asks for the same and has another id."""
    other = shop.refund()
    digest = intent_digest(intent_codec.encode_unsigned(other), intent_codec.FINGERPRINT)
    return shop.vote(asked, "user:flo", intent_digest=digest)


def late(shop: Shop, asked: Intent) -> list[Decision]:
    shop.later(60_000)
    return shop.vote(asked, "user:flo")


def again(shop: Shop, asked: Intent) -> list[Decision]:
    """Vote twice, the second time with the older word."""
    old = shop.voted(asked, "user:flo")
    shop.clock.now += 1_000
    shop.vote(asked, "user:flo", reason="looked twice")
    shop.send(Topic.VOTES, old)
    return shop.step()


def suspended(shop: Shop, asked: Intent) -> list[Decision]:
    shop.suspend("user:flo", groups=("finance",))
    return shop.vote(asked, "user:flo")


def delegator(shop: Shop, _: Intent) -> list[Decision]:
    """Vote as somebody who handed the mandate on, between authority and actor."""
    shop.publish_mandate(id="m3", delegate="user:lee")
    shop.publish_mandate(id="m4", delegator="user:lee", parent="m3")
    return shop.vote(shop.refund(60_000, mandate="m4"), "user:lee")


def ended(shop: Shop, asked: Intent) -> list[Decision]:
    shop.take_back(asked)
    return shop.vote(asked, "user:flo")


REFUSED: dict[str, tuple[Callable[[Shop, Intent], list[Decision]], Reason, str]] = {
    "on a twin": (twin, Reason.VOTE_MISMATCH, "on another intent: expected the digest "),
    "forged": (
        lambda shop, asked: shop.vote(asked, "user:fay", signer=shop.approvers["user:flo"]),
        Reason.WRITER_UNPROVED,
        "vote: signed by `user:flo`, not by `user:fay`",
    ),
    "with an agent's key": (
        lambda shop, asked: shop.vote(asked, AGENT, signer=shop.agent),
        Reason.WRITER_UNPROVED,
        "key `ada-1` is for `agent`, expected approver",
    ),
    "of another attempt": (
        lambda shop, asked: shop.vote(asked, "user:flo", attempt=2),
        Reason.VOTE_UNKNOWN,
        "nobody asked under this id and attempt",
    ),
    "late": (late, Reason.VOTE_LATE, "nothing waits for people under this id and attempt"),
    "after the end": (ended, Reason.VOTE_LATE, "nothing waits for people under this id and attempt"),
    "older than the one held": (again, Reason.VOTE_OUTDATED, "`user:flo` voted again at 1760000001000"),
    "from outside": (
        lambda shop, asked: shop.vote(asked, "user:sue"),
        Reason.VOTER_NOT_ASKED,
        "`user:sue` is not among those who are asked: group:finance",
    ),
    "of nobody": (
        lambda shop, asked: shop.vote(asked, "user:nobody"),
        Reason.VOTER_UNKNOWN,
        "`user:nobody` is not a known principal",
    ),
    "suspended": (suspended, Reason.VOTER_INACTIVE, "`user:flo` is suspended"),
    "of the actor": (
        lambda shop, asked: shop.vote(asked, AGENT),
        Reason.VOTER_IN_CHAIN,
        "`agent:ada` is the actor: who asks or answers for it does not vote",
    ),
    "of the authority": (
        lambda shop, asked: shop.vote(asked, PERSON),
        Reason.VOTER_IN_CHAIN,
        "`user:grace` is the authority: who asks or answers for it does not vote",
    ),
    "of the actor's owner": (
        lambda shop, asked: shop.vote(asked, "user:boss"),
        Reason.VOTER_IN_CHAIN,
        "`user:boss` is the owner of the actor: who asks or answers for it does not vote",
    ),
    "of a delegator": (
        delegator,
        Reason.VOTER_IN_CHAIN,
        "`user:lee` is a delegator between them: who asks or answers for it does not vote",
    ),
    "wider": (
        lambda shop, asked: shop.vote(asked, "user:flo", arguments={"amount": 9_001}),
        Reason.VOTE_REFUSED,
        "not narrower than what is asked: `amount` is 9001: expected at most 9000",
    ),
    "from the future": (
        lambda shop, asked: shop.vote(asked, "user:flo", voted_at=shop.clock.now + 60_001),
        Reason.MALFORMED,
        "it is 60001 ms ahead of its append time: expected at most 60000",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_vote_is_refused_by_name(kind: str) -> None:
    vote, reason, says = REFUSED[kind]
    shop = Shop()
    asked = shop.refund()
    said = [one for one in vote(shop, asked) if one.name != "verdict"]
    assert refused(said) == reason
    assert said[0].record.detail.startswith(says)
    assert faults(shop) == []


def test_a_vote_that_was_heard_hears_what_it_led_to_and_counts_once() -> None:
    shop = Shop()
    asked = shop.refund()
    yes = shop.voted(asked, "user:flo")
    shop.send(Topic.VOTES, yes)
    taken = only(shop.step())
    shop.send(Topic.VOTES, yes)
    (again,) = shop.step()
    assert (again.name, again.record.first_seq) == ("repeat", taken.seq)
    granted = only(shop.vote(asked, "user:fin"))
    shop.send(Topic.VOTES, yes)
    assert only(shop.step()).first_seq == granted.seq
    assert faults(shop) == []


def test_a_second_yes_of_one_voter_takes_the_place_of_the_first() -> None:
    shop = Shop()
    asked = shop.refund()
    shop.vote(asked, "user:flo", arguments={"amount": 7_000})
    shop.clock.now += 1
    second = only(shop.vote(asked, "user:flo", arguments={"amount": 8_000}))
    assert (second.state, approval(second)[2]) == (State.PENDING, ("user:flo",))
    assert only(shop.vote(asked, "user:fay")).granted_arguments == b'{"amount":8000}'


def test_one_no_ends_it_and_the_agent_hears_why() -> None:
    shop = Shop()
    asked = shop.refund()
    shop.vote(asked, "user:flo")
    denied = only(shop.vote(asked, "user:fay", approve=False, reason="the customer was paid in May"))
    assert (denied.state, denied.effect, denied.reason) == (State.DENIED, Effect.DENY, Reason.REJECTED)
    assert denied.detail == "the customer was paid in May"
    assert refused(shop.vote(asked, "user:fin")) == Reason.VOTE_LATE
    assert faults(shop) == []


def test_the_no_of_somebody_who_is_not_asked_ends_nothing() -> None:
    shop = Shop()
    asked = shop.refund()
    assert refused(shop.vote(asked, "user:sue", approve=False)) == Reason.VOTER_NOT_ASKED
    shop.vote(asked, "user:flo")
    assert states(shop.vote(asked, "user:fay")) == [State.GRANTED]


def test_a_voter_suspended_before_it_resolves_does_not_count_and_is_asked_again_once_active() -> None:
    shop = Shop()
    asked = shop.refund()
    shop.vote(asked, "user:flo")
    shop.suspend("user:flo", groups=("finance",))
    told = only(shop.step())
    assert (told.state, told.reason, approval(told)[2]) == (State.PENDING, Reason.ASKED_ANEW, ())
    assert states(shop.vote(asked, "user:fay")) == [State.PENDING]
    shop.clock.now += 1
    shop.publish_principal("user:flo", kind="user", groups=("finance",))
    assert states(shop.step()) == [State.GRANTED]
    assert faults(shop) == []


def test_a_voter_who_has_left_the_group_does_not_count() -> None:
    shop = Shop()
    asked = shop.refund()
    shop.vote(asked, "user:flo")
    shop.clock.now += 1
    shop.publish_principal("user:flo", kind="user", groups=("sales",))
    assert states(shop.vote(asked, "user:fay")) == [State.PENDING, State.PENDING]
    assert states(shop.vote(asked, "user:fin")) == [State.GRANTED]
    assert faults(shop) == []


@pytest.mark.parametrize("swept", [True, False], ids=["swept", "at the claim"])
def test_a_voter_suspended_after_the_grant_takes_it_back(swept: bool) -> None:
    shop = Shop()
    asked = shop.refund()
    shop.vote(asked, "user:flo")
    shop.vote(asked, "user:fay")
    shop.suspend("user:fay", groups=("finance",))
    (revoked,) = [one.record for one in (shop.step() if swept else shop.claim(asked)) if one.name == "verdict"]
    assert (revoked.state, revoked.reason) == (State.REVOKED, Reason.CONTEXT_CHANGED)
    assert revoked.detail == "1 of 2 votes count"
    assert faults(shop) == []


def test_what_was_begun_on_votes_is_told_to_stop_when_one_does_not_count_any_more() -> None:
    shop = Shop()
    asked = shop.refund()
    shop.vote(asked, "user:flo")
    shop.vote(asked, "user:fay")
    shop.claim(asked)
    shop.suspend("user:fay", groups=("finance",))
    assert [(one.state, one.record.stop) for one in shop.step()] == [(State.CLAIMED, True)]
    assert faults(shop) == []


def test_votes_count_again_at_the_claim() -> None:
    shop = Shop()
    asked = shop.refund()
    shop.vote(asked, "user:flo")
    shop.vote(asked, "user:fay")
    shop.publish_risk(10)
    claimed = only(shop.claim(asked))
    assert (claimed.state, approval(claimed)[2]) == (State.CLAIMED, ("user:fay", "user:flo"))
    assert faults(shop) == []


def test_votes_do_not_outweigh_a_denial_or_a_greater_requirement() -> None:
    shop = Shop()
    asked, other = shop.refund(), shop.refund()
    shop.vote(asked, "user:flo")
    shop.publish_risk(50)
    worried = [one.record for one in shop.step()]
    assert [(one.reason, approval(one)[0]) for one in worried] == [(Reason.ASKED_ANEW, 3)] * 2
    assert states(shop.vote(asked, "user:fay")) == [State.PENDING]
    assert states(shop.vote(asked, "user:fin")) == [State.GRANTED]
    shop.clock.now += 1
    shop.publish_risk(90)
    assert sorted(states(shop.step())) == [State.DENIED, State.REVOKED]
    assert refused(shop.vote(other, "user:flo")) == Reason.VOTE_LATE
    assert faults(shop) == []


def test_what_goes_on_waiting_ends_no_later_than_it_was_told() -> None:
    shop = Shop()
    asked = shop.intent(arguments={"amount": 9_000})
    ends = only(shop.ask(asked)).expires_at
    shop.clock.now += 20_000
    assert only(shop.vote(asked, "user:flo")).expires_at == ends
    assert states(shop.later(40_000)) == [State.EXPIRED]


def test_what_the_clock_has_not_got_to_yet_is_over_all_the_same() -> None:
    shop = Shop(settings=DeskSettings(sweep_most=1))
    first, second = shop.refund(), shop.refund()
    for asked in (first, second):
        shop.vote(asked, "user:flo")
    shop.clock.now += 60_000
    late = shop.voted(second, "user:fay", voted_at=shop.clock.now - 1)
    shop.send(Topic.VOTES, late)
    said = shop.step()
    assert [(one.name, one.record.id) for one in said] == [("verdict", first.id), ("refusal", second.id)]
    assert said[1].record.detail == "appended at 1760000060000, the wait ended at 1760000060000"
    assert states(shop.step()) == [State.EXPIRED]
    assert faults(shop) == []


def test_narrower_arguments_of_all_votes_and_obligations_hold_together() -> None:
    shop = Shop()
    asked = shop.refund(90_000)
    shop.vote(asked, "user:flo", arguments={"amount": 70_000})
    shop.vote(asked, "user:fay", arguments={"amount": 55_000})
    granted = only(shop.vote(asked, "user:fin"))
    assert (granted.effect, granted.granted_arguments) == (Effect.CONSTRAIN, b'{"amount":55000}')
    assert granted.granted_digest == digest_of(asked, {"amount": 55_000})
    assert states(shop.claim(asked, granted.granted_digest)) == [State.CLAIMED]
    assert faults(shop) == []


def test_obligations_of_the_rule_hold_where_votes_leave_more() -> None:
    shop = Shop()
    asked = shop.refund(90_000)
    for name in ("user:flo", "user:fay"):
        shop.vote(asked, name, arguments={"amount": 80_000})
    assert only(shop.vote(asked, "user:fin")).granted_arguments == b'{"amount":60000}'
    assert faults(shop) == []


def test_lists_are_cut_to_what_all_leave_and_a_grant_may_be_its_own_claim() -> None:
    shop = Shop()
    sent = {"to": ["ann", "bob", "cat"], "cc": ["dan"], "copies": 3, "text": "hello"}
    asked = shop.intent("shop.send", sent)
    shop.ask(asked)
    shop.vote(asked, "user:flo", arguments={**sent, "to": ["ann", "cat"], "copies": 2})
    done = only(shop.vote(asked, "user:fay", arguments={"to": ["bob", "cat"], "copies": 3, "text": "hello"}))
    assert (done.state, done.granted_arguments) == (State.CLAIMED, b'{"copies":2,"text":"hello","to":["cat"]}')
    assert faults(shop) == []


def test_the_owner_of_the_resource_is_asked_and_the_owner_of_the_actor_never() -> None:
    shop = Shop()
    shop.own("order/7", "user:sue")
    asked = shop.intent("shop.export")
    shop.ask(asked)
    assert refused(shop.vote(asked, "user:flo")) == Reason.VOTER_NOT_ASKED
    assert refused(shop.vote(asked, "user:boss")) == Reason.VOTER_IN_CHAIN
    assert states(shop.vote(asked, "user:sue")) == [State.GRANTED]
    assert faults(shop) == []


def test_others_are_asked_as_well_after_a_time_and_told_so() -> None:
    shop = Shop()
    asked = shop.intent("shop.look")
    shop.ask(asked)
    assert refused(shop.vote(asked, "user:sue")) == Reason.VOTER_NOT_ASKED
    told = only(shop.later(10_000))
    assert (told.reason, approval(told)[1]) == (Reason.ASKED_ANEW, ("user:flo", "user:sue"))
    assert shop.later(5_000) == []
    told = only(shop.later(5_000))
    assert approval(told)[1] == ("group:finance", "user:flo", "user:sue")
    assert states(shop.vote(asked, "user:sue")) == [State.GRANTED]
    assert faults(shop) == []


def test_votes_outlive_a_restart() -> None:
    shop = Shop()
    asked = shop.refund()
    yes = shop.voted(asked, "user:flo", arguments={"amount": 8_000})
    shop.send(Topic.VOTES, yes)
    shop.step()
    shop.restart()
    shop.step()
    shop.send(Topic.VOTES, yes)
    assert [one.name for one in shop.step()] == ["repeat"]
    granted = only(shop.vote(asked, "user:fay"))
    assert (granted.state, granted.granted_arguments) == (State.GRANTED, b'{"amount":8000}')
    shop.restart()
    shop.suspend("user:flo", groups=("finance",))
    assert states(shop.step()) == [State.REVOKED]
    assert faults(shop) == []


@pytest.mark.parametrize("restarts", [False, True])
def test_a_vote_past_the_deadline_is_refused_alike_by_a_desk_that_was_restored(restarts: bool) -> None:
    shop = Shop()
    asked = shop.refund()
    shop.later(120_000)
    if restarts:
        shop.restart()
    assert refused([one for one in shop.vote(asked, "user:flo") if one.name == "refusal"]) == Reason.VOTE_UNKNOWN
