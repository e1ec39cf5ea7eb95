"""Votes that a thief cast, that narrow past a rule, that outlive their wait, or that somebody's own servant gives."""

import pytest

from placet.errors import PlacetError
from placet.faces import pending
from placet.faces.cli import printing, waiting
from placet.faces.cli.verb import Failure
from placet.model.proof import Signer
from placet.model.reasons import Reason, State
from tests.decision.test_halts import audited
from tests.support.votes import ASKING, Shop
from tests.support.world import AGENT, PERSON, states

TESTS = """\
tests:
  - says: a small refund is permitted
    intent: {actor: agent:ada, action: shop.refund, resource: order/7, arguments: {amount: 10, note: n}}
    expect: {effect: permit, because: [small]}
"""
NARROW = """\
rules:
  - {id: small, because: small, on: [shop.refund], when: "arguments.amount <= 5000", effect: permit}
  - {id: people, because: large, on: [shop.refund], when: "arguments.amount > 5000", effect: step_up,
     approval: {quorum: 1, from: ["group:finance"], expires_s: 60}}
  - {id: noted, because: a note is needed, on: [shop.refund], when: "!has(arguments.note)", effect: deny}
  - {id: send, because: list, on: [shop.send], effect: step_up, approval: {quorum: 1, from: ["user:*"], expires_s: 60}}
  - {id: audit, because: audit is always on it, on: [shop.send], when: "!('audit@acme' in arguments.to)", effect: deny}
"""
FLAPPING = """\
rules:
  - {id: small, because: small, on: [shop.refund], when: "arguments.amount <= 5000", effect: permit}
  - {id: people, because: large, on: [shop.refund], when: "arguments.amount > 5000", effect: step_up,
     approval: {quorum: 2, from: ["group:finance"], expires_s: 60}}
  - {id: frozen, because: frozen, on: [shop.refund], when: "has(calendar.freeze) && calendar.freeze == 'on'", effect: defer}
"""


def shop_of(rules: str) -> Shop:
    return Shop(pack=ASKING | {"rules.yaml": rules, "tests.yaml": TESTS})


def test_a_vote_whose_key_is_compromised_before_the_quorum_does_not_count() -> None:
    world = Shop()
    asked = world.refund()
    world.vote(asked, "user:flo")
    world.clock.now += 10
    world.put_key(world.approvers["user:flo"], "approver", tenant="", compromised_at=world.clock.now - 1_000)
    world.step()
    assert states(world.vote(asked, "user:fay")) == [State.PENDING]
    assert states(world.vote(asked, "user:fin")) == [State.GRANTED]
    assert audited(world).clean


@pytest.mark.parametrize("restarted", [False, True])
def test_a_grant_is_revoked_when_the_key_of_a_vote_it_rests_on_falls(restarted: bool) -> None:
    world, key = Shop(), Signer("flo-2", "user:flo", b"F" * 32)
    world.put_key(key, "approver")
    asked = world.refund()
    world.vote(asked, "user:flo", signer=key)
    assert states(world.vote(asked, "user:fay")) == [State.GRANTED]
    world.clock.now += 10
    world.put_key(key, "approver", compromised_at=world.clock.now - 5_000, observed_at=world.clock.now)
    if restarted:
        world.restart()
    assert states(world.step()) == [State.REVOKED]
    assert audited(world).clean


def test_what_a_rule_denies_is_not_granted_because_votes_have_narrowed_to_it() -> None:
    world = shop_of(NARROW)
    asked = world.intent(arguments={"amount": 9_000, "note": "x"})
    assert states(world.ask(asked)) == [State.PENDING]
    assert states(world.vote(asked, "user:flo", arguments={"amount": 9_000})) == [State.DENIED]
    sent = world.intent("shop.send", {"to": ["audit@acme", "bob@evil"], "copies": 1, "text": "t"})
    assert states(world.ask(sent)) == [State.PENDING]
    assert states(world.vote(sent, "user:flo", arguments={"to": ["bob@evil"], "copies": 1, "text": "t"})) == [
        State.DENIED
    ]
    kept = world.intent(arguments={"amount": 9_000, "note": "x"})
    world.ask(kept)
    assert states(world.vote(kept, "user:flo", arguments={"amount": 8_000, "note": "x"})) == [State.GRANTED]
    assert audited(world).clean


def test_a_wait_that_was_deferred_meanwhile_takes_its_votes_along() -> None:
    world = shop_of(FLAPPING)
    asked = world.intent(arguments={"amount": 9_000}, deadline=world.clock.now + 600_000)
    world.ask(asked)
    world.vote(asked, "user:flo")
    world.set_calendar("freeze", "on")
    assert states(world.step()) == [State.DEFERRED]
    world.clock.now += 1_000
    world.set_calendar("freeze", "off")
    (again,) = (one.record for one in world.step() if one.name == "verdict")
    assert (again.state, again.approval.voters) == (State.PENDING, ())
    assert states(world.vote(asked, "user:fay")) == [State.PENDING]
    assert states(world.vote(asked, "user:flo")) == [State.GRANTED]
    assert audited(world).clean


def test_nobody_votes_by_what_they_own() -> None:
    world, bot = Shop(), Signer("bot-1", "agent:bot", b"B" * 32)
    world.put_key(bot, "approver", tenant="")
    world.publish_principal("agent:bot", owner=PERSON, groups=("finance",))
    asked = world.refund()
    world.vote(asked, "user:flo")
    (said,) = world.vote(asked, "agent:bot", signer=bot)
    assert (said.name, said.record.reason) == ("refusal", Reason.VOTER_IN_CHAIN)
    assert said.record.detail.startswith("`agent:bot` is owned by `user:grace`, who is the authority")


def test_two_that_wait_under_one_id_are_not_taken_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Shop()
    world.publish_mandate(id="m2", delegator="user:sue", delegate=AGENT)
    good = world.intent(arguments={"amount": 5_001})
    world.ask(good)
    evil = world.intent(arguments={"amount": 49_999}, id=good.id, mandate="m2", authority="user:sue")
    assert states(world.ask(evil)) == [State.PENDING]
    inbox = pending.Inbox(world.memory)
    inbox.read()
    waits = inbox.waiting(world.clock.now)
    assert len(waits) == 2
    with pytest.raises((Failure, PlacetError), match="2 intents wait under id"):
        waiting.one_of(waits, good.id, like=False)
    (mine,) = waiting.one_of(waits, good.id, like=False, authority=PERSON)
    assert isinstance(mine, pending.Pending)
    assert mine.arguments == {"amount": 5_001}
    said: list[str] = []
    monkeypatch.setattr(printing, "say", said.append)
    monkeypatch.setattr(waiting, "now_ms", lambda: world.clock.now)
    waiting.Told(as_json=False).changes(inbox)
    assert len(said) == 2
