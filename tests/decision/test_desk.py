"""What a desk answers: repeats and reused ids, claims, outcomes, deadlines, chains, silence, and what comes back."""

from typing import Any

import pytest

from placet.decision.settings import DeskSettings
from placet.model import codec
from placet.model.codec import intent as intent_codec
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from tests.decision.test_halts import audited
from tests.support.world import AGENT, EXECUTOR, PACK, PERSON, TENANT, Decision, World, digest_of, states


def only(said: list[Decision]) -> Any:
    assert len(said) == 1, said
    return said[0].record


def reasons(said: list[Decision]) -> list[Reason]:
    return [Reason(each.record.reason) for each in said]


def test_a_repeat_hears_the_first_answer() -> None:
    world = World()
    asked = world.intent()
    first = only(world.ask(asked))
    again = world.ask(asked)
    assert [each.name for each in again] == ["repeat"]
    assert (again[0].record.first_seq, again[0].record.id) == (first.seq, asked.id)


def test_other_content_under_an_id_is_refused_and_kept_aside() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    said = world.ask(asked._replace(purpose="something else"))
    assert reasons(said) == [Reason.INTENT_ID_REUSED]
    assert world.memory.end(Topic.QUARANTINE, 0) == 1


def test_the_same_id_under_another_authority_is_another_intent() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    world.publish_principal("user:alan", kind="user")
    world.publish_mandate(id="m2", delegator="user:alan")
    said = world.ask(asked._replace(authority="user:alan", mandate="m2"))
    assert states(said) == [State.GRANTED]


def test_a_repeat_after_the_deadline_is_late() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    world.later(120_000)
    assert reasons(world.ask(asked)) == [Reason.ASKED_TOO_LATE]


def test_a_deadline_too_far_ahead_is_refused() -> None:
    world = World()
    said = world.ask(world.intent(deadline=world.clock.now + 900_001))
    assert reasons(said) == [Reason.DEADLINE_TOO_FAR]


def test_a_lagging_intent_is_refused_for_now_and_taken_as_the_next_attempt() -> None:
    world = World()
    asked = world.intent()
    world.send(Topic.INTENTS, intent_codec.frame(asked))
    world.clock.now += 30_001
    first = only(world.step())
    assert (first.state, first.reason, first.retry_after_ms) == (State.DENIED, Reason.LAGGING, 1000)
    assert states(world.ask(asked._replace(attempt=2))) == [State.GRANTED]


def test_an_attempt_is_next_only_after_a_transient_refusal_of_the_same_action() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    assert reasons(world.ask(asked._replace(attempt=2))) == [Reason.ATTEMPT_NOT_NEXT]
    lagging = world.intent()
    world.send(Topic.INTENTS, intent_codec.frame(lagging))
    world.clock.now += 30_001
    world.step()
    other = lagging._replace(attempt=2, arguments=b'{"amount":11}')
    assert reasons(world.ask(other)) == [Reason.ATTEMPT_NOT_NEXT]


def test_a_constrained_grant_carries_both_digests_and_what_may_run() -> None:
    world = World()
    asked = world.intent(arguments={"amount": 4000})
    granted = only(world.ask(asked))
    assert (granted.effect, granted.granted_arguments) == (Effect.CONSTRAIN, b'{"amount":1000}')
    assert granted.action_digest == digest_of(asked)
    assert granted.granted_digest == digest_of(asked, {"amount": 1000})
    assert reasons(world.claim(asked)) == [Reason.CLAIM_MISMATCH]
    assert states(world.claim(asked, granted.granted_digest)) == [State.CLAIMED]


def test_the_same_nonce_hears_the_same_answer_and_another_is_refused() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    claimed = only(world.claim(asked))
    assert only(world.claim(asked)).first_seq == claimed.seq
    assert reasons(world.claim(asked, nonce=b"o" * 16)) == [Reason.CLAIM_TAKEN]


def test_only_the_audience_may_claim() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    assert reasons(world.claim(asked, by=world.other)) == [Reason.CLAIM_MISMATCH]
    assert states(world.claim(asked)) == [State.CLAIMED]


def test_a_claim_after_the_lease_finds_nothing() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    world.clock.now += 30_001
    said = world.claim(asked)
    assert states(said) == [State.LAPSED]
    assert said[1].record.reason == Reason.CLAIM_UNKNOWN


def test_a_claim_is_decided_under_the_newest_context() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    world.publish_risk(90)
    said = world.claim(asked)
    assert states(said) == [State.REVOKED]
    assert said[1].record.reason == Reason.CLAIM_UNKNOWN


def test_what_ran_must_be_what_was_granted() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    world.claim(asked)
    assert reasons(world.report(asked, ran=b"x" * 32)) == [Reason.OUTCOME_MISMATCH]
    assert reasons(world.report(asked, nonce=b"o" * 16)) == [Reason.OUTCOME_MISMATCH]
    assert reasons(world.report(asked, by=world.other)) == [Reason.OUTCOME_MISMATCH]
    assert states(world.report(asked)) == [State.DONE]
    assert reasons(world.report(asked)) == [Reason.OUTCOME_UNKNOWN]


def test_what_is_not_unknown_is_not_settled_by_a_person() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    world.claim(asked)
    assert reasons(world.report(asked, by=world.operator)) == [Reason.OUTCOME_MISMATCH]


def test_what_came_back_from_outside_marks_the_session() -> None:
    world = World()
    world.publish_sensitivity("order/7", "internal")
    export = world.intent("shop.export")
    assert states(world.ask(export)) == [State.GRANTED]
    look = world.intent("shop.look", session="s1")
    world.ask(look)
    done = world.report(look, nonce=b"\0" * 16, sensitivity="confidential", origin="external")
    assert states(done) == [State.DONE]
    assert states(world.step()) == [State.REVOKED], "an open lease of the session is decided again"
    tainted = only(world.ask(world.intent("shop.export")))
    assert (tainted.state, tainted.rules) == (State.DENIED, ("shop/export-after-mail",))
    assert states(world.ask(world.intent("shop.export", session="s2"))) == [State.GRANTED]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda w: w.publish_principal(AGENT, status="suspended"), Reason.PRINCIPAL_INACTIVE),
        (lambda w: w.publish_principal(PERSON, kind="user", status="revoked"), Reason.PRINCIPAL_INACTIVE),
        (lambda w: w.publish_mandate(status="suspended"), Reason.CHAIN_BROKEN),
        (lambda w: w.publish_mandate(expires_at=w.clock.now), Reason.CHAIN_BROKEN),
        (lambda w: w.publish_mandate(delegate="agent:other"), Reason.CHAIN_BROKEN),
        (lambda w: w.publish_mandate(delegator="user:other"), Reason.CHAIN_BROKEN),
        (lambda w: w.publish_mandate(parent="m0"), Reason.CHAIN_BROKEN),
        (lambda w: w.publish_mandate(actions=("shop.look",)), Reason.OUTSIDE_MANDATE),
        (lambda w: w.publish_mandate(resources=("invoice/*",)), Reason.OUTSIDE_MANDATE),
        (lambda w: w.publish_principal(EXECUTOR, kind="service", status="suspended"), Reason.PRINCIPAL_INACTIVE),
    ],
)
def test_who_may_not_ask_is_denied_and_an_open_lease_is_revoked(change: Any, reason: Reason) -> None:
    world = World()
    world.ask(world.intent())
    world.clock.now += 1
    change(world)
    assert states(world.step()) == [State.REVOKED]
    denied = only(world.ask(world.intent()))
    assert (denied.state, denied.reason) == (State.DENIED, reason)


def test_unknown_names_are_denied_each_with_its_reason() -> None:
    world = World()
    assert only(world.ask(world.intent(actor="agent:nobody"))).reason == Reason.PRINCIPAL_UNKNOWN
    assert only(world.ask(world.intent(audience="service:nobody"))).reason == Reason.AUDIENCE_UNKNOWN
    assert only(world.ask(world.intent(mandate=""))).reason == Reason.CHAIN_BROKEN
    assert only(world.ask(world.intent("shop.burn"))).reason == Reason.NO_RULE


def test_nothing_is_permitted_before_a_pack_is_active() -> None:
    world = World(pack=PACK)
    world.memory.topics.pop((Topic.POLICIES, 0))
    world.restart()
    assert only(world.ask(world.intent())).reason == Reason.PACK_MISSING


def test_a_new_pack_is_heard_by_open_leases() -> None:
    world = World()
    world.ask(world.intent())
    stricter = {
        **PACK,
        "rules.yaml": PACK["rules.yaml"].replace('amount <= 1000", effect: permit', 'amount <= 9", effect: permit'),
    }
    stricter["tests.yaml"] = PACK["tests.yaml"].replace("amount: 10", "amount: 9")
    world.push(stricter, revision=2)
    assert states(world.step()) == [State.REVOKED]


def test_a_suspension_by_one_source_outranks_another_that_says_active() -> None:
    world = World()
    world.publish_principal(AGENT, status="suspended", source="soc")
    world.clock.now += 5
    world.publish_principal(AGENT, status="active", source="hr")
    assert only(world.ask(world.intent())).reason == Reason.PRINCIPAL_INACTIVE
    world.publish_principal(AGENT, status="active", source="soc")
    assert states(world.ask(world.intent())) == [State.GRANTED]


def test_risk_falls_with_its_half_life_and_never_by_a_late_signal() -> None:
    world = World()
    world.publish_risk(80, half_life_s=60)
    assert only(world.ask(world.intent())).reason == Reason.RULE_DENIED
    world.clock.now += 60_000
    assert states(world.ask(world.intent())) == [State.GRANTED]


def test_only_its_actor_takes_an_intent_back() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    assert reasons(world.take_back(asked, actor="agent:other")) == [Reason.CLAIM_MISMATCH]
    assert states(world.take_back(asked)) == [State.WITHDRAWN]


def test_batches_keep_the_order_outcomes_then_intents() -> None:
    world = World()
    first = world.intent()
    world.ask(first)
    world.send(Topic.INTENTS, intent_codec.frame(world.intent()))
    said = world.claim(first)
    assert states(said) == [State.CLAIMED, State.GRANTED]


def test_every_verdict_with_a_set_for_an_authority_that_is_known_has_a_case_under_its_seq() -> None:
    world = World()
    verdict = only(world.ask(world.intent()))
    (rec,) = world.memory.read(Topic.CASES, 0, 0, 9, 0)
    case = codec.decode_any(rec.value or b"")
    assert (case.seq, case.partition, case.tenant, case.authority) == (verdict.seq, 0, TENANT, PERSON)
    assert verdict.commitment != b""
    assert PERSON.encode() not in case.ciphertext


def test_an_operator_cannot_say_that_what_is_unknown_was_refused() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    world.claim(asked)
    world.later(900_000)
    said = world.report(asked, State.REFUSED, by=world.operator, executor="", nonce=bytes(16))
    assert reasons(said) == [Reason.OUTCOME_MISMATCH]


def test_an_unsigned_withdrawal_takes_back_only_what_may_be_unsigned() -> None:
    signed_only = {**PACK, "pack.yaml": PACK["pack.yaml"].replace("unsigned_intents: true", "unsigned_intents: false")}
    world = World()
    asked = world.intent()
    world.ask(asked)
    world.push(signed_only, revision=2)
    assert reasons(world.take_back(asked))[-1:] == [Reason.CLAIM_UNKNOWN], "revoked with the pack"
    other = World()
    kept = other.intent()
    unsigned = other.intent(id=kept.id)
    proof = other.agent.sign_batch("intent", intent_codec.FINGERPRINT, [intent_codec.encode_unsigned(kept)])[0]
    assert states(other.ask(kept._replace(proof=intent_codec.Proof(*proof)))) == [State.GRANTED]
    assert reasons(other.take_back(unsigned)) == [Reason.WRITER_UNPROVED]


def test_nobody_claims_who_is_not_an_active_principal() -> None:
    world = World()
    asked = world.intent(audience="")
    granted = only(world.ask(asked))
    assert reasons(world.claim(asked, granted.granted_digest, by=world.other)) == [Reason.CLAIM_MISMATCH]
    world.publish_principal(EXECUTOR, kind="service", status="suspended")
    world.clock.now += 1
    assert reasons(world.claim(asked, granted.granted_digest)) == [Reason.CLAIM_MISMATCH]


def test_a_key_of_one_tenant_signs_for_no_other() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    said = world.claim(asked, by=world.foreign)
    assert reasons(said) == [Reason.TENANT_MISMATCH]


def test_the_clock_moves_a_bounded_slice_of_leases_in_a_batch() -> None:
    world = World(settings=DeskSettings(sweep_most=2))
    world.ask(*(world.intent() for _ in range(5)))
    moved = [states(world.later(30_001 if turn == 0 else 0)) for turn in range(3)]
    assert moved == [[State.LAPSED] * 2, [State.LAPSED] * 2, [State.LAPSED]]


@pytest.mark.parametrize("action", ["shop.look", "shop.refund"])
@pytest.mark.parametrize(("root", "leaf", "ends"), [(500, 0, 500), (500, 900, 500), (900, 500, 500), (0, 700, 700)])
def test_a_grant_ends_with_the_first_mandate_of_its_chain(action: str, root: int, leaf: int, ends: int) -> None:
    world = World()
    world.publish_principal("user:boss", kind="user")
    now = world.clock.now
    world.publish_mandate(id="root", delegator="user:boss", delegate=PERSON, expires_at=root and now + root)
    world.publish_mandate(id="leaf", parent="root", expires_at=leaf and now + leaf)
    granted = only(world.ask(world.intent(action, authority="user:boss", mandate="leaf")))
    assert granted.expires_at == now + ends
    assert audited(world).clean
