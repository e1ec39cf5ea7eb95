"""The same verbs on a real broker: topics, a worker and the context as processes, and a cluster that is read back clean."""

import json
import signal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from broker import Broker
from placet.drivers.entropy import SystemEntropy
from placet.drivers.keyfile import ensure_keys
from tests.architecture.house import ROOT
from tests.faces.cli.said import placet
from tests.faces.cli.test_processes import process

Caps = pytest.CaptureFixture[str]


@pytest.mark.slow
def test_a_cluster_is_laid_out_served_asked_and_audited(
    broker: Broker, tmp_path: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACET_PREFIX", "cli.")
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", SystemEntropy())
    at = ("--bootstrap", broker.bootstrap)

    def say(*arguments: object) -> Any:
        return placet(capsys, *arguments, *at)

    made = say("topics", "apply", "--partitions", 2, "--replicas", 1, "--json")
    assert (made.code, len(made.json["made"]), made.json["there"]) == (0, 15, [])
    assert say("topics", "apply", "--partitions", 2, "--replicas", 1, "--json").json["made"] == []
    assert say("topics", "apply", "--partitions", 3, "--replicas", 1).code == 3
    env = {"PLACET_PREFIX": "cli.", "PLACET_METRICS_PORT": "0"}
    with process("worker", *at, "--data", tmp_path, env=env) as (worker, said):
        with urlopen(f"{said['url']}/metrics", timeout=10) as answer:
            assert b"placet_verdicts_total" in answer.read()
        with process("context", *at, "--data", tmp_path, env=env) as (context, _):
            assert say("publish", "principal", "agent:ada").code == 0
            assert say("publish", "risk", "agent:ada", 5).code == 0
            assert say("publish", "risk", "session:s", 5).code == 0
            assert say("policy", "push", ROOT / "policies" / "payments").code == 0
            assert say("policy", "activate", "payments").code == 0
            arguments = json.dumps({"amount": 900, "currency": "EUR"})
            asked = say(
                "submit", "payments.quote", "order/7", "--actor", "agent:ada", "--session", "s", "--arguments", arguments,
                "--audience", "agent:ada", "--wait", "60s", "--json",
            )  # fmt: skip
            assert asked.json["effect"] in {"permit", "defer"}
            shown = say("show", asked.json["id"], "--json")
            assert shown.json["entries"][-1]["record"]["state"] == "claimed"
            assert say("publish", "principal", "user:kim").code == 0
            assert say("publish", "risk", "user:kim", 5).code == 0
            link = ("--from", "user:kim", "--to", "agent:ada", "--resource", "order/*")
            assert say("mandate", "grant", "m", *link, "--action", "payments.*").code == 0
            narrowed = say("mandate", "narrow", "m", "--action", "payments.quote", "--json").json
            assert say("mandate", "show", "m", "--json").json["grants"]["actions"] == ["payments.quote"]
            under = say(
                "submit", "payments.quote", "order/7", "--actor", "agent:ada", "--authority", "user:kim", "--mandate", "m",
                "--session", "s", "--arguments", arguments, "--audience", "agent:ada", "--at-least", narrowed["token"],
                "--wait", "60s", "--json",
            )  # fmt: skip
            assert (under.code, under.json["state"]) == (0, "claimed")
            context.send_signal(signal.SIGTERM)
            assert context.wait(timeout=60) == 0
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
    audited = say("audit", "--json")
    assert (audited.code, audited.json["clean"]) == (0, True)


def test_a_cluster_that_does_not_answer_exits_1(tmp_path: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    ensure_keys(tmp_path / "keys.json", tmp_path / "secrets", SystemEntropy())
    said = placet(capsys, "topics", "apply", "--bootstrap", "127.0.0.1:1")
    assert said.code == 1
    assert said.err.startswith("error: ")
