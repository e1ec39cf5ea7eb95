"""What packs cost, from the command line and as the bench `policy`: every figure that has a target is there."""

import shutil
from pathlib import Path

import pytest

from placet.faces import bench
from placet.faces.bench import policy, report
from tests.architecture.house import ROOT
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]
PAYMENTS = ROOT / "policies" / "payments"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "ROUNDS", 1)
    monkeypatch.setattr(policy, "DECISIONS", 20)


def test_a_pack_is_measured_action_by_action(capsys: Caps) -> None:
    (told,) = placet(capsys, "policy", "bench", PAYMENTS, "--json").json["packs"]
    assert (told["name"], told["rules"], told["failed"]) == ("payments", 18, 0)
    assert told["bytes"] == sum(path.stat().st_size for path in PAYMENTS.iterdir())
    assert told["load_ms"] > 0
    assert set(told["actions"]) == {"payments.quote", "payments.refund", "payments.transfer"}
    for cost in told["actions"].values():
        assert min(cost["decide_us"], cost["explain_ms"], cost["nearest_us"]) > 0
    said = placet(capsys, "policy", "bench", PAYMENTS)
    assert said.code == 0
    assert "payments: 18 rules, " in said.out


def test_a_pack_whose_tests_fail_exits_4_and_one_that_does_not_load_3(tmp_path: Path, capsys: Caps) -> None:
    pack = Path(shutil.copytree(PAYMENTS, tmp_path / "payments"))
    text = (pack / "tests.yaml").read_text()
    (pack / "tests.yaml").write_text(text.replace("effect: permit, because: [quote]", "effect: deny, because: [quote]"))
    said = placet(capsys, "policy", "bench", pack)
    assert said.code == 4
    assert said.out.endswith(", 1 tests failed\n")
    (pack / "rules.yaml").write_text("rules: []\n")
    assert placet(capsys, "policy", "bench", pack).code == 3


def test_the_bench_has_every_figure_with_a_target_and_is_clean_only_when_all_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(policy, "MANY_RULES", 30)
    monkeypatch.setattr(policy, "_large_bytes", lambda: policy.rules_of(3))
    told = bench.run("policy")
    assert told["figures"].keys() >= report.targets()["policy"].keys()
    assert told["clean"]
    assert told["figures"]["refused"] == 4
    monkeypatch.setitem(policy.EXPENSIVE, "cheap after all", "arguments.n > 1")
    again = bench.run("policy")
    assert not again["clean"]
    assert not any(again["met"].values())
    assert again["audits"]["packs"]["violations"] == ["cheap after all: loads, and should be refused"]
