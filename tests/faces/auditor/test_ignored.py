"""Context that no reader takes: the auditor finds what of it nobody refused, also behind a flood."""

import pytest

from placet.drivers import faulty
from placet.faces.auditor.report import Report
from placet.model.codec import quarantined, risk, watermark
from placet.model.codec.mandate import Limit
from placet.model.codec.quarantined import Quarantined
from placet.model.codec.risk import Risk
from placet.model.codec.watermark import Watermark
from placet.model.topics import Topic
from placet.ports import Message
from tests.decision.test_halts import audited
from tests.support.world import AGENT, TENANT, World


def unrefused(report: Report) -> list[tuple[str, int]]:
    assert {check.name for check in report.checks.values() if check.violated} <= {"V1"}
    return [(one.topic, one.offset) for one in report["V1"].shown]


def told(world: World, *, heard: bool) -> Report:
    """Let the worker read the context; where it is not `heard`, it forgets what it could not take."""
    world.loop.bureau.hear(world.loop._feed.take())
    if not heard:
        world.loop.bureau.poison.clear()
    world.step()
    world.later(2_000)
    return audited(world)


@pytest.mark.parametrize(
    ("topic", "value", "key"),
    [
        (Topic.SENSITIVITY, b"garbage", "x"),
        (Topic.PRINCIPALS, None, f"{TENANT}/{AGENT}/hr"),
        (Topic.POLICIES, None, f"{TENANT}/shop/00"),
        (Topic.POLICIES, risk.frame(Risk(TENANT, AGENT, "siem", 1, 5, 0, 0, 0)), None),
        (Topic.RISK, risk.frame(Risk(TENANT, AGENT, "siem", 101, 5, 0, 0, 0)), None),
        (Topic.RISK, risk.frame(Risk(TENANT, AGENT, "siem", 1, 5, 0, 0, 0)), f"{TENANT}/agent:eve/siem"),
        (Topic.CONTROLS, watermark.frame(Watermark("siem", 5)), f"{TENANT}/calendar/freeze"),
    ],
)
def test_faulty_context_that_nobody_refused_is_found(topic: Topic, value: bytes | None, key: str | None) -> None:
    for heard in (True, False):
        world = World()
        world.step()
        offset = world.memory.end(topic, 0)
        world.context(topic, value, key)
        assert unrefused(told(world, heard=heard)) == ([] if heard else [(topic.title, offset)])


@pytest.mark.parametrize(
    "limit",
    [Limit("amount", -1, 60, ()), Limit("amount", 1, -1, ()), Limit("", 1, 60, ()), Limit("count", 1 << 53, 0, ())],
)
def test_a_mandate_whose_limit_bounds_nothing_is_refused_and_the_auditor_looks_for_it(limit: Limit) -> None:
    for heard in (True, False):
        world = World()
        world.step()
        offset = world.memory.end(Topic.MANDATES, 0)
        world.publish_mandate(id="m2", limits=(limit,))
        assert unrefused(told(world, heard=heard)) == ([] if heard else [("placet.mandates", offset)])


def test_of_a_flood_as_many_may_be_without_a_refusal_of_their_own_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faulty, "SINGLE_MOST", 2)
    world = World()
    world.step()
    for number in range(9):
        world.context(Topic.RISK, b"garbage", f"x{number}")
    assert unrefused(told(world, heard=True)) == []
    # One more that it did not count: it came after, and was forgotten.
    world.context(Topic.RISK, b"garbage", "x9")
    assert unrefused(told(world, heard=False)) == [("placet.risk", 9)]


def test_context_that_is_kept_aside_and_never_refused_is_found() -> None:
    world = World()
    world.step()
    kept = Quarantined(int(Topic.RISK), 0, 7, 5, 10, "", b"k", b"v")
    world.memory.append(Topic.QUARANTINE, 0, [Message(b"8/0/7", quarantined.frame(kept))])
    (found,) = audited(world)["QUARANTINE"].shown
    assert found.text == "keeps placet.risk/0@7, which no refusal names"
