"""Which cases are kept, under whose data key."""

import pytest

from placet.model.codec import intent as intent_codec
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.decision.test_halts import audited
from tests.support.world import PERSON, TENANT, Decision, World


def ask_for(world: World, *names: str) -> list[Decision]:
    """Ask once for each authority, under the key of each, in one turn."""
    for name in names:
        world.send(Topic.INTENTS, intent_codec.frame(world.intent(authority=name)), name)
    return world.step()


def holders(world: World) -> set[str]:
    """Return whose data keys lie in the changelog."""
    keys = [rec.key or b"" for rec in world.memory.topics[Topic.DESK, 0]]
    return {key[2:].decode() for key in keys if key.startswith(b"k/")}


def test_an_authority_that_nobody_knows_gets_no_data_key() -> None:
    world = World()
    said = ask_for(world, *(f"user:nobody{number}" for number in range(300)))
    assert {(each.state, each.record.reason) for each in said} == {(State.DENIED, Reason.PRINCIPAL_UNKNOWN)}
    assert {(bool(each.record.set_digest), each.record.commitment) for each in said} == {(True, b"")}
    assert holders(world) == set()
    assert world.memory.end(Topic.CASES, 0) == 0
    ask_for(world, PERSON)
    assert holders(world) == {f"{TENANT}/{PERSON}"}
    report = audited(world)
    assert report.clean
    assert report["V5"].unchecked == {"denied for an authority nobody knew: no case is kept": 300}


def test_what_is_denied_for_an_authority_that_is_known_keeps_its_case() -> None:
    world = World()
    world.publish_principal("user:idle", kind="user", status="suspended")
    (denied,) = ask_for(world, "user:idle")
    assert (denied.state, denied.record.reason) == (State.DENIED, Reason.PRINCIPAL_INACTIVE)
    assert denied.record.commitment != b""
    assert holders(world) == {f"{TENANT}/user:idle"}
    assert audited(world).clean


def test_an_auditor_finds_a_case_that_was_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.publish_principal("user:idle", kind="user", status="suspended")
    monkeypatch.setattr("placet.decision.judge.Judge.keeps_case", lambda *_: False)
    ask_for(world, "user:idle")
    assert audited(world)["V5"].violated == 1
