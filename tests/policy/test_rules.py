"""A rule, an action and its demands as the evaluator sees them, field by field."""

from typing import Any

import pytest

from placet.model.reasons import Effect
from placet.policy.approval import Approval
from placet.policy.forms import ActionForm, ObligationForm, PackForm, RuleForm
from placet.policy.obligations import Obligation
from placet.policy.rules import action_of, demands, reaches, rule_of
from placet.policy.shape import Argument

PACK = {"name": "p", "version": "1", "description": "d"}
BARE = {"id": "r", "on": ["pay.*"], "effect": "permit", "because": "so"}


def rule(**more: Any) -> Any:
    return rule_of("p", RuleForm.model_validate(BARE | more))


def test_a_bare_rule_narrows_nothing_and_wants_a_claim() -> None:
    made = rule()
    assert (made.name, made.on, made.effect, made.because) == ("p/r", ("pay.*",), Effect.PERMIT, "so")
    assert (made.resource, made.actor, made.authority, made.any_in_chain, made.when) == (None,) * 5
    assert (made.obligations, made.approval, made.claim_required, made.otherwise) == ((), None, True, None)


def test_a_rule_holds_all_that_its_form_says() -> None:
    made = rule(
        resource=["order/*"],
        who={"actor": ["agent:a"], "authority": ["group:x"], "any_in_chain": ["agent:b"]},
        when="true",
        effect="step_up",
        approval={"quorum": 2, "from": ["user:b", "user:a", "user:b"], "expires_s": 60},
        claim="granted",
        **{"else": "defer"},
    )
    assert (made.resource, made.actor, made.authority, made.any_in_chain) == (
        ("order/*",),
        ("agent:a",),
        ("group:x",),
        ("agent:b",),
    )
    assert (made.when, made.effect, made.claim_required) == ("true", Effect.STEP_UP, False)
    assert made.approval == Approval(2, ("user:a", "user:b"), 60_000)
    assert made.otherwise is Effect.DEFER
    assert rule(claim="required").claim_required is True
    assert rule(**{"else": "deny"}).otherwise is Effect.DENY


@pytest.mark.parametrize(
    ("who", "facts"),
    [
        ({"actor": ["agent:a"]}, []),
        ({"actor": ["agent:a", "group:x"]}, ["actor"]),
        ({"authority": ["group:x"]}, ["authority"]),
        ({"actor": ["group:x"], "authority": ["group:x"]}, ["actor", "authority"]),
        ({"any_in_chain": ["agent:a"]}, ["mandate"]),
    ],
)
def test_whom_a_rule_is_about_may_change_with_these_facts(who: dict[str, list[str]], facts: list[str]) -> None:
    assert list(rule(who=who).who_facts()) == facts


@pytest.mark.parametrize(
    ("own", "pack", "lease_ms", "act_ms_max"),
    [
        (None, {}, 30_000, 300_000),
        (None, {"lease_ms": 500, "act_ms_max": 600}, 500, 600),
        ({"lease_ms": 700}, {"lease_ms": 500, "act_ms_max": 600}, 700, 600),
        ({"act_ms_max": 800}, {"lease_ms": 500}, 500, 800),
        ({}, {}, 30_000, 300_000),
    ],
)
def test_an_action_s_own_durations_go_before_the_pack_s(
    own: dict[str, int] | None, pack: dict[str, int], lease_ms: int, act_ms_max: int
) -> None:
    form = ActionForm.model_validate({"lease": own} if own is not None else {})
    made = action_of("pay", form, PackForm.model_validate(PACK | {"lease": pack}))
    assert (made.lease_ms, made.act_ms_max, made.deadline_ms_max) == (lease_ms, act_ms_max, None)


def test_an_action_holds_its_arguments_by_name_and_its_read_only_values_as_json() -> None:
    form = ActionForm.model_validate(
        {
            "arguments": {
                "note": {"type": "string", "required": False, "max_length": 9, "pattern": "a+", "one_of": ["a", "aa"]},
                "amount": {"type": "int", "min": 1, "max": 5},
            },
            "read_only": {"mode": "read", "dry": True, "deep": 0},
            "deadline_ms_max": 5_000,
        }
    )
    made = action_of("pay", form, PackForm.model_validate(PACK))
    assert made.name == "pay"
    assert made.arguments == (
        Argument("amount", "int", True, 1, 5, None, None, ()),
        Argument("note", "string", False, None, None, 9, "a+", ("a", "aa")),
    )
    assert made.read_only == (("deep", "0"), ("dry", "true"), ("mode", '"read"'))
    assert made.deadline_ms_max == 5_000
    assert action_of("pay", ActionForm(), PackForm.model_validate(PACK)).read_only is None


ACTION = action_of(
    "pay",
    ActionForm.model_validate(
        {
            "arguments": {"amount": {"type": "int"}, "note": {"type": "string"}},
            "read_only": {"note": "x", "amount": 0},
        }
    ),
    PackForm.model_validate(PACK),
)


@pytest.mark.parametrize(
    ("form", "made"),
    [
        ({"limit": {"argument": "amount", "max": 5}}, (Obligation("limit", "amount", "5"),)),
        ({"redact": {"arguments": ["note", "amount"]}}, (Obligation("redact", "note"), Obligation("redact", "amount"))),
        ({"read_only": {}}, (Obligation("read_only", "amount", "0"), Obligation("read_only", "note", '"x"'))),
        ({"capability": {"name": "record"}}, (Obligation("capability", "record", ""),)),
        (
            {"capability": {"name": "record", "with": {"b": "2", "a": "1"}}},
            (Obligation("capability", "record", '{"a":"1","b":"2"}'),),
        ),
    ],
)
def test_each_kind_of_obligation_is_this_demand(form: dict[str, Any], made: tuple[Obligation, ...]) -> None:
    assert demands(rule(effect="constrain", obligations=[form]), ACTION) == made


@pytest.mark.parametrize(
    ("form", "declared", "says"),
    [
        ({"limit": {"argument": "other", "max": 5}}, True, "`other` is not a declared int argument"),
        ({"limit": {"argument": "note", "max": 5}}, True, "`note` is not a declared int argument"),
        ({"limit": {"argument": "amount", "max": 5}}, False, "`amount` is not a declared int argument"),
        ({"redact": {"arguments": ["note", "other"]}}, True, "`other` is not a declared argument"),
        ({"read_only": {}}, False, "the action declares no `read_only` values"),
    ],
)
def test_what_an_action_cannot_meet_is_said(form: dict[str, Any], declared: bool, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        demands(rule(effect="constrain", obligations=[form]), ACTION if declared else None)


def test_an_undeclared_action_may_be_redacted() -> None:
    made = demands(rule(effect="constrain", obligations=[{"redact": {"arguments": ["any"]}}]), None)
    assert made == (Obligation("redact", "any"),)


def test_a_form_names_exactly_one_obligation() -> None:
    for written in ({}, {"read_only": {}, "redact": {"arguments": ["a"]}}):
        with pytest.raises(ValueError, match="exactly one"):
            ObligationForm.model_validate(written)


def test_a_rule_reaches_what_its_patterns_cover() -> None:
    assert [reaches(rule(), name) for name in ("pay.refund", "pay.", "look")] == [True, True, False]
