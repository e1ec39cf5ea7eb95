"""Bad input: one recorded refusal with its reason, the bytes as they came in quarantine, and the loop goes on."""

from collections.abc import Iterator
from hashlib import sha256

import pytest

from broker import Broker
from placet.model.codec.quarantined import Quarantined
from placet.model.codec.refusal import Refusal
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.faults.journals import JOURNALS, on_kafka
from tests.faults.poison import Bad, bad_context, bad_inputs
from tests.faults.stage import Stage, decoded, states

FAULTY_BELOW = 200
"""Reasons below this number are faults of the record itself (`model.reasons`): its bytes are kept."""
NUMBER = 1 << 70


@pytest.fixture(params=sorted(JOURNALS))
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    made = Stage(partitions=2, make=JOURNALS[request.param]).open()
    yield made
    made.close()


def told(stage: Stage, bad: Bad, place: tuple[int, int]) -> tuple[Refusal, Quarantined | None]:
    """Return the one refusal of a record, and what is kept of it."""
    every = [decoded(rec) for partition in (0, 1) for rec in stage.all(Topic.DECISIONS, partition)]
    kept = [decoded(rec) for partition in (0, 1) for rec in stage.all(Topic.QUARANTINE, partition)]
    cause = (int(bad.topic), *place)
    refusals = [r for r in every if isinstance(r, Refusal)]
    (refusal,) = [r for r in refusals if (r.cause_topic, r.cause_partition, r.cause_offset) == cause]
    found = [q for q in kept if (q.topic, q.partition, q.offset) == cause]
    assert len(found) <= 1
    return refusal, found[0] if found else None


def hold(name: str, stage: Stage, bad: Bad, place: tuple[int, int]) -> None:
    refusal, kept = told(stage, bad, place)
    assert Reason(refusal.reason) is bad.reason, f"{name}: {refusal.detail}"
    assert refusal.detail, name
    assert refusal.raw_digest == sha256(bad.value or b"").digest(), name
    if bad.reason < FAULTY_BELOW:
        assert kept is not None, name
        assert (kept.value, kept.reason, kept.detail) == (bad.value, refusal.reason, refusal.detail), name
    else:
        assert kept is None, name


def hold_the_whole_table(stage: Stage) -> None:
    """Send one of each kind, something good after each, and hold every refusal against the table."""
    table = bad_inputs(stage.now, NUMBER)
    sent: dict[str, tuple[int, int]] = {}
    for name, bad in table.items():
        sent[name] = stage.send(bad.topic, bad.value, misplaced=bad.misplaced)
        assert State.GRANTED in states(stage.ask(stage.intent(session=f"s{len(sent)}"))), f"after {name}"
    for name, bad in table.items():
        hold(name, stage, bad, sent[name])
    assert stage.violations() == []


def test_every_kind_of_bad_input_is_refused_once_and_kept_and_the_loop_goes_on(stage: Stage) -> None:
    hold_the_whole_table(stage)


@pytest.mark.slow
def test_it_is_the_same_on_a_broker(broker: Broker) -> None:
    stage = Stage(partitions=2, make=on_kafka(broker.bootstrap)).open()
    try:
        hold_the_whole_table(stage)
    finally:
        stage.close()


def test_a_batch_of_nothing_but_bad_input_survives_a_restart(stage: Stage) -> None:
    table = bad_inputs(stage.now, NUMBER)
    sent = {name: stage.send(bad.topic, bad.value, misplaced=bad.misplaced) for name, bad in table.items()}
    stage.turn()
    stage.worker.restart()
    assert stage.turn() == []
    for name, bad in table.items():
        hold(name, stage, bad, sent[name])
    assert stage.violations() == []


def test_every_kind_of_bad_context_is_ignored_and_refused_once(stage: Stage) -> None:
    table = bad_context(stage.now)
    sent = {}
    for name, bad in table.items():
        sent[name] = 0, stage.publish(bad.topic, bad.value, bad.key)
        assert states(stage.ask(stage.intent(session=f"s{len(sent)}"))) == [State.GRANTED], f"after {name}"
    stage.worker.restart()
    assert states(stage.ask(stage.intent(session="last"))) == [State.GRANTED]
    for name, bad in table.items():
        hold(name, stage, bad, sent[name])
    assert stage.violations() == []
