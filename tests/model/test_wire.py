"""The tables that all codecs encode from: what they do not hold is learnt, what fits no field is refused, and no table grows for ever."""

import pytest

from placet.errors import PoisonRecord
from placet.model.codec import repeat
from placet.model.codec._wire import INT, LONG, TEXT, learn, long
from placet.model.codec.repeat import Repeat

TOO_GREAT = 1 << 31
REPEAT = Repeat("acme", "user:kim", bytes(16), 1, 0, 7, 5, 2, 3, 4, 6, -1)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (8_192, "808001"),
        (-8_193, "818001"),
        (TOO_GREAT, "8080808010"),
        (-(1 << 63), "ffffffffffffffffff01"),
        ((1 << 63) - 1, "feffffffffffffffff01"),
    ],
)
def test_an_integer_that_no_table_holds_is_learnt(number: int, said: str) -> None:
    LONG.pop(number, None)
    assert long(number).hex() == said
    assert LONG[number].hex() == said


@pytest.mark.parametrize("known", [False, True])
def test_what_does_not_fit_a_field_of_32_bits_is_refused_also_once_a_wider_field_held_it(known: bool) -> None:
    LONG.pop(TOO_GREAT, None)
    if known:
        repeat.encode(REPEAT._replace(instant=TOO_GREAT))
    with pytest.raises(PoisonRecord, match="2147483648 does not fit the 32 bits of its field"):
        repeat.encode(REPEAT._replace(partition=TOO_GREAT))
    assert TOO_GREAT not in INT


def test_what_does_not_fit_64_bits_is_refused() -> None:
    with pytest.raises(PoisonRecord, match="does not fit the 64 bits of its field"):
        repeat.encode(REPEAT._replace(instant=1 << 63))


def test_tables_are_bounded_and_a_record_is_written_whatever_they_forgot() -> None:
    first = repeat.encode(REPEAT._replace(seq=1 << 40))
    for number in range(1 << 40, (1 << 40) + 40_000):
        long(number)
    for number in range(10_000):
        learn(KeyError(f"tool:{number}"))
    assert (len(LONG) <= 1 << 15, len(TEXT) <= 1 << 12) == (True, True)
    assert repeat.encode(REPEAT._replace(seq=1 << 40)) == first
