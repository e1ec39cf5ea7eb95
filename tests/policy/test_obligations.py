"""What a constrained permit demands, merged and applied."""

from typing import Any

import pytest

from placet.policy.obligations import Obligation, apply, capabilities_needed, merge

LIMIT = Obligation("limit", "amount", "50")


@pytest.mark.parametrize(
    ("obligations", "arguments", "granted"),
    [
        ([], {"amount": 90}, {"amount": 90}),
        ([LIMIT], {"amount": 90, "note": "x"}, {"amount": 50, "note": "x"}),
        ([LIMIT], {"amount": 50}, {"amount": 50}),
        ([LIMIT], {"amount": -3}, {"amount": -3}),
        ([LIMIT], {"note": "x"}, {"note": "x"}),
        ([Obligation("redact", "note")], {"amount": 1, "note": "x"}, {"amount": 1}),
        ([Obligation("redact", "note")], {"amount": 1}, {"amount": 1}),
        ([Obligation("read_only", "dry_run", "true")], {"amount": 1}, {"amount": 1, "dry_run": True}),
        ([Obligation("read_only", "mode", '"read"')], {"mode": "write"}, {"mode": "read"}),
        ([Obligation("redact", "mode"), Obligation("read_only", "mode", '"read"')], {"mode": "write"}, {}),
        ([Obligation("capability", "record", "{}")], {"amount": 1}, {"amount": 1}),
    ],
)
def test_obligations_change_the_arguments_that_may_run(
    obligations: list[Obligation], arguments: dict[str, Any], granted: dict[str, Any]
) -> None:
    before = dict(arguments)
    assert apply(arguments, obligations) == granted
    assert arguments == before


def test_applying_twice_changes_nothing_more() -> None:
    demands = [LIMIT, Obligation("redact", "note"), Obligation("read_only", "dry_run", "true")]
    once = apply({"amount": 90, "note": "x"}, demands)
    assert apply(once, demands) == once


def test_the_tightest_limit_holds_and_all_else_is_joined() -> None:
    demands = [Obligation("limit", "amount", "90"), Obligation("redact", "b"), LIMIT, Obligation("redact", "a")]
    expected = (LIMIT, Obligation("redact", "a"), Obligation("redact", "b"))
    assert merge(demands) == expected
    assert merge(reversed(demands)) == expected
    assert merge([Obligation("limit", "amount", "9"), Obligation("limit", "amount", "10")])[0].value == "9"


def test_only_capabilities_are_asked_of_executors() -> None:
    demands = [LIMIT, Obligation("capability", "record"), Obligation("capability", "mask", '{"by":"token"}')]
    assert capabilities_needed(demands) == {"record", "mask"}
