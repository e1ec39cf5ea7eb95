"""Leases found in desk changes without being read: where each begins and ends, so that only what lives is decoded."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from placet.errors import PoisonRecord
from placet.model.codec import HEADERS, decode_known, desk_change
from placet.model.codec._wire import LONG, SMALL, SPAN, count, long_at, span
from placet.model.codec.desk_change import DataKey, Lease, Session
from placet.model.reasons import Reason

OLDER = HEADERS["desk_change"] - {desk_change.HEADER}
SLOT_SIZE = 16
AT_ONCE = 1_000
NOTHING_OPENED = bytes(7)
"""The fields of a desk change up to its data keys, all of them 0 or empty."""
_NUMBER = rb"[\x80-\xff]*[\x00-\x7f]"
_DIGEST = rb"(?:\x00|\x40.{32})"
TO_INTENT = re.compile(rb"(?s).{16}" + _NUMBER * 4).match
"""Slot, seq, state, effect, reason."""
TO_EXECUTOR = re.compile(rb"(?s)" + _NUMBER * 3 + _DIGEST + rb"\x00[\x00\x01]" + _NUMBER * 2 + _DIGEST).match
"""Offset and time of asking, until; what was granted, with its arguments as they were asked; the end; the set."""
TO_END = re.compile(rb"(?s)(?:\x00|\x20.{16})[\x00\x01]\x00").match
"""Nonce, stopped, no votes."""


class Held(NamedTuple):
    """A desk change whose leases are still in their bytes, each as (slot, lease)."""

    partition: int
    ordinal: int
    seq_to: int
    instant: int
    settled: bytes
    closed: bytes
    opened: list[tuple[bytes, bytes]]
    data_keys: tuple[DataKey, ...]
    sessions: tuple[Session, ...]


def hold(value: bytes) -> Held:
    """Return a framed desk change with each lease where it lies; raise PoisonRecord where it is none.

    Everything but the leases is read strictly, and they must fill their place
    exactly: a lease that is dead by the end is never looked into.
    """
    numbers = []
    at = len(desk_change.HEADER)
    if value[:at] in OLDER:
        value = desk_change.frame(decode_known(value))
    try:
        if value[:at] != desk_change.HEADER:
            raise ValueError(f"expected its framing, found {value[:at].hex()}")
        for _ in range(4):
            number, at = long_at(value, at) if value[at] & 128 else (SMALL[value[at]], at + 1)
            numbers.append(number)
        settled_at, at = _span(value, at)
        settled = value[settled_at:at]
        closed_at, at = _span(value, at)
        closed = value[closed_at:at]
        opened, at = _leases(value, at)
    except (IndexError, ValueError) as fault:
        raise PoisonRecord(f"desk_change at byte {at}: {fault}", Reason.UNDECODABLE) from None
    rest = desk_change.decode(NOTHING_OPENED + value[at:], 0)
    return Held(numbers[0], numbers[1], numbers[2], numbers[3], settled, closed, opened, rest.data_keys, rest.sessions)


def leases_of(found: Iterable[bytes]) -> Iterator[Lease]:
    """Yield the leases in these bytes, each read strictly."""
    waiting: list[bytes] = []
    for each in found:
        waiting.append(each)
        if len(waiting) == AT_ONCE:
            yield from _read(waiting)
            waiting.clear()
    if waiting:
        yield from _read(waiting)


def _read(leases: list[bytes]) -> tuple[Lease, ...]:
    return desk_change.decode(NOTHING_OPENED[1:] + LONG[len(leases)] + b"".join(leases) + bytes(3), 0).opened


def _leases(value: bytes, at: int) -> tuple[list[tuple[bytes, bytes]], int]:
    """Return the leases of the array at `at`, and where the array ends."""
    opened: list[tuple[bytes, bytes]] = []
    if not value[at]:
        return opened, at + 1
    number, at = count(value, at, SLOT_SIZE)
    for _ in range(number):
        begin = at
        head = TO_INTENT(value, at)
        if head is None:
            raise ValueError("expected a lease")
        at = _past(value, head.end())
        middle = TO_EXECUTOR(value, at)
        at = _past(value, _slowly_to_executor(value, at) if middle is None else middle.end())
        last = TO_END(value, at)
        at = _slowly_to_end(value, at) if last is None else last.end()
        opened.append((value[begin : begin + SLOT_SIZE], value[begin:at]))
    if value[at]:
        raise ValueError("expected the end of the leases")
    return opened, at + 1


def _past(value: bytes, at: int) -> int:
    """Return where the bytes or the string at `at` end."""
    first = value[at]
    if first < 128:
        return at + 1 + (first >> 1)
    second = value[at + 1]
    return at + 2 + ((first & 127 | second << 7) >> 1) if second < 128 else span(value, at)[1]


def _span(value: bytes, at: int) -> tuple[int, int]:
    """Return where the bytes at `at` begin and end."""
    end = at + SPAN[value[at]]
    if end > at:
        return at + 1, end
    before, end = span(value, at)
    return before + 1, end


def _slowly_to_executor(value: bytes, at: int) -> int:
    for _ in range(3):
        at = _past_number(value, at)
    at = _past(value, at)
    at = _past(value, at + 1) if value[at] else at + 1
    at = _past_number(value, _past_number(value, at + 1))
    return _past(value, at)


def _slowly_to_end(value: bytes, at: int) -> int:
    at = _past(value, at) + 1
    if not value[at]:
        return at + 1
    number, at = count(value, at, 1)
    for _ in range(number):
        at = _past(value, at)
    return at + 1


def _past_number(value: bytes, at: int) -> int:
    while value[at] & 128:
        at += 1
    return at + 1
