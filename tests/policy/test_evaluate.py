"""What the rules of a set say of a case: closed by default, gravest wins, presence first."""

import hashlib
from itertools import permutations
from typing import Any

import pytest

from placet.model.reasons import Effect, Reason
from placet.policy.approval import Approval
from placet.policy.evaluate import ENGINE, Finding, Plan, PolicySet
from placet.policy.explain import explain
from placet.policy.obligations import Obligation
from tests.policy.packs import case, pack, rule


def plan_of(*rules: str, head: str = "", action: str = "pay.refund") -> Plan:
    plan = PolicySet.of([pack("\n".join(rules), head=head)]).plan(action)
    assert plan is not None
    return plan


def decide(*rules: str, given: dict[str, Any] | None = None, head: str = "", **intent: Any) -> Finding:
    return plan_of(*rules, head=head).decide(case(given, **intent), sample=True)


def test_an_action_nobody_is_about_has_no_plan() -> None:
    assert PolicySet.of([pack(rule("one"))]).plan("pay.elsewhere") is None
    assert PolicySet.of([]).plan("pay.refund") is None


def test_a_declared_action_without_a_rule_is_denied() -> None:
    plan = PolicySet.of([pack(rule("one", on="other.action"))]).plan("pay.refund")
    assert plan is not None
    assert plan.decide(case()) == Finding(Effect.DENY, Reason.NO_RULE)


def test_where_no_rule_speaks_the_answer_is_deny() -> None:
    found = decide(rule("never", when="false"), rule("other", "deny", when="arguments.amount > 100"))
    assert (found.effect, found.reason, found.rules) == (Effect.DENY, Reason.NO_RULE, ())


@pytest.mark.parametrize(
    ("spoken", "effect", "reason", "deciding"),
    [
        (["permit"], Effect.PERMIT, Reason.PERMITTED, ["permit"]),
        (["permit", "constrain"], Effect.CONSTRAIN, Reason.RULE_CONSTRAINED, ["constrain"]),
        (["permit", "constrain", "step_up"], Effect.STEP_UP, Reason.RULE_STEPPED_UP, ["step_up"]),
        (["permit", "step_up", "defer"], Effect.DEFER, Reason.RULE_DEFERRED, ["defer"]),
        (["permit", "constrain", "step_up", "defer", "deny"], Effect.DENY, Reason.RULE_DENIED, ["deny"]),
    ],
)
def test_the_gravest_wins_whatever_the_order(
    spoken: list[str], effect: Effect, reason: Reason, deciding: list[str]
) -> None:
    for order in permutations(spoken):
        found = decide(*(rule(name, name) for name in order))
        assert (found.effect, found.reason) == (effect, reason)
        assert list(found.rules) == [f"small/{name}" for name in deciding]


def test_equal_outcomes_are_the_same_object() -> None:
    plan = plan_of(rule("small", when="arguments.amount <= 100"), rule("owner", "deny", when="has(resource.owner)"))
    first = plan.decide(case(arguments={"amount": 1}))
    assert plan.decide(case(arguments={"amount": 99})) is first
    assert plan.decide(case({"absent": ["resource"]})) is plan.decide(case({"absent": ["resource", "actor.risk"]}))


def test_permit_and_constrain_merge_what_they_demand() -> None:
    found = decide(
        rule("free"),
        rule("wide", "constrain", obligations="[{limit: {argument: amount, max: 90}}]"),
        rule("tight", "constrain", obligations="[{limit: {argument: amount, max: 50}}, {read_only: {}}]"),
        rule("quiet", "constrain", obligations="[{redact: {arguments: [note, tags]}}]"),
        rule("seen", "constrain", obligations="[{capability: {name: record, with: {on: screen}}}]"),
    )
    assert found.obligations == (
        Obligation("capability", "record", '{"on":"screen"}'),
        Obligation("limit", "amount", "50"),
        Obligation("read_only", "dry_run", "true"),
        Obligation("redact", "note"),
        Obligation("redact", "tags"),
    )
    assert found.rules == ("small/wide", "small/tight", "small/quiet", "small/seen")


def test_a_denial_demands_nothing() -> None:
    found = decide(rule("quiet", "constrain"), rule("no", "deny"))
    assert (found.obligations, found.approval) == ((), None)


def test_a_step_up_carries_what_the_grant_to_come_demands() -> None:
    found = decide(rule("quiet", "constrain"), rule("ask", "step_up"))
    assert found.obligations == (Obligation("redact", "note"),)
    assert found.approval == Approval(1, ("group:finance",), 60_000)


def test_two_step_ups_ask_for_what_satisfies_both() -> None:
    found = decide(
        rule("a", "step_up", approval='{quorum: 2, from: ["user:*", "group:finance"], expires_s: 60}'),
        rule("b", "step_up", approval='{quorum: 1, from: ["user:kim", "group:finance"], expires_s: 30}'),
    )
    assert found.approval == Approval(2, ("group:finance", "user:kim"), 30_000)


@pytest.mark.parametrize(
    ("claims", "required"),
    [(["granted"], False), (["granted", "granted"], False), (["granted", "required"], True), (["required"], True)],
)
def test_one_granting_rule_that_wants_a_claim_is_enough(claims: list[str], required: bool) -> None:
    assert decide(*(rule(f"r{i}", claim=claim) for i, claim in enumerate(claims))).claim_required is required


def test_a_claim_is_required_where_nobody_says() -> None:
    assert decide(rule("one")).claim_required is True


@pytest.mark.parametrize(
    ("arguments", "fits"),
    [
        ({"amount": 1}, True),
        ({"amount": 1_000_000, "note": "x" * 100, "tags": ["a"], "dry_run": False}, True),
        ({}, False),
        ({"amount": 0}, False),
        ({"amount": 1_000_001}, False),
        ({"amount": True}, False),
        ({"amount": 1.0}, False),
        ({"amount": "1"}, False),
        ({"amount": None}, False),
        ({"amount": 1, "note": None}, False),
        ({"amount": 1, "note": "x" * 101}, False),
        ({"amount": 1, "tags": ["a", 1]}, False),
        ({"amount": 1, "tags": "a"}, False),
        ({"amount": 1, "tags": ["a"] * 1000}, True),
        ({"amount": 1, "tags": ["a"] * 1001}, False),
        ({"amount": 1, "dry_run": 1}, False),
        ({"amount": 1, "more": 1}, False),
    ],
)
def test_arguments_fit_their_declaration_or_are_denied_before_any_rule(arguments: dict[str, Any], fits: bool) -> None:
    found = decide(rule("one"), arguments=arguments)
    assert found.reason == (Reason.PERMITTED if fits else Reason.ARGUMENTS_UNFIT)
    assert found.effect == (Effect.PERMIT if fits else Effect.DENY)


RISKY = "actor.risk.score >= 0"
FRESH = "freshness: [{fact: actor.risk, heard_ms: 1000, observed_ms: 9000, else: defer}]"


@pytest.mark.parametrize(
    ("head", "own", "given", "effect", "reason"),
    [
        ("", {}, {"absent": ["actor.risk"]}, Effect.DENY, Reason.FACT_MISSING),
        (FRESH, {}, {"absent": ["actor.risk"]}, Effect.DEFER, Reason.FACT_MISSING),
        (FRESH, {"else": "deny"}, {"absent": ["actor.risk"]}, Effect.DENY, Reason.FACT_MISSING),
        ("", {"else": "defer"}, {"absent": ["actor.risk"]}, Effect.DEFER, Reason.FACT_MISSING),
        (FRESH, {}, {"ages": {"actor.risk": {"heard_ms": 1001}}}, Effect.DEFER, Reason.FACT_SILENT),
        (FRESH, {}, {"ages": {"actor.risk": {"observed_ms": 9001}}}, Effect.DEFER, Reason.FACT_SILENT),
        (FRESH, {}, {"ages": {"actor.risk": {"heard_ms": 1000, "observed_ms": 9000}}}, Effect.PERMIT, Reason.PERMITTED),
        ("", {}, {"ages": {"actor.risk": 10**9}}, Effect.PERMIT, Reason.PERMITTED),
    ],
)
def test_a_rule_whose_fact_is_missing_or_silent_says_its_else(
    head: str, own: dict[str, str], given: dict[str, Any], effect: Effect, reason: Reason
) -> None:
    found = decide(rule("one", when=RISKY, **own), head=head, given=given)
    assert (found.effect, found.reason) == (effect, reason)
    assert found.missing == (("actor.risk",) if effect is not Effect.PERMIT else ())


def test_a_missing_fact_matters_only_to_rules_that_are_about_the_case() -> None:
    about_others = rule("others", when=RISKY, resource='["account/*"]')
    about_robots = rule("robots", when=RISKY, who='{actor: ["robot:*"]}')
    found = decide(rule("plain"), about_others, about_robots, given={"absent": ["actor.risk"]})
    assert found.effect is Effect.PERMIT


@pytest.mark.parametrize(
    ("when", "given", "effect"),
    [
        # An owner that is not set would read as an empty text.
        ("resource.owner == ''", {}, Effect.DENY),
        ("resource.owner != 'user:kim'", {}, Effect.DENY),
        ("has(resource.owner) && resource.owner == ''", {}, None),
        ("!has(resource.owner) || resource.owner == 'x'", {}, Effect.PERMIT),
        ("resource.owner == 'x' && has(resource.owner)", {"resource": {"owner": "x"}}, Effect.PERMIT),
        ("has(resource.owner) ? resource.owner == 'x' : true", {}, Effect.PERMIT),
        ("!has(resource.owner)", {"absent": ["resource"]}, Effect.DENY),
        ("!has(resource.id)", {"absent": ["resource"]}, Effect.PERMIT),
        ("has(resource.id) && resource.rank == 0", {"absent": ["resource"]}, None),
        ("!has(actor.risk.score)", {"absent": ["actor.risk"]}, Effect.PERMIT),
        ("actor.risk.level == ''", {"absent": ["actor.risk"]}, Effect.DENY),
        ("actor.attributes.region == 'eu'", {}, Effect.DENY),
        ("'region' in actor.attributes && actor.attributes.region == 'eu'", {}, None),
        ("!has(actor.attributes.region)", {}, Effect.PERMIT),
        ("calendar.freeze != 'on'", {}, Effect.DENY),
        ("!has(calendar.freeze)", {}, Effect.PERMIT),
        ("actor.groups.size() == 0", {}, Effect.PERMIT),
    ],
)
def test_what_is_unset_is_missing_unless_the_condition_asks(
    when: str, given: dict[str, Any], effect: Effect | None
) -> None:
    found = decide(rule("one", when=when), given=given)
    expected = {
        Effect.PERMIT: (Effect.PERMIT, Reason.PERMITTED),
        Effect.DENY: (Effect.DENY, Reason.FACT_MISSING),
        None: (Effect.DENY, Reason.NO_RULE),
    }[effect]
    assert (found.effect, found.reason) == expected


def test_an_argument_that_is_missing_never_arrives_so_nobody_waits_for_it() -> None:
    plan = PolicySet.of([pack(rule("any", when="arguments.x == 1", on="free.*", **{"else": "defer"}))]).plan(
        "free.action"
    )
    assert plan is not None
    found = plan.decide(case(action="free.action", arguments={}))
    assert (found.effect, found.reason, found.missing) == (Effect.DENY, Reason.FACT_MISSING, ("arguments.x",))
    assert plan.facts == ()
    assert plan.decide(case(action="free.action", arguments={"x": 1})).effect is Effect.PERMIT
    assert plan.decide(case(action="free.action", arguments={"x": True})).reason is Reason.NO_RULE


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("arguments.amount / (arguments.amount - 100) == 1", Reason.RULE_ERRED),
        ("arguments.amount * 9223372036854775807 > 0", Reason.RULE_ERRED),
        # The library knows which errors `||` absorbs.
        ("arguments.amount / (arguments.amount - 100) == 1 || true", Reason.PERMITTED),
        ("arguments.tags[3] == 'x'", Reason.RULE_ERRED),
    ],
)
def test_a_rule_that_errs_is_a_deny_that_says_so(when: str, reason: Reason) -> None:
    assert decide(rule("one", when=when), rule("two"), arguments={"amount": 100}).reason is reason


def test_a_difference_between_the_engines_is_a_deny_and_is_counted() -> None:
    plan = plan_of(rule("one", when="arguments.amount > 5"))
    plan._library = lambda _: 0
    assert plan.decide(case()).effect is Effect.PERMIT
    found = plan.decide(case(), sample=True)
    assert (found.effect, found.reason, plan.disagreements) == (Effect.DENY, Reason.EVALUATION_DISAGREES, 1)


@pytest.mark.parametrize(
    ("who", "intent", "given", "speaks"),
    [
        ('{actor: ["agent:*"]}', {}, {}, True),
        ('{actor: ["agent:b*"]}', {}, {}, False),
        ('{actor: ["agent:ada", "agent:b*"]}', {}, {}, True),
        ('{actor: ["*"]}', {}, {}, True),
        ('{authority: ["user:kim"]}', {}, {}, True),
        ('{authority: ["user:kim"], actor: ["agent:x"]}', {}, {}, False),
        ('{authority: ["group:ops"]}', {}, {"authority": {"groups": ["ops"]}}, True),
        ('{authority: ["group:ops"]}', {}, {"actor": {"groups": ["ops"]}}, False),
        ('{authority: ["group:ops", "user:kim"]}', {}, {}, True),
        ('{any_in_chain: ["workflow:*"]}', {"chain": ["user:kim", "workflow:w", "agent:ada"]}, {}, True),
        ('{any_in_chain: ["workflow:*"]}', {}, {}, False),
    ],
)
def test_who_narrows_a_rule(who: str, intent: dict[str, Any], given: dict[str, Any], speaks: bool) -> None:
    assert (decide(rule("one", who=who), given=given, **intent).reason is Reason.PERMITTED) is speaks
    told = explain(PolicySet.of([pack(rule("one", who=who))]), case(given, **intent)).rules[0]
    assert (told.why == "it has no condition") is speaks


def test_a_group_of_somebody_unknown_is_a_missing_fact() -> None:
    found = decide(rule("one", who='{authority: ["group:ops"]}'), given={"absent": ["authority"]})
    assert (found.reason, found.missing) == (Reason.FACT_MISSING, ("authority",))


def test_a_group_in_a_record_that_is_too_old_is_a_silent_fact() -> None:
    told = rule("no", "deny", who='{authority: ["group:barred"]}')
    head = "freshness: [{fact: authority, heard_ms: 1000, else: defer}]"
    stale = {"ages": {"authority": {"heard_ms": 1001}}}
    found = decide(rule("yes"), told, head=head, given=stale)
    assert (found.effect, found.reason, found.missing) == (Effect.DEFER, Reason.FACT_SILENT, ("authority",))
    assert decide(rule("yes"), told, head=head).effect is Effect.PERMIT


def test_facts_are_all_that_any_rule_may_read() -> None:
    plan = plan_of(
        rule("a", when="actor.risk.level == 'low' && has(calendar.freeze)"),
        rule("b", when="resource.rank > 1 || session.risk.score > 1", who='{any_in_chain: ["workflow:*"]}'),
        rule("c", who='{authority: ["group:ops"]}'),
    )
    assert plan.facts == ("actor.risk", "authority", "calendar.freeze", "mandate", "resource", "session.risk")


def test_a_set_merges_its_packs_and_the_strictest_duration_holds() -> None:
    first = pack(rule("yes"), name="first", head="defer_ms_max: 5000\nlease: {lease_ms: 9000}\nunsigned_intents: true")
    second = pack(rule("no", "deny", on="pay.*"), name="second", head="lease: {lease_ms: 7000, act_ms_max: 400}")
    policies = PolicySet.of([first, second])
    plan = policies.plan("pay.refund")
    assert plan is not None
    assert plan.decide(case()).rules == ("second/no",)
    assert (plan.lease_ms, plan.act_ms_max, plan.defer_ms_max) == (7000, 400, 5000)
    assert plan.deadline_ms_max == 900_000
    assert plan.unsigned_intents is False
    assert policies.engine == ENGINE == "placet-cel/1 cel-expr-python/0.1.3"


def test_arguments_fit_every_pack_that_declares_the_action_also_one_without_a_rule_for_it() -> None:
    strict = "\n  pay.refund: {deadline_ms_max: 5000, arguments: {amount: {type: int, max: 50}}}\n"
    silent = pack(rule("elsewhere", on="pay.other"), name="silent", actions=strict)
    plan = PolicySet.of([pack(rule("yes")), silent]).plan("pay.refund")
    assert plan is not None
    assert plan.decide(case(arguments={"amount": 50})).effect is Effect.PERMIT
    assert plan.decide(case(arguments={"amount": 51})).reason is Reason.ARGUMENTS_UNFIT
    assert plan.deadline_ms_max == 5000


def test_a_digest_covers_names_and_bytes_and_no_order() -> None:
    one, two = pack(rule("one"), name="one"), pack(rule("two"), name="two")
    both = b"".join(sorted((one.digest, two.digest)))
    assert PolicySet.of([one, two]).digest == hashlib.sha256(b"placet/set/1" + both).digest()
    assert PolicySet.of([two, one]).digest == PolicySet.of([one, two]).digest
    text = [document.text.encode() for document in one.documents.values()]
    fields = [b"pack.yaml", text[0], b"rules.yaml", text[1]]
    framed = b"".join(len(field).to_bytes(8, "big") + field for field in fields)
    assert one.digest == hashlib.sha256(b"placet/pack/1" + framed).digest()


def test_an_action_may_be_waited_for_as_long_as_its_pack_says() -> None:
    actions = "\n  pay.refund: {deadline_ms_max: 604800000, arguments: {amount: {type: int}}}\n"
    plan = PolicySet.of([pack(rule("one"), actions=actions)]).plan("pay.refund")
    assert plan is not None
    assert plan.deadline_ms_max == 604_800_000
