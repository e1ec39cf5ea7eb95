"""Attempts remembered until their deadline: a table of bytes does what a dict would, and takes back what did not happen."""

from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from placet.decision.settled import REST, SettledTable
from placet.decision.shard import ROW

NOW = 1_700_000_000_000
MINUTE = 60_000


def slot_of(number: int) -> bytes:
    """Return a slot; the first 64 of them share their shard and where they are looked for, as digests never would."""
    return (bytes(8) + number.to_bytes(8, "big")) if number < 64 else sha256(number.to_bytes(8, "big")).digest()[:16]


def row_of(seq: int, deadline: int) -> bytes:
    return REST.pack(seq, deadline, 1, 0, bytes(20), bytes([seq % 256]) * 20)


step = st.tuples(st.integers(0, 100), st.integers(1, 20 * MINUTE))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.lists(step, max_size=60), st.booleans()), max_size=8))
def test_what_is_kept_is_found_and_what_is_dropped_never_was(batches: list[tuple[list[tuple[int, int]], bool]]) -> None:
    table, kept, seq = SettledTable(), {}, 0
    for batch, keeps in batches:
        put = {}
        for number, ahead in batch:
            seq += 1
            put[slot_of(number)] = row_of(seq, NOW + ahead)
            table.put(slot_of(number), put[slot_of(number)], NOW + ahead, NOW)
        if keeps:
            table.keep()
            kept.update(put)
        else:
            table.drop()
    assert {number: table.row(slot_of(number)) for number in range(101)} == {
        number: kept.get(slot_of(number)) for number in range(101)
    }
    assert list(table.rows()) == [slot + kept[slot] for slot in sorted(kept)]


def test_many_rows_filled_in_are_each_found_again() -> None:
    rows = [slot_of(number) + row_of(number, NOW + MINUTE) for number in range(20_000)]
    table = SettledTable()
    for at in range(0, len(rows), 500):
        assert table.fill(b"".join(rows[at : at + 500]), NOW, NOW) == NOW + MINUTE
    assert len(table) == 20_000
    assert [table.row(row[:16]) for row in rows] == [row[16:] for row in rows]
    assert table.row(slot_of(20_001)) is None
    assert len(b"".join(table.rows())) == 20_000 * ROW.size


def test_a_row_put_where_rows_were_filled_in_takes_the_place_of_its_slot() -> None:
    table = SettledTable()
    table.fill(b"".join(slot_of(number) + row_of(number, NOW + MINUTE) for number in range(100)), NOW, NOW)
    table.put(slot_of(7), row_of(200, NOW + MINUTE), NOW + MINUTE, NOW)
    table.put(slot_of(100), row_of(201, NOW + MINUTE), NOW + MINUTE, NOW)
    assert (table.row(slot_of(7)), table.row(slot_of(100))) == (row_of(200, NOW + MINUTE), row_of(201, NOW + MINUTE))
    assert len(table) == 101
    table.drop()
    assert (table.row(slot_of(7)), table.row(slot_of(100))) == (row_of(7, NOW + MINUTE), None)


filled = st.lists(st.tuples(st.integers(0, 100), st.sampled_from([1, MINUTE, 7 * MINUTE, 14 * MINUTE])), max_size=60)


@settings(max_examples=50)
@given(st.lists(filled, max_size=8))
def test_of_what_is_filled_in_under_one_slot_the_newest_stands(batches: list[list[tuple[int, int]]]) -> None:
    table, known, seq = SettledTable(), {}, 0
    for batch in batches:
        rows = []
        for number, ahead in batch:
            seq += 1
            known[slot_of(number)] = row_of(seq, NOW + ahead)
            rows.append(slot_of(number) + known[slot_of(number)])
        table.fill(b"".join(rows), NOW, NOW)
        assert all(table.row(slot) == row for slot, row in list(known.items())[::7])
    table.put(slot_of(0), row_of(seq + 1, NOW + 1), NOW + 1, NOW)
    table.drop()
    assert {slot: table.row(slot) for slot in map(slot_of, range(101))} == {
        slot: known.get(slot) for slot in map(slot_of, range(101))
    }
    assert list(table.rows()) == [slot + known[slot] for slot in sorted(known)]


def test_what_has_passed_is_not_filled_in() -> None:
    table = SettledTable()
    late, still = slot_of(100) + row_of(1, NOW), slot_of(101) + row_of(2, NOW + 1)
    assert table.fill(late + still, NOW - MINUTE, NOW) == NOW + 1
    assert list(table.rows()) == [still]
    assert table.fill(b"", NOW, NOW) == 0


def test_an_id_that_comes_again_is_found_as_it_came_last() -> None:
    table = SettledTable()
    table.put(slot_of(1), row_of(1, NOW + MINUTE), NOW + MINUTE, NOW)
    week = NOW + 7 * 24 * 60 * MINUTE
    table.put(slot_of(1), row_of(2, week), week, NOW + 2 * MINUTE)
    found = table.find(slot_of(1))
    assert found is not None
    assert (found.seq, found.deadline) == (2, week)
    table.drop()
    assert table.find(slot_of(1)) is None


def test_a_bucket_whose_deadlines_have_passed_is_forgotten() -> None:
    table = SettledTable()
    table.put(slot_of(1), row_of(1, NOW + 1), NOW + 1, NOW)
    table.put(slot_of(2), row_of(2, NOW + 14 * MINUTE), NOW + 14 * MINUTE, NOW)
    table.keep()
    table.forget(NOW + 8 * MINUTE)
    assert (table.row(slot_of(1)), len(table)) == (None, 1)
