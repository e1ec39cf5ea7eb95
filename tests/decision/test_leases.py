"""The index from facts to open intents: it forgets what is closed, and never what is open."""

from hypothesis import given
from hypothesis import strategies as st

from placet.context.facts import Bundle
from placet.decision.index import Index
from placet.decision.leases import Leases
from placet.model.codec.desk_change import Lease
from placet.model.reasons import State


def slot(number: int) -> bytes:
    return number.to_bytes(16, "big")


def lease(number: int, until: int = 5_000) -> Lease:
    return Lease(
        slot(number),
        0,
        State.GRANTED,
        0,
        0,
        b"",
        0,
        0,
        until,
        b"",
        None,
        True,
        0,
        5_000,
        b"",
        "",
        b"",
        False,
        (),
        (),
        b"",
    )


def test_what_is_closed_is_forgotten_and_what_is_open_is_found() -> None:
    leases = Leases()
    for number in range(3):
        leases.put(lease(number), ["P:acme/agent:ada", f"S:acme/order/{number}"])
    leases.close(slot(1))
    assert leases.index.touched("P:acme/agent:ada") == [slot(0), slot(2)]
    assert leases.index.touched("S:acme/order/1") == []
    leases.close(slot(0))
    leases.close(slot(2))
    assert len(leases.index) == 0


def test_a_lease_rests_on_what_it_was_decided_on_last() -> None:
    leases = Leases()
    leases.put(lease(1), ["P:a", "S:old"])
    leases.rest(slot(1), ["P:a", "S:new", "P:a"])
    assert leases.index.touched("P:a") == [slot(1)]
    assert leases.index.touched("S:new") == [slot(1)]
    assert leases.index.touched("S:old") == []
    # The next state of a lease says nothing of its facts: they stay.
    leases.put(lease(1))
    assert leases.index.touched("S:new") == [slot(1)]


BUNDLES = [Bundle(("a", "b")), Bundle(("b", "c")), Bundle(("a", "b"))]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "rest", "close", "keep", "drop"]),
        st.integers(0, 4),
        st.lists(st.sampled_from([*"abcd", *BUNDLES]), max_size=4),
    )
)


def told(facts: list[str | Bundle]) -> set[str]:
    """Return the single keys that a list of keys and bundles is about."""
    return {key for fact in facts for key in (fact.keys if isinstance(fact, Bundle) else (fact,))}


@given(STEPS)
def test_the_index_says_of_each_key_just_the_open_leases_that_rest_on_it_whatever_was_dropped(
    steps: list[tuple[str, int, list[str | Bundle]]],
) -> None:
    leases = Leases()
    now: dict[bytes, set[str]] = {}
    kept: dict[bytes, set[str]] = {}
    for step, number, facts in steps:
        if step == "put":
            leases.put(lease(number), facts)
            now[slot(number)] = told(facts) or now.get(slot(number), set())
        elif step == "keep":
            leases.keep()
            kept = dict(now)
        elif step == "drop":
            leases.drop()
            now = dict(kept)
        elif slot(number) not in now:
            continue
        elif step == "rest":
            leases.rest(slot(number), facts)
            now[slot(number)] = told(facts)
        else:
            leases.close(slot(number))
            del now[slot(number)]
        assert leases.open.keys() == now.keys()
        for key in "abcd":
            assert set(leases.index.touched(key)) == {one for one, facts_ in now.items() if key in facts_}
    for one in list(leases.open):
        leases.close(one)
    assert len(leases.index) == 0


def test_an_index_of_nothing_is_empty() -> None:
    index = Index()
    index.move(slot(1), (), ("a", "b"))
    index.move(slot(1), ("a", "b"), ())
    assert len(index) == 0


def test_a_timer_is_due_at_its_millisecond_and_not_in_its_second() -> None:
    leases = Leases()
    assert not leases.is_due(10_000)
    leases.put(lease(1, 5_900))
    leases.put(lease(2, 5_400))
    assert [leases.is_due(at) for at in (4_999, 5_000, 5_399, 5_400)] == [False, False, False, True]
    leases.close(slot(2))
    assert [leases.is_due(at) for at in (5_400, 5_899, 5_900)] == [False, False, True]
    leases.put(lease(1, 7_100))
    assert [leases.is_due(at) for at in (5_900, 7_000, 7_099, 7_100)] == [False, False, False, True]


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "close", "keep", "drop", "look"]), st.integers(0, 4), st.integers(0, 9_999))
    )
)
def test_what_is_due_is_what_is_open_and_has_reached_its_time_whatever_was_dropped(
    steps: list[tuple[str, int, int]],
) -> None:
    leases = Leases()
    for step, number, at in steps:
        if step == "put":
            leases.put(lease(number, at))
        elif step == "close" and slot(number) in leases.open:
            leases.close(slot(number))
        elif step == "keep":
            leases.keep()
        elif step == "drop":
            leases.drop()
        elif step == "look":
            reached = sorted((one.until, one.slot) for one in leases.open.values() if one.until <= at)
            assert leases.is_due(at) is bool(reached)
            assert [(one.until, one.slot) for one in leases.due(at, 9)] == reached
