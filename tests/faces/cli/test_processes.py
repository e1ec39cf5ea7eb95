"""`placet up` as a process: it says where it is, others find it, it ends when asked, and its folder is usable without it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.faces.cli.said import placet

ENV = {name: value for name, value in os.environ.items() if not name.startswith("PLACET_")}


@contextmanager
def process(*arguments: object, env: Mapping[str, str] | None = None) -> Iterator[tuple["subprocess.Popen[str]", Any]]:
    """Start a verb that runs on, and yield it with the line of JSON it begins with."""
    command = [sys.executable, "-m", "placet.faces.cli", *map(str, arguments), "--json"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**ENV, **(env or {})}
    )
    assert running.stdout is not None
    try:
        line = running.stdout.readline()
        assert line, running.stderr.read() if running.stderr else ""
        yield running, json.loads(line)
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PLACET_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_says_where_it_is_and_ends_in_order_when_asked(number: int, tmp_path: Path) -> None:
    with process("up", "--data", tmp_path, "--port", 0) as (running, said):
        with urlopen(f"{said['url']}/livez", timeout=10) as answer:
            assert json.load(answer) == {"status": "live"}
        assert (tmp_path / "http.json").stat().st_mode & 0o777 == 0o600
        running.send_signal(number)
        assert running.wait(timeout=30) == 0
    assert not (tmp_path / "http.json").exists()


def test_a_folder_has_one_owner_and_the_second_hears_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with process("up", "--data", tmp_path, "--port", 0):
        said = placet(capsys, "up", "--data", tmp_path, "--port", 0)
        assert said.code == 1
        assert said.err.startswith(f"error: {tmp_path}")


def test_a_folder_nobody_serves_is_written_by_a_desk_in_the_verb_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert placet(capsys, "publish", "principal", "agent:ada", "--data", tmp_path).code == 0
    said = placet(capsys, "submit", "a.b", "r/1", "--actor", "agent:ada", "--data", tmp_path, "--json")
    assert (said.code, said.json["reason"]) == (5, "pack_missing")
    assert placet(capsys, "show", said.json["id"], "--data", tmp_path, "--json").json["entries"][0]["name"] == "verdict"
    assert placet(capsys, "audit", "--data", tmp_path).code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "99999"], "should be less than or equal to 65535"),
        (["--host", "0.0.0.0", "--port", "0"], "not loopback"),
    ],
)
def test_settings_that_cannot_be_are_wrong_usage(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = placet(capsys, "up", "--data", tmp_path, *arguments)
    assert said.code == 2
    assert says in said.err
