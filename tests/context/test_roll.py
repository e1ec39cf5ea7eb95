"""Keys on record end the same for all who hear them, in whatever order, in however many parts, and in a flood."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.context.roll import Roll, rank_of
from placet.model.pinned import Fallen, KeyPlace
from placet.model.proof import KeyRing, Signer
from placet.ports import Rec
from tests.context.test_writers import BOT, PINNED, PUT, ROOT, SKEW, STORY, said

FLOOD = [said(BOT, Signer(f"no-{number}", "user:no", b"n" * 32), 10 + number) for number in range(4)]


def stands(ring: KeyRing) -> tuple[dict[KeyPlace, tuple[object, ...]], dict[KeyPlace, Fallen]]:
    return {place: known[0] + known[2:] for place, known in ring.known.items()}, ring.fallen


def heard(records: list[Rec], parts: list[int]) -> KeyRing:
    """Return what stands once `records` were heard in the order they are in, cut after each of `parts`; all again where told."""
    ring = KeyRing(PINNED, SKEW)
    roll, cuts = Roll(ring, 1), sorted(part % (len(records) + 1) for part in parts)
    for first, last in zip([0, *cuts], [*cuts, len(records)], strict=True):
        roll.hear(records[first:last])
        if roll.stale:
            roll.hear_again(records[:last])
    return ring


@given(order=st.permutations([*STORY, *FLOOD]), parts=st.lists(st.integers(0, 20), max_size=5))
@settings(max_examples=300, deadline=None)
def test_what_stands_depends_on_the_records_alone(order: list[Rec], parts: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("placet.context.writers.WAITING_MOST", 3)
        assert stands(heard(order, parts)) == stands(heard(STORY, []))


def test_a_flood_before_an_operator_is_known_hides_no_key_of_his() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("placet.context.writers.WAITING_MOST", 3)
        ring = heard([*FLOOD, said(BOT, PUT, 110), said(PUT, ROOT, 100, "operator")], [5])
    assert ("acme", "bot-1") in ring.known


def test_what_pinned_keys_say_is_heard_first_and_keys_before_all_else() -> None:
    pinned = KeyRing(PINNED).pinned
    ranks = [rank_of(rec, pinned) for rec in (said(PUT, ROOT), said(BOT, PUT), said(BOT)._replace(value=b"?"))]
    assert ranks == [0, 1, 1]
    assert rank_of(said(PUT, ROOT)._replace(topic=11), pinned) == 2
