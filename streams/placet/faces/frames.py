"""Records of a log as bytes of an HTTP body: each one a fixed head, then its key and its value."""

import struct
from collections.abc import Iterable, Iterator

from placet.errors import PoisonRecord
from placet.model.reasons import Reason
from placet.ports import Message, Rec

MEDIA_TYPE = "application/x-placet-records"
# offset, at, length of the key, length of the value; big-endian; a length of -1 is null
_HEAD = struct.Struct(">qqii")


def pack(records: Iterable[tuple[int, int, bytes | None, bytes | None]]) -> bytes:
    """Return records (offset, at, key, value) in order as one body."""
    parts: list[bytes] = []
    for offset, at, key, value in records:
        parts.append(_HEAD.pack(offset, at, -1 if key is None else len(key), -1 if value is None else len(value)))
        parts += (key or b"", value or b"")
    return b"".join(parts)


def pack_read(records: Iterable[Rec]) -> bytes:
    """Return what was read from a log as one body."""
    return pack((rec.offset, rec.at, rec.key, rec.value) for rec in records)


def pack_append(messages: Iterable[Message]) -> bytes:
    """Return what is to be appended as one body; offset and time are the log's to give."""
    return pack((-1, 0, message.key, message.value) for message in messages)


def unpack(body: bytes, value_bytes_max: int) -> Iterator[tuple[int, int, bytes | None, bytes | None]]:
    """Yield (offset, at, key, value) of each record in `body`.

    Raise PoisonRecord (UNDECODABLE, or TOO_LARGE for a value past the bound) with the position of what is wrong.
    """
    at_byte, size = 0, len(body)
    while at_byte < size:
        if size - at_byte < _HEAD.size:
            raise _faulty(at_byte, f"{size - at_byte} bytes left, expected a head of {_HEAD.size}")
        offset, at, key_size, value_size = _HEAD.unpack_from(body, at_byte)
        if min(key_size, value_size) < -1:
            raise _faulty(at_byte, "a length below -1")
        if value_size > value_bytes_max:
            raise PoisonRecord(
                f"record at byte {at_byte}: value of {value_size} bytes, expected at most {value_bytes_max}",
                Reason.TOO_LARGE,
            )
        key_from = at_byte + _HEAD.size
        value_from = key_from + max(0, key_size)
        at_byte = value_from + max(0, value_size)
        if at_byte > size:
            raise _faulty(key_from, f"{size - key_from} bytes left, expected {max(0, key_size) + max(0, value_size)}")
        yield (
            offset,
            at,
            None if key_size < 0 else body[key_from:value_from],
            None if value_size < 0 else body[value_from:at_byte],
        )


def _faulty(at_byte: int, what: str) -> PoisonRecord:
    return PoisonRecord(f"record at byte {at_byte}: {what}", Reason.UNDECODABLE)
