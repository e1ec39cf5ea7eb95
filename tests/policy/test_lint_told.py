"""Every finding of lint in full: the place it points at, its severity, its code and its sentence."""

import pytest

from placet.policy.lint import lint, pairs
from placet.policy.lint.codes import CODES
from tests.policy.packs import ACTIONS, pack, rule

SMALL = "arguments.amount <= 50"
ANY = rule("any")
BOTH = ACTIONS + "  pay.other:\n    arguments:\n      amount: {type: int, min: 60, max: 90}\n"


def told(*rules: str, head: str = "", actions: str = ACTIONS) -> list[str]:
    return [str(one) for one in lint(pack("\n".join(rules), head=head, actions=actions))]


def column(line: str, at: str) -> int:
    """Return the column, from 1, of the place that `at` marks with a `^`, as in `when: ^"`."""
    before, _, after = at.partition("^")
    assert line.count(before + after) == 1
    return line.index(before + after) + len(before) + 1


def step_up(id_: str, approval: str, **more: str) -> str:
    return rule(id_, "step_up", approval=f"{{{approval}, expires_s: 60}}", **more)


CASES = [
    (
        rule("lost", "deny", when="arguments.amount < 1"),
        'when: ^"arguments',
        "error never_true: the condition of `small/lost` can never be true",
        ACTIONS,
    ),
    (
        rule("half", "deny", when="intent.emergency || arguments.amount < 1"),
        "|| ^arguments.amount",
        "warning clause_never_true: on `pay.refund` what begins here can never be true",
        ACTIONS,
    ),
    (
        rule("all", "deny", when="arguments.amount > 0 && intent.attempt > 1", on="pay.*"),
        "",
        "",
        ACTIONS,
    ),
    (
        rule("here", "deny", when="arguments.amount > 100 && intent.emergency", on="pay.*"),
        'when: ^"arguments',
        "warning never_true_here: on `pay.other` the condition of `small/here` can never be true",
        BOTH,
    ),
    (
        rule("lost", "deny", on="pay.refnd"),
        'on: [^"pay.refnd"',
        "error unreachable: `small/lost` is about no declared action: nothing meets `pay.refnd`; did you mean `pay.refund`?",
        ACTIONS,
    ),
    (
        rule("idle", "deny", when=SMALL, on='pay.refund", "charge.*'),
        ', ^"charge.*"',
        "warning pattern_idle: `charge.*` meets no declared action",
        ACTIONS,
    ),
    (
        rule("wide", "deny", when=SMALL, on='pay.*", "pay.refund'),
        ', ^"pay.refund"',
        "warning pattern_idle: `pay.refund` adds nothing to the others",
        ACTIONS,
    ),
    (
        rule("twice", "deny", when=SMALL, resource='["order/*", "order/7"]'),
        ', ^"order/7"',
        "warning pattern_idle: `order/7` adds nothing to the others",
        ACTIONS,
    ),
    (
        rule("same", "deny", when=SMALL, resource='["order/7", "order/7"]'),
        ', ^"order/7"',
        "warning pattern_idle: `order/7` adds nothing to the others",
        ACTIONS,
    ),
    (
        rule("nobody", "deny", when=SMALL, who='{authority: ["usr:kim:2"]}'),
        'authority: [^"usr:kim:2"',
        "error unreachable: `usr:kim:2` is nobody's id: `usr` is no kind of principal; did you mean `user`?",
        ACTIONS,
    ),
    (
        rule("half", "deny", when=SMALL, who='{any_in_chain: ["user:kim", "spiffe://x:8443/a", "agnt:*"]}'),
        ', ^"agnt:*"',
        "warning pattern_idle: `agnt:*` is nobody's id: `agnt` is no kind of principal; did you mean `agent`?",
        ACTIONS,
    ),
    (
        rule("less", when=SMALL),
        "^{id: less",
        "warning redundant: `small/any` says the same whenever `small/less` does",
        ACTIONS,
    ),
    (
        step_up("few", "quorum: 3, from: ['user:mo', 'user:li']", when=SMALL),
        "quorum: ^3",
        "error approval_impossible: `small/few` asks for 3 of 2: user:li, user:mo",
        ACTIONS,
    ),
    (
        step_up("own", "quorum: 1, from: ['user:mo']", when=SMALL, who="{authority: ['user:mo']}"),
        "from: ^['user:mo']",
        "error approval_impossible: `small/own` asks only those who are in the chain themselves, and whose votes do not count",
        ACTIONS,
    ),
    (
        rule("low", "constrain", when=SMALL, obligations="[{limit: {argument: amount, max: 0}}]"),
        "obligations: ^[",
        "error contradictory: on `pay.refund` `amount` is at least 1: limited to 0 it never fits",
        ACTIONS,
    ),
    (
        rule("gone", "constrain", when=SMALL, obligations="[{redact: {arguments: [amount]}}]"),
        "obligations: ^[",
        "error contradictory: on `pay.refund` `amount` is required: without it no action is left that fits",
        ACTIONS,
    ),
]


@pytest.mark.parametrize(("line", "at", "says", "actions"), CASES, ids=[case[2][:40] or "nothing" for case in CASES])
def test_a_finding_points_at_its_place_and_says_what_is_wrong(line: str, at: str, says: str, actions: str) -> None:
    grants = [rule("any", on="pay.*")] if actions == BOTH else [ANY]
    expected = [f"rules.yaml:3:{column(line, at)}: {says}"] if says else []
    assert told(*grants, line, actions=actions) == expected


def test_a_condition_that_says_nothing_is_pointed_at() -> None:
    line = rule("sure", when="arguments.amount > 0")
    place = f"rules.yaml:2:{column(line, 'when: ^')}"
    assert told(line) == [f"{place}: warning always_true: the condition of `small/sure` is always true: leave it away"]


def test_a_rule_beside_a_graver_one_is_pointed_at() -> None:
    small, deny = rule("a", when=SMALL), rule("b", "deny", when="arguments.amount < 100")
    assert told(small, deny) == [
        f"rules.yaml:2:{column(small, '^{id')}: error shadowed: `small/a` never decides: `small/b` says deny whenever its own condition holds"
    ]
    same = rule("b", "deny", when="arguments.amount < 51")
    assert told(small, same) == [
        f"rules.yaml:2:{column(small, 'effect: ^permit')}: error contradictory: `small/a` says permit and `small/b` says deny of exactly the same cases"
    ]


def test_beyond_so_many_pairs_the_rest_is_not_compared_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [rule("any"), rule("b", "deny", when=SMALL), rule("c", "deny", when="intent.emergency")]
    assert told(*rules) == []
    assert pairs.PAIRS_MAX == 50_000
    # Each of three rules lies beside two others.
    monkeypatch.setattr(pairs, "PAIRS_MAX", 6)
    assert told(*rules) == []
    monkeypatch.setattr(pairs, "PAIRS_MAX", 5)
    assert told(*rules) == [
        "rules.yaml:2:3: warning not_compared: more than 5 pairs of rules about the same actions: the others were not compared"
    ]


def test_two_approvals_that_exclude_each_other_name_who_could_vote() -> None:
    first = step_up("a", "quorum: 1, from: ['user:mo', 'user:li']", when=SMALL)
    second = step_up("b", "quorum: 2, from: ['user:li', 'user:su']", when="arguments.amount < 40")
    strict = step_up("b", "quorum: 1, from: ['user:su']", when="arguments.amount < 40")
    line = f"rules.yaml:4:{column(second, 'from: ^[')}: warning approvals_apart: on `pay.refund` `small/a` and `small/b` may ask at once, and of user:li, user:mo and "
    assert [one for one in told(ANY, first, second) if "apart" in one] == [
        f"{line}user:li, user:su user:li is eligible under both"
    ]
    assert [one for one in told(ANY, first, strict) if "apart" in one] == [
        f"{line}user:su nobody is eligible under both"
    ]


def test_what_a_pack_declares_and_never_grants_or_counts_stands_in_its_own_file() -> None:
    limits = (
        'limits:\n  - {id: far, per: [agent], on: ["charge.*"], window: {sliding_s: 9}, max: 1, because: of a test}\n'
        '  - {id: none, per: [agent], on: ["pay.*"], window: {sliding_s: 9}, max: 0, because: of a test}'
    )
    first, second = limits.splitlines()[1:]
    # Three lines stand before `actions:`; its own lines and an empty one end before `limits:`.
    number = 3 + 1 + ACTIONS.count("\n") + 2
    assert told(ANY, head=limits) == [
        f"pack.yaml:{number}:{column(first, 'on: ^[')}: warning limit_idle: `far` is about no declared action",
        f"pack.yaml:{number + 1}:{column(second, 'max: ^0')}: warning limit_idle: `none` lets nothing through: its `max` is 0",
    ]
    assert told(rule("no", "deny"), rule("later", "defer", when=SMALL)) == [
        # A map stands where its first key does.
        "pack.yaml:6:5: warning never_granted: no rule ever grants `pay.refund`: whatever is asked of it is denied or deferred",
        "rules.yaml:3:5: error shadowed: `small/later` never decides: `small/no` says deny whenever its own condition holds",
    ]


def test_how_grave_each_finding_is() -> None:
    errors = {code for code, (severity, _) in CODES.items() if severity == "error"}
    assert errors == {"shadowed", "contradictory", "never_true", "unreachable", "approval_impossible"}
    assert {severity for severity, _ in CODES.values()} == {"error", "warning"}
    assert [means for _, means in CODES.values() if not (means[0].islower() and means[-1].islower())] == []
