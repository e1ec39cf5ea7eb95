"""What lint finds is so, and stands where it says; what it cannot be sure of it does not call an error."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.faces.cli.folders import SHIPPED, read_pack
from placet.policy.evaluate import PolicySet
from placet.policy.lint import CODES, Lint, lint
from placet.policy.pack import load_pack
from tests.architecture.house import ROOT
from tests.policy.packs import case, pack, rule

SMALL = "arguments.amount <= 50"


def codes(*rules: str, head: str = "") -> list[str]:
    return [one.code for one in lint(pack("\n".join(rules), head=head))]


def only(*rules: str, head: str = "") -> Lint:
    (found,) = lint(pack("\n".join(rules), head=head))
    return found


@pytest.mark.parametrize("name", SHIPPED)
def test_the_packs_that_come_with_placet_are_clean(name: str) -> None:
    assert lint(load_pack(read_pack(ROOT / "policies" / name))) == []


def test_a_finding_has_file_line_column_severity_code_and_a_sentence() -> None:
    found = only(rule("any"), rule("lost", when="intent.emergency && arguments.amount > 5 && arguments.amount < 3"))
    assert str(found) == "rules.yaml:3:78: error never_true: the condition of `small/lost` can never be true"


@pytest.mark.parametrize(
    "when",
    [
        "arguments.amount > 5 && arguments.amount < 3",
        "arguments.amount > 5 && arguments.amount < 6",
        "arguments.amount > 1000000",
        "2 * arguments.amount + 1 <= 2",
        "!(arguments.amount >= 1)",
        "arguments.amount == 5 && arguments.amount != 5",
        "arguments.amount in [1, 2] && arguments.amount > 2",
        "actor.risk.level == 'high' && actor.risk.score < 70",
        "actor.risk.level == 'hgih'",
        "resource.sensitivity == 'restricted' && resource.rank < 3",
        "actor.kind == 'agnet'",
        "actor.id.startsWith('agent:') && actor.id == 'user:kim'",
        "resource.id.startsWith('order/') && resource.id.startsWith('account/')",
        "has(resource.owner) && !has(resource.owner)",
        "intent.emergency ? arguments.amount > 2000000 : false",
        "intent.action == 'pay.other'",
        "session.origin == 'outside'",
        "calendar.books == 'open' && calendar.books == 'closed'",
        "false",
    ],
)
def test_a_condition_that_cannot_be_true_is_found(when: str) -> None:
    assert codes(rule("any"), rule("lost", "deny", when=when)) == ["never_true"]


@pytest.mark.parametrize(
    "when",
    [
        "arguments.amount > 5 && arguments.amount < 7",
        "arguments.amount * arguments.amount == 49",
        "actor.risk.level != 'low' && actor.risk.score < 41",
        "session.rank > resource.rank",
        "arguments.tags.exists(t, t == 'a') && !arguments.tags.all(t, t == 'a')",
        "resource.id.startsWith('order/') && resource.id.startsWith('order/7')",
        "actor.attributes.tenure == 'new' || actor.attributes.tenure == 'old'",
        "calendar.books == 'open' && calendar.freeze == 'closed'",
    ],
)
def test_a_condition_that_can_be_true_is_left_alone(when: str) -> None:
    assert codes(rule("any"), rule("kept", "deny", when=when)) == []


def test_who_and_resource_are_part_of_what_can_be() -> None:
    when = "actor.id == 'agent:ben' && resource.id == 'order/1'"
    assert codes(rule("any"), rule("a", "deny", when=when, who='{actor: ["agent:ada"]}')) == ["never_true"]
    assert codes(rule("any"), rule("a", "deny", when=when, resource='["order/2"]')) == ["never_true"]
    assert codes(rule("any"), rule("a", "deny", when=when, who='{actor: ["agent:*"]}', resource='["order/1"]')) == []


def test_a_part_that_cannot_be_true_is_pointed_at() -> None:
    found = only(rule("any"), rule("half", "deny", when="intent.emergency || arguments.amount < 1"))
    line = rule("half", "deny", when="intent.emergency || arguments.amount < 1")
    assert (found.code, found.line, found.column) == ("clause_never_true", 3, line.index("arguments") + 1)


def test_what_is_always_true_is_said_unless_it_says_so_itself() -> None:
    assert codes(rule("a", when="arguments.amount > 0")) == ["always_true"]
    assert codes(rule("a", when="true")) == []


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule("a", when=SMALL), rule("b", "deny")], ["shadowed"]),
        ([rule("a", when=SMALL), rule("b", "deny", when="arguments.amount < 100")], ["shadowed"]),
        ([rule("a", when="arguments.amount < 100"), rule("b", "deny", when=SMALL)], []),
        ([rule("a", when=SMALL), rule("b", "deny", when="arguments.amount < 51")], ["contradictory"]),
        ([rule("a"), rule("b", "deny", on="pay.*")], ["shadowed"]),
        ([rule("a", resource='["order/7"]'), rule("b", "deny", resource='["order/*"]')], ["shadowed"]),
        ([rule("a", resource='["order/*"]'), rule("b", "deny", resource='["order/7"]')], []),
        ([rule("a"), rule("b", "deny", who='{actor: ["group:x"]}')], []),
        ([rule("a", who='{actor: ["group:x"]}'), rule("b", "deny", who='{actor: ["group:x", "agent:a"]}')], ["shadowed"]),
        ([rule("a"), rule("b", "step_up")], ["contradictory"]),
        ([rule("a"), rule("b", "step_up", claim="granted")], []),
        ([rule("a", "constrain", when=SMALL), rule("b", "step_up")], []),
        ([rule("a", when=SMALL), rule("b")], ["redundant"]),
        ([rule("a", "deny", when=SMALL), rule("b", "deny", when=SMALL), rule("c")], ["redundant"]),
        (
            [rule("c"), rule("a", "defer", when="resource.rank == 3"), rule("b", "deny", when="resource.rank > 1")],
            ["shadowed"],
        ),
        (
            [rule("c"), rule("a", "defer", when="intent.emergency && session.rank == 3"),
             rule("b", "deny", when="session.rank > 1 || mandate.depth > 3")],
            [],
        ),
    ],
)  # fmt: skip
def test_rules_are_compared_with_each_other(rules: list[str], expected: list[str]) -> None:
    assert codes(*rules) == expected


def test_what_nothing_meets_is_unreachable() -> None:
    assert codes(rule("any"), rule("a", "deny", on="pay.refnd")) == ["unreachable"]
    assert "did you mean `pay.refund`" in only(rule("any"), rule("a", "deny", on="pay.refnd")).message
    assert codes(rule("any"), rule("a", "deny", on="charge.*", when="intent.emergency")) == ["unreachable"]
    assert codes(rule("any"), rule("a", "deny", who='{actor: ["agnet:*"]}', when=SMALL)) == ["unreachable"]
    half = rule("a", "deny", who='{actor: ["agnet:*", "spiffe://x/*", "agent-7", "group:b"]}', when=SMALL)
    assert codes(rule("any"), half) == ["pattern_idle"]
    limit = 'limits: [{id: l, per: [agent], on: ["charge.*"], window: {sliding_s: 9}, max: 0, because: of a test}]'
    assert codes(rule("any"), head=limit) == ["limit_idle", "limit_idle"]


def test_a_pack_without_declared_actions_may_mean_any() -> None:
    assert lint(pack(rule("a", on="what.ever"), actions=" {}")) == []


@pytest.mark.parametrize(
    ("approval", "who", "expected"),
    [
        ("{quorum: 2, from: ['user:mo'], expires_s: 60}", None, ["approval_impossible"]),
        ("{quorum: 2, from: ['user:mo', 'user:li'], expires_s: 60}", None, []),
        ("{quorum: 2, from: ['user:mo', 'group:x'], expires_s: 60}", None, []),
        ("{quorum: 1, from: ['user:mo'], expires_s: 60}", "{authority: ['user:mo']}", ["approval_impossible"]),
        ("{quorum: 1, from: ['user:mo'], expires_s: 60}", "{authority: ['user:mo', 'user:li']}", []),
        ("{quorum: 2, from: ['user:mo', 'user:li'], expires_s: 60}", "{actor: ['user:mo']}", ["approval_impossible"]),
    ],
)
def test_an_approval_nobody_can_give_is_found(approval: str, who: str | None, expected: list[str]) -> None:
    assert codes(rule("a", "step_up", approval=approval, **({"who": who} if who else {}))) == expected


def test_two_approvals_that_exclude_each_other_are_found_where_both_may_be_asked() -> None:
    law = '{quorum: 1, from: ["group:law"], expires_s: 60}'
    large = rule("large", "step_up", when="arguments.amount > 100")
    assert codes(large, rule("b", "step_up", when="session.rank > 1", approval=law)) == ["approvals_apart"]
    assert codes(large, rule("b", "step_up", when="arguments.amount < 90", approval=law)) == []
    apart = [
        rule("a", "step_up", resource='["order/*"]'),
        rule("b", "step_up", resource='["account/*"]', approval=law),
    ]
    assert codes(*apart) == []


def test_two_approvals_that_no_proof_satisfies_are_found() -> None:
    asks = '{quorum: 1, from: ["group:law"], expires_s: 60, acr: [%s]}'
    for second, expected in (("phr, pwd", []), ("pwd", ["approvals_apart"])):
        found = lint(
            pack("\n".join(rule(name, "step_up", approval=asks % ways) for name, ways in (("a", "phr"), ("b", second))))
        )
        assert [note.code for note in found] == expected
        assert all("no `acr` is both phr and pwd" in note.message for note in found)


@pytest.mark.parametrize(
    ("whom", "expected"),
    [("['user:mo']", ["approval_impossible"]), ("['user:li']", []), ("['group:law']", [])],
)
def test_a_review_of_emergencies_that_nobody_can_give_is_found(whom: str, expected: list[str]) -> None:
    glass = f"{{lease_ms: 5000, review: {{quorum: 1, from: {whom}, expires_s: 60}}}}"
    found = lint(pack(rule("a", "step_up", emergency=glass, who="{authority: ['user:mo']}")))
    assert [note.code for note in found] == expected


def test_demands_whose_result_does_not_fit_are_found() -> None:
    low = rule("low", "constrain", when=SMALL, obligations="[{limit: {argument: amount, max: 0}}]")
    assert codes(rule("any"), low) == ["contradictory"]
    required = rule("gone", "constrain", when=SMALL, obligations="[{redact: {arguments: [amount]}}]")
    assert codes(rule("any"), required) == ["contradictory"]


def test_an_action_no_rule_ever_grants_is_said() -> None:
    found = only(rule("no", "deny"))
    assert (found.code, found.file, found.severity) == ("never_granted", "pack.yaml", "warning")
    assert all(severity in ("error", "warning") and means for severity, means in CODES.values())


ACTIONS = "\n  pay.refund: {arguments: {amount: {type: int, min: 1, max: 12}}}\n"
SIGNS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
CLAUSES = st.one_of(
    st.builds(lambda sign, at: f"arguments.amount {sign} {at}", SIGNS, st.integers(0, 13)),
    st.builds(lambda level: f"actor.risk.level == '{level}'", st.sampled_from(["low", "medium", "high"])),
    st.builds(lambda sign, at: f"actor.risk.score {sign} {at}", SIGNS, st.sampled_from([0, 39, 40, 70, 100])),
)
WHENS = st.recursive(
    CLAUSES,
    lambda inner: (
        st.builds(lambda a, sign, b: f"({a} {sign} {b})", inner, st.sampled_from(["&&", "||"]), inner)
        | st.builds(lambda a: f"!({a})", inner)
    ),
    max_leaves=4,
)
EFFECTS = st.sampled_from(["permit", "step_up", "defer", "deny"])
CASES = [({"risk": risk}, amount) for risk in (0, 1, 38, 39, 40, 41, 69, 70, 71, 99, 100) for amount in range(1, 13)]


@settings(max_examples=120, deadline=None)
@given(rules=st.lists(st.tuples(EFFECTS, WHENS), min_size=1, max_size=3))
def test_what_is_called_an_error_is_so_in_every_case_and_no_dead_condition_is_missed(
    rules: list[tuple[str, str]],
) -> None:
    made = pack("\n".join(rule(f"r{n}", effect, when=when) for n, (effect, when) in enumerate(rules)), actions=ACTIONS)
    plan = PolicySet.of([made]).plan("pay.refund")
    assert plan is not None
    fired: set[str] = set()
    decided: set[str] = set()
    for known, amount in CASES:
        asked = case(known, arguments={"amount": amount})
        fired.update(plan.fired(asked))
        decided.update(plan.decide(asked).rules)
    found = {(one.code, one.line) for one in lint(made)}
    for n in range(len(rules)):
        name = f"small/r{n}"
        assert (("never_true", n + 2) in found) is (name not in fired)
        if ("shadowed", n + 2) in found or ("contradictory", n + 2) in found:
            assert name not in decided
