"""Halts: what they cover is neither granted nor claimed, and two operators take them back."""

import base64
from typing import Any

import pytest

from placet.context.halts import Halt
from placet.faces.auditor.audit import audit
from placet.faces.auditor.report import Report
from placet.model.codec.intent import Intent
from placet.model.proof import Signer
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.support.world import AGENT, EXECUTOR, KEK, PERSON, Decision, World, states

SCOPES = [
    "all",
    "tenant",
    f"authority/{PERSON}",
    f"agent/{AGENT}",
    "action/shop.refund",
    "action/shop.*",
    f"tool/{EXECUTOR}",
]
OTHERS = ["authority/user:alan", "agent/agent:eve", "action/shop.look", "action/bank.*", "tool/service:bank"]


def markers(said: list[Decision]) -> list[tuple[str, bool]]:
    return [(each.record.id, each.record.resumed) for each in said if each.name == "halted"]


def verdicts(said: list[Decision]) -> list[Decision]:
    return [each for each in said if each.name == "verdict"]


def audited(world: World) -> Report:
    pinned = [known.key for known in world.keys.pinned.values()]
    keys = [{**key._asdict(), "public": base64.b64encode(key.public).decode()} for key in pinned]
    return audit(world.memory, {"keys": keys}, KEK)


def purposes(world: World) -> dict[str, list[Signer]]:
    return {
        "operator": [world.operator, world.second, world.bound],
        "executor": [world.executor, world.other],
        "agent": [world.agent],
        "approver": list(world.approvers.values()),
    }


@pytest.mark.parametrize("scope", SCOPES)
def test_what_a_halt_covers_is_denied_revoked_or_told_to_stop(scope: str) -> None:
    world = World()
    granted, begun = world.intent(), world.intent()
    world.ask(granted, begun)
    world.claim(begun)
    world.halt(scope)
    said = world.step()
    assert markers(said) == [("h1", False)]
    moved = {each.record.id: (each.state, each.record.stop) for each in verdicts(said)}
    assert moved == {granted.id: (State.REVOKED, False), begun.id: (State.CLAIMED, True)}
    (answer,) = world.ask(world.intent())
    assert (answer.state, answer.record.reason) == (State.DENIED, Reason.HALTED)
    assert scope in answer.record.detail
    assert audited(world).clean


@pytest.mark.parametrize("scope", OTHERS)
def test_what_a_halt_does_not_cover_goes_on(scope: str) -> None:
    world = World()
    world.halt(scope)
    assert markers(world.step()) == [("h1", False)]
    assert states(world.ask(world.intent())) == [State.GRANTED]
    assert audited(world).clean


def test_a_halt_of_another_tenant_changes_nothing_and_one_of_all_does() -> None:
    world = World()
    world.halt("tenant", tenant="globex")
    world.step()
    assert states(world.ask(world.intent())) == [State.GRANTED]
    world.halt("all", "h2", tenant="globex")
    world.step()
    assert states(world.ask(world.intent())) == [State.DENIED]
    assert audited(world).clean


def test_only_the_word_of_a_second_operator_ends_a_halt() -> None:
    world = World()
    world.halt("tenant")
    world.step()
    world.resume("tenant")
    assert world.step() == []
    world.resume("tenant", observed_at=world.clock.now + 1)
    assert world.step() == []
    assert states(world.ask(world.intent())) == [State.DENIED]
    world.resume("tenant", by=world.second)
    assert markers(world.step()) == [("h1", True)]
    assert states(world.ask(world.intent())) == [State.GRANTED]
    assert audited(world).clean


def test_nobody_takes_back_what_is_not_said_yet() -> None:
    world = World()
    for by in (world.operator, world.second):
        world.resume("tenant", by=by, observed_at=world.clock.now - 1)
    world.halt("tenant")
    world.step()
    assert states(world.ask(world.intent())) == [State.DENIED]


def test_a_resume_of_another_scope_under_the_same_id_takes_back_nothing() -> None:
    world = World()
    world.halt("all")
    for by in (world.second, world.bound):
        world.resume("tenant", by=by)
    world.step()
    assert states(world.ask(world.intent())) == [State.DENIED]


def test_a_halt_ends_at_its_time_and_that_is_said_before_the_next_grant() -> None:
    world = World()
    world.halt("tenant", expires_at=world.clock.now + 5_000)
    world.step()
    world.clock.now += 5_000
    said = world.ask(world.intent())
    assert [each.name for each in said] == ["halted", "verdict"]
    assert states(said[1:]) == [State.GRANTED]
    assert audited(world).clean


def test_a_desk_that_is_opened_again_says_again_what_stands() -> None:
    world = World()
    world.halt("tenant")
    world.step()
    world.restart()
    said = world.step() + world.ask(world.intent())
    assert markers(said) == [("h1", False)]
    assert states(verdicts(said)) == [State.DENIED]
    assert audited(world).clean


@pytest.mark.parametrize(
    ("scope", "by", "reason"),
    [
        ("galaxy", "operator", Reason.MALFORMED),
        ("agent/", "operator", Reason.MALFORMED),
        ("agent/a b", "operator", Reason.MALFORMED),
        ("tenant", "executor", Reason.WRITER_UNPROVED),
        ("all", "bound", Reason.TENANT_MISMATCH),
    ],
)
def test_a_halt_that_nobody_takes_is_refused_once_and_halts_nothing(scope: str, by: str, reason: Reason) -> None:
    world = World()
    world.halt(scope, by=getattr(world, by))
    (refused,) = world.step()
    assert (refused.name, refused.record.reason) == ("refusal", reason)
    assert states(world.ask(world.intent())) == [State.GRANTED]
    assert audited(world).clean


def test_how_fast_a_change_is_heard_is_measured() -> None:
    world = World()
    world.ask(world.intent())
    world.halt("tenant")
    world.later(40)
    tally = world.loop.bureau.places[0].desk.book.tally
    assert (tally.halts_ms, tally.revokes_ms) == ([40], [40])


def test_an_auditor_finds_a_desk_that_overlooks_a_halt(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.ask(world.intent())
    world.halt("tenant")

    def deaf(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr("placet.context.halts.Halts.standing", deaf)
    world.step()
    assert states(world.ask(world.intent())) == [State.GRANTED]
    report = audited(world)
    # The grant, and that the batches since the halt was read do not say it.
    assert report["V9"].violated >= 2


def test_a_halted_tool_claims_nothing_also_where_no_audience_is_named() -> None:
    world = World()
    world.halt(f"tool/{EXECUTOR}")
    world.step()
    asked = world.intent(audience="")
    assert states(world.ask(asked)) == [State.GRANTED]
    (refused,) = world.claim(asked)
    assert (refused.name, refused.record.reason) == ("refusal", Reason.HALTED)
    # The grant is everybody's: another executor still claims it.
    world.publish_principal("service:other", kind="service")
    assert states(world.claim(asked, by=world.other)) == [State.CLAIMED]
    assert audited(world).clean


def test_a_tool_that_is_halted_after_it_claimed_without_an_audience_is_told_to_stop() -> None:
    world = World()
    asked, others = world.intent(audience=""), world.intent(audience="")
    world.publish_principal("service:other", kind="service")
    world.ask(asked, others)
    world.claim(asked)
    world.claim(others, by=world.other)
    world.halt(f"tool/{EXECUTOR}")
    moved = verdicts(world.step())
    assert [(each.record.id, each.state, each.record.stop) for each in moved] == [(asked.id, State.CLAIMED, True)]
    assert audited(world).clean


@pytest.mark.parametrize("late", [False, True])
def test_an_auditor_finds_a_halted_tool_that_claimed_or_was_not_stopped(
    monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    covers = Halt.covers
    monkeypatch.setattr(Halt, "covers", lambda halt, intent, *_: covers(halt, intent, ()))
    monkeypatch.setattr(Halt, "is_of_tool", lambda *_: False)
    world = World()
    asked = world.intent(audience="")
    world.ask(asked)
    if late:
        world.claim(asked)
    world.halt(f"tool/{EXECUTOR}")
    world.step()
    if not late:
        world.claim(asked)
    world.step()
    # What is claimed under the halt, and that it is not stopped once the halt was swept.
    assert audited(world)["V9"].violated >= 1


def handed_on(world: World) -> Intent:
    """Return an intent of an agent that has its mandate from another, which has it from a person."""
    world.publish_principal("user:boss", kind="user")
    world.publish_principal("agent:mid")
    world.publish_mandate(id="root", delegator="user:boss", delegate="agent:mid")
    world.publish_mandate(id="leaf", delegator="agent:mid", parent="root")
    return world.intent(authority="user:boss", mandate="leaf")


@pytest.mark.parametrize("name", ["agent:mid", "user:boss"])
def test_a_halted_agent_halts_all_that_it_handed_on(name: str) -> None:
    world = World()
    granted = handed_on(world)
    world.ask(granted)
    world.halt(f"agent/{name}")
    assert states(verdicts(world.step())) == [State.REVOKED]
    (answer,) = world.ask(handed_on(world))
    assert (answer.state, answer.record.reason) == (State.DENIED, Reason.HALTED)
    assert states(world.ask(world.intent())) == [State.GRANTED]
    assert audited(world).clean


def test_an_auditor_finds_what_was_granted_or_left_held_below_a_halted_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    covers = Halt.covers
    monkeypatch.setattr(Halt, "covers", lambda halt, intent, *_: covers(halt, intent, (AGENT,)))
    world = World()
    world.ask(handed_on(world))
    world.halt("agent/agent:mid")
    world.step()
    assert states(world.ask(handed_on(world))) == [State.GRANTED]
    # What was granted before and is still held, and the grant after it.
    assert audited(world)["V9"].violated == 2


def test_a_halt_under_another_s_key_is_refused_and_the_auditor_counts_it_for_nothing() -> None:
    world = World()
    world.halt("all")
    (first,) = [rec for rec in world.memory.topics[int(Topic.CONTROLS), 0] if rec.value]
    world.memory.topics[int(Topic.CONTROLS), 0].clear()
    world.context(Topic.CONTROLS, first.value, "acme/calendar/freeze")
    (refused,) = world.step()
    assert refused.record.reason == Reason.MALFORMED
    assert states(world.ask(world.intent())) == [State.GRANTED]
    assert audited(world).clean
