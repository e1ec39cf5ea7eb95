"""`placet bench` prints what was measured beside its target, and its exit code says whether that may be believed."""

from typing import Any

import pytest

from placet.faces import bench
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]
TOLD: dict[str, Any] = {
    "figures": {"embedded_verdicts_s": 15_500, "p99_ms": 12.0},
    "targets": {"embedded_verdicts_s": 15_000, "p99_ms": 10},
    "met": {"embedded_verdicts_s": True, "p99_ms": False},
    "profile_us": {"join": 3.2},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []

    def run(name: str, **how: Any) -> dict[str, Any]:
        calls.append((name, how))
        return TOLD

    monkeypatch.setattr(bench, "run", run, raising=False)
    monkeypatch.delenv("PLACET_BOOTSTRAP", raising=False)
    return calls


def test_json_is_what_was_measured(asked: list[Any], capsys: Caps) -> None:
    said = placet(capsys, "bench", "kafka", "--bootstrap", "h:1", "--json")
    assert (said.code, said.json) == (0, TOLD)
    assert [(name, how["bootstrap"]) for name, how in asked] == [("kafka", "h:1")]


def test_a_missed_target_exits_4_only_when_asked_to(asked: list[Any], capsys: Caps) -> None:
    said = placet(capsys, "bench", "embedded")
    assert said.code == 0
    assert "15500" in said.out
    assert "missed" in said.out
    assert placet(capsys, "bench", "embedded", "--strict").code == 4


def test_figures_whose_audit_is_violated_exit_3(
    asked: list[Any], capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "run", lambda name, **how: {**TOLD, "clean": False})
    assert placet(capsys, "bench", "desk", "--json").code == 3
