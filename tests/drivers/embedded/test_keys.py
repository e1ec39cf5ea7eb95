"""F26 and F29 of keys on a folder: rotated and compromised mid-stream, with a kill at every turn, nothing lost or let in."""

from pathlib import Path
from typing import Any

import pytest

from placet.context.tables import Tables
from placet.decision.library import Library
from placet.drivers.bureau import Bureau
from placet.drivers.embedded import EmbeddedSettings, open_owner
from placet.drivers.loop import Loop
from placet.drivers.metrics import Watch
from placet.model import codec
from placet.model.proof import Signer
from placet.model.reasons import Reason, State
from placet.model.topics import Topic
from placet.ports import Message, Rec
from placet.provenance.seal import SealKey
from tests.decision.test_halts import audited
from tests.decision.test_keys import FIRST, NEXT, asked_with
from tests.drivers.embedded.folder import crash
from tests.support.world import Decision, World, states

ONE = EmbeddedSettings(partitions=1, free_bytes_min=1, poll_ms=2)


class Shown:
    """A folder's log, as a world looks at it."""

    count = 1

    def __init__(self, log: Any) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


class OnDisk(World):
    """A world whose journal is a folder; each restart is a new process's."""

    owner: Any = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__()

    def new_loop(self) -> Loop:
        if self.owner is not None:
            self.owner.close()
        self.owner = open_owner(self.folder, self.clock, ONE)
        self.memory = Shown(self.owner.log())  # type: ignore[assignment]
        keys = self.keys.apart(2_000)
        tables, library = Tables(keys), Library(keys)
        desk_of = self._desk(tables, library, keys)
        bureau = Bureau(tables, library, desk_of, ONE.cluster, SealKey("seal-1", self.seal_private), keys)
        return Loop(
            self.owner.journal(),
            self.owner.feed(),
            bureau,
            self.clock,
            self.entropy,
            Watch(),
            batch_most=500,
            seal_idle_ms=1000,
            skew_ms_max=2000,
        )

    def killed(self) -> None:
        """Leave what a kill leaves now, and start again."""
        crash(self.owner, self.folder)
        self.owner = None
        self.restart()


@pytest.fixture
def world(tmp_path: Path) -> Any:
    made = OnDisk(tmp_path / "journal")
    yield made
    made.owner.close()


def said_of(world: World, *signers: Signer) -> list[State | Reason]:
    """Ask once with each key, and return what became of each."""
    for signer in signers:
        asked_with(world, signer)
    return [each.state if each.name == "verdict" else Reason(each.record.reason) for each in world.step()]


def test_a_key_is_rotated_mid_stream_and_nothing_is_lost_or_let_in(world: OnDisk) -> None:
    world.put_key(FIRST, "agent")
    assert said_of(world, FIRST, NEXT) == [State.GRANTED, Reason.WRITER_UNPROVED]
    world.clock.now += 1_000
    ends = world.clock.now + 60_000
    world.put_key(NEXT, "agent", not_before=world.clock.now)
    world.put_key(FIRST, "agent", not_after=ends)
    for at, expected in (
        (0, [State.GRANTED, State.GRANTED]),
        (ends + 2_000 - world.clock.now, [State.GRANTED, State.GRANTED]),
        (1, [Reason.WRITER_UNPROVED, State.GRANTED]),
    ):
        world.clock.now += at
        world.killed()
        world.step()  # what lapsed meanwhile
        assert said_of(world, FIRST, NEXT) == expected
    # An older word of it, written again, puts nothing off: not at once, and not after it was read from the disk.
    (older,) = world.memory.read(Topic.KEYS, 0, 0, 1, 0)
    world.context(Topic.KEYS, older.value)
    assert said_of(world, FIRST, NEXT) == [Reason.WRITER_UNPROVED, State.GRANTED]
    world.killed()
    assert said_of(world, FIRST, NEXT) == [Reason.WRITER_UNPROVED, State.GRANTED]
    report = audited(world)
    assert report.clean, report.to_dict()


def test_a_key_falls_mid_stream_and_what_is_open_is_taken_back_across_a_kill(world: OnDisk) -> None:
    world.put_key(FIRST, "agent")
    world.put_key(NEXT, "agent")
    granted, pending = asked_with(world, FIRST), asked_with(world, FIRST, arguments={"amount": 6000})
    kept = asked_with(world, NEXT)
    assert states(world.step()) == [State.GRANTED, State.PENDING, State.GRANTED]
    late = asked_with(world, FIRST)
    world.clock.now += 10
    world.put_key(FIRST, "agent", compromised_at=world.clock.now)
    world.killed()
    said: dict[bytes, Decision] = {each.record.id: each for each in world.step()}
    assert {id_: each.state for id_, each in said.items() if each.name == "verdict"} == {
        granted.id: State.REVOKED,
        pending.id: State.DENIED,
    }
    assert [each.record.reason for each in said.values() if each.name == "refusal"] == [Reason.KEY_COMPROMISED]
    assert late.id not in said
    world.killed()
    world.put_key(FIRST, "agent", observed_at=world.clock.now + 5)
    assert said_of(world, FIRST, NEXT) == [Reason.KEY_COMPROMISED, State.GRANTED]
    assert states(world.claim(kept)) == [State.CLAIMED]
    report = audited(world)
    assert report.clean, report.to_dict()


def over_it(world: OnDisk, topic: Topic, before: list[Rec], how: str) -> None:
    """Write past placet, under the key of the newest record of a topic: nothing, a copy nobody signed, or what was `before`."""
    newest = world.memory.read(topic, 0, 0, 1_000, 0)[-1]
    module = codec.BY_HEADER[(newest.value or b"")[:5]]
    said = {
        "a tombstone": None,
        "an unsigned copy": module.frame(module.decode(newest.value)._replace(proof=None)),
        "rubbish": b"?",
        "an older word": before[-1].value if before else newest.value,
    }
    world.memory.append(topic, 0, [Message(newest.key, said[how])])


HOW = ("a tombstone", "an unsigned copy", "rubbish", "an older word")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("topic", [Topic.MANDATES, Topic.CONTROLS, Topic.KEYS])
def test_nobody_who_may_write_a_topic_takes_an_operators_word_from_desks_that_start_anew(
    world: OnDisk, topic: Topic, how: str
) -> None:
    world.put_key(FIRST, "agent")
    assert said_of(world, FIRST) == [State.GRANTED]
    world.clock.now += 10
    before = world.memory.read(topic, 0, 0, 1_000, 0)
    if topic == Topic.MANDATES:
        world.publish_mandate(status="revoked")
    elif topic == Topic.CONTROLS:
        world.halt("tenant")
    else:
        world.put_key(FIRST, "agent", compromised_at=world.clock.now)
    world.step()
    over_it(world, topic, before, how)
    world.step()
    world.killed()
    world.step()
    assert said_of(world, FIRST)[0] not in (State.GRANTED, State.CLAIMED)
    report = audited(world)
    assert report.clean, report.to_dict()
