"""Records as a body: what goes in comes out, and what is none is refused where it goes wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.errors import PoisonRecord
from placet.faces import frames
from placet.model.reasons import Reason

maybe = st.none() | st.binary(max_size=40)
records = st.lists(st.tuples(st.integers(-1, 1 << 60), st.integers(0, 1 << 60), maybe, maybe), max_size=8)


@given(records)
def test_what_goes_in_comes_out(recs: list[tuple[int, int, bytes | None, bytes | None]]) -> None:
    assert list(frames.unpack(frames.pack(recs), 40)) == recs


@given(records, st.data())
def test_a_body_cut_short_is_refused_or_ends_between_records(
    recs: list[tuple[int, int, bytes | None, bytes | None]], data: st.DataObject
) -> None:
    body = frames.pack(recs)
    cut = data.draw(st.integers(0, len(body)))
    whole: list[tuple[int, int, bytes | None, bytes | None]] = []
    reason = 0
    try:
        for rec in frames.unpack(body[:cut], 40):
            whole.append(rec)  # noqa: PERF402  what came before the cut counts
    except PoisonRecord as refused:
        reason = refused.reason
    assert whole == recs[: len(whole)]
    assert reason in (0, Reason.UNDECODABLE)


@given(st.binary(max_size=200))
def test_any_bytes_are_records_or_refused(body: bytes) -> None:
    try:
        found = list(frames.unpack(body, 1_000))
    except PoisonRecord:
        return
    assert frames.pack(found) == body


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\0" * 23, "record at byte 0: 23 bytes left, expected a head of 24"),
        (b"\0" * 16 + b"\xff\xff\xff\xfe" + b"\0" * 4, "record at byte 0: a length below -1"),
        (b"\0" * 20 + b"\0\0\0\x05" + b"abcd", "record at byte 24: 4 bytes left, expected 5"),
        (b"\0" * 20 + b"\0\0\0\x29" + b"x" * 41, "record at byte 0: value of 41 bytes, expected at most 40"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(body: bytes, says: str) -> None:
    with pytest.raises(PoisonRecord) as refused:
        list(frames.unpack(body, 40))
    assert str(refused.value) == says
