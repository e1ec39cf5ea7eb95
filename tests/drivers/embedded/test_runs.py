"""A row holds what was put into it, and nothing that is not one passes for it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.drivers.embedded.runs import pack_run, unpack_run
from placet.errors import Corrupted
from placet.ports import Message, Rec

parts = st.none() | st.binary(max_size=40)
runs = st.lists(st.builds(Message, parts, parts, st.none()), min_size=1, max_size=8)


def test_the_bytes_of_a_row_are_these() -> None:
    row = pack_run(1, 2, 3, 4, [Message(b"k", b"vv"), Message(None, b""), Message(b"", None)])
    head = "0101000000020000000000000003000000000000000400000003"
    lengths = "0000000100000002ffffffff0000000000000000ffffffff"
    assert row == bytes.fromhex(head + lengths) + b"kvv"


@given(runs, st.integers(0, 9), st.integers(0, 9))
def test_any_part_of_a_row_comes_back(messages: list[Message], skip: int, most: int) -> None:
    row = pack_run(3, 70_000, 1 << 40, 1_700_000_000_000, messages)
    expected = [
        Rec(3, 70_000, (1 << 40) + number, 1_700_000_000_000, message.key, message.value)
        for number, message in enumerate(messages)
    ]
    assert unpack_run(row, 3, 70_000, 1 << 40, skip, most) == expected[skip : skip + most]


@given(runs, st.data())
def test_a_row_cut_short_or_drawn_out_is_said(messages: list[Message], data: st.DataObject) -> None:
    row = pack_run(3, 0, 0, 0, messages)
    cut = data.draw(st.integers(0, len(row) - 1))
    for wrong in (row[:cut], row + b"\x00"):
        with pytest.raises(Corrupted, match="row of topic 3 partition 0 offset 0: "):
            unpack_run(wrong, 3, 0, 0)


@pytest.mark.parametrize("place", [(4, 0, 0), (3, 1, 0), (3, 0, 1)])
def test_the_row_of_another_place_is_said(place: tuple[int, int, int]) -> None:
    row = pack_run(3, 0, 0, 0, [Message(b"k", b"v")])
    with pytest.raises(Corrupted, match="says that it is topic 3 partition 0 offset 0"):
        unpack_run(row, *place)


def test_a_row_of_another_format_is_said() -> None:
    row = b"\x02" + pack_run(3, 0, 0, 0, [Message(b"k", b"v")])[1:]
    with pytest.raises(Corrupted, match="in format 2, known is 1"):
        unpack_run(row, 3, 0, 0)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_row_or_said_not_to_be(data: bytes) -> None:
    with suppress(Corrupted):
        unpack_run(b"\x01\x03" + bytes(12) + data, 3, 0, 0)
