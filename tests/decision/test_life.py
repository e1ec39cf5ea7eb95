"""The life of an intent: the table is the design's, every arrow is walked, and the picture is made from it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from placet.decision.life import ARROWS, diagram, step
from placet.errors import Corrupted
from placet.model.reasons import Reason, State
from tests.support.world import EXECUTOR, PACK, Decision, World, states

DESIGN = """
asked    -> denied | deferred | pending | granted | claimed
deferred -> denied | pending | granted | claimed | withdrawn
pending  -> denied | deferred | granted | claimed | expired | withdrawn
granted  -> claimed | revoked | lapsed | withdrawn
claimed  -> done | failed | refused | unknown
unknown  -> done | failed
"""
WAITS = dict(
    PACK,
    **{
        "rules.yaml": """\
rules:
  - {id: safe, because: calm, on: [shop.refund], when: "resource.sensitivity == 'public'", effect: permit}
  - {id: ask, because: people, on: [shop.refund], when: "resource.sensitivity == 'internal'", effect: step_up,
     approval: {quorum: 1, from: ["group:finance"], expires_s: 60}}
  - {id: wait, because: wait, on: [shop.refund], when: "resource.sensitivity == 'confidential'", effect: defer}
  - {id: never, because: never, on: [shop.refund], when: "resource.sensitivity == 'restricted'", effect: deny}
  - {id: look, because: calm, on: [shop.look], when: "resource.sensitivity == 'public'", effect: permit, claim: granted}
  - {id: look-ask, because: people, on: [shop.look], when: "resource.sensitivity != 'public'", effect: step_up,
     approval: {quorum: 1, from: ["group:finance"], expires_s: 60}}
""",
        "tests.yaml": """\
tests:
  - says: what is public is permitted
    given: {sensitivity: public}
    intent: {actor: agent:ada, action: shop.refund, resource: order/7, arguments: {amount: 10}}
    expect: {effect: permit, because: [safe]}
""",
    },
)
LABELS = {"deny": "restricted", "defer": "confidential", "step_up": "internal", "permit": "public"}


class Story:
    """A world whose answers follow the label of one resource."""

    def __init__(self, action: str = "shop.refund", label: str = "") -> None:
        self.world = World(pack=WAITS)
        if label:
            self.label(label)
        self.asked = self.world.intent(action)
        self.said = self.world.ask(self.asked)

    def label(self, effect: str) -> list[Decision]:
        self.world.clock.now += 1
        self.world.publish_sensitivity("order/7", LABELS[effect])
        return self.world.step()


def asked(effect: str, action: str = "shop.refund") -> Callable[[], list[Decision]]:
    return lambda: Story(action, effect).said


def turned(first: str, then: str, action: str = "shop.refund") -> Callable[[], list[Decision]]:
    def story() -> list[Decision]:
        it = Story(action, first)
        return it.said + it.label(then)

    return story


def waited(first: str, ms: int, action: str = "shop.refund") -> Callable[[], list[Decision]]:
    def story() -> list[Decision]:
        it = Story(action, first)
        return it.said + it.world.later(ms)

    return story


def withdrawn(first: str) -> Callable[[], list[Decision]]:
    def story() -> list[Decision]:
        it = Story(label=first)
        return it.said + it.world.take_back(it.asked)

    return story


def claimed(then: Callable[[Story], list[Decision]]) -> Callable[[], list[Decision]]:
    def story() -> list[Decision]:
        it = Story(label="permit")
        return it.said + it.world.claim(it.asked) + then(it)

    return story


def silent(then: Callable[[Story], list[Decision]]) -> Callable[[], list[Decision]]:
    return claimed(lambda it: it.world.later(900_000) + then(it))


S = State
STORIES: dict[tuple[State, State], Callable[[], list[Decision]]] = {
    (S.ASKED, S.DENIED): asked("deny"),
    (S.ASKED, S.DEFERRED): asked("defer"),
    (S.ASKED, S.PENDING): asked("step_up"),
    (S.ASKED, S.GRANTED): asked("permit"),
    (S.ASKED, S.CLAIMED): asked("permit", "shop.look"),
    (S.DEFERRED, S.DENIED): waited("defer", 60_001),
    (S.DEFERRED, S.PENDING): turned("defer", "step_up"),
    (S.DEFERRED, S.GRANTED): turned("defer", "permit"),
    (S.DEFERRED, S.CLAIMED): turned("", "permit", "shop.look"),
    (S.DEFERRED, S.WITHDRAWN): withdrawn("defer"),
    (S.PENDING, S.DENIED): turned("step_up", "deny"),
    (S.PENDING, S.DEFERRED): turned("step_up", "defer"),
    (S.PENDING, S.GRANTED): turned("step_up", "permit"),
    (S.PENDING, S.CLAIMED): turned("step_up", "permit", "shop.look"),
    (S.PENDING, S.EXPIRED): waited("step_up", 60_001),
    (S.PENDING, S.WITHDRAWN): withdrawn("step_up"),
    (S.GRANTED, S.CLAIMED): claimed(lambda it: []),
    (S.GRANTED, S.REVOKED): turned("permit", "deny"),
    (S.GRANTED, S.LAPSED): waited("permit", 30_001),
    (S.GRANTED, S.WITHDRAWN): withdrawn("permit"),
    (S.CLAIMED, S.DONE): claimed(lambda it: it.world.report(it.asked)),
    (S.CLAIMED, S.FAILED): claimed(lambda it: it.world.report(it.asked, State.FAILED)),
    (S.CLAIMED, S.REFUSED): claimed(lambda it: it.world.report(it.asked, State.REFUSED)),
    (S.CLAIMED, S.UNKNOWN): silent(lambda it: []),
    (S.UNKNOWN, S.DONE): silent(lambda it: it.world.report(it.asked)),
    (S.UNKNOWN, S.FAILED): silent(
        lambda it: it.world.report(it.asked, State.FAILED, by=it.world.operator, executor="", nonce=bytes(16))
    ),
}


def test_the_table_is_the_one_of_the_design() -> None:
    wanted = {}
    for line in DESIGN.strip().splitlines():
        before, _, after = line.partition("->")
        wanted[State[before.strip().upper()]] = {State[name.strip().upper()] for name in after.split("|")}
    assert {before: set(after) for before, after in ARROWS.items() if after} == wanted


def test_every_arrow_has_a_story() -> None:
    assert set(STORIES) == {(before, after) for before, followers in ARROWS.items() for after in followers}


@pytest.mark.parametrize("arrow", STORIES, ids=lambda arrow: f"{arrow[0].name.lower()}-{arrow[1].name.lower()}")
def test_every_arrow_is_walked_by_its_story(arrow: tuple[State, State]) -> None:
    before, after = arrow
    walked = [State.ASKED, *states(STORIES[arrow]())]
    assert walked[-2:] == [before, after]


@pytest.mark.parametrize("arrow", STORIES, ids=lambda arrow: f"{arrow[0].name.lower()}-{arrow[1].name.lower()}")
def test_every_arrow_names_its_cause_and_the_record_before_it(arrow: tuple[State, State]) -> None:
    said = [each.record for each in STORIES[arrow]() if each.name == "verdict"]
    for before, record in zip([None, *said], said, strict=False):
        assert record.previous_seq == (-1 if before is None else before.seq)
        assert record.cause_topic in {0, 1, 3, 9}


def test_an_arrow_that_is_not_in_the_table_is_corruption() -> None:
    with pytest.raises(Corrupted, match="no arrow leads from `done` to `granted`"):
        step(State.DONE, State.GRANTED)


def test_what_a_claim_under_way_rests_on_may_change_and_it_is_told_once_to_stop() -> None:
    it = Story(label="permit")
    it.world.claim(it.asked)
    stop = it.label("deny")
    again = it.label("defer")
    assert [(s.state, s.record.stop, s.record.reason) for s in stop] == [(S.CLAIMED, True, Reason.CONTEXT_CHANGED)]
    assert again == []
    assert states(it.world.report(it.asked)) == [S.DONE]


def test_a_grant_without_a_named_audience_must_be_claimed() -> None:
    world = World(pack=WAITS)
    world.publish_sensitivity("order/7", "public")
    assert states(world.ask(world.intent("shop.look", audience=""))) == [S.GRANTED]
    assert states(world.ask(world.intent("shop.look", audience=EXECUTOR))) == [S.CLAIMED]


def test_the_picture_in_the_documents_is_made_from_the_table() -> None:
    page = Path(__file__).parents[2] / "README.md"
    assert diagram() in page.read_text()
