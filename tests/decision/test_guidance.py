"""What a desk tells with a refusal: bounds of the intent's own integers, whom to ask, and nothing with a grant."""

from typing import Any

import pytest

from placet.model.reasons import Effect, Reason, State
from placet.policy.bounds import Bounds, Told
from tests.decision.test_desk import only
from tests.decision.test_halts import audited
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
