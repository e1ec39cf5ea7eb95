"""Laws of the desk under any history: what is dropped leaves no trace, and what is restored answers the same."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from placet.errors import Unavailable
from placet.model import codec
from placet.model.codec import intent as intent_codec
from placet.model.reasons import State
from placet.model.topics import INPUTS, Topic
from placet.ports import Emits
from tests.support.memory import Memory
from tests.support.world import PACK, World, digest_of

Act = tuple[str, int]
ACTS = (
    "ask",
    "repeat",
    "reuse",
    "claim",
    "done",
    "failed",
    "withdraw",
    "risk",
    "calm",
    "label",
    "suspend",
    "wake",
    "poison",
)
STEPS = st.lists(
    st.tuples(st.sampled_from((*ACTS, "wait")), st.integers(min_value=0, max_value=7)), min_size=1, max_size=25
)
AMOUNTS = (10, 4000, 7000, 70_000)
LIMITED = {
    **PACK,
    "pack.yaml": PACK["pack.yaml"]
    + """\
limits:
  - {id: sum, because: sum, per: [authority], on: [shop.refund], measure: amount, window: {sliding_s: 60}, max: 1020}
  - {id: some, because: some, per: [session], on: ["shop.*"], window: {sliding_s: 20}, max: 4, over: defer}
""",
}


class Player:
    """Plays the same acts on any world; `before_step` may meddle with the turn."""

    def __init__(self, before_step: Callable[[World], None] | None = None) -> None:
        self.world = World(pack=LIMITED)
        self.asked: list[intent_codec.Intent] = []
        self._before_step = before_step or (lambda world: None)

    def play(self, acts: Sequence[Act]) -> "Player":
        for name, number in acts:
            self._act(name, number)
            self._before_step(self.world)
            self.world.loop.step(0)
        return self

    def _act(self, name: str, number: int) -> None:
        world = self.world
        world.clock.now += 7
        old = self.asked[number % len(self.asked)] if self.asked else None
        if name == "ask":
            action = ("shop.refund", "shop.refund", "shop.look", "shop.export")[number % 4]
            amount = {"amount": AMOUNTS[number % 4]} if action == "shop.refund" else {}
            self.asked.append(world.intent(action, amount, session=f"s{number % 2}"))
            world.send(Topic.INTENTS, intent_codec.frame(self.asked[-1]))
        elif name == "wait":
            world.clock.now += number * 11_000
        elif name == "risk":
            world.publish_risk(60 + 10 * number % 40)
        elif name == "calm":
            world.publish_risk(0)
        elif name == "label":
            world.publish_sensitivity("order/7", ("internal", "restricted")[number % 2])
        elif name in {"suspend", "wake"}:
            world.publish_principal("agent:ada", status="suspended" if name == "suspend" else "active")
        elif name == "poison":
            world.send(Topic.INTENTS, bytes([number]) * number)
        elif old is not None:
            self._on(name, old, number)

    def _on(self, name: str, old: intent_codec.Intent, number: int) -> None:
        world, step = self.world, self.world.step
        world.step = list  # type: ignore[method-assign]  # the player turns the loop itself
        if name == "repeat":
            world.send(Topic.INTENTS, intent_codec.frame(old))
        elif name == "reuse":
            world.send(Topic.INTENTS, intent_codec.frame(old._replace(purpose="other")))
        elif name == "claim":
            amount = {"amount": 1000} if b"4000" in old.arguments else None
            world.claim(old, digest_of(old, amount) if amount else None, nonce=bytes([number]) * 16)
        elif name == "withdraw":
            world.take_back(old)
        else:
            world.report(old, State.DONE if name == "done" else State.FAILED, nonce=bytes([number]) * 16)
        world.step = step  # type: ignore[method-assign]


def decisions(memory: Memory) -> list[bytes]:
    """Return the decisions of partition 0 without Seals and without what randomness decides: nothing of it is in them."""
    return [rec.value or b"" for rec in memory.read(Topic.DECISIONS, 0, 0, 1 << 30, 0) if rec.key != b"seal"]


def state_of(world: World) -> Any:
    """Return all that a desk remembers, in a form that compares."""
    book = world.loop.bureau.places[0].desk.book
    return (
        book.seq,
        sorted(book.settled.rows()),
        dict(sorted(book.leases.open.items())),
        dict(sorted(book.sessions.items())),
        book.meters.rows(),
        book.changes.ordinal,
    )


def fails_once(memory: Memory) -> None:
    """Make the next commit of `memory` fail, with nothing committed."""
    commit = memory.commit

    def lost(emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:
        memory.commit = commit  # type: ignore[method-assign]
        raise Unavailable("lost on purpose")

    memory.commit = lost  # type: ignore[method-assign]


def turn_that_fails(world: World) -> None:
    fails_once(world.memory)
    try:
        world.loop.step(0)
    except Unavailable:
        return
    world.memory.commit = type(world.memory).commit.__get__(world.memory)  # type: ignore[method-assign]


@settings(max_examples=40)
@given(STEPS)
def test_a_batch_that_was_not_committed_leaves_no_trace(acts: list[Act]) -> None:
    calm, shaken = Player().play(acts), Player(turn_that_fails).play(acts)
    assert state_of(shaken.world) == state_of(calm.world)
    assert without_salt(shaken.world.memory) == without_salt(calm.world.memory)


@settings(max_examples=40)
@given(STEPS)
def test_a_desk_restored_remembers_what_it_remembered(acts: list[Act]) -> None:
    world = Player().play(acts).world
    world.loop.step(0)
    before = state_of(world)
    world.restart()
    world.loop._assign()
    after = state_of(world)
    live = {row for row in before[1] if int.from_bytes(row[24:32], "big") > world.loop.bureau.places[0].instant}
    assert set(after[1]) == live
    assert (after[0], *after[2:]) == (before[0], *before[2:])


@settings(max_examples=40)
@example([("ask", 0), ("risk", 0), ("suspend", 0)], 1)
@given(STEPS, st.integers(min_value=0, max_value=24))
def test_a_restart_changes_no_answer(acts: list[Act], at: int) -> None:
    calm, restarted = Player().play(acts), Player()
    restarted.play(acts[:at])
    restarted.world.restart()
    restarted.play(acts[at:])
    assert without_cause(restarted.world.memory) == without_cause(calm.world.memory)


def without_salt(memory: Memory) -> list[Any]:
    """Return the decisions without the commitment to their case: salt and data key are drawn, not decided."""
    found: list[Any] = []
    for value in decisions(memory):
        record: Any = codec.decode_any(value)
        found.append(record._replace(commitment=b"") if hasattr(record, "commitment") else record)
    return found


def without_cause(memory: Memory) -> list[Any]:
    """Return the same without naming context records: a desk that was away decides all again, for whatever came."""
    return [
        record._replace(cause_topic=0, cause_offset=0) if record.cause_topic not in INPUTS else record
        for record in without_salt(memory)
    ]
