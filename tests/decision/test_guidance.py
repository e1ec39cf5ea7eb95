"""What a desk tells with a refusal: bounds of the intent's own integers, whom to ask, and nothing with a grant."""

from typing import Any

import pytest

from placet.decision import guidance
from placet.model.codec.mandate import Limit
from placet.model.reasons import Effect, Reason, State
from placet.policy.bounds import Bounds, Told
from tests.decision.test_desk import only
from tests.decision.test_halts import audited
from tests.decision.test_limits import PEOPLE as PEOPLE_ASKED
from tests.decision.test_limits import SUM, pack
from tests.support.world import AGENT, PACK, PERSON, World

PERMIT, CONSTRAIN, PEOPLE = Effect.PERMIT, Effect.CONSTRAIN, Effect.STEP_UP


def refused(world: World, amount: int = 10, **more: Any) -> Any:
    return only(world.ask(world.intent(arguments={"amount": amount}, **more)))


@pytest.mark.parametrize(
    ("amount", "reason", "bounds", "ask"),
    [
        (10, Reason.PERMITTED, [], ()),
        (3_000, Reason.RULE_CONSTRAINED, [], ()),
        (6_000, Reason.RULE_STEPPED_UP, [("amount", "<=", "5000", CONSTRAIN)], ("group:finance",)),
        (60_000, Reason.NO_RULE, [("amount", "<=", "9000", PEOPLE), ("amount", "<=", "5000", CONSTRAIN)], ()),
        (-1, Reason.ARGUMENTS_UNFIT, [("amount", ">=", "0", PERMIT)], ()),
    ],
)
def test_a_refusal_tells_the_nearest_bound_and_whom_to_ask(
    amount: int, reason: Reason, bounds: list[Any], ask: tuple[str, ...]
) -> None:
    world = World()
    said = refused(world, amount)
    assert (said.reason, [tuple(one) for one in said.bounds], said.ask) == (reason, bounds, ask)
    assert audited(world).clean


def test_a_refusal_for_what_is_known_of_somebody_tells_no_bound() -> None:
    world = World()
    world.publish_risk(90)
    for amount in (10, 6_000):
        said = refused(world, amount)
        assert (said.reason, said.bounds, said.ask) == (Reason.RULE_DENIED, (), ())
    assert audited(world).clean


def test_outside_its_mandate_an_agent_may_ask_those_whose_mandates_are_too_narrow() -> None:
    world = World()
    world.publish_principal("user:mid", kind="user")
    world.publish_mandate(id="root", delegate="user:mid", actions=["shop.look"])
    world.publish_mandate(id="own", delegator="user:mid", parent="root", actions=["shop.refund"])
    said = refused(world, mandate="own")
    assert (said.reason, said.ask) == (Reason.OUTSIDE_MANDATE, (PERSON,))
    world.publish_mandate(id="own", delegator="user:mid", parent="root", actions=["shop.look"])
    assert refused(world, mandate="own").ask == ("user:mid", PERSON)
    assert audited(world).clean


def test_where_the_chain_is_broken_an_agent_may_ask_whom_it_named_as_authority_and_hears_of_nobody_else() -> None:
    world = World()
    world.publish_principal("user:alan", kind="user")
    world.publish_mandate(id="foreign", delegator="user:alan")
    said = refused(world, mandate="foreign")
    assert (said.reason, said.ask) == (Reason.CHAIN_BROKEN, (PERSON,))
    assert "alan" not in str(said.bounds + said.ask)
    said = only(world.ask(world.intent(actor=AGENT, authority=AGENT, mandate="none")))
    assert (said.reason, said.ask) == (Reason.CHAIN_BROKEN, ())
    assert audited(world).clean


def test_what_was_deferred_and_is_refused_then_hears_its_bound_too() -> None:
    rows = PACK["rules.yaml"].replace(
        "when: \"resource.sensitivity != 'restricted'\", effect: permit",
        "when: \"resource.sensitivity != 'restricted' && has(arguments.rows) && arguments.rows <= 7\", effect: permit",
    )
    assert rows != PACK["rules.yaml"]
    world = World(pack={**PACK, "rules.yaml": rows})
    asked = world.intent("shop.export", {"rows": 9}, resource="table/1")
    waits = only(world.ask(asked))
    assert (waits.state, waits.bounds) == (State.DEFERRED, ())
    world.publish_sensitivity("table/1", "public")
    said = only(world.step())
    assert (said.state, [tuple(one) for one in said.bounds]) == (State.DENIED, [("rows", "<=", "7", PERMIT)])
    assert audited(world).clean


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        (Told("amount", "<=", 9_500, PEOPLE), "promises effect 3, the rules say 5"),
        (Told("amount", "<=", 5_000, PERMIT), "promises effect 1, the rules say 2"),
        (Told("amount", "<=", 4_000, CONSTRAIN), "is not the nearest: one before it the rules say 2"),
        (Told("amount", ">=", 5_000, CONSTRAIN), "is none of an integer that was asked"),
        (Told("note", "<=", 5_000, CONSTRAIN), "is none of an integer that was asked"),
        (Told("amount", "<=", 9_000, Effect.DENY), "promises effect 5, where 5 was said"),
    ],
)
def test_a_bound_that_is_not_true_is_found_by_the_auditor(
    lie: Told, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bounds, "told", lambda *_: (lie,))
    world = World()
    assert refused(world, 60_000).bounds[0].value == str(lie.value)
    report = audited(world)
    assert not report.clean
    assert found in report["V5"].shown[0].text


def bounds_of(said: Any) -> list[Any]:
    return [tuple(one) for one in said.bounds]


@pytest.mark.parametrize(
    ("over", "effect"), [("deny", Effect.DENY), ("defer", Effect.DEFER), ("step_up", Effect.STEP_UP)]
)
def test_what_goes_beyond_a_sum_hears_what_is_left_of_it(over: str, effect: Effect) -> None:
    limit = {"step_up": PEOPLE_ASKED}.get(over, SUM.replace("max: 100", f"max: 100, over: {over}"))
    world = World(
        pack=pack(
            limit, "{id: many, per: [authority], on: ['shop.*'], window: {sliding_s: 60}, max: 9, because: enough}"
        )
    )
    refused(world, 70)
    said = refused(world, 31)
    assert (said.effect, bounds_of(said)) == (effect, [("amount", "<=", "30", PERMIT)])
    assert said.ask == (("group:finance",) if over == "step_up" else ())
    assert refused(world, 30).state == State.GRANTED
    assert audited(world).clean


def test_where_nothing_is_left_or_a_count_is_exceeded_no_amount_would_do() -> None:
    world = World(
        pack=pack(SUM, "{id: two, per: [authority], on: ['shop.*'], window: {sliding_s: 60}, max: 2, because: enough}")
    )
    refused(world, 60)
    refused(world, 40)
    spent = refused(world, 1)
    assert (spent.reason, spent.bounds) == (Reason.LIMIT_EXCEEDED, ())
    world = World(pack=pack(SUM))
    refused(world, 100)
    assert refused(world, 1).bounds == ()
    world = World(pack=pack(SUM.replace("max: 100", "max: 0")))
    assert refused(world, 1).bounds == ()
    assert audited(world).clean


def test_what_a_rule_says_of_the_amount_that_is_left_is_told_with_it() -> None:
    files = {**PACK, "pack.yaml": PACK["pack.yaml"] + "limits:\n  - " + SUM.replace("max: 100", "max: 7000") + "\n"}
    world = World(pack=files)
    refused(world, 1000)
    assert bounds_of(refused(world, 6_500)) == [("amount", "<=", "6000", PEOPLE)]
    refused(world, 1000)
    # What is bound to 1,000 by a rule takes no more than that of the limit.
    assert bounds_of(refused(world, 8_000)) == [("amount", "<=", "5000", CONSTRAIN)]
    assert audited(world).clean


def test_the_tightest_of_several_sums_is_told_and_who_handed_on_the_mandate_may_be_asked() -> None:
    world = World(pack=pack(SUM))
    world.publish_principal("agent:bob")
    world.publish_mandate(limits=(Limit("amount", 60, 0, ()),))
    world.publish_mandate(
        id="m2", delegator=AGENT, delegate="agent:bob", parent="m1", limits=(Limit("amount", 50, 0, ()),)
    )
    his = {"actor": "agent:bob", "mandate": "m2"}
    refused(world, 40, **his)
    said = refused(world, 30, **his)
    assert (bounds_of(said), said.ask) == ([("amount", "<=", "10", PERMIT)], (AGENT, PERSON))
    assert said.rules == ("mandate/m2", "mandate/m1")
    assert refused(world, 15, **his).ask == (AGENT,)
    assert refused(world, 110).rules == ("shop/sum", "mandate/m1")
    assert audited(world).clean


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        (Told("amount", "<=", 29, PERMIT), "is not the nearest: one before it the rules say 1"),
        (Told("amount", "<=", 31, PERMIT), "is none of an integer that was asked"),
        (Told("amount", "<=", 30, CONSTRAIN), "promises effect 2, the rules say 1"),
    ],
)
def test_a_false_word_on_what_is_left_is_found_by_the_auditor(
    lie: Told, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guidance, "room", lambda *_: lie)
    world = World(pack=pack(SUM))
    refused(world, 70)
    refused(world, 31)
    (violation,) = audited(world)["V5"].shown
    assert found in violation.text
