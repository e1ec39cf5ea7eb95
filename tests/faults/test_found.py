"""Faults that the sweep found in placet, each by hand: the story of one is short, and stays."""

import pytest

from placet.decision.settings import DeskSettings
from placet.model.codec import intent, watermark
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.faults import town
from tests.faults.script import Fault, Way
from tests.faults.stage import Stage, reasons, states
from tests.faults.town import SHOP, UNKNOWN_RESOURCE


def test_a_context_record_heard_while_opening_is_refused_though_the_worker_dies_right_after() -> None:
    stage = Stage().open()
    stage.publish(Topic.RISK, town.a_risk(stage.now, "agent:ada", 101))
    # The restore hears the record, the epoch is opened, and the process dies before it has decided anything.
    stage.worker.restart()
    stage.script.arm(Fault("take", Way.BEFORE))
    assert stage.turn() == []
    assert reasons(stage.turn()) == [Reason.MALFORMED]
    assert stage.violations() == []


def test_an_epoch_is_opened_by_an_empty_seal_also_when_the_first_try_is_lost() -> None:
    stage = Stage().open()
    stage.worker.restart()
    stage.script.arm(Fault("commit", Way.LOST))
    stage.turn()
    assert states(stage.ask(stage.intent())) == [State.GRANTED]
    assert [(seal.epoch, seal.seq_to - seal.seq_from) for seal in stage.seals()][-2:] == [(2, 0), (2, 1)]
    assert stage.violations() == []


def test_a_batch_that_fails_before_it_has_begun_takes_nothing_back_of_the_one_before() -> None:
    stage = Stage().open()
    asked = stage.intent()
    assert states(stage.ask(asked)) == [State.GRANTED]
    stage.script.arm(Fault("entropy", Way.LOST))
    assert stage.ask(stage.intent()) == []
    assert states(stage.turn()) == [State.GRANTED]
    stage.worker.restart()
    assert [type(record).__name__ for record in stage.ask(asked)] == ["Repeat"]
    assert stage.violations() == []


def test_a_faulty_watermark_is_refused_once_however_often_a_worker_begins_anew() -> None:
    stage = Stage().open()
    stage.publish(Topic.RISK, watermark.HEADER + b"\x10")
    assert reasons(stage.turn()) == [Reason.UNDECODABLE]
    stage.worker.restart()
    assert stage.turn() == []
    assert stage.violations() == []


def test_an_id_is_not_given_away_while_what_was_done_under_it_is_unknown() -> None:
    stage = Stage().open()
    asked = stage.intent(deadline=stage.now + 5_000)
    stage.ask(asked)
    stage.send(Topic.OUTCOMES, town.a_claim(stage.now, asked, town.digest_of(asked), b"n" * 16))
    assert states(stage.turn()) == [State.CLAIMED]
    assert states(stage.later(7_000)) == [State.UNKNOWN]
    again = asked._replace(purpose="something else", deadline=stage.now + 60_000)
    assert reasons(stage.ask(again)) == [Reason.INTENT_ID_REUSED]
    stage.worker.restart()
    assert reasons(stage.ask(again)) == [Reason.INTENT_ID_REUSED]
    assert stage.violations() == []


def test_an_id_past_its_deadline_is_heard_alike_before_and_after_a_restore() -> None:
    for restarted in (False, True):
        stage = Stage().open()
        asked = stage.intent(action="shop.unheard-of", arguments={}, deadline=stage.now + 5_000)
        assert states(stage.ask(asked)) == [State.DENIED]
        stage.later(5_000)
        if restarted:
            stage.worker.restart()
        again = asked._replace(purpose="something else", deadline=stage.now + 60_000)
        assert states(stage.ask(again)) == [State.DENIED]
        assert stage.violations() == []


def test_a_grant_that_is_its_own_claim_names_who_may_act() -> None:
    stage = Stage().open()
    said = stage.ask(stage.intent(action="shop.look", arguments={}))
    assert [(record.state, record.executor) for record in said] == [(State.CLAIMED, SHOP)]
    assert stage.violations() == []


def test_a_watermark_among_the_policies_is_no_fault_and_a_tombstone_is_refused_once() -> None:
    stage = Stage().open()
    stage.publish(Topic.POLICIES, town.a_watermark(stage.now))
    assert stage.turn() == []
    stage.log.append(Topic.POLICIES, 0, [stage.gone("pack/old")])
    assert [refusal.reason for refusal in stage.turn()] == [Reason.UNDECODABLE]
    assert stage.turn() == []


def test_the_swept_cut_never_goes_back_while_a_sweep_is_under_way() -> None:
    stage = Stage(settings=DeskSettings(sweep_most=1)).open()
    for _ in range(3):
        stage.ask(stage.intent(action="shop.export", arguments={}, resource=UNKNOWN_RESOURCE))
    stage.publish(Topic.SENSITIVITY, town.a_label(stage.now, UNKNOWN_RESOURCE, "internal"))
    before = len(stage.seals())
    assert [states(stage.turn()) for _ in range(4)] == [[State.GRANTED], [State.GRANTED], [State.GRANTED], []]
    cuts = [{(m.topic, m.partition): m.offset for m in seal.swept_cut} for seal in stage.seals()[before - 1 :]]
    assert [cut[Topic.SENSITIVITY, 0] for cut in cuts] == [3, 3, 3, 4]
    assert stage.violations() == []


def test_nothing_is_decided_before_the_whole_context_is_read_also_when_partitions_are_long_in_coming() -> None:
    """As in a group that takes its time: the loop turns, and hears of the context, before it has anything to decide."""
    stage = Stage().open()
    asked = stage.intent()
    stage.send(Topic.INTENTS, intent.frame(asked))
    stage.worker.restart()
    feed, journal = stage.worker.feed, stage.worker.journal
    everything = feed.take
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "assigned", frozenset)
        patch.setattr(journal, "take", lambda most, wait_ms: {})
        # What comes by itself is one record; the rest is there only for who asks to catch up.
        patch.setattr(feed, "take", lambda: stage.all(Topic.PRINCIPALS)[:1])
        stage.turn()
        patch.undo()
        patch.setattr(feed, "take", list)
        patch.setattr(feed, "catch_up", everything)
        assert states(stage.turn()) == [State.GRANTED]
    assert stage.violations() == []
