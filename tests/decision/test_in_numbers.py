"""What a desk counts, cuts and lets go of, number by number; and what stands where nothing was said."""

from dataclasses import astuple
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from placet.context.facts import sized
from placet.decision import arrow, ballot, claims, judge, limits, ties, voice
from placet.decision.answer import Answer
from placet.decision.arrow import QUIET, Said
from placet.decision.guidance import Guide
from placet.decision.readings import Readings
from placet.decision.settings import DeskSettings
from placet.decision.settled import slot_of
from placet.decision.tally import Tally
from placet.decision.vault import Lock
from placet.model.case import PrincipalRow
from placet.model.keys import key_of
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from placet.policy.evaluate import PolicySet
from tests.decision.test_desk import only
from tests.decision.test_readings import reading
from tests.policy.packs import case, pack, rule
from tests.support.world import EXECUTOR, PERSON, TENANT, World, states

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


def book_of(world: World) -> Any:
    return world.loop.bureau.places[0].desk.book


def test_a_desk_is_set_to_these_bounds_where_nobody_sets_it() -> None:
    assert astuple(DeskSettings()) == (
        15 * MINUTE, 30 * SECOND, SECOND, MINUTE, 15 * MINUTE, 2_000, 1_000, 10_000, 10_000, 65_536, 10_000, 24 * HOUR
    )  # fmt: skip


def test_an_arrow_carries_nothing_where_nothing_was_said() -> None:
    assert QUIET == Said() == Said("", b"", b"", "", "", "", False)
    assert (arrow.CLOCK.topic, arrow.CLOCK.partition, arrow.CLOCK.offset, arrow.CLOCK.at) == (0, 0, 0, 0)


def test_each_answer_and_each_refusal_is_counted_once() -> None:
    tally = Tally()
    for waited in (5, 7):
        tally.count("shop.refund", Answer(State.DENIED, Effect.DENY, Reason.NO_RULE), waited)
    assert dict(tally.intents) == {"shop.refund": 2}
    assert dict(tally.answers) == {(Effect.DENY, Reason.NO_RULE): 2}
    assert (tally.waits_ms, dict(tally.missing), dict(tally.erred)) == ([5, 7], {}, {})
    world = World()
    asked = world.intent()
    world.ask(asked)
    assert only(world.ask(asked._replace(purpose="another"))).reason == Reason.INTENT_ID_REUSED
    assert dict(book_of(world).tally.refused) == {Reason.INTENT_ID_REUSED: 1}


def test_a_refusal_stands_under_the_key_of_what_was_asked() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    start = world.memory.end(Topic.DECISIONS, 0)
    world.ask(asked._replace(purpose="another"))
    refusal, *_ = world.memory.read(Topic.DECISIONS, 0, start, 500, 0)
    assert refusal.key == key_of(TENANT, PERSON)


def test_what_has_ended_is_open_under_no_key() -> None:
    world = World()
    world.step()
    key = key_of(TENANT, PERSON)
    load = book_of(world).leases.load
    assert load.of(key) is None
    first, second = world.intent(), world.intent("shop.refund", {"amount": 6_000})
    assert states(world.ask(first, second)) == [State.GRANTED, State.PENDING]
    assert load.of(key) == [0, 1, 1]
    world.claim(first)
    assert load.of(key) == [0, 1, 1]
    world.report(first, State.DONE)
    assert load.of(key) == [0, 1, 0]
    world.take_back(second)
    assert load.of(key) is None


def test_a_text_from_outside_is_cut_where_it_is_too_long() -> None:
    assert (claims.DETAIL_MAX, judge.DETAIL_MAX, voice.DETAIL_MAX) == (256, 256, 400)
    assert "user:kim" not in limits.NOBODY
    assert (ties.NEAR, limits.TIES_MOST, voice.FINDINGS_MOST, voice.SLICE) == (80, 10_000, 10_000, 64)


def test_an_odd_number_of_readings_is_halved_downwards() -> None:
    readings = Readings(most=5)
    for number in range(5):
        readings.put(reading(number))
    assert [number for number in range(5) if readings.get(b"%d" % number) is not None] == [2, 3, 4]


def test_the_turning_points_of_a_plan_are_looked_for_once() -> None:
    plans = [PolicySet.of([pack(rule("a"), name=name)]).plan("pay.refund") for name in ("one", "two")]
    guide = Guide()
    first, second = (guide._of(plan) for plan in plans if plan is not None)
    assert first is not second
    assert [guide._of(plan) for plan in plans if plan is not None] == [first, second]


def test_an_identifier_that_is_none_is_named_in_its_refusal() -> None:
    world = World()
    for name, value in (("action", "shop look"), ("resource", ""), ("session", "a b"), ("audience", "x\ny")):
        more: dict[str, Any] = {name: value}
        said = only(world.ask(world.intent(**more)))
        assert said.reason == Reason.MALFORMED
        assert f"intent.{name}" in said.detail


def row(name: str, **more: Any) -> PrincipalRow:
    """Return what is known of somebody who is active, in no group and owned by nobody."""
    known: dict[str, Any] = {
        "key": "", "id": name, "kind": "user", "status": "active", "active": True, "owner": None, "groups": (),
        "attributes": {}, "capabilities": frozenset(), "observed_at": 0, "partition": 0, "facts": (),
    }  # fmt: skip
    return PrincipalRow(**{**known, **more})


ASKED = case({"actor": {"owner": "user:mo"}}, chain=["user:kim", "user:lee", "agent:ada"])
AMONG = ("group:law", "user:su*")


@pytest.mark.parametrize(
    ("voter", "known", "eligible", "fault"),
    [
        ("user:sue", row("user:sue"), AMONG, None),
        ("user:flo", row("user:flo", groups=("law",)), AMONG, None),
        ("agent:ada", row("agent:ada"), AMONG, "`agent:ada` is the actor: who asks or answers for it does not vote"),
        ("user:kim", row("user:kim"), AMONG, "`user:kim` is the authority: who asks or answers for it does not vote"),
        ("user:lee", row("user:lee"), AMONG,
         "`user:lee` is a delegator between them: who asks or answers for it does not vote"),
        ("user:mo", row("user:mo"), AMONG, "`user:mo` is the owner of the actor: who asks or answers for it does not vote"),
        ("agent:x", row("agent:x", owner="user:kim"), AMONG,
         "`agent:x` is owned by `user:kim`, who is the authority: who asks or answers for it does not vote"),
        ("user:sue", None, AMONG, "`user:sue` is not a known principal"),
        ("user:sue", row("user:sue", status="suspended", active=False), AMONG, "`user:sue` is suspended"),
        ("user:flo", row("user:flo"), AMONG, "`user:flo` is not among those who are asked: group:law, user:su*"),
        ("user:flo", row("user:flo"), (), "`user:flo` is not among those who are asked: nobody"),
    ],
)  # fmt: skip
def test_why_a_vote_does_not_count(
    voter: str, known: PrincipalRow | None, eligible: tuple[str, ...], fault: str | None
) -> None:
    found = ballot.fault_of(voter, known, eligible, ASKED)
    assert (found and found[1]) == fault


def test_a_claim_under_another_context_says_what_the_rules_say_now() -> None:
    world = World(settings=DeskSettings(sweep_most=1))
    first, second = world.intent(), world.intent()
    world.ask(first, second)
    world.publish_risk(90)
    # One lease is decided again before the claim, so that the claim itself meets the new score.
    swept, claimed = world.claim(second)
    assert (swept.record.id, claimed.record.id) == (first.id, second.id)
    assert (claimed.state, claimed.record.reason) == (State.REVOKED, Reason.CONTEXT_CHANGED)
    assert claimed.record.detail == "rule_denied"


def test_a_session_keeps_the_worst_that_came_back_to_it() -> None:
    world = World()
    for origin, sensitivity in (("external", "internal"), ("internal", "restricted")):
        asked = world.intent()
        world.ask(asked)
        world.claim(asked)
        world.report(asked, origin=origin, sensitivity=sensitivity)
    (session,) = book_of(world).sessions.values()
    # Of three origins the last, of four labels the last.
    assert (session.origin, session.rank) == (2, 3)


def test_what_an_open_intent_asked_is_not_read_twice() -> None:
    world = World()
    asked = world.intent()
    world.ask(asked)
    desk = world.loop.bureau.places[0].desk
    lease = desk.book.leases.open[slot_of(key_of(TENANT, PERSON), asked.id, asked.attempt)]
    assert desk.questions.recall(lease) is desk.book.readings.get(lease.slot)


def test_a_claim_under_a_halt_is_refused_for_good() -> None:
    world = World()
    asked = world.intent(audience="")
    world.ask(asked)
    world.halt(f"tool/{EXECUTOR}")
    (said,) = [one.record for one in world.claim(asked) if one.name == "refusal"]
    assert (said.reason, said.retry_after_ms) == (Reason.HALTED, 0)
    assert judge.SAMPLE == 4


def test_a_data_key_is_of_the_tenant_before_the_first_slash() -> None:
    lock = Lock(b"acme/team/user:grace", AESGCM(bytes(32)), bytes(16), bytes(32))
    assert lock.owner == sized(b"acme") + sized(b"team/user:grace")
