"""Keys as they change while desks decide: rotated without a gap, compromised without a leak, and audited."""

import pytest

from placet.decision.intake import Intake
from placet.errors import Unavailable
from placet.model.codec.intent import Intent
from placet.model.codec.vote import Vote
from placet.model.pinned import KnownKey
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from placet.ports import Rec
from tests.decision.test_halts import audited
from tests.support.world import AGENT, EXECUTOR, TENANT, World, states

FIRST, NEXT = Signer("bot-1", AGENT, b"1" * 32), Signer("bot-2", AGENT, b"2" * 32)
HANDS = Signer("hands-1", EXECUTOR, b"3" * 32)
TENANTS_OWN = Signer("own-1", "user:own", b"4" * 32)
THIEF = Signer("thief-1", AGENT, b"5" * 32)


def asked_with(world: World, signer: Signer, **more: object) -> Intent:
    """Append an intent of the agent's, signed with `signer`'s key, and return it."""
    asked = world.intent(**more)  # type: ignore[arg-type]
    world.send(Topic.INTENTS, world.signed("intent", asked, signer), asked.authority)
    return asked


def answer(world: World, signer: Signer, **more: object) -> tuple[str, int]:
    """Return what is said of an intent signed with `signer`'s key: the kind of answer, and its state or its reason."""
    asked_with(world, signer, **more)
    (said,) = world.step()
    return said.name, said.state if said.name == "verdict" else said.record.reason


GRANTED = ("verdict", State.GRANTED)
UNPROVED, COMPROMISED = ("refusal", Reason.WRITER_UNPROVED), ("refusal", Reason.KEY_COMPROMISED)


def test_a_key_rotated_with_overlap_leaves_no_gap_and_no_leak() -> None:
    """F26."""
    world = World()
    world.put_key(FIRST, "agent")
    assert answer(world, FIRST) == GRANTED
    assert answer(world, NEXT) == UNPROVED
    world.clock.now += 1_000
    begins = world.clock.now + 5_000
    ends = begins + 10_000
    world.put_key(NEXT, "agent", not_before=begins)
    world.put_key(FIRST, "agent", not_after=ends)
    for later, first, second in (
        (0, GRANTED, UNPROVED),
        (5_000 - 2_001, GRANTED, UNPROVED),
        (1, GRANTED, GRANTED),
        (2_000, GRANTED, GRANTED),
        (10_000, GRANTED, GRANTED),
        (2_000, GRANTED, GRANTED),
        (1, UNPROVED, GRANTED),
    ):
        world.clock.now += later
        assert (answer(world, FIRST), answer(world, NEXT)) == (first, second), later
    world.restart()
    world.step()
    assert (answer(world, FIRST), answer(world, NEXT)) == (UNPROVED, GRANTED)
    report = audited(world)
    assert report.clean
    assert report["V15"].checked == 18  # two before, two at each of seven instants, two after the restart


def test_a_compromise_takes_back_what_is_open_and_lets_nothing_in() -> None:
    """F29 of keys: the key of an agent falls while one intent is granted, one waits for people, one is under way."""
    world = World()
    world.put_key(FIRST, "agent")
    world.put_key(NEXT, "agent")
    granted = asked_with(world, FIRST)
    pending = asked_with(world, FIRST, arguments={"amount": 6000})
    begun, other = asked_with(world, FIRST), asked_with(world, NEXT)
    assert states(world.step()) == [State.GRANTED, State.PENDING, State.GRANTED, State.GRANTED]
    world.claim(begun)
    unread = asked_with(world, FIRST)  # appended before anybody said that the key had fallen
    world.clock.now += 10
    world.put_key(FIRST, "agent", compromised_at=world.clock.now - 5)
    said = world.step()
    by_id = {each.record.id: each for each in said}
    assert by_id[granted.id].state is State.REVOKED
    assert (by_id[granted.id].record.reason, by_id[granted.id].record.detail) == (
        Reason.CONTEXT_CHANGED,
        "key `bot-1`",
    )
    assert (by_id[pending.id].state, by_id[pending.id].record.reason) == (State.DENIED, Reason.KEY_COMPROMISED)
    assert (by_id[begun.id].state, by_id[begun.id].record.stop) == (State.CLAIMED, True)
    assert other.id not in by_id
    assert unread.id not in by_id
    assert [each.record.reason for each in said if each.name == "refusal"] == [Reason.KEY_COMPROMISED]
    assert answer(world, FIRST) == COMPROMISED
    assert answer(world, NEXT) == GRANTED
    world.restart()
    world.step()
    assert answer(world, FIRST) == COMPROMISED
    assert audited(world).clean


def test_a_compromise_heard_while_the_desk_was_away_is_heard_before_it_answers() -> None:
    world = World()
    world.put_key(FIRST, "agent")
    granted = asked_with(world, FIRST)
    world.step()
    world.put_key(FIRST, "agent", observed_at=world.clock.now + 1, compromised_at=world.clock.now)
    world.restart()
    assert states(world.step()) == [State.REVOKED]
    assert [each.record.reason for each in world.claim(granted)] == [Reason.CLAIM_UNKNOWN]
    assert audited(world).clean


def test_a_pinned_key_falls_as_one_on_record_does() -> None:
    world = World()
    granted = asked_with(world, world.agent)
    world.step()
    world.put_key(world.agent, "agent", tenant="", compromised_at=world.clock.now)
    assert states(world.step()) == [State.REVOKED]
    assert answer(world, world.agent) == COMPROMISED
    assert granted
    assert audited(world).clean


def test_executors_on_record_claim_and_report() -> None:
    world = World()
    world.put_key(HANDS, "executor")
    asked = world.intent()
    world.ask(asked)
    assert states(world.claim(asked, by=HANDS)) == [State.CLAIMED]
    assert states(world.report(asked, by=HANDS)) == [State.DONE]
    world.clock.now += 1
    world.put_key(HANDS, "executor", compromised_at=world.clock.now)
    again = world.intent()
    world.ask(again)
    assert [each.record.reason for each in world.claim(again, by=HANDS)] == [Reason.KEY_COMPROMISED]
    assert audited(world).clean


def test_an_operator_on_record_grants_mandates_whichever_of_the_two_is_read_first() -> None:
    for late in (False, True):
        world = World()
        world.clock.now += 1
        if not late:
            world.put_key(TENANTS_OWN, "operator")
            world.step()
        signer, world.operator = world.operator, TENANTS_OWN
        world.publish_mandate(status="suspended")
        world.operator = signer
        if late:
            (refused,) = [each for each in world.step() if each.name == "refusal"]
            assert refused.record.reason == Reason.WRITER_UNPROVED
            world.put_key(TENANTS_OWN, "operator")
        (said,) = world.ask(world.intent())
        assert (said.state, said.record.reason) == (State.DENIED, Reason.CHAIN_BROKEN), late
        report = audited(world)
        assert report.clean, report.to_dict()
        world.restart()
        (said,) = world.ask(world.intent())
        assert (said.state, said.record.reason) == (State.DENIED, Reason.CHAIN_BROKEN), late


def test_what_a_thief_of_an_operators_key_said_is_taken_back() -> None:
    world = World()
    granted = world.intent()
    world.ask(granted)
    world.clock.now += 100
    stolen_at = world.clock.now
    signer, world.operator = world.operator, world.second
    world.publish_mandate(id="m2")
    world.put_key(THIEF, "agent", by=world.second)
    world.operator = signer
    by_thief = world.intent(mandate="m2")
    assert states(world.ask(by_thief)) == [State.GRANTED]
    signed_by_thief = asked_with(world, THIEF)
    assert states(world.step()) == [State.GRANTED]
    world.clock.now += 100
    world.put_key(world.second, "operator", tenant="", compromised_at=stolen_at)
    said = {each.record.id: each.state for each in world.step()}
    assert said == {by_thief.id: State.REVOKED, signed_by_thief.id: State.REVOKED}
    assert states(world.claim(granted)) == [State.CLAIMED]
    assert answer(world, THIEF) != GRANTED
    report = audited(world)
    assert report.clean, report.to_dict()


def test_nothing_is_decided_while_context_that_must_be_read_again_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    world.clock.now += 100
    world.put_key(world.operator, "operator", by=world.second, tenant="", compromised_at=world.clock.now - 200)

    def away() -> list[Rec]:
        raise Unavailable("nobody answers")

    with monkeypatch.context() as patched:
        patched.setattr(world.loop._feed, "again", away)
        for _ in range(2):
            with pytest.raises(Unavailable):
                world.step()
    # What that operator ever said is gone by now: the mandate, and the pack.
    said = world.step()
    assert [each.state for each in said if each.name == "verdict"] == [State.REVOKED]
    assert answer(world, world.agent) == ("verdict", State.DENIED)
    assert audited(world).clean


def test_operators_whose_words_were_too_many_to_remember_are_read_again_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("placet.context.writers.MISSED_MOST", 2)
    monkeypatch.setattr("placet.model.proof.MISSED_MOST", 2)
    world = World()
    world.clock.now += 1
    signer = world.operator
    for number, by in enumerate(
        (Signer("no-1", "user:no", b"6" * 32), Signer("no-2", "user:no", b"7" * 32), TENANTS_OWN)
    ):
        world.operator = by
        world.publish_mandate(id=f"m{number}", status="suspended")
    world.operator = signer
    world.step()
    assert len(world.loop.bureau.keys.missed) == 2
    world.put_key(TENANTS_OWN, "operator")
    (said,) = world.ask(world.intent(mandate="m2"))
    assert said.record.reason == Reason.CHAIN_BROKEN
    assert audited(world).clean


def test_an_approver_on_record_is_known_and_its_key_falls() -> None:
    world, approver = World(), Signer("boss-1", "user:boss", b"7" * 32)
    asked = world.intent(arguments={"amount": 6000})
    world.ask(asked)

    def vote() -> Reason:
        now = world.clock.now
        record = Vote(
            TENANT, asked.authority, asked.id, 1, bytes(32), approver.issuer, True, "", None, now, "", 0, None
        )
        world.send(Topic.VOTES, world.signed("vote", record, approver))
        return Reason(world.step()[0].record.reason)

    assert vote() is Reason.WRITER_UNPROVED
    world.put_key(approver, "approver")
    assert vote() is not Reason.WRITER_UNPROVED
    world.clock.now += 1
    world.put_key(approver, "approver", compromised_at=world.clock.now)
    assert vote() is Reason.KEY_COMPROMISED


def test_a_flood_of_unknown_kids_is_refused_one_by_one_and_nothing_is_verified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()

    def nothing(*_: object) -> None:
        raise AssertionError("a signature was looked at whose key nobody knows")

    world.step()
    for number in range(200):
        asked_with(world, Signer(f"no-{number}", AGENT, b"9" * 32))
    monkeypatch.setattr(KeyRing, "_signed", nothing)
    said = world.step()
    assert [each.record.reason for each in said] == [Reason.WRITER_UNPROVED] * 200


# ----- what an auditor finds of desks that do otherwise


def test_an_auditor_finds_what_was_taken_past_the_time_of_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.put_key(FIRST, "agent", not_after=world.clock.now)
    world.clock.now += 10_000
    monkeypatch.setattr(KnownKey, "covers", lambda *_: True)
    assert answer(world, FIRST) == GRANTED
    report = audited(world)
    assert report["V15"].violated == 1
    assert "which signs from 0 to" in report["V15"].shown[0].text


def test_an_auditor_finds_what_was_taken_and_left_open_under_a_key_that_fell(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.put_key(FIRST, "agent")
    assert answer(world, FIRST) == GRANTED
    monkeypatch.setattr(KeyRing, "fell", lambda *_: None)
    monkeypatch.setattr(KeyRing, "_stands", lambda *_: None)
    world.clock.now += 10
    world.put_key(FIRST, "agent", compromised_at=world.clock.now)
    world.later(1_000)
    assert answer(world, FIRST) == GRANTED
    world.later(1_000)
    # The grant that was left, the record that was taken, and the grant that came of it.
    assert audited(world)["V15"].violated == 3


def test_an_auditor_finds_what_nobodys_key_proves(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.put_key(FIRST, "agent")
    world.step()
    monkeypatch.setattr(KeyRing, "_signed", lambda *_: None)
    forged = Signer("bot-1", AGENT, b"8" * 32)
    assert answer(world, forged) == GRANTED
    report = audited(world)
    assert report["V15"].violated == 1
    assert "the signature of `bot-1` does not cover it" in report["V15"].shown[0].text


def test_an_auditor_finds_keys_put_on_record_by_who_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr("placet.context.writers.KeyRing.verify", lambda *_, **__: AGENT)
    world.put_key(FIRST, "agent", by=world.foreign)
    monkeypatch.setattr("placet.context.writers.Writers._operators", lambda *_: [world.keys.pinned["operator-1"]])
    world.put_key(NEXT, "agent", by=world.foreign)
    assert answer(world, NEXT) == GRANTED
    monkeypatch.undo()
    report = audited(world)
    assert report["V15"].violated == 1
    assert "which nobody put on record" in report["V15"].shown[0].text


def test_an_auditor_finds_who_was_refused_though_its_key_proves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.put_key(FIRST, "agent")
    world.step()
    monkeypatch.setattr(KnownKey, "covers", lambda *_: False)
    assert answer(world, FIRST) == UNPROVED
    report = audited(world)
    assert report["V15"].violated == 1
    assert "its key proves it" in report["V15"].shown[0].text


def test_what_a_desk_reads_asks_for_the_append_time() -> None:
    # A proof without an instant would be taken at any: no reader has a default for it.
    assert all(name in vars(Intake) for name in ("intent", "withdraw", "claim", "outcome", "vote"))
    for name in ("intent", "withdraw", "claim", "outcome", "vote"):
        assert Intake.__dict__[name].__defaults__ is not None
        assert len(Intake.__dict__[name].__defaults__) == 1
