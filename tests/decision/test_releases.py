"""A desk of a later release, asked and told by this one: what is written today is read then, and never the other way."""

from collections.abc import Mapping
from typing import Any

import pytest

from placet.errors import Corrupted
from placet.model.codec import intent as intent_codec
from placet.model.codec import watermark, withdraw
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.vote import Vote
from placet.model.codec.watermark import Watermark
from placet.model.codec.withdraw import Withdraw
from placet.model.digests import intent_digest
from placet.model.proof import Signer
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.support.release import ASKED, KNOWN, Change, Release, released, widened
from tests.support.upgraded import Upgraded
from tests.support.world import AGENT, PERSON, TENANT, Decision, World

DESK: Mapping[str, Change] = {"desk_change": widened("partition")}


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """What is written to workers has grown, and what they keep of it."""
    return released(tmp_path_factory.mktemp("later"), {**ASKED, **KNOWN, **DESK})


def only(said: list[Decision]) -> Any:
    assert len(said) == 1
    return said[0].record


def test_a_later_desk_takes_what_this_release_writes(later: Release) -> None:
    world = Upgraded(later)
    asked = world.intent()
    granted = only(world.ask(asked))
    assert granted.state == State.GRANTED
    assert granted[:9] == asked[:9]
    assert granted.intent_digest == intent_digest(intent_codec.encode_unsigned(asked))
    assert only(world.claim(asked)).state == State.CLAIMED
    assert only(world.report(asked)).state == State.DONE
    taken = world.intent()
    world.ask(taken)
    assert only(world.take_back(taken)).state == State.WITHDRAWN


def test_a_later_desk_checks_proofs_over_the_bytes_that_were_signed(later: Release) -> None:
    world = Upgraded(later)
    asked = world.intent()
    signed = world.signed("intent", asked, world.agent)
    world.send(Topic.INTENTS, signed)
    assert only(world.step()).state == State.GRANTED
    forged = world.signed("intent", world.intent(), world.agent)
    grown = later.module("model.codec").decode_any(forged)
    world.send(Topic.INTENTS, later.module("model.codec").BY_NAME["intent"].frame(grown))
    assert only(world.step()).reason == Reason.WRITER_UNPROVED
    mine = Withdraw(TENANT, PERSON, asked.id, asked.attempt, AGENT, "", None)
    unproved = withdraw.frame(mine._replace(proof=withdraw.Proof(AGENT, "ada-1", 0, 1, b"", bytes(64))))
    world.send(Topic.INTENTS, unproved)
    assert only(world.step()).reason == Reason.WRITER_UNPROVED


def test_a_repeat_in_the_version_it_came_in_is_a_repeat_and_in_another_it_is_another_content(later: Release) -> None:
    world = Upgraded(later)
    asked = world.intent()
    world.ask(asked)
    assert world.ask(asked)[0].name == "repeat"
    grown = later.module("model.codec").decode_any(intent_codec.frame(asked))
    world.send(Topic.INTENTS, later.module("model.codec").BY_NAME["intent"].frame(grown))
    assert only(world.step()).reason == Reason.INTENT_ID_REUSED


def test_a_later_desk_names_a_vote_of_this_release(later: Release) -> None:
    world = Upgraded(later)
    record = Vote(TENANT, PERSON, bytes(16), 1, bytes(32), AGENT, True, "", None, world.clock.now, "", 0, None)
    world.send(Topic.VOTES, world.signed("vote", record, world.agent))
    refused = only(world.step())
    assert refused.reason == Reason.WRITER_UNPROVED  # an agent's key is not an approver's: it was read that far


@pytest.mark.parametrize("reads_before", [False, True])
def test_what_is_open_survives_the_upgrade(later: Release, reads_before: bool) -> None:
    world = Upgraded(later if reads_before else None)
    granted, waits = world.intent(), world.intent(arguments={"amount": 6_000})
    world.ask(granted, waits)
    world.upgrade(later)
    world.step()
    assert only(world.claim(granted)).state == State.CLAIMED
    world.upgrade(later)
    world.publish_risk(90)
    stopped, denied = sorted((one.record for one in world.later(1_000)), key=lambda said: said.stop, reverse=True)
    assert (stopped.id, stopped.stop) == (granted.id, True)
    assert (denied.id, denied.state) == (waits.id, State.DENIED)
    assert only(world.report(granted)).state == State.DONE


def test_facts_of_this_release_and_of_a_later_one_are_folded_together(later: Release) -> None:
    world = Upgraded(later)
    world.publish_risk(20)
    world.step()
    codec = later.module("model.codec")
    world.clock.now += 1_000
    risen = codec.risk.Risk(TENANT, AGENT, "siem", 90, world.clock.now, 0, 0, 0, "better")
    world.context(Topic.RISK, codec.risk.frame(risen), f"{TENANT}/{AGENT}/siem")
    assert only(world.ask(world.intent())).state == State.DENIED
    world.clock.now += 1_000
    world.publish_risk(10)
    assert only(world.ask(world.intent())).state == State.GRANTED
    world.publish_principal(AGENT, status="suspended", source="hr")
    revoked, denied = world.ask(world.intent())
    assert (revoked.state, denied.record.reason) == (State.REVOKED, Reason.PRINCIPAL_INACTIVE)
    assert len(world.loop.bureau.poison) == 0


def test_an_id_that_nobody_gave_out_is_unknown_to_both(later: Release) -> None:
    for world in (Upgraded(), Upgraded(later)):
        world.send(Topic.INTENTS, b"\x00\x00\x00\x7f\xff" + intent_codec.encode(world.intent()))
        assert only(world.step()).reason == Reason.SCHEMA_UNKNOWN


@pytest.mark.parametrize("more", [b"\x00", None])
def test_an_older_record_cut_short_or_with_more_behind_it_is_undecodable(later: Release, more: bytes | None) -> None:
    world = Upgraded(later)
    value = intent_codec.frame(world.intent())
    world.send(Topic.INTENTS, value[:-1] if more is None else value + more)
    assert only(world.step()).reason == Reason.UNDECODABLE


def test_what_a_later_release_writes_is_unknown_here_and_nothing_is_granted(later: Release) -> None:
    world = Upgraded()
    grown = later.module("model.codec").decode_any(intent_codec.frame(world.intent()))
    world.send(Topic.INTENTS, later.module("model.codec").BY_NAME["intent"].frame(grown))
    assert only(world.step()).reason == Reason.SCHEMA_UNKNOWN


def test_a_partition_that_a_later_worker_has_served_is_not_taken_back(later: Release) -> None:
    world = Upgraded(later)
    world.ask(world.intent())
    world.upgrade(None)
    with pytest.raises(Corrupted, match=r"expected its framing, found 00000000[0-9a-f]{2}"):
        world.step()


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Only what is written to workers has grown."""
    return released(tmp_path_factory.mktemp("asking"), ASKED)


def test_a_worker_of_this_release_takes_over_what_it_can_read_again(asking: Release) -> None:
    world = Upgraded(asking)
    asked = world.intent()
    world.ask(asked)
    world.upgrade(None)
    assert only(world.claim(asked)).state == State.CLAIMED


def test_a_worker_of_this_release_stops_where_an_intent_of_a_later_one_is_open(asking: Release) -> None:
    world = Upgraded(asking)
    grown = asking.module("model.codec").decode_any(intent_codec.frame(world.intent()))
    world.send(Topic.INTENTS, asking.module("model.codec").BY_NAME["intent"].frame(grown))
    assert only(world.step()).state == State.GRANTED
    world.upgrade(None)
    with pytest.raises(Corrupted, match="a newer one has served here"):
        world.step()


def test_signals_and_watermarks_of_this_release_are_heard(later: Release) -> None:
    world, keys = Upgraded(later), World().keys
    feed = Signer("feed-1", "service:siem", b"f" * 32)
    ring = later.module("model.proof").KeyRing(
        [feed.pinned("feed")._replace(sources=("siem",)), *(known.key for known in keys.pinned.values())]
    )
    said = RiskSignal(TENANT, AGENT, "siem", "e-1", 80, world.clock.now, 0, "seen", None)
    heard = later.module("context.hearing").hear_signal(
        world.signed("risk_signal", said, feed), world.clock.now, ring, 2_000
    )
    assert (heard.score, heard.model) == (80, "")
    world.context(Topic.PRINCIPALS, watermark.frame(Watermark("hr", world.clock.now)), "watermark/hr")
    world.step()
    assert len(world.loop.bureau.poison) == 0
    marks = {(mark.topic, mark.partition): mark.heard_at for mark in world.loop.bureau.marks}
    assert marks[int(Topic.PRINCIPALS), 0] == world.clock.now
