"""Signals are folded in order and none is left out, whatever a consumer loses while its partitions move."""

from hypothesis import given
from hypothesis import strategies as st

from placet.drivers.context_app.unbroken import Turn, Unbroken


def test_nothing_is_folded_before_it_is_known_where_to_begin() -> None:
    order = Unbroken()
    assert order.admit(5) is Turn.LATER
    order.begin(None)
    assert order.admit(5) is Turn.LATER
    order.begin(5)
    assert order.admit(5) is Turn.FOLD


def test_what_is_missing_is_asked_for_once_and_what_follows_waits_for_it() -> None:
    order = Unbroken()
    order.begin(3)
    assert [order.admit(offset) for offset in (5, 6, 7)] == [Turn.AGAIN, Turn.LATER, Turn.LATER]
    assert order.next == 3
    for offset in (3, 4, 5):
        assert order.admit(offset) is Turn.FOLD
        assert list(order.take(offset)) == []
    assert order.next == 6


def test_what_does_not_come_when_it_is_asked_for_was_never_there() -> None:
    order = Unbroken()
    order.begin(3)
    assert order.admit(5) is Turn.AGAIN
    assert order.admit(5) is Turn.FOLD
    assert list(order.take(5)) == [3, 4]
    assert order.admit(6) is Turn.FOLD


def test_what_is_delivered_twice_is_folded_twice_and_moves_nothing_back() -> None:
    order = Unbroken()
    order.begin(0)
    order.take(0)
    order.take(1)
    assert order.admit(0) is Turn.FOLD
    assert list(order.take(0)) == []
    assert order.next == 2


def test_the_end_is_asked_for_a_second_time_before_it_counts_as_reached() -> None:
    order = Unbroken()
    assert not order.nothing_before(4)
    order.begin(2)
    assert order.nothing_before(2)
    assert not order.nothing_before(4)
    assert order.nothing_before(4)
    order.take(2)
    assert not order.nothing_before(4)


@given(
    there=st.sets(st.integers(0, 30), min_size=1),
    losses=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=8),
)
def test_every_signal_is_folded_in_order_whatever_is_lost_on_the_way(
    there: set[int], losses: list[tuple[int, int]]
) -> None:
    """A consumer that hands on what lies there, but loses a few from a place on; what it is asked for it hands on."""
    order, folded, lost = Unbroken(), list[int](), dict(losses)
    order.begin(0)
    end, at, asked = max(there) + 1, 0, -1
    while True:
        if at >= end:
            if order.nothing_before(end):
                break
            at, asked = order.next or 0, end
        if at > asked and at in lost:
            at += lost.pop(at)
            continue
        if at in there:
            turn = order.admit(at)
            if turn is Turn.FOLD:
                order.take(at)
                folded.append(at)
            elif turn is Turn.AGAIN:
                at, asked = order.next or 0, at
                continue
        at += 1
    assert folded == sorted(there)
