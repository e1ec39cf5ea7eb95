"""The auditor of a later release: what was written in an older version is read by that version and held to its bytes."""

import base64
from typing import Any

import pytest

from placet.faces.auditor import records
from placet.model import codec
from placet.model.codec import control, intent
from placet.model.codec.control import Control
from placet.model.reasons import State
from placet.model.topics import Topic
from tests.support.release import ASKED, KNOWN, SAID, Release, released, widened
from tests.support.upgraded import Upgraded
from tests.support.world import KEK, World, states

ASKED_AND_KNOWN = {**ASKED, **KNOWN}


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return released(tmp_path_factory.mktemp("later"), ASKED_AND_KNOWN)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A release in which everything that a desk writes has grown as well."""
    return released(tmp_path_factory.mktemp("told"), ASKED_AND_KNOWN, SAID)


def audited(release: Release, world: World) -> Any:
    keys = [
        {
            "kid": pin.kid,
            "issuer": pin.issuer,
            "purpose": pin.purpose,
            "tenant": pin.tenant,
            "sources": list(pin.sources),
            "public": base64.b64encode(pin.public).decode(),
        }
        for pin in (known.key for known in world.keys.pinned.values())
    ]
    return release.module("faces.auditor.audit").audit(world.memory, {"keys": keys}, KEK, drained=True)


def live(world: Upgraded) -> None:
    """Let intents be granted, narrowed, denied, claimed, done, withdrawn and asked again."""
    for amount in (10, 3_000):
        asked = world.intent(arguments={"amount": amount})
        granted = world.ask(asked)[0].record
        assert states(world.claim(asked, granted.granted_digest)) == [State.CLAIMED]
        assert states(world.report(asked, ran=granted.granted_digest)) == [State.DONE]
        assert world.ask(asked)[0].name == "repeat"
    signed = world.intent()
    world.send(Topic.INTENTS, world.signed("intent", signed, world.agent))
    assert states(world.step()) == [State.GRANTED]
    waits, refused = world.intent(arguments={"amount": 6_000}), world.intent(arguments={"amount": 60_000})
    assert states(world.ask(waits, refused)) == [State.PENDING, State.DENIED]
    assert states(world.take_back(waits)) == [State.WITHDRAWN]


@pytest.mark.parametrize("until_then", [False, True])
def test_what_was_decided_before_and_after_an_upgrade_is_found_clean(later: Release, until_then: bool) -> None:
    world = Upgraded(later if until_then else None)
    live(world)
    world.upgrade(later)
    live(world)
    grown = later.module("model.codec").decode_any(intent.frame(world.intent()))
    world.send(Topic.INTENTS, later.module("model.codec").BY_NAME["intent"].frame(grown))
    assert states(world.step()) == [State.GRANTED]
    world.later(2_000)
    report = audited(later, world)
    assert report.clean, report
    assert report["V5"].checked >= 8
    assert report["WRITERS"].checked >= 8


def test_what_this_release_said_is_found_clean_by_one_that_says_more(told: Release) -> None:
    world = Upgraded()
    live(world)
    world.later(2_000)
    report = audited(told, world)
    assert report.clean, report
    assert report["V5"].checked >= 4


@pytest.fixture(scope="module")
def widening(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A release in which a desk writes everything in another version, without a word of its own about it."""
    names = ("verdict", "repeat", "refusal", "halted", "seal", "desk_change", "case")
    return released(tmp_path_factory.mktemp("widened"), dict.fromkeys(names, widened("partition")))


def test_a_worker_that_says_things_in_another_version_goes_on_where_this_one_stopped(widening: Release) -> None:
    world = Upgraded()
    live(world)
    claimed = world.intent()
    world.ask(claimed)
    world.claim(claimed)
    world.upgrade(widening)
    assert states(world.report(claimed)) == [State.DONE]
    live(world)
    world.upgrade(widening)
    live(world)
    world.later(2_000)
    report = audited(widening, world)
    assert report.clean, report
    assert {each for each, count in report.read.items() if count} >= {"verdict", "repeat", "seal", "case"}


def test_an_older_record_is_held_to_the_fingerprint_and_the_bytes_of_its_writer(later: Release) -> None:
    schemas = records.Schemas(later.folder / "schemas")
    world = World()
    asked = world.intent()
    value = world.signed("intent", asked, world.agent)
    record = schemas.open(value)
    assert record.fields["hint"] == "none"
    assert record.fingerprint == intent.FINGERPRINT
    assert record.unsigned == intent.encode_unsigned(asked)
    said = Control("acme", "c", "calendar", "freeze", "on", "", "user:root", 1, 0, None)
    assert schemas.open(control.frame(said)).fields["ticket"] == b"\xff"
    with pytest.raises(records.Unreadable):
        schemas.open(value[:-1])
    with pytest.raises(records.Unreadable, match="no schema has the id 999"):
        schemas.open(b"\x00" + (999).to_bytes(4, "big") + value[5:])


def test_every_codec_of_this_release_is_read_as_it_was_written() -> None:
    schemas = records.Schemas()
    for name, each in codec.BY_NAME.items():
        with pytest.raises(records.Unreadable, match=f"not a `{name}`"):
            schemas.open(each.HEADER)
