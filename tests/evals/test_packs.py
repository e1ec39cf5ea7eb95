"""The packs of the evaluations are packs like any other: every rule has a test, and every test holds."""

from pathlib import Path

import pytest

from placet.model.reasons import Effect
from placet.policy.cases import run_tests
from placet.policy.pack import load_pack
from tests.evals.agentdojo.tools import READ, TOOLS
from tests.evals.stand import FILES
from tests.evals.tables import answer_of, markdown, percentile, rate
from tests.evals.taubench.drive import CHANGES, LOOKS

HERE = Path(__file__).parent
PACKS = [HERE / "agentdojo" / "packs" / "banking", HERE / "agentdojo" / "packs" / "workspace"]
PACKS.append(HERE / "taubench" / "packs" / "retail")


@pytest.mark.parametrize("folder", PACKS, ids=lambda folder: folder.name)
def test_every_test_of_a_pack_holds(folder: Path) -> None:
    pack = load_pack({name: (folder / name).read_text("utf-8") for name in FILES})
    failed = [result for result in run_tests(pack) if result.differences]
    assert failed == []


@pytest.mark.parametrize("folder", PACKS, ids=lambda folder: folder.name)
def test_every_rule_of_a_pack_is_expected_by_a_test(folder: Path) -> None:
    rules = [
        line.split("id:")[1].strip() for line in (folder / "rules.yaml").read_text().splitlines() if "- id:" in line
    ]
    tests = (folder / "tests.yaml").read_text()
    assert [rule for rule in rules if f"because: [{rule}]" not in tests] == []


@pytest.mark.parametrize("suite", ["banking", "workspace"])
def test_every_tool_stands_in_a_rule(suite: str) -> None:
    text = (HERE / "agentdojo" / "packs" / suite / "rules.yaml").read_text()
    assert [name for name in TOOLS[suite] if f"{suite}.{name}" not in text] == []


def test_every_tool_of_the_shop_looks_or_changes() -> None:
    text = (PACKS[2] / "rules.yaml").read_text()
    assert not set(LOOKS) & set(CHANGES)
    assert [name for name in (*LOOKS, *CHANGES) if f"retail.{name}" not in text] == []


def test_only_reading_brings_outside_text_back() -> None:
    tools = [tool for suite in TOOLS.values() for tool in suite.values()]
    assert all(tool.kind == READ for tool in tools if tool.origin == "external")


def test_percentiles_are_of_the_nearest_rank() -> None:
    times = [float(number) for number in range(100, 0, -1)]
    assert (percentile(times, 0.5), percentile(times, 0.99), percentile([7.0], 0.5), percentile([], 0.5)) == (
        50,
        99,
        7,
        0,
    )


def test_tables_say_shares_of_what_there_is() -> None:
    assert (rate(1, 8), rate(0, 0)) == ("12.5 %", "–")
    assert answer_of(Effect.CONSTRAIN) == "permitted"
    assert answer_of(Effect.DEFER) == "denied"
    assert markdown("T", ("a", "b"), [("x", 1)]) == "**T**\n\n| a | b |\n| --- | ---: |\n| x | 1 |\n"
    assert markdown("T", ("a",), []) == "**T**: none\n"
