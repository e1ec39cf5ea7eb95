"""What a batch changed, in records that a broker takes: read back, it is one change."""

from typing import Any

import pytest

from placet.decision import changes
from placet.errors import Unavailable
from placet.model.codec import desk_change
from placet.model.codec import intent as intent_codec
from placet.model.reasons import State
from placet.model.topics import Topic
from tests.support.world import World, states


def remembered(world: World) -> Any:
    """Return all of a desk's memory that a restart must give back."""
    book = world.loop.bureau.places[0].desk.book
    return book.seq, sorted(book.settled.rows()), dict(book.leases.open), dict(book.sessions), book.changes.ordinal


def records(world: World) -> list[desk_change.DeskChange]:
    """Return the desk changes that are not data keys, in the order they were written."""
    recs = world.memory.read(Topic.DESK, 0, 0, 1 << 20, 0)
    return [desk_change.decode(rec.value) for rec in recs if rec.value is not None and (rec.key or b"")[:2] != b"k/"]


def test_leases_too_large_for_one_record_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.step()
    before = len(records(world))
    asked = [world.intent() for _ in range(5)]
    monkeypatch.setattr(changes, "PIECE_BYTES_MAX", 2 * len(intent_codec.frame(asked[0])) + 1)
    assert states(world.ask(*asked)) == [State.GRANTED] * 5
    made = records(world)[before:]
    assert [len(one.opened) for one in made] == [2, 2, 1]
    assert [len(one.settled) // 76 for one in made] == [5, 0, 0]
    assert [one.ordinal - made[0].ordinal for one in made] == [0, 1, 2]
    held = remembered(world)
    world.restart()
    world.step()
    assert remembered(world) == held
    assert states(world.claim(asked[4])) == [State.CLAIMED]


def test_a_lease_larger_than_a_piece_is_written_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PIECE_BYTES_MAX", 1)
    world = World()
    world.ask(world.intent(), world.intent())
    assert [len(one.opened) for one in records(world) if one.settled or one.opened] == [1, 1]


def test_what_was_not_committed_leaves_no_ordinal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PIECE_BYTES_MAX", 1)
    world = World()
    world.step()
    ordinal = world.loop.bureau.places[0].desk.book.changes.ordinal

    def lost(*_: Any) -> None:
        raise Unavailable("lost on purpose")

    commit = world.memory.commit
    monkeypatch.setattr(world.memory, "commit", lost)
    with pytest.raises(Unavailable):
        world.ask(world.intent(), world.intent(), world.intent())
    assert world.loop.bureau.places[0].desk.book.changes.ordinal == ordinal
    monkeypatch.setattr(world.memory, "commit", commit)
    world.step()
    assert [one.ordinal for one in records(world)][-3:] == [ordinal + 1, ordinal + 2, ordinal + 3]


@pytest.mark.parametrize(
    ("sizes", "pieces"),
    [
        ([], [()]),
        ([4, 6, 1, 9, 10, 3, 11, 1], [(4, 6), (1, 9), (10,), (3,), (11,), (1,)]),
        ([11], [(11,)]),
        ([0, 10, 0, 1], [(0, 10, 0), (1,)]),
    ],
)
def test_a_piece_is_as_large_as_it_may_be_and_never_empty_where_there_are_rows(
    sizes: list[int], pieces: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "PIECE_BYTES_MAX", 10)
    assert list(changes._pieces(sizes, int)) == pieces
