"""Every step of a log's writing under every fault: no state from which it does not go on, no leaf lost, none twice."""

from pathlib import Path

import pytest

from tests.drivers.ledger.faulty import records, story

ROUNDS = [1, 3, 255, 2, 300]
RECS = records(sum(ROUNDS) + 5)
MODES = ["failed", "kept", "killed", "killed after"]


@pytest.mark.slow
@pytest.mark.parametrize("power", [False, True], ids=["process", "power"])
@pytest.mark.parametrize("mode", MODES)
def test_no_fault_leaves_a_log_that_cannot_go_on(mode: str, power: bool, tmp_path: Path) -> None:
    at = 0
    while (steps := story(tmp_path / str(at), RECS, ROUNDS, at, mode, power)) < 0:
        at += 1
    # The first story without a fault is the one whose fault lay past its end: every step had its turn.
    assert at == steps > 100
