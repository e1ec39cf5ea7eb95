"""The layout of a pack from the command line: checked, written whole, and nothing written where it is faulty."""

import shutil
from pathlib import Path

import pytest

from tests.architecture.house import ROOT
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "policies" / "payments", tmp_path / "payments"))


def test_the_packs_that_come_with_placet_pass_the_check(capsys: Caps) -> None:
    said = placet(capsys, "policy", "fmt", "--check", ROOT / "policies", "--json")
    assert said.code == 0
    assert {one["state"] for one in said.json["files"]} == {"fine"}
    assert len(said.json["files"]) == 9


def test_a_file_out_of_layout_is_told_by_the_check_and_put_right_without_it(pack: Path, capsys: Caps) -> None:
    right = (pack / "rules.yaml").read_text()
    wrong = right.replace("\n\n  - id: ", "\n\n\n  - id:   ").replace(
        "on: [payments.quote]", "on: [ payments.quote ]   "
    )
    wrong = wrong.replace("effect: permit", "effect:  permit ")
    (pack / "rules.yaml").write_text(wrong)
    assert placet(capsys, "policy", "check", pack).code == 0
    said = placet(capsys, "policy", "fmt", "--check", pack)
    assert (said.code, said.out) == (3, f"{pack}/rules.yaml: would change\n")
    assert (pack / "rules.yaml").read_text() == wrong
    said = placet(capsys, "policy", "fmt", pack)
    assert (said.code, said.out) == (0, f"{pack}/rules.yaml: changed\n")
    assert (pack / "rules.yaml").read_text() == right
    assert sorted(path.name for path in pack.iterdir()) == ["pack.yaml", "rules.yaml", "tests.yaml"]


def test_a_file_that_cannot_be_laid_out_is_left_as_it_is(pack: Path, capsys: Caps) -> None:
    text = (
        (pack / "rules.yaml")
        .read_text()
        .replace("on: [payments.quote]", "on: [payments.quote,  # one\n      payments.x]")
    )
    (pack / "rules.yaml").write_text(text)
    said = placet(capsys, "policy", "fmt", pack)
    assert said.code == 3
    assert said.out.startswith(f"{pack}/rules.yaml:4:1: this comment cannot keep its place")
    assert (pack / "rules.yaml").read_text() == text
