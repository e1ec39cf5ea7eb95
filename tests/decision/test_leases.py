"""The index from facts to open intents: it forgets what is closed, and never what is open."""

from placet.decision.leases import INDEX_SLACK, Index
from placet.model.codec.desk_change import Lease


def slot(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_what_is_closed_is_forgotten_and_what_is_open_is_found() -> None:
    index, live = Index(), dict.fromkeys([slot(1)])
    index.add(["P:acme/agent:ada", "S:acme/order/1"], slot(1), live)  # type: ignore[arg-type]
    for number in range(2, INDEX_SLACK):
        index.add(["P:acme/agent:ada", f"S:acme/order/{number}"], slot(number), live)  # type: ignore[arg-type]
    assert index.touched("P:acme/agent:ada")[0] == slot(1)
    assert index.touched("S:acme/order/1") == [slot(1)]
    assert index.touched("S:acme/order/2") == []
    assert len(index) < INDEX_SLACK


def test_a_slot_that_was_added_twice_is_touched_once() -> None:
    index: Index = Index()
    live: dict[bytes, Lease] = {}
    index.add(["P:a"], slot(1), live)
    index.add(["P:a"], slot(2), live)
    index.add(["P:a"], slot(1), live)
    assert index.touched("P:a") == [slot(1), slot(2)]
