"""A desk that counts wrongly is named by the auditor: one bug a test, planted where amounts are said or remembered."""

from collections.abc import Callable
from typing import Any

import pytest

from placet.decision import book, limits, sums
from placet.decision.meters import HOLD, RELEASE, SPEND, Meters, Posts, posts_of
from placet.model.codec.case_body import Metered
from placet.model.reasons import State
from tests.decision.test_halts import audited
from tests.decision.test_limits import SUM, pack
from tests.support.world import World

Lie = Callable[[Posts], Posts]


def but(of: int, **fields: Any) -> Lie:
    """Return a lie: what is said of amounts in one phase has other fields."""
    return lambda posts: tuple(one._replace(**fields) if one.phase == of else one for one in posts)


def found(world: World, name: str) -> list[str]:
    return [violation.text for violation in audited(world)[name].shown]


def play(end: State) -> World:
    """Let one refund of 60 be granted, claimed and ended, and let another of 60 be asked."""
    world = World(pack=pack(SUM))
    asked = world.intent(arguments={"amount": 60})
    world.ask(asked)
    world.claim(asked)
    world.report(asked, end)
    world.ask(world.intent(arguments={"amount": 60}))
    return world


@pytest.mark.parametrize(
    ("lie", "end", "text"),
    [
        (
            lambda posts: tuple(one for one in posts if one.phase != HOLD),
            State.DONE,
            "grants 60 and does not hold it of limit `shop/sum` (authority)",
        ),
        (but(HOLD, amount=6), State.DONE, "holds 6 of limit `shop/sum`, what is granted takes 60"),
        (
            but(HOLD, scope="actor=agent:bob"),
            State.DONE,
            "holds limit `shop/sum` (actor=agent:bob), which does not count it",
        ),
        (lambda posts: posts * 2, State.DONE, "holds limit `shop/sum` (authority) a second time"),
        (but(SPEND, amount=59), State.DONE, "spends 59 of limit `shop/sum`, it holds 60"),
        (but(SPEND, phase=RELEASE), State.DONE, "releases limit `shop/sum`, and is `done`"),
        (
            lambda posts: tuple(one for one in posts if one.phase == HOLD),
            State.DONE,
            "`done`, and what it has of limit `shop/sum` is not ended",
        ),
        (
            lambda posts: posts * 2 if posts and posts[0].phase == RELEASE else posts,
            State.FAILED,
            "releases limit `shop/sum` (authority), of which it holds nothing",
        ),
        (
            but(RELEASE, scope="actor=agent:bob"),
            State.FAILED,
            "releases limit `shop/sum` (actor=agent:bob), of which it holds nothing",
        ),
    ],
)
def test_amounts_that_are_said_wrongly_are_named(
    monkeypatch: pytest.MonkeyPatch, lie: Lie, end: State, text: str
) -> None:
    monkeypatch.setattr(limits.Limits, "_within", lambda *told: None)
    monkeypatch.setattr(book, "posts_of", lambda *told: lie(posts_of(*told)))
    assert text in found(play(end), "V7")


def test_an_honest_desk_is_not_named() -> None:
    for end in (State.DONE, State.FAILED):
        assert audited(play(end)).clean


def test_what_was_spent_and_is_not_counted_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.Limits, "_used", lambda *told: 0)
    assert found(play(State.DONE), "V7") == ["limit `shop/sum` (authority): 120 of 100 held and spent"]


def test_what_was_spent_and_is_not_remembered_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    spend = Meters.spend
    monkeypatch.setattr(
        Meters, "spend", lambda self, key, held, *told: spend(self, key, held._replace(amount=1), *told)
    )
    world = play(State.DONE)
    assert found(world, "V7") == ["limit `shop/sum` (authority): 120 of 100 held and spent"]
    assert found(world, "V20") == ["counts 1 of limit `shop/sum` (authority), decisions spent 60"]


def test_a_case_that_says_another_maximum_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "Metered", lambda *told: Metered(*told)._replace(max=1_000))
    assert "limit `shop/sum` is 1000 in its case, 100 on record" in found(play(State.DONE), "V5")


def test_a_grant_that_is_claimed_in_another_measure_than_it_is_held_in_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_recounted", lambda *told: False)
    world = World(pack=pack(SUM.replace("measure: amount, ", "")))
    asked = world.intent(arguments={"amount": 60})
    world.ask(asked)
    world.push(pack(SUM), revision=2)
    world.claim(asked)
    assert "goes on holding `count` of limit `shop/sum` (authority), which measures `amount`" in found(world, "V7")


def test_a_window_that_is_cut_short_for_what_was_spent_under_a_longer_one_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(pack=pack(SUM))
    asked = world.intent(arguments={"amount": 60})
    world.ask(asked)
    world.claim(asked)
    world.report(asked)
    world.push(pack(SUM.replace("3600", "60")), revision=2)
    world.clock.now += 120_000
    monkeypatch.setattr(limits.Limits, "_used", lambda *told: 0)
    world.ask(world.intent(arguments={"amount": 60}))
    assert found(world, "V7") == ["limit `shop/sum` (authority): 120 of 100 held and spent"]
