"""The packs in `policies/`: their tests pass, every rule is exercised, and all of it runs as generated Python."""

from pathlib import Path

import pytest

from placet.policy.cases import coverage, run_tests
from placet.policy.contents import Pack
from placet.policy.pack import load_pack

POLICIES = Path(__file__).parents[2] / "policies"
PACKS = {
    folder.name: load_pack(
        {file.name: file.read_text("utf-8") for file in folder.glob("*.yaml")}, f"{folder.name}/", judged=True
    )
    for folder in sorted(POLICIES.iterdir())
    if folder.is_dir()
}
each_pack = pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)


def test_the_three_packs_are_there() -> None:
    assert {"payments", "data_access", "operations"} <= set(PACKS)


@each_pack
def test_a_pack_does_what_its_tests_say(pack: Pack) -> None:
    results = run_tests(pack)
    assert len(results) >= 12
    assert [(result.says, result.differences) for result in results if not result.passed] == []


@each_pack
def test_every_rule_is_exercised(pack: Pack) -> None:
    counts = coverage(pack, run_tests(pack))
    assert 8 <= len(counts) <= 20
    assert [rule for rule, count in counts.items() if count == 0] == []


@each_pack
def test_every_condition_runs_as_generated_code(pack: Pack) -> None:
    assert pack.warnings == []
    conditions = [pack.condition(rule, action) for rule in pack.rules for action in pack.shapes(rule)]
    assert [condition.text for condition in conditions if condition and condition.source is None] == []


def test_a_failing_test_says_what_came_out_and_where_it_stands() -> None:
    files = {document.file.partition("/")[2]: document.text for document in PACKS["payments"].documents.values()}
    files["tests.yaml"] = (
        "tests:\n"
        "  - says: everything is permitted\n"
        "    intent: {action: payments.refund, resource: order/1, arguments: {amount: 90000, currency: EUR}}\n"
        "    expect: {effect: permit, because: [refund-small], reason: PERMITTED, claim: granted, missing: [actor],\n"
        "             obligations: [{limit: {argument: amount, max: 5}}], granted: {amount: 5, currency: EUR}}\n"
    )
    (result,) = run_tests(load_pack(files, "payments/"))
    assert not result.passed
    assert (result.file, result.line, result.column) == ("payments/tests.yaml", 2, 11)
    assert result.differences == (
        "effect is step_up (RULE_STEPPED_UP), expected permit",
        "decided by `refund-limit`, expected `refund-small`",
        "reason is RULE_STEPPED_UP, expected PERMITTED",
        "missing are none, expected `actor`",
        "claim is required, expected granted",
        "obligations are none, expected limit amount 5",
        "granted arguments are {'amount': 90000, 'currency': 'EUR'}, expected {'amount': 5, 'currency': 'EUR'}",
    )


def test_tests_can_be_chosen_by_their_words() -> None:
    results = run_tests(PACKS["operations"], matching="freeze")
    assert len(results) == 4
    assert all("freeze" in result.says for result in results)
