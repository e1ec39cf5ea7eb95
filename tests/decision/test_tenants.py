"""Promise 11: no record of one tenant changes a verdict of another, whatever the neighbour asks, says, halts or allows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from itertools import zip_longest
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from placet.decision.settings import DeskSettings
from placet.model import codec
from placet.model.codec import intent as intent_codec
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from tests.decision.test_laws import STEPS, Act, Player, decisions
from tests.support import world as worlds
from tests.support.world import AGENT, EXECUTOR, PACK, PERSON, TENANT, World, states

OTHER = "globex"
SHUT_PACK = {
    **PACK,
    "rules.yaml": 'rules:\n  - {id: shut, because: shut, on: ["*"], effect: deny}\n',
    "tests.yaml": """\
tests:
  - says: nothing is allowed
    intent: {actor: agent:ada, action: shop.refund, resource: order/7, arguments: {amount: 10}}
    expect: {effect: deny, because: [shut]}
""",
}
OWN_PLACE = {"seq", "previous_seq", "cause_partition", "cause_offset", "asked_offset", "commitment", "first_seq"}
"""Where a record lies in a partition that two tenants share, and what is drawn by chance: no part of what is said."""
NEIGHBOUR = st.lists(
    st.tuples(
        st.sampled_from(
            ("ask", "claim", "done", "risk", "suspend", "wake", "label", "halt", "shut", "open", "withdraw")
        ),
        st.integers(min_value=0, max_value=7),
    ),
    max_size=25,
)


@contextmanager
def tenant(name: str) -> Iterator[None]:
    """Let everything the small world writes be of this tenant."""
    before = worlds.TENANT
    vars(worlds)["TENANT"] = name
    try:
        yield
    finally:
        vars(worlds)["TENANT"] = before


def neighbour_of(world: World) -> Player:
    """Return who lives beside: the same names and ids, under another tenant, on the same journal."""
    other = Player()
    other.world = copy(world)
    with tenant(OTHER):
        other.world.publish_principal(AGENT)
        other.world.publish_principal(PERSON, kind="user")
        other.world.publish_principal(EXECUTOR, kind="service")
        other.world.publish_mandate()
        other.world.push(PACK)
    return other


def play(acts: Sequence[Act], others: Sequence[Act] | None) -> list[dict[str, Any]]:
    """Return what was said to the first tenant after its acts, with or without a neighbour who acts in between."""
    player = Player()
    beside = None if others is None else neighbour_of(player.world)
    for act, other in zip_longest(acts, others or ()):
        if act is not None:
            player._act(*act)
        if beside is not None and other is not None:
            now = player.world.clock.now
            with tenant(OTHER):
                _meddle(beside, *other)
            player.world.clock.now = now
        player.world.loop.step(0)
    return said_to(player.world, TENANT)


def _meddle(beside: Player, name: str, number: int) -> None:
    if name == "halt":
        beside.world.halt(("tenant", f"agent/{AGENT}", "action/shop.refund")[number % 3], f"h{number}")
    elif name in {"shut", "open"}:
        beside.world.push(SHUT_PACK if name == "shut" else PACK, revision=10 + beside.world.clock.now % 1_000_000)
    else:
        beside._act(name, number)


def said_to(world: World, name: str) -> list[dict[str, Any]]:
    found = [codec.decode_any(value) for value in decisions(world.memory)]
    return [
        {field: value for field, value in record._asdict().items() if field not in OWN_PLACE}
        for record in found
        if record.tenant == name
    ]


@settings(max_examples=150)
@example([("ask", 0), ("claim", 0), ("done", 0)], [("suspend", 0), ("halt", 0), ("shut", 0)])
@example([("ask", 0), ("ask", 2), ("claim", 0)], [("ask", 0), ("claim", 0), ("withdraw", 0)])
@given(STEPS, NEIGHBOUR)
def test_no_record_of_one_tenant_changes_what_another_is_told(acts: list[Act], others: list[Act]) -> None:
    assert play(acts, others) == play(acts, None)


def test_a_neighbour_who_is_shut_out_is_told_so_while_the_first_goes_on() -> None:
    """What the law compares is not empty: both ask under the same id, and hear different things."""
    world = World()
    beside = neighbour_of(world)
    with tenant(OTHER):
        beside.world.halt("tenant")
        theirs = beside.world.intent()
        beside.world.send(Topic.INTENTS, intent_codec.frame(theirs))
    mine = world.intent()
    assert theirs.id == mine.id
    said = world.ask(mine)
    assert states([one for one in said if one.record.tenant == TENANT]) == [State.GRANTED]
    (theirs_said,) = [one for one in said if one.name == "verdict" and one.record.tenant == OTHER]
    assert (theirs_said.state, theirs_said.record.reason) == (State.DENIED, Reason.HALTED)


@pytest.mark.parametrize("authority", [PERSON, "user:heidi"])
def test_a_tenant_whose_keys_are_full_takes_no_room_of_another(authority: str) -> None:
    world = World(settings=DeskSettings(held_most=2))
    beside = neighbour_of(world)
    with tenant(OTHER):
        for _ in range(3):
            asked = beside.world.intent()
            beside.world.send(Topic.INTENTS, intent_codec.frame(asked))
    world.step()
    world.publish_principal(authority, kind="user")
    world.publish_mandate(id="m2", delegator=authority)
    assert states(world.ask(world.intent(authority=authority, mandate="m2"))) == [State.GRANTED]
