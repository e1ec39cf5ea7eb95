"""What a desk does when there is too much: bounds for each key, and a lag that is said."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from placet.decision.settings import DeskSettings
from placet.model.keys import key_of
from placet.model.reasons import Reason, State
from tests.decision.test_halts import audited
from tests.support.world import PACK, PERSON, TENANT, World, states


@contextmanager
def nobody_reads(world: World) -> Iterator[None]:
    """Append without a turn of the loop."""
    step, world.step = world.step, list  # type: ignore[method-assign]
    try:
        yield
    finally:
        world.step = step  # type: ignore[method-assign]


SMALL = DeskSettings(parked_most=2, pending_most=2, held_most=2)
KINDS = {
    "held": ("shop.refund", {"amount": 10}, State.GRANTED),
    "pending": ("shop.refund", {"amount": 7_000}, State.PENDING),
    "parked": ("shop.export", {}, State.DEFERRED),
}


@pytest.mark.parametrize("kind", KINDS)
def test_past_its_bound_a_key_hears_a_transient_refusal_until_something_ends(kind: str) -> None:
    action, arguments, state = KINDS[kind]
    world = World(settings=SMALL)
    open_ = [world.intent(action, arguments) for _ in range(2)]
    assert states(world.ask(*open_)) == [state, state]
    shed = world.intent("shop.refund", {"amount": 10})
    (refused,) = world.ask(shed)
    said = refused.record
    assert (refused.state, said.reason, said.retry_after_ms) == (State.DENIED, Reason.OVERLOADED, 1_000)
    assert "expected at most 2" in said.detail
    world.take_back(open_[0])
    assert states(world.ask(shed._replace(attempt=2))) == [State.GRANTED]


def test_another_key_is_not_shed() -> None:
    world = World(settings=SMALL)
    world.publish_principal("user:alan", kind="user")
    world.publish_mandate(id="m2", delegator="user:alan")
    world.ask(world.intent(), world.intent())
    asked = world.intent()._replace(authority="user:alan", mandate="m2")
    assert states(world.ask(asked)) == [State.GRANTED]


def test_a_restored_desk_counts_what_it_has_decided_again() -> None:
    world = World(settings=SMALL)
    world.ask(world.intent(), world.intent())
    world.restart()
    world.step()
    assert [each.record.reason for each in world.ask(world.intent())] == [Reason.OVERLOADED]


@pytest.mark.parametrize("stopped", [False, True])
def test_a_restored_desk_counts_what_is_unknown_or_was_told_to_stop(stopped: bool) -> None:
    world = World(settings=SMALL)
    open_ = [world.intent(), world.intent()]
    world.ask(*open_)
    for each in open_:
        world.claim(each)
    if stopped:
        world.halt(f"action/{open_[0].action}", expires_at=world.clock.now + 1_000)
        assert [each.record.stop for each in world.step()[1:]] == [True, True]
        world.later(1_000)
    else:
        assert states(world.later(900_000)) == [State.UNKNOWN, State.UNKNOWN]
    for _ in range(2):
        assert [each.record.reason for each in world.ask(world.intent())] == [Reason.OVERLOADED]
        world.restart()
        world.step()


def test_a_restored_desk_counts_what_is_open_before_it_has_decided_it_again() -> None:
    world = World(settings=replace(SMALL, sweep_most=1))
    world.ask(world.intent(), world.intent())
    world.restart()
    assert [each.record.reason for each in world.ask(world.intent())] == [Reason.OVERLOADED]


def test_a_batch_that_was_not_committed_counts_nothing() -> None:
    world = World(settings=SMALL)
    world.ask(world.intent())
    leases = world.loop.bureau.places[0].desk.book.leases
    (lease,) = leases.open.values()
    key = key_of(TENANT, PERSON)
    assert leases.load.of(key) == [0, 0, 1]
    leases.close(lease.slot)
    assert leases.load.of(key) is None
    leases.drop()
    assert leases.load.of(key) == [0, 0, 1]


# As in the documentation: what is decided how long after it was appended. The bound is 30 s.
LAG = {
    0: (State.GRANTED, Reason.PERMITTED),
    30_000: (State.GRANTED, Reason.PERMITTED),
    30_001: (State.DENIED, Reason.LAGGING),
    59_999: (State.DENIED, Reason.LAGGING),
}


@pytest.mark.parametrize("lag", LAG)
def test_an_intent_read_late_hears_that_the_desk_lags(lag: int) -> None:
    world = World()
    world.step()
    asked = world.intent(deadline=world.clock.now + 60_000)
    with nobody_reads(world):
        world.ask(asked)
    (answer,) = world.later(lag)
    assert (answer.state, answer.record.reason) == LAG[lag]


def test_past_its_deadline_an_intent_is_late_and_nothing_else() -> None:
    world = World()
    world.step()
    asked = world.intent(deadline=world.clock.now + 40_000)
    with nobody_reads(world):
        world.ask(asked)
    (refused,) = world.later(40_000)
    assert (refused.name, refused.record.reason) == ("refusal", Reason.ASKED_TOO_LATE)


def test_a_claim_read_late_leaves_its_grant_and_an_outcome_is_taken_at_any_lag() -> None:
    world = World(settings=DeskSettings(lag_ms_max=2_000))
    begun, waits = world.intent(), world.intent()
    world.ask(begun, waits)
    world.claim(begun)
    with nobody_reads(world):
        world.claim(waits)
    (refused,) = world.later(2_001)
    assert (refused.name, refused.record.reason) == ("refusal", Reason.LAGGING)
    assert refused.record.retry_after_ms == 1_000
    assert states(world.claim(waits)) == [State.CLAIMED]
    with nobody_reads(world):
        world.report(begun)
    assert states(world.later(9_000)) == [State.DONE]


@pytest.mark.parametrize(("lag", "violated"), [(30_000, 0), (30_001, 1)])
@pytest.mark.parametrize("claims", [False, True])
def test_an_auditor_finds_what_was_granted_or_claimed_too_late(claims: bool, lag: int, violated: int) -> None:
    patient = {**PACK, "pack.yaml": PACK["pack.yaml"] + "lease: {lease_ms: 50000}\n"}
    world = World(settings=DeskSettings(lag_ms_max=1_000_000), pack=patient)
    world.step()
    asked = world.intent(deadline=world.clock.now + 60_000)
    with nobody_reads(world):
        world.ask(asked)
    if claims:
        assert states(world.step()) == [State.GRANTED]
        with nobody_reads(world):
            world.claim(asked)
    assert states(world.later(lag)) == [State.CLAIMED if claims else State.GRANTED]
    assert audited(world)["V10"].violated == violated
