"""Packs from the command line: what loads, what is tested, what would be decided."""

import shutil
from pathlib import Path

import pytest

from placet.faces.cli.folders import SHIPPED, pack_folders, shipped
from tests.architecture.house import ROOT
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]
POLICIES = ROOT / "policies"
RULES = """\
rules:
  - id: quote
    on: [payments.quote]
    when: actor.risk.scor < 70
    effect: permit
    because: a quote moves no money
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(POLICIES / "payments", tmp_path / "payments"))


def test_every_shipped_pack_is_checked_and_tested(capsys: Caps) -> None:
    said = placet(capsys, "policy", "check", *POLICIES.iterdir(), "--json")
    assert said.code == 0
    assert {one["name"] for one in said.json["packs"]} >= set(SHIPPED)
    tested = placet(capsys, "policy", "test", POLICIES, "--json")
    assert tested.code == 0
    assert all(one["failed"] == 0 and one["passed"] > 0 for one in tested.json["packs"])


def test_a_fault_is_told_at_its_line_and_column_and_exits_3(pack: Path, capsys: Caps) -> None:
    (pack / "rules.yaml").write_text(RULES)
    for verb in ("check", "test"):
        said = placet(capsys, "policy", verb, pack)
        assert said.code == 3
        assert f"{pack}/rules.yaml:4:" in said.out
    found = placet(capsys, "policy", "check", pack, "--json").json["packs"][0]["faults"]
    assert (f"{pack}/rules.yaml", 4) in [(fault["file"], fault["line"]) for fault in found]


def test_a_failing_test_is_told_at_its_line_and_exits_4(pack: Path, capsys: Caps) -> None:
    text = (pack / "tests.yaml").read_text()
    (pack / "tests.yaml").write_text(text.replace("effect: permit, because: [quote]", "effect: deny, because: [quote]"))
    said = placet(capsys, "policy", "test", pack, "--filter", "a quote is granted")
    line = 1 + text[: text.index("says: a quote is granted")].count("\n")
    assert said.code == 4
    assert said.out.startswith(f"{pack}/tests.yaml:{line}:")
    assert said.out.endswith("payments: 0 passed, 1 failed\n")


def test_a_broken_pack_outweighs_a_failing_test(pack: Path, tmp_path: Path, capsys: Caps) -> None:
    broken = Path(shutil.copytree(pack, tmp_path / "broken"))
    (broken / "rules.yaml").write_text(RULES)
    text = (pack / "tests.yaml").read_text()
    (pack / "tests.yaml").write_text(text.replace("effect: permit", "effect: deny", 1))
    assert placet(capsys, "policy", "test", pack, broken).code == 3
    assert placet(capsys, "policy", "test", broken, pack).code == 3


def test_a_filter_that_meets_no_test_is_wrong_usage(pack: Path, capsys: Caps) -> None:
    assert placet(capsys, "policy", "test", pack, "--filter", "no such words").code == 2


def test_a_folder_without_a_pack_does_not_load(tmp_path: Path, capsys: Caps) -> None:
    said = placet(capsys, "policy", "check", tmp_path)
    assert said.code == 3
    assert "pack.yaml" in said.out


def test_a_file_that_is_no_text_is_told(pack: Path, capsys: Caps) -> None:
    (pack / "rules.yaml").write_bytes(b"rules: \xff")
    said = placet(capsys, "policy", "check", pack)
    assert said.code == 3
    assert "rules.yaml:1:1: byte 7 is not UTF-8" in said.err


def test_the_packs_that_come_with_placet_are_found() -> None:
    assert [shipped(name).name for name in SHIPPED] == list(SHIPPED)
    assert pack_folders([POLICIES]) == sorted(
        folder for folder in POLICIES.iterdir() if (folder / "pack.yaml").exists()
    )


REFUND = """\
given: {risk: RISK, actor: {attributes: {tenure: new}}}
intent: {actor: "agent:ada", action: payments.refund, resource: order/7, arguments: {amount: 4500, currency: EUR}}
"""


def test_one_intent_is_decided_and_nothing_is_stored(tmp_path: Path, capsys: Caps) -> None:
    file = tmp_path / "refund.yaml"
    file.write_text(REFUND.replace("RISK", "10"))
    said = placet(capsys, "decide", file, "--pack", POLICIES / "payments", "--json")
    assert said.code == 0
    assert said.json["effect"] == "constrain"
    assert said.json["granted"] == {"amount": 2000, "currency": "EUR"}
    assert [row["rule"] for row in said.json["rules"]] == ["payments/refund-on-probation"]
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_not_permitted_exits_5_and_says_why(tmp_path: Path, capsys: Caps) -> None:
    file = tmp_path / "refund.yaml"
    file.write_text(REFUND.replace("RISK", "90"))
    said = placet(capsys, "decide", file)
    assert said.code == 5
    assert "deny (rule_denied)" in said.out
    assert "payments/risk-high: no money moves while the risk is high" in said.out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("intent: {action: a.b}\nwhat: 1\n", "situation.yaml:2:1: `what` is not known here"),
        ("given: {risk: 900}\nintent: {action: a.b}\n", "situation.yaml:1:15: `risk`"),
        ("intent: [\n", "not YAML"),
    ],
)
def test_a_faulty_situation_is_told_at_its_place(text: str, says: str, tmp_path: Path, capsys: Caps) -> None:
    file = tmp_path / "situation.yaml"
    file.write_text(text)
    said = placet(capsys, "decide", file)
    assert said.code == 3
    assert says in said.err


def test_explain_shows_each_clause_with_its_value(capsys: Caps) -> None:
    said = placet(capsys, "policy", "explain", POLICIES / "payments", "--test", "a payee we know is paid")
    assert said.code == 0
    assert "permit payments.transfer" in said.out
    assert "true   'known-payee' in resource.categories" in said.out
    assert "actor.risk: known" in said.out


def test_the_schemas_of_placet_hold(capsys: Caps) -> None:
    said = placet(capsys, "schema", "check", "--json")
    assert said.code == 0
    assert said.json["problems"] == []
    assert said.json["modes"]["verdict"] == "full_transitive"


def test_a_schema_that_breaks_what_was_released_exits_3(tmp_path: Path, capsys: Caps) -> None:
    folder = Path(shutil.copytree(ROOT / "schemas", tmp_path / "schemas"))
    file = folder / "outcome.avsc"
    file.write_text(file.read_text().replace('"name": "detail"', '"name": "details"'))
    said = placet(capsys, "schema", "check", folder)
    assert said.code == 3
    assert "outcome.avsc against id 5" in said.out
    assert "differs from id 5" in said.out


def test_a_folder_without_schemas_is_wrong_usage(tmp_path: Path, capsys: Caps) -> None:
    assert placet(capsys, "schema", "check", tmp_path).code == 2
    assert placet(capsys, "schema", "check", tmp_path / "none").code == 2


def test_explain_says_why_not_and_the_smallest_change_that_would(tmp_path: Path, capsys: Caps) -> None:
    file = tmp_path / "refund.yaml"
    file.write_text(REFUND.replace("RISK", "90").replace("4500", "1000000"))
    said = placet(capsys, "policy", "explain", POLICIES / "payments", "--file", file)
    assert said.code == 0
    assert "payments/risk-high says deny: no money moves while the risk is high" in said.out
    assert "all of these together would make it constrain" in said.out
    assert "arguments.amount <= 50000 (it is 1000000)" in said.out
    assert "actor.risk.score <= 39 (it is 90)" in said.out


def test_explain_takes_a_test_by_its_whole_sentence_before_one_that_only_contains_it(pack: Path, capsys: Caps) -> None:
    text = (pack / "tests.yaml").read_text()
    (pack / "tests.yaml").write_text(
        text.replace("says: an agent gives back a small amount", "says: a quote is granted and claimed at once, or not")
    )
    said = placet(capsys, "policy", "explain", pack, "--test", "a quote is granted and claimed at once", "--json")
    assert said.json["action"] == "payments.quote"


def test_the_packs_that_come_with_placet_are_clean_of_lint(capsys: Caps) -> None:
    said = placet(capsys, "policy", "lint", POLICIES, "--strict", "--json")
    assert said.code == 0
    assert [one["found"] for one in said.json["packs"]] == [[], [], []]


def test_lint_exits_3_on_an_error_and_on_a_warning_only_when_strict(pack: Path, capsys: Caps) -> None:
    text = (pack / "rules.yaml").read_text()
    line = 1 + text[: text.index("arguments.amount <= 5000")].count("\n")
    (pack / "rules.yaml").write_text(text.replace("arguments.amount <= 5000 ", "arguments.amount <= 0 "))
    said = placet(capsys, "policy", "lint", pack)
    assert said.code == 3
    assert said.out.startswith(
        f"{pack}/rules.yaml:{line}:11: error never_true: the condition of `payments/refund-small` can never be true\n"
    )
    assert said.out.endswith(f"{pack}: 1 errors, 0 warnings in 18 rules\n")
    (pack / "rules.yaml").write_text(text.replace("on: [payments.quote]", "on: [payments.quote, payments.qoute]"))
    assert placet(capsys, "policy", "lint", pack).code == 0
    assert placet(capsys, "policy", "lint", pack, "--strict").code == 3
