"""Leases found in desk changes without being read: where each begins and ends, so that only what lives is decoded."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from placet.errors import PoisonRecord
from placet.model.codec import HEADERS, decode_known, desk_change
from placet.model.codec._wire import SMALL, SPAN, count, long, long_at, span
from placet.model.codec.desk_change import DataKey, Lease, Meter, Session
from placet.model.reasons import Reason

OLDER = HEADERS["desk_change"] - {desk_change.HEADER}
SLOT_SIZE, ID_SIZE, FRAME_SIZE = 16, 16, 5
AT_ONCE = 1_000
NOTHING_OPENED = bytes(7)
"""The fields of a desk change up to its data keys, all of them 0 or empty."""
_NUMBER = rb"[\x80-\xff]*+[\x00-\x7f]"
_DIGEST = rb"(?>\x00|\x40.{32})"
_TO_INTENT = rb".{16}" + _NUMBER * 4
_TO_EXECUTOR = _NUMBER * 3 + _DIGEST + rb"\x00[\x00\x01]" + _NUMBER * 2 + _DIGEST
_TO_END = rb"(?>\x00|\x20.{16})[\x00\x01]\x00\x00(?>\x00|\x10.{8})"
TO_INTENT = re.compile(rb"(?s)" + _TO_INTENT).match
"""Slot, seq, state, effect, reason."""
TO_EXECUTOR = re.compile(rb"(?s)" + _TO_EXECUTOR).match
"""Offset and time of asking, until; what was granted, with its arguments as they were asked; the end; the set."""
TO_END = re.compile(rb"(?s)" + _TO_END).match
"""Nonce, stopped, no votes, no holds, what is wanted."""
INTENT_BYTES = 1024
"""Intents shorter than this, but not than 64 bytes, are found together with all that stands around them."""


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
    meters: tuple[Meter, ...]


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
    partition, ordinal, seq_to, instant = numbers
    return Held(
        partition, ordinal, seq_to, instant, settled, closed, opened, rest.data_keys, rest.sessions, rest.meters
    )


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


def key_in(intent: bytes) -> bytes:
    """Return the key of a framed Intent that was taken before: `tenant/authority`, which lie there in every version."""
    at = _past_number(intent, FRAME_SIZE + ID_SIZE)
    actor_at = _past(intent, at)
    authority_at = _past(intent, actor_at)
    tenant = intent[_past_number(intent, at) : actor_at]
    return tenant + b"/" + intent[_past_number(intent, authority_at) : _past(intent, authority_at)]


def writer_in(intent: bytes) -> bytes:
    """Return the tenant and the actor of a framed Intent that was taken before, as `tenant/actor`."""
    at = _past_number(intent, FRAME_SIZE + ID_SIZE)
    actor_at = _past(intent, at)
    tenant = intent[_past_number(intent, at) : actor_at]
    return tenant + b"/" + intent[_past_number(intent, actor_at) : _past(intent, actor_at)]


def _read(leases: list[bytes]) -> tuple[Lease, ...]:
    return desk_change.decode(NOTHING_OPENED[1:] + long(len(leases)) + b"".join(leases) + bytes(4), 0).opened


def _leases(value: bytes, at: int) -> tuple[list[tuple[bytes, bytes]], int]:
    """Return the leases of the array at `at`, and where the array ends."""
    opened: list[tuple[bytes, bytes]] = []
    if not value[at]:
        return opened, at + 1
    number, at = count(value, at, SLOT_SIZE)
    while len(opened) < number:
        found = _usual()(value, at)[: number - len(opened)]
        if not found[-1][1]:
            found.pop()
        at += sum([len(lease) for _, lease in found])
        opened += found
        if len(opened) < number:
            end = _past_lease(value, at)
            opened.append((value[at : at + SLOT_SIZE], value[at:end]))
            at = end
    if value[at]:
        raise ValueError("expected the end of the leases")
    return opened, at + 1


@cache
def _usual() -> Callable[[bytes, int], list[tuple[bytes, bytes]]]:
    """Return what finds leases that lie end to end, each as (slot, lease), up to the first that is out of the ordinary.

    What is not one runs to the end of the bytes, and is found as empty.
    """
    short = _either(_exactly(2 * size, size) for size in range(64))
    intent = _either(
        re.escape(bytes((low | 128,)))
        + _either(_exactly(high, (high << 7 | low) >> 1) for high in range(1, INTENT_BYTES >> 6))
        for low in range(0, 128, 2)
    )
    lease = _TO_INTENT + intent + _TO_EXECUTOR + short + _TO_END
    return re.compile(rb"(?s)(?=(.{16}))(" + lease + rb")|.+").findall


def _exactly(first: int, size: int) -> bytes:
    """Return what matches a byte and so many after it."""
    return re.escape(bytes((first,))) + (b".{%d}+" % size if size else b"")


def _either(choices: Iterable[bytes]) -> bytes:
    return b"(?>" + b"|".join(choices) + b")"


def _past_lease(value: bytes, at: int) -> int:
    """Return where the lease at `at` ends, whatever is in it."""
    head = TO_INTENT(value, at)
    if head is None:
        raise ValueError("expected a lease")
    at = _past(value, head.end())
    middle = TO_EXECUTOR(value, at)
    at = _past(value, _slowly_to_executor(value, at) if middle is None else middle.end())
    last = TO_END(value, at)
    return _slowly_to_end(value, at) if last is None else last.end()


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
    number, at = _items(value, at)
    for _ in range(number):
        at = _past(value, at)
    number, at = _items(value, at + 1 if number else at)
    for _ in range(number):
        at = _past(value, _past(value, at))
        for _ in range(4):
            at = _past_number(value, at)
        at = _past(value, at)
    return _past(value, at + 1 if number else at)


def _items(value: bytes, at: int) -> tuple[int, int]:
    """Return how many items the array at `at` has, and where they begin; where there are none, where the array ends."""
    return count(value, at, 1) if value[at] else (0, at + 1)


def _past_number(value: bytes, at: int) -> int:
    while value[at] & 128:
        at += 1
    return at + 1
