"""The index from facts to open intents: it forgets what is closed, and never what is open."""

from placet.decision.leases import SMALL, Index


def slot(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_what_is_closed_is_forgotten_and_what_is_open_is_found() -> None:
    index, live = Index(), {slot(1)}
    index.add(["P:acme/agent:ada", "S:acme/order/1"], slot(1), live)
    for number in range(2, 10_000):
        index.add(["P:acme/agent:ada", f"S:acme/order/{number}"], slot(number), live)
    assert index.touched("P:acme/agent:ada")[0] == slot(1)
    assert len(index.touched("P:acme/agent:ada")) <= 2 * SMALL
    assert index.touched("S:acme/order/1") == [slot(1)]
    assert index.touched("S:acme/order/2") == []
    assert len(index) < 9_000


def test_a_long_list_of_open_leases_keeps_them_all() -> None:
    index, live = Index(), {slot(number) for number in range(1_000)}
    for number in range(1_000):
        index.add(["P:a"], slot(number), live)
    assert index.touched("P:a") == [slot(number) for number in range(1_000)]


def test_a_slot_that_was_added_twice_is_touched_once() -> None:
    index, live = Index(), {slot(1), slot(2)}
    for number in (1, 2, 1):
        index.add(["P:a"], slot(number), live)
    assert index.touched("P:a") == [slot(1), slot(2)]
