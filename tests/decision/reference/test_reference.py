"""The desk says what a second desk says, written from the design alone, in random histories with crashes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from placet.context.halts import Halts
from placet.decision import ballot
from placet.decision.bulletin import Bulletin
from placet.decision.leases import Leases
from placet.decision.meters import Holdings, Meters
from placet.decision.settled import SettledTable
from placet.decision.sweeps import Sweeps
from placet.model.codec.desk_change import Lease
from placet.model.reasons import State
from tests.decision.reference.__main__ import main, told
from tests.decision.reference.budget import Spent
from tests.decision.reference.history import Difference, play
from tests.decision.reference.model import Model
from tests.decision.reference.scene import Said

HISTORIES, SLICE = 1_500, 300
"""In CI, and as many again whenever somebody asks: `python -m tests.decision.reference`."""
SEEDS_MOST = 1_500
"""Histories within which a planted fault must show."""


@pytest.mark.parametrize("first", range(0, HISTORIES, SLICE))
def test_desk_and_model_say_the_same_in_every_history(first: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--histories", str(SLICE), "--from", str(first)])
    said = capsys.readouterr().out
    assert code == 0, said
    assert f"{SLICE} of {SLICE} histories agree" in said


def test_the_model_knows_nothing_of_what_decides() -> None:
    for name in ("model", "judge", "budget", "known", "lives", "people", "scene"):
        lines = Path(__file__).with_name(f"{name}.py").read_text().splitlines()
        taken = [line for line in lines if line.startswith(("from placet", "import placet"))]
        assert all(line.startswith("from placet.model.reasons import ") for line in taken), taken


def test_histories_come_to_every_state_and_over_every_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    turn, seen = Model.turn, set[str]()

    def watched(self: Model, now: int) -> list[Said]:
        said = turn(self, now)
        seen.update(word for each in said for word in each if isinstance(word, str))
        seen.update(hold[0] for each in said if each[0] == "verdict" for hold in each[9])
        return said

    monkeypatch.setattr(Model, "turn", watched)
    for seed in range(SLICE):
        play(seed)
    assert {state.name for state in State} - seen == {"ASKED"}
    assert {"APPROVED", "REJECTED", "VOTED", "LIMIT_EXCEEDED", "CONTEXT_CHANGED", "OVERLOADED", "LAGGING"} <= seen
    assert {"VOTER_UNPROVED"} <= seen
    limits = {"shop/sum", "shop/many", "shop/gifts", "shop/looks", "shop/exports", "mandate/m1", "mandate/m2"}
    assert limits <= seen


def test_what_was_spent_counts_until_the_end_of_its_part_of_the_window() -> None:
    # An hour has 64 parts of 56,250 ms: what is spent at 10 ms leaves when the last ms of its part is an hour ago.
    spent = Spent(("user:grace", "shop/sum", "authority"), 0, 5, 10, 3600)
    assert spent.counts(56_249 + 3_600_000 - 1)
    assert not spent.counts(56_249 + 3_600_000)


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _holds_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grant holds nothing."""
    monkeypatch.setattr(Holdings, "enter", _nothing)
    monkeypatch.setattr(Holdings, "leave", _nothing)


def _spends_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done is as if it had been released."""
    monkeypatch.setattr(Meters, "spend", _nothing)


def _halts_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A halt stands, and the partition never says so."""
    monkeypatch.setattr(Bulletin, "tell", lambda *_: [])


def _one_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The word of one operator ends a halt."""
    words = Halts._words
    monkeypatch.setattr(Halts, "_words", lambda self, halt: 2 * words(self, halt))


def _restored_without_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restored desk has forgotten what its grants hold."""
    fill = Leases.fill

    def bare(self: Leases, leases: list[Lease]) -> None:
        fill(self, [lease._replace(holds=()) for lease in leases])

    monkeypatch.setattr(Leases, "fill", bare)


def _kept_at_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said in a batch that was not committed is remembered."""
    monkeypatch.setattr(SettledTable, "drop", lambda self: self.keep())


def _silence_unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock moves nothing on."""
    monkeypatch.setattr(Sweeps, "tick", _nothing)


def _change_unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has changed is not decided again."""
    monkeypatch.setattr(Sweeps, "touch", _nothing)


def _votes_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """One yes is as good as two."""
    count = ballot.count

    def twice(*asked: Any) -> Any:
        counted = count(*asked)
        return counted._replace(voters=counted.voters * 2)

    monkeypatch.setattr(ballot, "count", twice)


def _no_unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A no is as if it had not been said."""
    count = ballot.count
    monkeypatch.setattr(ballot, "count", lambda *asked: count(*asked)._replace(rejection=None))


def _votes_lost_in_a_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restored desk has forgotten who said yes."""
    fill = Leases.fill

    def bare(self: Leases, leases: list[Lease]) -> None:
        fill(self, [lease._replace(votes=()) for lease in leases])

    monkeypatch.setattr(Leases, "fill", bare)


PLANTED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    name.removeprefix("_"): plant
    for name, plant in list(globals().items())
    if name.startswith("_") and getattr(plant, "__module__", "") == __name__ and name != "_nothing"
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTED[fault](monkeypatch)
    parted = next((found for seed in range(SEEDS_MOST) if isinstance(found := play(seed), Difference)), None)
    assert parted is not None, f"{fault}: {SEEDS_MOST} histories show nothing"
    assert f"python -m tests.decision.reference --from {parted.seed} --histories 1" in told(parted)
