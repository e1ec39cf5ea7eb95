"""The results of a pack's tests in every form, and the exit code of a coverage that is too low."""

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.architecture.house import ROOT
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]
PAYMENTS = ROOT / "policies" / "payments"
FAILS = ("effect: permit, because: [quote]", "effect: deny, because: [quote]")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PAYMENTS, tmp_path / "payments"))


def broken(pack: Path) -> Path:
    text = (pack / "tests.yaml").read_text()
    (pack / "tests.yaml").write_text(text.replace(*FAILS))
    return pack


def test_coverage_is_told_by_rule_with_what_was_not_seen_and_its_share(capsys: Caps) -> None:
    said = placet(capsys, "policy", "test", PAYMENTS, "--coverage", "--json")
    coverage = said.json["packs"][0]["coverage"]
    quote = next(one for one in coverage["rules"] if one["rule"] == "payments/quote")
    assert quote == {
        "rule": "payments/quote",
        "line": 3,
        "fired": 1,
        "clauses": [{"text": "actor.risk.score < 70", "true": 1, "false": 0}],
    }
    assert coverage["percent"] == coverage["covered"] * 1000 // coverage["total"] / 10
    told = placet(capsys, "policy", "test", PAYMENTS, "--coverage").out
    assert "never false: actor.risk.score < 70" in told
    assert f"{PAYMENTS}: {coverage['percent']} % covered\n" in told


def test_a_coverage_below_the_least_exits_4(capsys: Caps) -> None:
    assert placet(capsys, "policy", "test", PAYMENTS, "--coverage-min", "80").code == 0
    said = placet(capsys, "policy", "test", PAYMENTS, "--coverage-min", "100")
    assert said.code == 4
    assert said.out.endswith("% covered, expected at least 100 %\n")


def test_junit_is_xml_with_a_case_for_each_test_and_what_differed_in_it(pack: Path, capsys: Caps) -> None:
    said = placet(capsys, "policy", "test", broken(pack), "--format", "junit", "--coverage")
    assert said.code == 4
    suite = ET.fromstring(said.out.encode())[0]
    cases = suite.findall("testcase")
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) == (
        "payments",
        str(len(cases)),
        "1",
        "0",
    )
    (failed,) = [case for case in cases if case.find("failure") is not None]
    failure = failed.find("failure")
    assert failure is not None
    assert failed.get("name") == "a quote is granted and claimed at once"
    assert failure.get("message") == "effect is permit (PERMITTED), expected deny"
    assert [one.get("name") for one in suite.findall("properties/property")] == ["coverage_percent"]


def test_a_pack_that_does_not_load_is_an_error_in_junit(pack: Path, capsys: Caps) -> None:
    (pack / "rules.yaml").write_text("rules: [<&>]\n")
    said = placet(capsys, "policy", "test", pack, "--format", "junit")
    assert said.code == 3
    suite = ET.fromstring(said.out.encode())[0]
    error = suite.find("testcase/error")
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    assert error is not None
    assert "rules.yaml:1:" in str(error.get("message"))


def test_the_tree_shows_every_test(pack: Path, capsys: Caps) -> None:
    said = placet(capsys, "policy", "test", broken(pack), "--format", "tree")
    assert "payments 28 of 29 passed" in said.out
    assert "passed an agent gives back a small amount" in said.out
    assert "failed a quote is granted and claimed at once" in said.out
    assert "effect is permit (PERMITTED), expected deny" in said.out


def test_a_form_nobody_knows_or_two_at_once_are_wrong_usage(capsys: Caps) -> None:
    assert "expected one of tree, json, junit" in placet(capsys, "policy", "test", PAYMENTS, "--format", "tap").err
    assert placet(capsys, "policy", "test", PAYMENTS, "--format", "tree", "--json").code == 2
    assert placet(capsys, "policy", "test", PAYMENTS, "--format", "json").json["packs"][0]["failed"] == 0
