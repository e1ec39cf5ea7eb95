"""Two versions of a pack side by side on the command line."""

import json
import shutil
from pathlib import Path

import pytest

from tests.architecture.house import ROOT
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]
PAYMENTS = ROOT / "policies" / "payments"


@pytest.fixture
def looser(tmp_path: Path) -> Path:
    pack = Path(shutil.copytree(PAYMENTS, tmp_path / "payments"))
    text = (pack / "rules.yaml").read_text()
    (pack / "rules.yaml").write_text(text.replace("|| authority.risk.level == 'high'", ""))
    return pack


def test_the_same_pack_twice_exits_0(capsys: Caps) -> None:
    said = placet(capsys, "policy", "diff", PAYMENTS, PAYMENTS, "--cases", 300)
    assert (said.code, said.out) == (0, "no answer changes in 300 situations\n")


def test_a_change_exits_3_and_is_told_with_its_rules_and_a_situation(looser: Path, capsys: Caps) -> None:
    said = placet(capsys, "policy", "diff", PAYMENTS, looser, "--cases", 1500)
    assert said.code == 3
    lines = said.out.splitlines()
    assert lines[0] == "rules changed: payments/risk-high"
    assert lines[2].startswith("loosened: deny to permit in ")
    assert lines[2].endswith(" situations: payments/risk-high decides no more")
    assert lines[3].startswith("  given: {")


def test_an_example_is_a_situation_that_explain_takes(looser: Path, tmp_path: Path, capsys: Caps) -> None:
    first = placet(capsys, "policy", "diff", PAYMENTS, looser, "--cases", 1500, "--json").json["changes"][0]
    assert (first["old"]["effect"], first["new"]["effect"], first["loosened"]) == ("deny", "permit", 4)
    file = tmp_path / "situation.yaml"
    file.write_text(json.dumps(first["example"]))
    for pack, effect in ((PAYMENTS, "deny"), (looser, "permit")):
        said = placet(capsys, "policy", "explain", pack, "--file", file, "--json")
        assert said.json["finding"]["effect"] == effect


def test_a_limit_that_is_counted_otherwise_is_told(tmp_path: Path, capsys: Caps) -> None:
    pack = Path(shutil.copytree(PAYMENTS, tmp_path / "payments"))
    text = (pack / "pack.yaml").read_text()
    assert text.count("sliding_s: 86400") == 1
    (pack / "pack.yaml").write_text(text.replace("sliding_s: 86400", "sliding_s: 3600"))
    note = (
        "limit `payments/refunds-a-day` counts over 3600 s instead of 86400 s: what was granted before goes on counting "
        "over 86400 s"
    )
    assert placet(capsys, "policy", "diff", PAYMENTS, pack, "--cases", 100).out.splitlines()[0] == note
    assert placet(capsys, "policy", "diff", PAYMENTS, pack, "--cases", 100, "--json").json["recounted"] == [note]
