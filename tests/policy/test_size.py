"""How large a pack may be, and what an expression may cost: taken whole, or refused with what was too much."""

import pytest

from placet.faces.bench.policy import EXPENSIVE, bytes_of, pack_with, rules_of
from placet.policy.diagnostics import PackError
from placet.policy.evaluate import PolicySet
from placet.policy.pack import BYTES_MAX, load_pack


@pytest.mark.slow
def test_a_pack_of_ten_thousand_rules_loads_and_its_plan_holds_one() -> None:
    pack = load_pack(rules_of(10_000))
    assert len(pack.rules) == 10_000
    plan = PolicySet.of([pack]).plan("large.act")
    assert plan is not None
    assert [rule.name for _, rule in plan.rules] == ["large/r0"]


def test_one_rule_more_than_ten_thousand_is_refused() -> None:
    head = rules_of(1)
    rules = "rules:\n" + "".join(f"- {{id: r{n}, on: [a], effect: deny, because: b}}\n" for n in range(10_001))
    with pytest.raises(PackError, match=r"rules\.yaml:2:1: `rules` .*at most 10000 items"):
        load_pack({**head, "rules.yaml": rules})


def test_a_pack_of_one_mebibyte_loads_and_one_of_a_byte_more_is_refused() -> None:
    full = bytes_of(BYTES_MAX)
    assert sum(len(text.encode()) for text in full.values()) == BYTES_MAX == 1024 * 1024
    assert len(load_pack(full).rules) > 1_000
    with pytest.raises(PackError) as refused:
        load_pack(bytes_of(BYTES_MAX + 1), "policies/large/")
    assert str(refused.value) == "policies/large/pack.yaml:1:1: the pack has 1048577 bytes, at most 1048576"


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("folds inside each other", "more than 2 `all`, `exists`, `map` or `filter` inside each other"),
        ("nested deep", "nested deeper than 24"),
        ("a long text", "a condition is at most 4096 bytes"),
    ],
)
def test_an_expression_that_costs_too_much_is_refused_at_its_place(condition: str, says: str) -> None:
    with pytest.raises(PackError) as refused:
        load_pack(pack_with(EXPENSIVE[condition]))
    (one,) = refused.value.diagnostics
    assert (one.file, one.line, one.message) == ("rules.yaml", 2, says)
    assert set(EXPENSIVE) == {"folds inside each other", "nested deep", "a long text"}
