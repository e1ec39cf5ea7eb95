"""Stronger proof on votes (RFC 9470): how and when a voter authenticated decides whether the vote counts."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from placet.model.codec import vote, vote_3
from placet.model.codec.intent import Intent
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from placet.policy.approval import Approval, challenge
from tests.architecture.house import ROOT
from tests.support.votes import ASKING, Shop, approval, faults, only, refused
from tests.support.world import Decision, states

AGE_MS = 300_000
PLAIN = 'approval: {quorum: 2, from: ["group:finance"], expires_s: 60}'
STRONG = 'approval: {quorum: 2, from: ["group:finance"], expires_s: 60, acr: [phrh, phr], auth_age_s_max: 300}'
PROVED = {**ASKING, "rules.yaml": ASKING["rules.yaml"].replace(PLAIN, STRONG)}
WANTED = (
    'error="insufficient_user_authentication", error_description="a vote on this wants stronger proof", '
    'acr_values="phr phrh", max_age="300"'
)


def proved(shop: Shop, asked: Intent, by: str, acr: str = "phr", age_ms: int = 0, **more: Any) -> list[Decision]:
    """Vote as somebody who authenticated so long ago."""
    return shop.vote(asked, by, acr=acr, auth_time=shop.clock.now - age_ms, **more)


def test_people_are_told_what_proof_is_wanted_and_two_who_have_it_let_it_through() -> None:
    shop = Shop(pack=PROVED)
    asked = shop.intent(arguments={"amount": 9_000})
    waits = only(shop.ask(asked))
    assert (waits.state, waits.approval.acr, waits.approval.auth_age_ms_max) == (State.PENDING, ("phr", "phrh"), AGE_MS)
    assert approval(only(proved(shop, asked, "user:flo", "phrh"))) == (2, ("group:finance",), ("user:flo",))
    granted = only(proved(shop, asked, "user:fay"))
    assert (granted.state, granted.reason, granted.approval.acr) == (State.GRANTED, Reason.APPROVED, ("phr", "phrh"))
    assert states(shop.claim(asked)) == [State.CLAIMED]
    assert faults(shop) == []


@pytest.mark.parametrize(
    ("acr", "age_ms", "approve", "counts"),
    [
        ("phr", AGE_MS, True, True),
        ("phrh", 0, True, True),
        ("phr", -60_000, True, True),
        ("phr", AGE_MS + 1, True, False),
        ("pwd", 0, True, False),
        ("", 0, True, False),
        ("phr phrh", 0, True, False),
        ("", 0, False, False),
        ("phr", 0, False, True),
    ],
)
def test_which_proof_counts(acr: str, age_ms: int, approve: bool, counts: bool) -> None:
    shop = Shop(pack=PROVED)
    asked = shop.refund()
    said = proved(shop, asked, "user:flo", acr, age_ms, approve=approve)
    if counts:
        assert states(said) == [State.PENDING if approve else State.DENIED]
    else:
        assert refused(said) == Reason.VOTER_UNPROVED
        assert said[0].record.detail == WANTED
    assert faults(shop) == []


def test_who_never_authenticated_is_told_so_where_only_the_time_is_asked() -> None:
    pack = {**ASKING, "rules.yaml": ASKING["rules.yaml"].replace(PLAIN, STRONG.replace(" acr: [phrh, phr],", ""))}
    shop = Shop(pack=pack)
    asked = shop.refund()
    assert refused(shop.vote(asked, "user:flo")) == Reason.VOTER_UNPROVED
    assert states(shop.vote(asked, "user:flo", acr="", auth_time=shop.clock.now, voted_at=shop.clock.now + 1)) == [
        State.PENDING
    ]


def test_who_votes_again_with_better_proof_counts() -> None:
    shop = Shop(pack=PROVED)
    asked = shop.refund()
    assert refused(proved(shop, asked, "user:flo", "pwd")) == Reason.VOTER_UNPROVED
    shop.clock.now += 1
    assert states(proved(shop, asked, "user:flo")) == [State.PENDING]
    assert states(proved(shop, asked, "user:fay")) == [State.GRANTED]
    assert faults(shop) == []


def test_a_vote_that_says_it_is_older_is_no_fresher_for_it() -> None:
    shop = Shop(pack=PROVED)
    asked = shop.refund()
    long_ago = shop.clock.now - AGE_MS - 1
    said = shop.vote(asked, "user:flo", acr="phr", auth_time=long_ago, voted_at=long_ago)
    assert refused(said) == Reason.VOTER_UNPROVED
    shop.clock.now += 50_000
    at_asking = shop.clock.now - 50_000 - AGE_MS
    said = shop.vote(asked, "user:flo", acr="phr", auth_time=at_asking, voted_at=shop.clock.now - 50_000)
    assert refused(said) == Reason.VOTER_UNPROVED  # it came 50 s later than it says it was cast


def test_a_time_ahead_of_the_log_is_no_proof() -> None:
    shop = Shop(pack=PROVED)
    asked = shop.refund()
    assert refused(shop.vote(asked, "user:flo", acr="phr", auth_time=shop.clock.now + 60_001)) == Reason.MALFORMED
    assert refused(shop.vote(asked, "user:flo", acr="phr", auth_time=-1)) == Reason.MALFORMED
    assert refused(shop.vote(asked, "user:flo", acr="p" * 257, auth_time=1)) == Reason.MALFORMED


def test_a_yes_that_was_proved_stays_one_while_others_are_waited_for() -> None:
    shop = Shop(pack=PROVED)
    asked = shop.refund()
    proved(shop, asked, "user:flo", age_ms=AGE_MS)
    shop.clock.now += 40_000
    assert states(proved(shop, asked, "user:fay")) == [State.GRANTED]
    assert faults(shop) == []


def test_a_pack_that_begins_to_ask_for_proof_asks_for_it_of_votes_that_are_held() -> None:
    shop = Shop()
    asked = shop.refund()
    shop.vote(asked, "user:flo")
    shop.push(PROVED, 2)
    waits = only(shop.later(1))
    assert (waits.reason, waits.approval.acr, waits.approval.voters) == (Reason.ASKED_ANEW, ("phr", "phrh"), ())
    assert states(proved(shop, asked, "user:fay")) == [State.PENDING]
    assert states(proved(shop, asked, "user:flo")) == [State.GRANTED]
    assert faults(shop) == []


def of_before(shop: Shop, asked: Intent, by: str) -> bytes:
    """Return a vote as the release before wrote it, which knew of no proof."""
    schema = json.loads((ROOT / "schemas" / "history" / "vote" / "3.avsc").read_text())
    known = vote.decode(shop.voted(asked, by))._asdict()
    said = {field["name"]: known[field["name"]] for field in schema["fields"]} | {"proof": None}
    unsigned = written({**schema, "fields": schema["fields"][:-1]}, said)
    (proof,) = shop.approvers[by].sign_batch("vote", vote_3.FINGERPRINT, [unsigned])
    return vote_3.HEADER + written(schema, {**said, "proof": proof._asdict()})


def written(schema: dict[str, Any], said: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(schema), said)
    return out.getvalue()


def test_a_vote_of_the_release_before_counts_where_no_proof_is_asked_and_nowhere_else() -> None:
    for pack, counts in ((ASKING, True), (PROVED, False)):
        shop = Shop(pack=pack)
        asked = shop.refund()
        shop.send(Topic.VOTES, of_before(shop, asked, "user:flo"))
        said = shop.step()
        assert states(said) == [State.PENDING] if counts else refused(said) == Reason.VOTER_UNPROVED
        assert faults(shop) == []


def by_its_own_word(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Approval, "is_proved", lambda self, acr, auth_age_ms: True)


def whatever_the_way(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        Approval, "is_proved", lambda self, acr, age_ms: not self.auth_age_ms_max or age_ms <= self.auth_age_ms_max
    )


@pytest.mark.parametrize(
    ("plant", "acr", "age_ms", "found"),
    [
        (by_its_own_word, "pwd", 0, "V19: counts `user:flo`, who authenticated by `pwd`"),
        (by_its_own_word, "phr", AGE_MS + 7, "V19: counts `user:flo`, who had authenticated 300007 ms before"),
        (whatever_the_way, "", 0, "V19: counts `user:flo`, who authenticated by ``"),
        (by_its_own_word, "pwd", 0, "V5: what is asked of people is"),
    ],
)
def test_a_desk_that_takes_too_weak_a_proof_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], acr: str, age_ms: int, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    shop = Shop(pack=PROVED)
    asked = shop.refund()
    assert states(proved(shop, asked, "user:flo", acr, age_ms)) == [State.PENDING]
    monkeypatch.undo()
    assert any(each.startswith(found) for each in faults(shop))


def test_the_words_of_a_refusal_are_the_challenge() -> None:
    assert challenge(("phr", "phrh"), AGE_MS) == WANTED
