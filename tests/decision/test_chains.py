"""Chains of mandates in a desk: what breaks one is refused by name, and what ends in its middle ends all below."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from placet.model.codec.mandate import Mandate
from placet.model.codec.principal import Principal
from placet.model.reasons import Effect, Reason, State
from placet.model.topics import Topic
from tests.decision.test_desk import only
from tests.decision.test_halts import audited
from tests.support.world import AGENT, PERSON, World, states

PEOPLE = (PERSON, "agent:one", "agent:two", "agent:three", "agent:four", AGENT)
LINKS = ("l1", "l2", "l3", "l4", "l5")
WAITING, LEASED, BEGUN = {"amount": 6_000}, {"amount": 10}, {"amount": 20}


def world_of_five() -> World:
    """Return a world in which a person's authority came to the agent through four others."""
    world = World()
    for name in PEOPLE[1:-1]:
        world.publish_principal(name)
    for number in range(5):
        publish(world, number)
    return world


def publish(world: World, number: int, **more: Any) -> None:
    """Publish one of the five links, as it was or with other fields."""
    fields = {
        "id": LINKS[number],
        "delegator": PEOPLE[number],
        "delegate": PEOPLE[number + 1],
        "parent": LINKS[number - 1] if number else "",
        **more,
    }
    world.publish_mandate(**fields)


def refused(world: World, **more: Any) -> tuple[Reason, str]:
    """Ask under the chain and return why it was denied."""
    said = only(world.ask(world.intent(**{"mandate": "l5", **more})))
    assert said.state == State.DENIED
    return Reason(said.reason), said.detail


def test_authority_comes_through_five_links() -> None:
    assert states((world := world_of_five()).ask(world.intent(mandate="l5"))) == [State.GRANTED]


def changed_places(world: World) -> None:
    publish(world, 2, parent="l4")
    publish(world, 3, parent="l2")


def extended(world: World) -> None:
    world.publish_mandate(id="l0", delegator="user:eve", delegate=PERSON)
    publish(world, 0, parent="l0")


BROKEN: list[tuple[str, Callable[[World], None], str]] = [
    (
        "a link is spliced in that another was not given",
        lambda w: w.publish_mandate(id="l3", delegator="agent:two", delegate="agent:other", parent="l2"),
        "mandate `l3` was not given to `agent:three`",
    ),
    (
        "a link leads to the one two above it",
        lambda w: publish(w, 3, parent="l2"),
        "mandate `l2` was not given to `agent:three`",
    ),
    (
        "two links have changed places",
        changed_places,
        "mandate `l2` was not given to `agent:three`",
    ),
    (
        "the chain is cut off in its middle",
        lambda w: publish(w, 2, parent=""),
        "the chain ends at `agent:two`, not at the authority",
    ),
    (
        "the root is extended by one whose authority it is not",
        extended,
        "the chain ends at `user:eve`, not at the authority",
    ),
    (
        "a parent is named that nobody published",
        lambda w: publish(w, 2, parent="l9"),
        "mandate `l9` is not known",
    ),
    (
        "a link in the middle ends now",
        lambda w: publish(w, 2, expires_at=w.clock.now),
        "mandate `l3` ended at {now}",
    ),
    (
        "a link in the middle is suspended",
        lambda w: publish(w, 2, status="suspended"),
        "mandate `l3` is suspended or revoked",
    ),
    (
        "the chain goes round",
        lambda w: publish(w, 0, delegator=AGENT, parent="l5"),
        "it goes round: mandate `l2` is above itself",
    ),
]


@pytest.mark.parametrize(("change", "says"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_chain_that_does_not_hold_is_refused_by_the_link_that_breaks_it(
    change: Callable[[World], None], says: str
) -> None:
    world = world_of_five()
    change(world)
    assert refused(world) == (Reason.CHAIN_BROKEN, says.format(now=world.clock.now))
    world.later(2_000)
    assert audited(world).clean


def test_whoever_was_given_a_link_may_not_use_one_below_it() -> None:
    assert refused(world_of_five(), actor="agent:three") == (
        Reason.CHAIN_BROKEN,
        "mandate `l5` was not given to `agent:three`",
    )


def test_the_authority_is_who_stands_at_the_root() -> None:
    world = world_of_five()
    world.publish_principal("agent:boss")
    assert refused(world, authority="agent:one") == (
        Reason.CHAIN_BROKEN,
        f"the chain ends at `{PERSON}`, not at the authority",
    )


@pytest.mark.parametrize(("more", "broken"), [(3, ""), (4, "more than 8 links")])
def test_a_chain_has_at_most_eight_links(more: int, broken: str) -> None:
    world = World()
    people = [PERSON, *(f"agent:n{number}" for number in range(4 + more)), AGENT]
    for number, (giver, taker) in enumerate(pairwise(people)):
        world.publish_principal(taker)
        world.publish_mandate(
            id=f"n{number}", delegator=giver, delegate=taker, parent=(number and f"n{number - 1}") or ""
        )
    said = only(world.ask(world.intent(mandate=f"n{4 + more}")))
    assert (said.state, said.detail) == (State.DENIED if broken else State.GRANTED, broken)


def test_who_is_known_to_another_tenant_only_is_nobody_here() -> None:
    world = world_of_five()
    stranger = Principal("globex", "agent:stranger", "agent", "active", None, (), {}, (), "hr", world.clock.now, None)
    world.context(Topic.PRINCIPALS, world.signed("principal", stranger, world.directory))
    publish(world, 3, delegate="agent:stranger")
    publish(world, 4, delegator="agent:stranger")
    assert refused(world) == (Reason.PRINCIPAL_UNKNOWN, "delegator `agent:stranger`")


def test_a_parent_is_a_mandate_of_the_same_tenant() -> None:
    world = world_of_five()
    told = Mandate("globex", "l0", PERSON, "agent:two", "", ("*",), ("*",), (), "", 0, "active", world.clock.now, None)
    world.context(Topic.MANDATES, world.signed("mandate", told, world.operator))
    publish(world, 2, parent="l0")
    assert refused(world) == (Reason.CHAIN_BROKEN, "mandate `l0` is not known")


def test_a_link_under_another_parent_grants_what_that_one_gives() -> None:
    world = world_of_five()
    world.publish_mandate(id="side", delegator=PERSON, delegate="agent:two", actions=("shop.look",))
    asked = world.intent(mandate="l5")
    assert states(world.ask(asked)) == [State.GRANTED]
    publish(world, 2, parent="side")
    (revoked,) = world.step()
    assert (revoked.state, revoked.record.detail) == (State.REVOKED, "mandate `side` does not cover it")


def test_a_child_that_claims_more_grants_no_more_than_its_parent() -> None:
    world = world_of_five()
    publish(world, 2, actions=("shop.look",))
    publish(world, 3, actions=("*", "shop.refund"))
    assert refused(world) == (Reason.OUTSIDE_MANDATE, "mandate `l3` does not cover it")
    assert states(world.ask(world.intent("shop.look", mandate="l5"))) == [State.CLAIMED]


def three_open(world: World) -> None:
    """Let one intent wait for people, one be granted, and one be under way, all under the chain."""
    waits, leased, begun = (world.intent(arguments=each, mandate="l5") for each in (WAITING, LEASED, BEGUN))
    assert states(world.ask(waits, leased, begun)) == [State.PENDING, State.GRANTED, State.GRANTED]
    assert states(world.claim(begun)) == [State.CLAIMED]


ENDED: list[tuple[str, Callable[[World], None]]] = [
    *((f"{LINKS[n]} {status}", lambda w, n=n, status=status: publish(w, n, status=status)) for n in range(5) for status in ("suspended", "revoked")),
    *((f"{name} suspended", lambda w, name=name: w.publish_principal(name, status="suspended")) for name in PEOPLE),
    *((f"{LINKS[n]} ended", lambda w, n=n: publish(w, n, expires_at=w.clock.now)) for n in range(5)),
    *((f"{LINKS[n]} narrowed", lambda w, n=n: publish(w, n, resources=("order/8",))) for n in range(5)),
]  # fmt: skip


@pytest.mark.parametrize("change", [row[1] for row in ENDED], ids=[row[0] for row in ENDED])
def test_what_ends_anywhere_in_the_chain_ends_all_that_rests_on_it(change: Callable[[World], None]) -> None:
    world = world_of_five()
    three_open(world)
    change(world)
    denied, revoked, stopped = (each.record for each in world.step())
    assert (denied.state, denied.effect) == (State.DENIED, Effect.DENY)
    assert (revoked.state, revoked.reason) == (State.REVOKED, Reason.CONTEXT_CHANGED)
    assert (stopped.state, stopped.stop, stopped.detail) == (State.CLAIMED, True, revoked.detail)
    world.later(2_000)
    assert audited(world).clean


def test_what_is_told_of_somebody_beside_the_chain_touches_nothing() -> None:
    world = world_of_five()
    three_open(world)
    world.publish_principal("agent:beside", status="suspended")
    world.publish_mandate(id="beside", status="revoked")
    assert world.step() == []


@pytest.mark.parametrize("arguments", [WAITING, LEASED])
def test_what_is_open_ends_with_the_first_link_that_ends(arguments: dict[str, int]) -> None:
    world = world_of_five()
    ends = world.clock.now + 5_000
    publish(world, 2, expires_at=ends)
    publish(world, 3, expires_at=ends + 9_000)
    opened = only(world.ask(world.intent(arguments=arguments, mandate="l5")))
    assert opened.expires_at == ends
    assert world.later(4_999) == []
    assert states(world.later(1)) == [State.EXPIRED if arguments is WAITING else State.LAPSED]
    world.later(2_000)
    assert audited(world).clean


def test_a_lease_that_would_outlive_a_link_that_ends_sooner_now_is_revoked() -> None:
    world = world_of_five()
    asked = world.intent(mandate="l5")
    until = only(world.ask(asked)).expires_at
    publish(world, 2, expires_at=until)
    assert world.step() == []
    publish(world, 2, expires_at=until - 1)
    (revoked,) = world.step()
    assert (revoked.state, revoked.record.reason) == (State.REVOKED, Reason.CONTEXT_CHANGED)
    assert revoked.record.detail == f"its mandate ends at {until - 1}, before the lease"
    world.later(2_000)
    assert audited(world).clean
