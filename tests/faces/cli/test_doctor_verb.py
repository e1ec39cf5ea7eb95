"""`placet doctor` and `placet topics diff` as a person runs them: what they say, and how they end."""

import uuid
from pathlib import Path

import pytest

from broker import Broker
from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import ensure_keys
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]


def test_a_cluster_is_examined_laid_out_and_examined_again(
    broker: Broker, tmp_path: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACET_PREFIX", f"{uuid.uuid4().hex[:8]}.")
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    at = ("--bootstrap", broker.bootstrap, "--replicas", 1)
    said = placet(capsys, "topics", "diff", *at, "--json")
    assert said.code == 3
    assert {row["apply"] for row in said.json["differences"]} == {"make"}
    assert placet(capsys, "topics", "apply", *at).code == 0
    assert placet(capsys, "topics", "diff", *at).out == "no difference\n"

    said = placet(capsys, "doctor", *at, "--json")
    assert said.code == 3
    assert [(row["code"], row["where"]) for row in said.json["findings"] if row["grave"]] == [
        ("keys-unreadable", str(tmp_path / "keys.json"))
    ]
    ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", SystemEntropy())
    said = placet(capsys, "doctor", *at)
    assert said.code == 0
    assert said.out.endswith("0 faults, 2 warnings\n")
    assert "warning copies: cluster of 1: 1 copies of each partition; expected 3" in said.out
    (tmp_path / "secrets" / "kek").chmod(0o640)
    said = placet(capsys, "doctor", *at, "--no-clocks")
    assert said.code == 3
    assert f"fault secret-open: {tmp_path}/secrets/kek: mode 0640 lets others read it; expected 0600\n" in said.out
    assert f"  next: chmod 0600 {tmp_path}/secrets/kek" in said.out
    assert placet(capsys, "doctor", *at, "--no-clocks", "--no-secrets").code == 0


def test_a_cluster_that_does_not_answer_is_not_examined(tmp_path: Path, capsys: Caps) -> None:
    said = placet(capsys, "doctor", "--bootstrap", "127.0.0.1:1", "--data", tmp_path)
    assert said.code == 1
    assert said.err.startswith("error: 127.0.0.1:1: ")
