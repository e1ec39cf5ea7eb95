"""Limits as a pack writes them and as they are counted; and what stands where a pack says nothing."""

from typing import Any

import pytest

from placet.model.reasons import Effect, Reason
from placet.policy import oracle
from placet.policy.evaluate import PolicySet
from placet.policy.explain import explain, not_about
from placet.policy.finding import ARGUMENTS_UNFIT, EVALUATION_DISAGREES, NO_RULE, Finding
from placet.policy.forms import LimitForm
from placet.policy.limits import COUNT, Limit, amount_of, limit_of
from placet.policy.rules import Action
from placet.policy.shape import Argument
from tests.policy.packs import ACTIONS, case, pack, rule


def limit(**more: Any) -> Limit:
    form = {"id": "day", "per": ["agent"], "on": ["pay.*"], "window": {"sliding_s": 9}, "max": 5, "because": "enough"}
    return limit_of("small", LimitForm.model_validate({**form, **more}))


def action(name: str, *arguments: Argument) -> Action:
    return Action(name, arguments, None, None, 1, 1)


def test_a_limit_is_read_as_it_is_written() -> None:
    assert limit() == Limit("small/day", ("actor",), ("pay.*",), COUNT, 9_000, 5, Effect.DENY)
    life = limit(per=["mandate"], window={"mandate": True})
    assert (life.window_ms, life.per) == (0, ("mandate",))
    asks = {"quorum": 2, "from": ["group:law"], "expires_s": 60}
    people = limit(per=["action", "agent", "session"], measure="amount", over="step_up", approval=asks)
    assert (people.per, people.measure, people.over) == (("actor", "session", "action"), "amount", Effect.STEP_UP)
    assert people.approval is not None
    assert (people.approval.quorum, people.approval.expires_ms) == (2, 60_000)


@pytest.mark.parametrize(
    ("declared", "least", "needs"),
    [
        ([Argument("amount", "int", min=7)], 7, False),
        ([Argument("amount", "int")], 1, False),
        ([Argument("amount", "int", min=0)], 1, False),
        ([Argument("amount", "number", min=3)], 3, True),
        ([Argument("other", "int", min=7)], 1, True),
        ([], 1, True),
        ([Argument("amount", "string"), Argument("amount", "int", min=2)], 2, False),
    ],
)
def test_a_limit_on_an_action_grants_the_least_that_is_declared(
    declared: list[Argument], least: int, needs: bool
) -> None:
    found = limit(measure="amount").on_action({str(at): action("pay.refund", one) for at, one in enumerate(declared)})
    assert (found.least, found.needs, found.measure) == (least, needs, "amount")


@pytest.mark.parametrize(
    ("measure", "needs", "arguments", "amount"),
    [
        (COUNT, False, {}, 1),
        ("amount", False, {"amount": 4}, 4),
        ("amount", False, {"amount": 0}, 0),
        ("amount", False, {"amount": -1}, None),
        ("amount", False, {"amount": True}, None),
        ("amount", False, {"amount": "4"}, None),
        ("amount", False, {}, 0),
        ("amount", True, {}, None),
        ("amount", True, {"amount": 4}, 4),
    ],
)
def test_what_an_intent_takes_of_a_limit(measure: str, needs: bool, arguments: dict[str, Any], amount: int) -> None:
    actions = {} if needs else {"p": action("pay.refund", Argument("amount", "int"))}
    assert amount_of(limit(measure=measure).on_action(actions), arguments) == amount


def test_a_finding_says_no_more_than_it_must() -> None:
    bare = Finding(Effect.DENY, Reason.NO_RULE)
    assert bare == Finding(Effect.DENY, Reason.NO_RULE, (), (), True, 30_000, 300_000, None, (), 60_000)
    assert [one.reason.name for one in (NO_RULE, ARGUMENTS_UNFIT, EVALUATION_DISAGREES)] == [
        "NO_RULE",
        "ARGUMENTS_UNFIT",
        "EVALUATION_DISAGREES",
    ]
    assert {one.effect for one in (NO_RULE, ARGUMENTS_UNFIT, EVALUATION_DISAGREES)} == {Effect.DENY}


def test_rules_run_as_generated_code_unless_that_is_asked_away() -> None:
    packs = [pack(rule("a", when="arguments.amount < 5"))]
    own, plain, library = PolicySet(packs), PolicySet.of(packs), PolicySet.of(packs, generated=False)
    texts = [plan.source for one in (own, plain, library) if (plan := one.plan("pay.refund"))]
    assert texts[0] == texts[1] != texts[2]


def test_a_condition_on_which_two_engines_differ_is_reported_where_it_stands_and_left_to_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = pack("\n".join((rule("plain"), rule("odd", "deny", when="arguments.amount == 123321"))))
    monkeypatch.setattr(oracle, "agrees", lambda *_, **__: False)
    told = [str(one) for one in oracle.compare(made)]
    line = rule("odd", "deny", when="arguments.amount == 123321")
    place = f"rules.yaml:3:{line.index('when: ') + 7}"
    assert told == [
        f"{place}: on `pay.refund` generated code and library differ: the library alone runs this condition"
    ]
    condition = made.condition(made.rules[1], "pay.refund")
    assert condition is not None
    assert (condition.source, condition.unknown) == (None, "generated code and library differ")
    # What is left to the library already is not compared again.
    assert list(oracle.compare(made)) == []


def test_an_argument_of_several_words_may_hold_a_map() -> None:
    declared = ACTIONS.replace("note:", "size_by_name: {type: 'map<string, int>', required: false}\n      note:")
    found = pack(rule("a", when="has(arguments.size_by_name) && arguments.size_by_name.x > 3"), actions=declared)
    plan = PolicySet.of([found], generated=False).plan("pay.refund")
    assert plan is not None
    asked = case(arguments={"amount": 5, "size_by_name": {"x": 4}})
    assert plan.decide(asked).effect is Effect.PERMIT


def test_who_is_meant_by_a_group_is_about_the_case() -> None:
    one = pack(rule("law", who='{actor: ["group:law"], authority: ["user:kim"]}')).rules[0]
    assert not_about(one, case({"actor": {"groups": ["law"]}})) == ""
    assert not_about(one, case({"actor": {"groups": ["it"]}})) == "actor `agent:ada` is none of group:law"
    assert not_about(one, case({"actor": {"groups": ["law"]}}, authority="user:mo")) == (
        "authority `user:mo` is none of user:kim"
    )
    assert not_about(one, case({"absent": ["actor"]})) == "actor `agent:ada` is none of group:law"
    assert (pack(rule("a")).name, one.name) == ("small", "small/law")
    assert explain(PolicySet.of([pack(rule("a"))]), case()).action == "pay.refund"
