"""A feed falls silent: what asks then waits or is denied, what was granted before stays as it is until it is heard again."""

import pytest

from placet.model.codec import watermark
from placet.model.codec.watermark import Watermark
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.decision.test_halts import audited
from tests.support.world import PACK, World, states


def careful(otherwise: str) -> dict[str, str]:
    """Return a pack that wants the actor's risk heard within five seconds."""
    head = PACK["pack.yaml"] + f"  - {{fact: actor.risk, heard_ms: 5000, else: {otherwise}}}\n"
    when = 'when: "arguments.amount <= 1000", effect: permit'
    assert when in PACK["rules.yaml"]
    risky = 'when: "arguments.amount <= 1000 && actor.risk.score < 50", effect: permit'
    return {**PACK, "pack.yaml": head, "rules.yaml": PACK["rules.yaml"].replace(when, risky)}


def mark(world: World) -> None:
    world.context(Topic.RISK, watermark.frame(Watermark("siem", world.clock.now)), "watermark/siem")


def heard(otherwise: str) -> World:
    world = World(pack=careful(otherwise))
    world.publish_risk(1)
    mark(world)
    world.step()
    return world


@pytest.mark.parametrize("otherwise", ["defer", "deny"])
def test_a_claim_while_a_feed_is_silent_is_to_be_made_again_and_the_grant_stays(otherwise: str) -> None:
    world = heard(otherwise)
    asked = world.intent()
    assert states(world.ask(asked)) == [State.GRANTED]
    world.clock.now += 8_000
    (refused,) = world.claim(asked)
    assert (refused.name, refused.record.reason) == ("refusal", Reason.CONTEXT_SILENT)
    assert refused.record.retry_after_ms > 0
    mark(world)
    world.step()
    assert states(world.claim(asked)) == [State.CLAIMED]
    assert audited(world).clean


@pytest.mark.parametrize("otherwise", ["defer", "deny"])
def test_what_is_decided_again_while_a_feed_is_silent_is_neither_revoked_nor_stopped(otherwise: str) -> None:
    world = heard(otherwise)
    granted, begun = world.intent(), world.intent()
    world.ask(granted, begun)
    world.claim(begun)
    world.clock.now += 8_000
    world.publish_mandate()
    assert world.step() == []
    assert audited(world).clean


@pytest.mark.parametrize("begun", [True, False])
def test_an_auditor_finds_what_was_revoked_or_stopped_for_silence_alone(
    monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    world = heard("deny")
    asked = world.intent()
    world.ask(asked)
    if begun:
        world.claim(asked)
    monkeypatch.setattr("placet.decision.sweeps.SILENT", None)
    world.clock.now += 8_000
    world.publish_mandate()
    (moved,) = world.step()
    assert (moved.state, moved.record.stop) == ((State.CLAIMED, True) if begun else (State.REVOKED, False))
    assert audited(world)["V5"].violated == 1
