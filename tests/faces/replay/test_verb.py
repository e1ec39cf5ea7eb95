"""`placet replay` at the command line: its exit codes, its bookmark, and partitions side by side."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from placet import wiring
from placet.drivers.settings import Settings
from placet.faces.bench import company
from placet.faces.bench.packs import RULES
from placet.faces.bench.workload import Workload
from placet.faces.cli.app import main
from placet.faces.cli.place import Place
from placet.faces.replay import jobs
from placet.faces.replay.same import Range
from placet.model.topics import Topic

INTENTS = 60


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what 60 intents came to, in four partitions."""
    folder = tmp_path_factory.mktemp("run")
    stack = wiring.embedded(Settings(data=folder, partitions=4, wal_sync=False))
    try:
        executor = stack.keys.signer("executor")
        now = time.time_ns() // 1_000_000
        company.write(stack.log, stack.keys.signer("operator"), executor.issuer, RULES, now)
        stack.loop.step(0)
        wave = Workload(4, executor, reported=True, first=50).wave(INTENTS, now)
        for topic, messages in (
            (Topic.INTENTS, wave.intents),
            (Topic.OUTCOMES, wave.claims),
            (Topic.OUTCOMES, wave.outcomes),
        ):
            for partition, batch in messages.items():
                stack.log.append(topic, partition, batch)
            while stack.loop.step(0):
                pass
    finally:
        stack.close()
    return folder


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["replay", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_folder_comes_out_the_same_by_one_process_and_by_several(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, alone = told(capsys, "--data", str(journal), "--jobs", "1")
    assert (code, alone["clean"], alone["partitions"]) == (0, True, 4)
    assert alone["same"] == alone["verdicts"] > INTENTS
    assert told(capsys, "--data", str(journal), "--jobs", "2") == (0, alone)


def test_what_is_asked_of_one_partition_is_of_that_one(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = told(capsys, "--data", str(journal), "--jobs", "1")[1]["verdicts"]
    parts = [
        told(capsys, "--data", str(journal), "--jobs", "1", "--partition", str(number))[1]["verdicts"]
        for number in range(4)
    ]
    assert (sum(parts), min(parts) > 0) == (whole, True)


def test_a_replay_goes_on_from_its_bookmark(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    words = ("--data", str(journal), "--jobs", "1", "--resume", str(mark))
    run, begun = jobs.SameJob.run, list[int]()

    def stopped(self: jobs.SameJob, partition: int, *rest: Any) -> dict[str, Any]:
        if partition == 2:
            raise KeyboardInterrupt
        begun.append(partition)
        return run(self, partition, *rest)

    monkeypatch.setattr(jobs.SameJob, "run", stopped)
    code, said = told(capsys, *words)
    assert (code, said["error"]) == (1, "interrupted before its end: nothing is said of the rest")
    assert set(json.loads(mark.read_text())["partitions"]) == {"0", "1"}
    monkeypatch.setattr(jobs.SameJob, "run", run)
    assert told(capsys, *words) == told(capsys, "--data", str(journal), "--jobs", "1")
    assert begun == [0, 1]


def test_a_bookmark_of_another_replay_is_refused(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = tmp_path / "mark"
    assert told(capsys, "--data", str(journal), "--jobs", "1", "--resume", str(mark))[0] == 0
    code, said = told(capsys, "--data", str(journal), "--since", "5", "--resume", str(mark))
    assert (code, said["error"].endswith("is of another replay: `range` differ")) == (2, True)
    mark.write_text("no JSON")
    assert told(capsys, "--data", str(journal), "--resume", str(mark))[0] == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "yesterday"), "--since: `yesterday`: expected ms since 1970"),
        (("--since", "9", "--until", "8"), "--until: lies before --since"),
        (("--partition", "4"), "--partition: 4: expected 0 to 3"),
    ],
)
def test_what_does_not_fit_is_wrong_usage(
    journal: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    code, said = told(capsys, "--data", str(journal), *words)
    assert (code, said["error"].startswith(says)) == (2, True)


def test_a_time_and_its_milliseconds_are_the_same_instant() -> None:
    from placet.faces.cli.replay import instant_ms

    assert instant_ms("2026-11-27T12:00:00Z", "--since") == instant_ms("2026-11-27T12:00:00", "--since")
    assert instant_ms("2026-11-27T12:00:00Z", "--since") == 1_795_780_800_000


def test_a_fault_ends_with_exit_code_3(
    journal: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("placet.faces.replay.maker.ENGINE", "placet-cel/2")
    code, said = told(capsys, "--data", str(journal), "--jobs", "1")
    assert (code, said["clean"], said["differing"]) == (3, False, 0)
    assert main(["replay", "--data", str(journal), "--jobs", "1"]) == 3
    assert "not decided again: decided by the engine `placet-cel/1" in capsys.readouterr().out


def test_a_job_begins_where_it_was(journal: Path) -> None:
    job = jobs.SameJob(Place(data=journal), Range())
    noted: list[dict[str, Any]] = []
    whole = job.run(0, None, lambda _, part: noted.append(json.loads(json.dumps(part))))
    assert len(noted) > 2
    for part in noted:
        assert job.run(0, part, lambda *_: None) == whole


def test_a_bisect_of_what_nobody_asked_or_never_turned_says_so(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = told(capsys, "--data", str(journal), "--bisect", "ab" * 16)
    assert (code, said["error"]) == (1, f"{'ab' * 16}: no answer to it has a case")
    for words, says in (
        (("--bisect", "xyz"), "--bisect: `xyz`: expected the 32 hex digits of an intent's id"),
        (("--against", "ab" * 16), "--against: only with --bisect"),
        (("--html", "x.html"), "--html: only with --what-if"),
        (("--bisect", "ab" * 16, "--since", "5"), "--bisect: is about two answers: expected no --what-if and no range"),
    ):
        code, said = told(capsys, "--data", str(journal), *words)
        assert (code, said["error"]) == (2, says)
