"""The importer, the drive and the score of the shop's runs, on runs made by hand; and on the recorded ones."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from placet.model.reasons import Effect, Reason
from tests.evals.hand import call
from tests.evals.stand import audited
from tests.evals.tables import ANSWERS
from tests.evals.taubench.__main__ import main
from tests.evals.taubench.drive import Driven, drive
from tests.evals.taubench.runs import read_run, read_runs
from tests.evals.taubench.score import score, tables

FIND = call("find_user_id_by_email", {"email": "kim@example.com"}, result="kim_1")
LOST = call("find_user_id_by_email", {"email": "kim@example.org"}, result="Error: user not found", error="not found")
OWN = call("get_order_details", {"order_id": "#W1"}, result=json.dumps({"order_id": "#W1", "user_id": "kim_1"}))
OTHERS = call("get_order_details", {"order_id": "#W2"}, result=json.dumps({"order_id": "#W2", "user_id": "lee_2"}))


def give_back(order: str) -> dict[str, Any]:
    return call("return_delivered_order_items", {"order_id": order, "item_ids": ["7"], "payment_method_id": "card_1"})


def line(*calls: dict[str, Any], reward: float = 1.0) -> str:
    return json.dumps({"reward": reward, "calls": calls})


def decided(folder: Path, *calls: dict[str, Any]) -> list[tuple[Effect, Reason]]:
    (driven,) = drive([read_run(line(*calls), "clerk")], folder)
    return [(each.effect, each.reason) for each in driven.said]


def test_a_file_of_two_runs_is_read_whole(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "retail-clerk.jsonl.gz", "wt") as file:
        file.write(line(FIND, OWN) + "\n" + line(FIND, reward=0.0) + "\n")
    first, second = read_runs(tmp_path)
    assert (first.agent, first.rewarded, len(first.calls)) == ("retail-clerk", True, 2)
    assert (second.agent, second.rewarded, second.calls[0].result) == ("retail-clerk", False, "kim_1")


def test_a_folder_without_runs_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "jsonl.gz" in capsys.readouterr().err


def test_a_customer_who_was_found_changes_what_is_theirs(tmp_path: Path) -> None:
    permitted = (Effect.PERMIT, Reason.PERMITTED)
    assert decided(tmp_path / "data", LOST, FIND, OWN, give_back("#W1")) == [permitted] * 4


def test_nothing_changes_before_anybody_was_found(tmp_path: Path) -> None:
    assert decided(tmp_path / "data", LOST, OWN, give_back("#W1"))[-1] == (Effect.DENY, Reason.OUTSIDE_MANDATE)


def test_nobody_changes_what_is_somebody_elses(tmp_path: Path) -> None:
    assert decided(tmp_path / "data", FIND, OTHERS, give_back("#W2"))[-1] == (Effect.DENY, Reason.RULE_DENIED)


def test_a_change_to_an_order_nobody_looked_up_waits(tmp_path: Path) -> None:
    assert decided(tmp_path / "data", FIND, give_back("#W1"))[-1] == (Effect.DEFER, Reason.FACT_MISSING)


def test_changes_are_counted_by_how_their_run_ended(tmp_path: Path) -> None:
    good = read_run(line(FIND, OWN, give_back("#W1")), "clerk")
    bad = read_run(line(FIND, give_back("#W3"), reward=0.0), "clerk")
    found = score(
        [Driven(run, each.said) for run, each in zip((good, bad), drive((good, bad), tmp_path / "d"), strict=True)]
    )
    tally = found.tallies["clerk"]
    assert (tally.runs, tally.rewarded) == (2, 1)
    assert tally.effects == {"permit": 4, "defer": 1}
    assert [tally.changes[True, answer] for answer in ANSWERS] == [1, 0, 0]
    assert [tally.changes[False, answer] for answer in ANSWERS] == [0, 0, 1]
    assert "| clerk | 1 / 0 / 0 | 0.0 % | 0 / 0 / 1 | 100.0 % |" in tables(found)


def test_the_recorded_runs(recorded: Path, tmp_path: Path) -> None:
    """200 runs with 1,669 calls, 143 of them rewarded, as the data's README counts them; and a floor."""
    found = score(drive(read_runs(recorded / "taubench"), tmp_path / "data", synced=False))
    tally = found.tallies["all"]
    assert (tally.runs, tally.rewarded, sum(tally.effects.values())) == (200, 143, 1669)
    stopped = tally.changes[True, "step_up"] + tally.changes[True, "denied"]
    assert stopped <= 0.01 * sum(tally.changes[True, answer] for answer in ANSWERS)
    assert audited(tmp_path / "data", sample=300).clean
