"""What stands in the log, byte for byte, by hand."""

from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.model.codec import BY_NAME
from placet.model.topics import Topic
from placet.ports import Rec
from placet.provenance.leaf import (
    CUT,
    LOGGED,
    RECORD,
    TOMBSTONE,
    UNREAD,
    Cut,
    Leaf,
    Move,
    encode_cut,
    encode_record,
    is_cut,
    read_leaf,
)

VERDICT = BY_NAME["verdict"]
PLACE = bytes.fromhex("04 00000003 0000000000000102")


def rec(value: bytes | None, key: bytes | None = b"acme/ada") -> Rec:
    return Rec(Topic.DECISIONS, 3, 258, 1_700_000_000_000, key, value)


def test_a_record_is_where_it_lies_its_schema_its_key_and_its_bytes() -> None:
    leaf = encode_record(rec(VERDICT.HEADER + b"payload"))
    assert leaf == b"\x01\x01" + PLACE + VERDICT.FINGERPRINT + b"\x00\x00\x00\x08acme/ada" + b"payload"
    assert read_leaf(leaf) == Leaf(RECORD, 4, 3, 258, VERDICT.FINGERPRINT, b"acme/ada", b"payload")


def test_a_tombstone_and_a_record_without_a_key_say_so() -> None:
    leaf = encode_record(rec(None))
    assert leaf == b"\x01\x02" + PLACE + bytes(32) + b"\x00\x00\x00\x08acme/ada"
    assert read_leaf(leaf) == Leaf(TOMBSTONE, 4, 3, 258, bytes(32), b"acme/ada", b"")
    leaf = encode_record(rec(None, None))
    assert leaf == b"\x01\x02" + PLACE + bytes(32) + b"\xff\xff\xff\xff"
    assert read_leaf(leaf) == Leaf(TOMBSTONE, 4, 3, 258, bytes(32), None, b"")


@pytest.mark.parametrize("value", [b"", b"\x00", b"no frame", b"\x00\xff\xff\xff\xffbody"])
def test_what_no_schema_is_known_for_stands_there_as_it_lies(value: bytes) -> None:
    leaf = encode_record(rec(value, b""))
    assert leaf == b"\x01\x03" + PLACE + bytes(32) + b"\x00\x00\x00\x00" + value
    assert read_leaf(leaf) == Leaf(UNREAD, 4, 3, 258, bytes(32), b"", value)


def test_a_seal_is_a_leaf_and_a_watermark_is_none() -> None:
    assert encode_record(rec(BY_NAME["seal"].HEADER + b"sealed")) is not None
    assert encode_record(rec(BY_NAME["watermark"].HEADER + b"quiet")) is None


def test_a_record_above_60000_bytes_enters_as_digest() -> None:
    whole = encode_record(rec(VERDICT.HEADER + bytes(60_000)))
    assert whole is not None
    assert len(whole) == 47 + 4 + 8 + 60_000
    cut = encode_record(rec(VERDICT.HEADER + bytes(60_001)))
    stands_for = b"\x01\x01" + PLACE + VERDICT.FINGERPRINT + b"\x00\x00\x00\x08acme/ada" + bytes(60_001)
    digest = sha256(stands_for).digest()
    assert cut == b"\x01\x81" + PLACE + VERDICT.FINGERPRINT + (60_060).to_bytes(4, "big") + digest
    assert read_leaf(cut) == Leaf(129, 4, 3, 258, VERDICT.FINGERPRINT, None, b"", digest)


def test_a_leaf_that_would_be_too_long_by_its_key_enters_as_digest() -> None:
    assert len(encode_record(rec(VERDICT.HEADER + bytes(60_000), bytes(5_484))) or b"") == 65_535
    assert len(encode_record(rec(VERDICT.HEADER + bytes(60_000), bytes(5_485))) or b"") == 83
    assert len(encode_record(rec(None, bytes(70_000))) or b"") == 83


def test_decisions_and_all_context_are_logged() -> None:
    assert [topic.title for topic in LOGGED] == [
        "placet.decisions",
        "placet.risk",
        "placet.sensitivity",
        "placet.principals",
        "placet.mandates",
        "placet.controls",
        "placet.policies",
        "placet.keys",
    ]


def test_a_cut_says_how_far_each_partition_was_read() -> None:
    leaf = encode_cut(2, 500, 1_700_000_000_000, [Move(4, 0, 10, 14, 3), Move(10, 1, 0, 1, 0)])
    assert leaf == bytes.fromhex(
        "01 04 0000000000000002 00000000000001f4 0000018bcfe56800"
        "04 00000000 000000000000000a 000000000000000e 00000003"
        "0a 00000001 0000000000000000 0000000000000001 00000000"
    )
    assert is_cut(leaf)
    cut = read_leaf(leaf)
    assert cut == Cut(2, 500, 1_700_000_000_000, (Move(4, 0, 10, 14, 3), Move(10, 1, 0, 1, 0)))
    assert isinstance(cut, Cut)
    assert cut.leaves == 3


@pytest.mark.parametrize(
    "moves",
    [
        [Move(4, 1, 0, 1, 0), Move(4, 0, 0, 1, 0)],
        [Move(4, 0, 0, 1, 0), Move(4, 0, 1, 2, 0)],
        [Move(4, 0, 1, 1, 0)],
        [Move(4, 0, 2, 1, 0)],
        [Move(4, 0, 0, 2, 3)],
    ],
)
def test_a_cut_that_contradicts_itself_is_no_leaf(moves: list[Move]) -> None:
    with pytest.raises(ValueError, match="cut 0"):
        read_leaf(encode_cut(0, 0, 0, moves))


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"\x01",
        b"\x02\x01" + bytes(60),
        b"\x01\x05" + bytes(60),
        b"\x01\x84" + bytes(60),
        b"\x01\x01" + bytes(20),
        b"\x01\x01" + bytes(45) + b"\x00\x00\x00\x02a",
        b"\x01\x02" + bytes(45) + b"\x00\x00\x00\x01ab",
        b"\x01\x81" + bytes(45) + bytes(4) + bytes(31),
        bytes((1, CUT)) + bytes(23),
        bytes((1, CUT)) + bytes(24) + bytes(24),
    ],
)
def test_what_is_no_leaf_is_said(leaf: bytes) -> None:
    with pytest.raises(ValueError, match="leaf"):
        read_leaf(leaf)


@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for kind in (RECORD, TOMBSTONE, UNREAD, CUT, 129):
        with suppress(ValueError):
            assert read_leaf(bytes((1, kind)) + data)
