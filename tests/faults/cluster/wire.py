"""Kafka frames, as far as a fault needs to know them: which API, whose request, what error its answer names."""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

PRODUCE, FETCH, LIST_OFFSETS, METADATA = 0, 1, 2, 3
OFFSET_FETCH, FIND_COORDINATOR, JOIN_GROUP, HEARTBEAT, LEAVE_GROUP, SYNC_GROUP = 9, 10, 11, 12, 13, 14
INIT_PRODUCER_ID, ADD_PARTITIONS_TO_TXN, ADD_OFFSETS_TO_TXN, END_TXN = 22, 24, 25, 26
WRITE_TXN_MARKERS, TXN_OFFSET_COMMIT = 27, 28
TRANSACTIONAL = frozenset({ADD_PARTITIONS_TO_TXN, ADD_OFFSETS_TO_TXN, END_TXN, TXN_OFFSET_COMMIT})

_REQUEST = Struct(">ihhih")
_SHORT = Struct(">h")
_LONG = Struct(">q")
_INT = Struct(">i")
_FLEXIBLE_FROM = {INIT_PRODUCER_ID: 2, ADD_OFFSETS_TO_TXN: 3, END_TXN: 3, HEARTBEAT: 4}
"""APIs whose answer begins with a throttle time and an error code, and since which version tags come before those."""
FENCED = frozenset({22, 25, 47, 82, 90})
"""Error codes by which a broker turns a zombie away: by generation, member, epoch, instance or producer."""


class Request(NamedTuple):
    """The header of a request. `commits` is what an EndTxn asks for, None of any other."""

    api: int
    version: int
    correlation: int
    client: str
    commits: bool | None


def frames_of(buffer: bytearray) -> Iterator[bytes]:
    """Take whole frames, their length included, off the front of `buffer`."""
    at = 0
    while len(buffer) - at >= _INT.size:
        end = at + _INT.size + _INT.unpack_from(buffer, at)[0]
        if end > len(buffer):
            break
        yield bytes(buffer[at:end])
        at = end
    del buffer[:at]


def request_of(frame: bytes) -> Request:
    """Return the header of a request frame (Kafka protocol guide, request header v1 and v2)."""
    _, api, version, correlation, size = _REQUEST.unpack_from(frame)
    at = _REQUEST.size
    client = frame[at : at + size].decode(errors="replace") if size > 0 else ""
    return Request(api, version, correlation, client, _commits(frame, at + max(size, 0), version, api))


def _commits(frame: bytes, at: int, version: int, api: int) -> bool | None:
    """Return the last field of an EndTxn: after the transactional id, producer id (8 bytes) and epoch (2)."""
    if api != END_TXN:
        return None
    if version >= _FLEXIBLE_FROM[END_TXN]:
        at += 1  # the header's empty tags
        size, at = frame[at] - 1, at + 1  # ids of the tests are shorter than a second byte would need
    else:
        size, at = _SHORT.unpack_from(frame, at)[0], at + _SHORT.size
    return bool(frame[at + size + _LONG.size + _SHORT.size])


def error_of(api: int, version: int, answer: bytes) -> int:
    """Return the error code an answer begins with; 0 for APIs that put it elsewhere."""
    flexible = _FLEXIBLE_FROM.get(api)
    if flexible is None:
        return 0
    at = 2 * _INT.size + (version >= flexible) + _INT.size
    return int(_SHORT.unpack_from(answer, at)[0])


def correlation_of(answer: bytes) -> int:
    """Return to which request an answer belongs."""
    return int(_INT.unpack_from(answer, _INT.size)[0])
