"""Coverage counts each rule that fired and each clause seen both ways, only where the rule was really asked."""

from placet.policy.contents import Pack
from placet.policy.coverage import Coverage, measure
from placet.policy.pack import load_pack
from tests.policy.packs import ACTIONS, rule

RULES = (
    rule("small", when="arguments.amount <= 50 && !(actor.risk.score >= 40)", resource='["order/*"]'),
    rule("open"),
    rule("late", "deny", when="true"),
    rule("never", "deny", on="pay.other"),
)
TEST = """\
  - says: {says}
    given: {{{given}}}
    intent: {{action: pay.refund, resource: {resource}, arguments: {{amount: {amount}}}}}
    expect: {{effect: deny}}
"""


def loaded(*tests: tuple[str, str, int, str]) -> Pack:
    told = "".join(
        TEST.format(says=f"number {n} {says}", resource=resource, amount=amount, given=given)
        for n, (says, resource, amount, given) in enumerate(tests)
    )
    about = f'name: small\nversion: "1"\ndescription: for a test\nactions:{ACTIONS}\n'
    rules = "rules:\n" + "\n".join(RULES) + "\n"
    return load_pack({"pack.yaml": about, "rules.yaml": rules, "tests.yaml": f"tests:\n{told}"})


def seen(coverage: Coverage) -> dict[str, tuple[int, list[tuple[str, int, int]]]]:
    return {
        one.rule.partition("/")[2]: (one.fired, [(clause.text, clause.true, clause.false) for clause in one.clauses])
        for one in coverage.rules
    }


def test_clauses_are_counted_both_ways_where_the_rule_is_about_the_case_and_its_facts_are_there() -> None:
    coverage = measure(
        loaded(
            ("it fires", "order/7", 10, ""),
            ("the amount is too high", "order/7", 51, ""),
            ("it is about another resource", "thing/7", 51, ""),
            ("the risk is not known", "order/7", 51, "absent: [actor.risk]"),
            ("the arguments do not fit", "order/7", 0, ""),
        )
    )
    assert seen(coverage) == {
        "small": (1, [("arguments.amount <= 50", 1, 1), ("actor.risk.score >= 40", 0, 2)]),
        "open": (4, []),
        "late": (4, []),
        "never": (0, []),
    }
    assert (coverage.covered, coverage.total, coverage.percent) == (6, 8, 75.0)
    assert coverage.rules[0].missing() == ["never true: actor.risk.score >= 40"]
    assert coverage.rules[3].missing() == ["it never fired"]


def test_only_the_tests_that_are_chosen_count() -> None:
    made = loaded(("it fires", "order/7", 10, ""), ("it does not", "order/7", 51, "risk: 40"))
    assert seen(measure(made, matching="it fires"))["small"] == (
        1,
        [("arguments.amount <= 50", 1, 0), ("actor.risk.score >= 40", 0, 1)],
    )


def test_a_hundred_percent_means_everything() -> None:
    everything = measure(loaded(("a", "order/7", 10, ""), ("b", "order/7", 51, "risk: 40")))
    assert [one.missing() for one in everything.rules] == [[], [], [], ["it never fired"]]
    assert everything.percent == 87.5
