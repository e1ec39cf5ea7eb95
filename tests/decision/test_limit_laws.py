"""Laws of limits: whatever happens in whatever order, no prefix of decisions holds and spends more than a limit."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from placet.decision.limits import Limits
from placet.decision.meters import BUCKETS_MOST, Meters, bucket_of
from placet.errors import Unavailable
from placet.model.codec.desk_change import Held
from placet.model.codec.intent import Intent
from placet.model.codec.mandate import Limit
from placet.model.reasons import State
from placet.model.topics import Topic
from tests.decision.test_laws import fails_once
from tests.decision.test_limits import pack
from tests.support.world import Decision, World, digest_of

HOLD, SPEND, RELEASE = 1, 2, 3
LIMITS = {
    ("shop/sum", "authority"): (100, 60_000),
    ("shop/part", "actor=agent:ada"): (70, 20_000),
    ("shop/part", "actor=agent:bob"): (70, 20_000),
    ("mandate/m1", "count 0"): (6, 0),
}
"""Most, and the window in ms, of each limit in each scope; 0 is for good."""
SHOP = pack(
    "{id: sum, per: [authority], on: [shop.refund], measure: amount, window: {sliding_s: 60}, max: 100, because: x}",
    "{id: part, per: [actor], on: [shop.refund], measure: amount, window: {sliding_s: 20}, max: 70, over: constrain, because: x}",
)
ACTS = ("ask", "ask", "ask", "claim", "claim", "done", "failed", "take back", "wait", "drop", "restart")
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 7)), min_size=1, max_size=14)
AMOUNTS = (1, 20, 35, 50, 69, 70, 71, 200)


class Prefixes:
    """The sums of decisions so far, added up by hand: what is held, what was spent when, and what is unknown since."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], int] = {}
        self.spent: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self.unknown: dict[int, int] = {}

    def add(self, said: Any) -> None:
        for post in getattr(said, "holds", ()):
            self.post(said, (post.limit, post.scope), post.amount, post.phase)
        if getattr(said, "state", None) == State.UNKNOWN:
            self.unknown[said.seq] = said.instant

    def post(self, said: Any, place: tuple[str, str], amount: int, phase: int) -> None:
        spent = self.spent.setdefault(place, [])
        if phase == HOLD:
            self.held[place] = self.held.get(place, 0) + amount
        elif phase == RELEASE and said.previous_seq in self.unknown:
            spent.remove((self.unknown[said.previous_seq], amount))
        else:
            self.held[place] -= amount
        if phase == SPEND:
            spent.append((said.instant, amount))
        most, window_ms = LIMITS[place]
        used = self.held[place] + sum(much for at, much in spent if not window_ms or said.instant - at < window_ms)
        assert 0 <= self.held[place] <= used <= most


class Play:
    """Two agents of one person, who ask and act and fall silent, on a desk that fails and is restored."""

    def __init__(self) -> None:
        self.world = World(pack=SHOP)
        self.world.publish_principal("agent:bob")
        self.world.publish_mandate(limits=(Limit("count", 6, 0, ()),))
        self.world.publish_mandate(id="m2", delegator="agent:ada", delegate="agent:bob", parent="m1")
        self.sums = Prefixes()
        self.asked: list[Intent] = []
        self.granted: dict[bytes, bytes] = {}
        self.world.step()

    def act(self, name: str, number: int) -> None:
        world = self.world
        world.clock.now += 13
        if name == "ask":
            who = {"actor": "agent:bob", "mandate": "m2"} if number % 2 else {}
            self.asked.append(world.intent(arguments={"amount": AMOUNTS[number]}, **who))
            self.hear(lambda: world.ask(self.asked[-1]))
        elif name == "wait":
            self.hear(lambda: world.later((1, 999, 6_000, 19_999, 29_000, 31_000, 61_000, 301_000)[number]))
        elif name == "drop":
            fails_once(world.memory)
            try:
                self.hear(lambda: world.ask(world.intent(arguments={"amount": 1})))
            except Unavailable:
                self.hear(world.step)
        elif name == "restart":
            world.restart()
        elif self.asked:
            old = self.asked[number % len(self.asked)]
            if name == "claim":
                self.hear(lambda: world.claim(old, self.granted.get(old.id)))
            elif name == "take back":
                self.hear(lambda: world.take_back(old, old.actor))
            else:
                result = State.DONE if name == "done" else State.FAILED
                ran = self.granted.get(old.id, digest_of(old)) if result is State.DONE else b""
                self.hear(lambda: world.report(old, result, ran=ran))

    def hear(self, turn: Callable[[], list[Decision]]) -> None:
        for each in turn():
            record = each.record
            self.sums.add(record)
            if getattr(record, "granted_digest", b""):
                self.granted[record.id] = record.granted_digest


@pytest.mark.timeout(1_800)  # some 30 s of CPU, on a machine that may have others at work
@settings(max_examples=2_000)
@example([("ask", 3), ("ask", 3), ("claim", 0), ("done", 0), ("restart", 0), ("wait", 3), ("ask", 5)])
@example([("ask", 5), ("claim", 0), ("wait", 7), ("failed", 0), ("ask", 5), ("drop", 0), ("claim", 1)])
@given(STEPS)
def test_no_prefix_holds_and_spends_more_than_a_limit(acts: list[tuple[str, int]]) -> None:
    play = Play()
    for name, number in acts:
        play.act(name, number)


@settings(max_examples=100)
@given(STEPS)
def test_what_is_well_within_is_said_in_the_same_bytes_the_short_way_and_the_long(acts: list[tuple[str, int]]) -> None:
    said = []
    for short in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            for name in () if short else ("_within", "_still_within"):
                patch.setattr(Limits, name, lambda *told: None)
            play = Play()
            for name, number in acts:
                play.act(name, number)
            said.append([rec.value for rec in play.world.memory.read(Topic.DECISIONS, 0, 0, 1 << 30, 0)])
            said.append([rec.value for rec in play.world.memory.read(Topic.DESK, 0, 0, 1 << 30, 0)])
    assert said[:2] == said[2:]


SPENDS = st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 50)), min_size=1, max_size=120)


@settings(max_examples=2_000)
@given(st.sampled_from([1_000, 1_001, 5_000, 60_000]), SPENDS)
def test_an_amount_counts_at_least_its_window_and_at_most_a_bucket_longer(
    window_ms: int, spends: list[tuple[int, int]]
) -> None:
    meters, now = Meters(), 1_760_000_000_000
    width = -(-window_ms // BUCKETS_MOST)
    told: list[tuple[int, int]] = []
    for number, (pause, amount) in enumerate(spends):
        now += pause
        meters.spend(b"acme/x", Held("shop/sum", "authority", amount, 1, window_ms, 0, "amount"), now, number)
        told.append((now, amount))
        (count,) = meters.of(b"acme/x").values()
        counted = count.spent(now)
        assert counted >= sum(much for at, much in told if now - at < window_ms)
        assert counted <= sum(much for at, much in told if now - at < window_ms + width)
        assert len(count.parts[0].row.buckets) <= BUCKETS_MOST + 1
        assert count.parts[0].row.buckets[-1].last == bucket_of(now, window_ms)


@settings(max_examples=1_000)
@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 50), st.sampled_from([0, 1_000, 5_000])), min_size=1))
def test_over_several_windows_each_amount_counts_for_its_own_and_the_clock_is_foretold(
    spends: list[tuple[int, int, int]],
) -> None:
    meters, now = Meters(), 1_760_000_000_000
    ends: list[tuple[int, int]] = []
    for number, (pause, amount, window_ms) in enumerate(spends):
        now += pause
        meters.spend(b"acme/x", Held("shop/sum", "authority", amount, 1, window_ms, 0, "amount"), now, number)
        ends.append((bucket_of(now, window_ms) + window_ms if window_ms else 1 << 62, amount))
    (count,) = meters.of(b"acme/x").values()
    # A bucket before the newest may have been passed and left out: it counts no more either way.
    for at in {now, *(end - step for end, _ in ends for step in (0, 1) if now <= end - step < 1 << 61)}:
        left = sum(much for end, much in ends if end > at)
        assert count.spent(at) == left
        for most in {left - 1, left // 2, 0}:
            told = count.falls_to(most, at) if most < left else at
            should = [end for end, _ in sorted(ends) if sum(much for other, much in ends if other > end) <= most]
            assert told == (at if most >= left else min((end for end in should if end < 1 << 61), default=None))


def test_an_amount_leaves_with_the_last_ms_of_its_bucket() -> None:
    meters = Meters()
    # A window of 64 s has buckets of 1 s: what is spent at 5,000 lies in the one that ends with 5,999.
    meters.spend(b"acme/x", Held("shop/sum", "authority", 7, 1, 64_000, 0, "amount"), 5_000, 1)
    (count,) = meters.of(b"acme/x").values()
    assert [(one.last, one.amount) for one in count.parts[0].row.buckets] == [(5_999, 7)]
    assert [count.spent(at) for at in (5_000, 69_998, 69_999)] == [7, 7, 0]
