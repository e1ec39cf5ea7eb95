"""The difference of two packs: what changes is found at the boundary, told by its rules, the gravest loosening first."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.faces.cli.folders import SHIPPED, read_pack
from placet.model.reasons import Effect
from placet.policy.contents import Pack
from placet.policy.difference import Change, Difference, compare
from placet.policy.evaluate import PolicySet
from placet.policy.pack import load_pack
from placet.policy.situations import case_of
from placet.policy.variations import variations
from tests.architecture.house import ROOT
from tests.policy.packs import pack, rule

PACKS = {name: read_pack(ROOT / "policies" / name) for name in SHIPPED}


def edited(name: str, old: str, new: str) -> Difference:
    files = PACKS[name]
    assert old in files["rules.yaml"]
    after = {**files, "rules.yaml": files["rules.yaml"].replace(old, new)}
    return compare([load_pack(files)], [load_pack(after)], cases=3_000)


def told(change: Change) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    return change.old.effect.name, change.new.effect.name, change.rules, change.terms


def between(
    old: list[str], new: list[str], cases: int = 400
) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    return [told(one) for one in compare([pack("\n".join(old))], [pack("\n".join(new))], cases=cases).changes]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_pack_beside_itself_changes_nothing(name: str) -> None:
    one = load_pack(PACKS[name])
    same = compare([one], [load_pack(PACKS[name])], cases=1_000)
    assert (same.changes, same.added, same.removed, same.changed) == ([], [], [], [])
    assert same.cases == 1_000


def test_a_limit_that_moves_by_one_is_found_at_the_limit() -> None:
    found = edited("payments", "arguments.amount > 50000\n", "arguments.amount > 50001\n")
    assert found.changed == ["payments/refund-limit"]
    assert found.changes
    for change in found.changes:
        assert "payments/refund-limit" in (*change.old.rules, *change.new.rules)
        assert change.example.intent.arguments["amount"] == 50001


def test_a_rule_that_is_gone_is_a_loosening_to_permit_and_comes_first() -> None:
    gone = edited("payments", "|| authority.risk.level == 'high'", "")
    first = gone.changes[0]
    assert told(first) == ("DENY", "PERMIT", ("payments/risk-high",), ())
    assert first.loosened == 4
    assert first.example.given.authority.risk >= 70
    assert [change.loosened for change in gone.changes] == sorted((c.loosened for c in gone.changes), reverse=True)
    assert gone.changes[-1].loosened < 0


def test_what_is_demanded_or_asked_differently_is_told_as_terms() -> None:
    found = edited("payments", "limit: {argument: amount, max: 2000}", "limit: {argument: amount, max: 2001}")
    assert {change.terms for change in found.changes} == {("obligations",)}
    quorum = edited("payments", "quorum: 2", "quorum: 3")
    assert {change.terms for change in quorum.changes} == {("approval",)}
    sooner = edited("payments", "claim: granted", "claim: required")
    assert [(told(change)) for change in sooner.changes] == [
        ("PERMIT", "PERMIT", ("payments/quote",), ("claim_required",))
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([rule("a")], [rule("a", "deny")], ("PERMIT", "DENY", ("small/a",), ())),
        ([rule("a")], [rule("a", resource='["order/*"]')], ("PERMIT", "DENY", (), ())),
        ([rule("a", who='{actor: ["group:x"]}')], [rule("a")], ("DENY", "PERMIT", (), ())),
        ([rule("a"), rule("n", "deny", who='{actor: ["agent:x*"]}')], [rule("a")], ("DENY", "PERMIT", ("small/n",), ())),
        ([rule("a"), rule("n", "deny", who='{any_in_chain: ["workflow:*"]}')], [rule("a")], ("DENY", "PERMIT", ("small/n",), ())),
        ([rule("a"), rule("n", "deny", when="'vip' in resource.categories")], [rule("a")], ("DENY", "PERMIT", ("small/n",), ())),
        ([rule("a"), rule("n", "deny", when="has(arguments.note)")], [rule("a")], ("DENY", "PERMIT", ("small/n",), ())),
        ([rule("a"), rule("n", "deny", when="has(calendar.books) && calendar.books == 'shut'")], [rule("a")], ("DENY", "PERMIT", ("small/n",), ())),
        ([rule("a"), rule("n", "deny", when="session.rank > resource.rank")], [rule("a")], ("DENY", "PERMIT", ("small/n",), ())),
        ([rule("a"), rule("n", "deny", when="mandate.depth > 3")], [rule("a")], ("DENY", "PERMIT", ("small/n",), ())),
        ([rule("a"), rule("n", "deny", when="resource.id.startsWith('order/') && intent.emergency")], [rule("a")], ("DENY", "PERMIT", ("small/n",), ())),
    ],
)  # fmt: skip
def test_what_a_rule_looks_at_is_turned(old: list[str], new: list[str], expected: Any) -> None:
    assert expected in between(old, new)


def test_a_fact_that_is_not_known_is_tried_too() -> None:
    asks = rule("n", "deny", when="authority.risk.score > 100", **{"else": "defer"})
    assert between([rule("a"), asks], [rule("a")]) == [("DEFER", "PERMIT", ("small/n",), ())]


def test_an_action_that_only_one_side_knows_is_looked_at() -> None:
    assert between([rule("a", on="pay.more")], [rule("b", on="pay.refund")]) == [
        ("DENY", "PERMIT", (), ()),
        ("PERMIT", "DENY", (), ()),
    ]


def test_every_example_shows_its_change_and_the_same_seed_finds_the_same() -> None:
    files = PACKS["data_access"]
    after = {**files, "rules.yaml": files["rules.yaml"].replace("resource.rank <= 2", "resource.rank <= 1")}
    old, new = [load_pack(files)], [load_pack(after)]
    found = compare(old, new, cases=800)
    assert found.changes
    for change in found.changes:
        case = case_of(change.example.given, change.example.intent)
        for packs, finding in ((old, change.old), (new, change.new)):
            plan = PolicySet.of(packs).plan(case.action)
            assert plan is not None
            assert plan.decide(case, sample=True) == finding
    again = compare(old, new, cases=800)
    assert [(told(a), a.count, a.example) for a in again.changes] == [
        (told(a), a.count, a.example) for a in found.changes
    ]


def test_situations_are_different_from_each_other_and_no_more_than_asked() -> None:
    packs = [load_pack(PACKS["payments"])]
    made = list(variations(packs, "payments.refund", 500, "x"))
    assert len(made) == 500
    assert len({one.model_dump_json(exclude={"says"}) for one in made}) == 500
    assert [one.says for one in made[:2]] == [packs[0].tests[0].says, packs[0].tests[1].says]
    one = [pack(rule("a", when="arguments.amount <= 50 && actor.risk.score < 40"))]
    small, again, other = (list(variations(one, "pay.refund", 300, seed)) for seed in ("x", "x", "y"))
    assert small == again != other


def test_every_situation_that_changes_is_counted() -> None:
    found = compare([pack(rule("a"))], [pack(rule("a", "deny"))], cases=50)
    assert [told(one) for one in found.changes] == [("PERMIT", "DENY", ("small/a",), ())]
    # What does not fit the declaration is denied by either.
    assert 1 < found.changes[0].count <= found.cases


BOUNDS = st.integers(1, 30)


@settings(max_examples=40, deadline=None)
@given(before=BOUNDS, after=BOUNDS)
def test_whichever_way_a_bound_moves_is_told(before: int, after: int) -> None:
    def made(bound: int) -> Pack:
        return pack(rule("a", when=f"arguments.amount <= {bound}"))

    changes = compare([made(before)], [made(after)], cases=100).changes
    effects = [(change.old.effect, change.new.effect) for change in changes]
    if after > before:
        assert effects == [(Effect.DENY, Effect.PERMIT)]
    else:
        assert effects == ([] if after == before else [(Effect.PERMIT, Effect.DENY)])
