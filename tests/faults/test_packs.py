"""A failing policy pack never replaces the last good one."""

from collections.abc import Iterator

import pytest

from placet.model.proof import Signer
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.faults import town
from tests.faults.journals import JOURNALS
from tests.faults.stage import Stage, reasons, states
from tests.faults.town import BROKEN_PACK, OPEN_PACK, SHOP_KEY, STRANGER, STRICT_PACK

LIES = {**OPEN_PACK, "tests.yaml": OPEN_PACK["tests.yaml"].replace("effect: permit", "effect: deny")}
"""A pack that loads, and fails its own test."""
REVISION = 5


@pytest.fixture(params=sorted(JOURNALS))
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Yield a stage on which the open pack decides, as revision 5 of its set."""
    made = Stage(make=JOURNALS[request.param]).open()
    digest = town.digest_of_pack(OPEN_PACK)
    made.publish(Topic.POLICIES, town.a_set(made.now, REVISION, digest))
    made.turn()
    yield made
    made.close()


def decides(stage: Stage, files: dict[str, str]) -> None:
    """Hold that a pack decides: now, and after a restart that reads all policies again."""
    for _ in range(2):
        asked = stage.intent(arguments={"amount": 700})
        (said,) = [r for r in stage.ask(asked) if type(r).__name__ == "Verdict"]
        # The open pack grants 700 as asked, the strict one cuts it to 400: the same set says the same digest.
        limited = said.granted_arguments == b'{"amount":400}'
        assert (said.state, limited) == (State.GRANTED, files is STRICT_PACK)
        stage.worker.restart()


def push(stage: Stage, value: bytes) -> list[Reason]:
    stage.publish(Topic.POLICIES, value)
    return reasons(stage.turn())


@pytest.mark.parametrize(("files", "says"), [(BROKEN_PACK, "does not load"), (LIES, "fails its own test")])
def test_a_pack_that_fails_is_refused_and_a_set_that_names_it_too(
    stage: Stage, files: dict[str, str], says: str
) -> None:
    digest = town.digest_of_pack(LIES) if files is LIES else bytes(32)
    stage.publish(Topic.POLICIES, town.a_pack(stage.now, files, digest))
    (refusal,) = stage.turn()
    assert refusal.reason == Reason.MALFORMED
    assert says in refusal.detail
    decides(stage, OPEN_PACK)
    assert push(stage, town.a_set(stage.now, 6, digest)) == [Reason.MALFORMED]
    decides(stage, OPEN_PACK)
    assert push(stage, town.a_set(stage.now, 7, town.digest_of_pack(OPEN_PACK), digest)) == [Reason.MALFORMED]
    decides(stage, OPEN_PACK)
    assert stage.violations() == []


def test_a_broken_set_does_not_bar_the_next_good_one(stage: Stage) -> None:
    assert push(stage, town.a_set(stage.now, 6, bytes(32))) == [Reason.MALFORMED]
    assert push(stage, town.a_set(stage.now, 6, town.digest_of_pack(STRICT_PACK))) == []
    decides(stage, STRICT_PACK)
    assert stage.violations() == []


@pytest.mark.parametrize("revision", [0, REVISION - 1, REVISION])
def test_a_pointer_that_was_overtaken_moves_nothing(stage: Stage, revision: int) -> None:
    value = town.a_set(stage.now, revision, town.digest_of_pack(STRICT_PACK))
    assert push(stage, value) == []
    decides(stage, OPEN_PACK)


@pytest.mark.parametrize("by", [SHOP_KEY, STRANGER])
def test_a_pack_or_a_set_that_no_operator_signed_is_nothing(stage: Stage, by: Signer) -> None:
    now, digest = stage.now, town.digest_of_pack(STRICT_PACK)
    assert push(stage, town.a_pack(now, STRICT_PACK, digest, by)) == [Reason.WRITER_UNPROVED]
    assert push(stage, town.a_set(now, 6, digest, by=by)) == [Reason.WRITER_UNPROVED]
    decides(stage, OPEN_PACK)
    assert stage.violations() == []


def test_what_another_tenant_pushes_and_points_to_is_its_own(stage: Stage) -> None:
    now, digest = stage.now, town.digest_of_pack(STRICT_PACK)
    # Our own good pack is not theirs: their pointer finds nothing under that digest.
    assert push(stage, town.a_set(now, 9, digest, tenant="globex")) == [Reason.MALFORMED]
    assert push(stage, town.a_pack(now, STRICT_PACK, digest, tenant="globex")) == []
    assert push(stage, town.a_set(now, 10, digest, tenant="globex")) == []
    decides(stage, OPEN_PACK)
    assert stage.violations() == []


def test_a_worker_that_dies_between_pack_and_pointer_comes_back_with_both(stage: Stage) -> None:
    stage.publish(Topic.POLICIES, town.a_set(stage.now, 6, town.digest_of_pack(STRICT_PACK)))
    stage.worker.restart()
    assert states(stage.turn()) == []
    decides(stage, STRICT_PACK)
    assert stage.violations() == []


def test_a_pack_that_is_pushed_again_goes_on_deciding_after_a_restart(stage: Stage) -> None:
    digest = town.digest_of_pack(STRICT_PACK)
    assert push(stage, town.a_set(stage.now, 6, digest)) == []
    assert push(stage, town.a_pack(stage.now + 1, STRICT_PACK, digest)) == []
    stage.worker.restart()
    assert reasons(stage.turn()) == []
    decides(stage, STRICT_PACK)
    assert stage.violations() == []


def test_a_set_decides_once_its_packs_are_there_whatever_came_first(stage: Stage) -> None:
    files = {**STRICT_PACK, "pack.yaml": STRICT_PACK["pack.yaml"].replace("version: 1.0.0", "version: 1.0.1")}
    digest = town.digest_of_pack(files)
    assert push(stage, town.a_set(stage.now, 6, digest)) == [Reason.MALFORMED]
    decides(stage, OPEN_PACK)
    assert push(stage, town.a_pack(stage.now, files, digest)) == []
    asked = stage.intent(arguments={"amount": 700})
    for _ in range(2):
        (said,) = [r for r in stage.ask(asked) if type(r).__name__ == "Verdict"]
        assert said.granted_arguments == b'{"amount":400}'
        stage.worker.restart()
        asked = stage.intent(arguments={"amount": 700})
    assert stage.violations() == []


def test_a_set_that_was_overtaken_while_it_waited_decides_nothing(stage: Stage) -> None:
    files = {**STRICT_PACK, "pack.yaml": STRICT_PACK["pack.yaml"].replace("version: 1.0.0", "version: 1.0.1")}
    digest = town.digest_of_pack(files)
    assert push(stage, town.a_set(stage.now, 6, digest)) == [Reason.MALFORMED]
    assert push(stage, town.a_set(stage.now, 7, town.digest_of_pack(OPEN_PACK))) == []
    assert push(stage, town.a_pack(stage.now, files, digest)) == []
    decides(stage, OPEN_PACK)
    assert stage.violations() == []
