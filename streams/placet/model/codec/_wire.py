"""What the generated codecs share: Avro's variable-length integers by table, and the two ways a record fails.

Accepted is exactly one encoding of each value, the one `encode` writes: the
shortest integer, an array or map as one block. What is signed or hashed can
therefore not be written a second way.
"""

from placet.errors import PoisonRecord
from placet.model.reasons import Reason

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
_PAIR = 1 << 14
# More than stand in any one record: one that looks again meets what it learnt before.
_KEPT, _TEXTS_KEPT = 1 << 15, 1 << 12


class Misread(ValueError):
    """What was expected at the place where a generated decoder stands; never leaves `decode`."""


def _varint(raw: int) -> bytes:
    out = bytearray()
    while raw > 127:
        out.append(raw & 127 | 128)
        raw >>= 7
    out.append(raw)
    return bytes(out)


# Two bytes of an integer at a time: _ENDS closes one, _GOES_ON has a successor.
_ENDS = [_varint(raw) for raw in range(_PAIR)]
_GOES_ON = [bytes((raw & 127 | 128, raw >> 7 | 128)) for raw in range(_PAIR)]


_TABLE = {number: _ENDS[number << 1] for number in range(_PAIR >> 1)}
LONG = dict(_TABLE)
"""A `long`, or the length of anything, to its bytes."""
INT = dict(_TABLE)
"""An `int` to its bytes."""
TEXT: dict[str, bytes] = {}
"""A string to its bytes: for names that stand in many records."""
# These are plain dicts, for the interpreter reads no other table as fast. Who misses something in them lets `learn`
# enter it and looks again. What was learnt is kept for a while: a seq, an offset and an instant stand in several
# records of a batch.


def learn(missed: KeyError) -> None:
    """Enter what one of the tables does not hold; raise PoisonRecord for an integer that does not fit its field."""
    key = missed.args[0]
    if isinstance(key, str):
        data = key.encode()
        made = long(len(data)) + data
        if len(TEXT) >= _TEXTS_KEPT:
            TEXT.clear()
        TEXT[key] = made
        return
    # Every integer that fits both tables is in both.
    if key in LONG or not -LONG_MAX - 1 <= key <= LONG_MAX:
        bits = 32 if key in LONG else 64
        raise PoisonRecord(f"{key} does not fit the {bits} bits of its field", Reason.MALFORMED)
    if len(LONG) >= _KEPT:
        for table in (LONG, INT):
            table.clear()
            table.update(_TABLE)
    LONG[key] = made = _made(key)
    if -INT_MAX - 1 <= key <= INT_MAX:
        INT[key] = made


def long(number: int) -> bytes:
    """Return the bytes of any `long`."""
    made = LONG.get(number)
    if made is None:
        learn(KeyError(number))
        made = LONG[number]
    return made


def _made(number: int) -> bytes:
    if 0 <= number < 1 << 27:
        return _GOES_ON[number << 1 & 16383] + _ENDS[number >> 13]
    raw = number << 1 if number >= 0 else ~(number << 1)
    made = b""
    while raw >= _PAIR:
        made += _GOES_ON[raw & 16383]
        raw >>= 14
    return made + _ENDS[raw]


SMALL = [(raw >> 1) ^ -(raw & 1) for raw in range(128)]
"""The integer in a single byte."""
SPAN = [raw // 2 + 1 if raw < 128 and not raw & 1 else 0 for raw in range(256)]
"""By its first byte, a length and the byte it takes; 0 where `span` must look."""


_INSTANTS: dict[bytes, int] = {}
"""Integers of six bytes by those bytes: instants in ms, few in a batch. No integer's bytes begin with another's."""


def _raw(data: bytes, i: int) -> tuple[int, int]:
    """Return the unsigned integer of two bytes or more at `i`, and where it ends; IndexError past the end of `data`."""
    byte = data[i + 1]
    if 0 < byte < 128:
        return data[i] & 127 | byte << 7, i + 2
    known = _INSTANTS.get(data[i : i + 6])
    if known is not None:
        return known, i + 6
    raw = data[i] & 127
    for place in range(1, 10):
        byte = data[i + place]
        raw |= (byte & 127) << 7 * place
        if byte < 128:
            break
    else:
        raise Misread("an integer of at most 10 bytes")
    if not byte:
        raise Misread("an integer in its shortest form")
    if raw >> 64:
        raise Misread("an integer of at most 64 bits")
    if place == 5:
        if len(_INSTANTS) >= _PAIR:
            _INSTANTS.clear()
        _INSTANTS[data[i : i + 6]] = raw
    return raw, i + place + 1


def long_at(data: bytes, i: int) -> tuple[int, int]:
    """Return the `long` of two bytes or more at `i`, and where it ends."""
    raw, i = _raw(data, i)
    return (raw >> 1) ^ -(raw & 1), i


def int_at(data: bytes, i: int) -> tuple[int, int]:
    """Return the `int` of two bytes or more at `i`, and where it ends."""
    raw, i = _raw(data, i)
    if raw >> 32:
        raise Misread("an integer of at most 32 bits")
    return (raw >> 1) ^ -(raw & 1), i


def span(data: bytes, i: int) -> tuple[int, int]:
    """Return where the length of two bytes or more at `i` ends, less one, and where what it measures ends."""
    if data[i] < 128:
        raise Misread("a length that is not negative")
    raw, j = _raw(data, i)
    if raw & 1:
        raise Misread("a length that is not negative")
    length = raw >> 1
    if length > len(data) - j:
        raise Misread(f"at most the {len(data) - j} bytes that are left, found a length of {length}")
    return j - 1, j + length


def count(data: bytes, i: int, least: int) -> tuple[int, int]:
    """Return how many elements of at least `least` bytes follow, above none, and where the first begins."""
    raw, i = (data[i], i + 1) if data[i] < 128 else _raw(data, i)
    if raw & 1:
        raise Misread("a count that is not negative")
    if (raw >> 1) * least > len(data) - i:
        raise Misread(f"at most {(len(data) - i) // least} elements in the bytes that are left, found {raw >> 1}")
    return raw >> 1, i


def undecodable(record: str, here: str, i: int, data: bytes, fault: Exception) -> PoisonRecord:
    """Return the refusal of a record whose field `here` could not be read at byte `i` of `data`."""
    if isinstance(fault, UnicodeDecodeError):
        found = "a string that is not UTF-8"
    elif isinstance(fault, IndexError):
        found = f"the record ends after {len(data)} bytes, expected more"
    else:
        found = f"expected {fault}"
    return PoisonRecord(f"{record}.{here} at byte {i}: {found}", Reason.UNDECODABLE)


def left_over(i: int, end: int) -> Misread:
    """Return what is wrong where a record of `end` bytes was read up to `i`."""
    if i < end:
        return Misread(f"the end of the record, found {end - i} more bytes")
    return Misread(f"{i - end} more bytes")


def unfit(place: str, found: int, size: int) -> PoisonRecord:
    """Return the refusal to encode a value of `found` bytes where the schema has `size`."""
    return PoisonRecord(f"{place}: {found} bytes, expected {size}", Reason.MALFORMED)


def unwritable(record: str, fault: UnicodeEncodeError) -> PoisonRecord:
    """Return the refusal to encode a string that has no UTF-8."""
    return PoisonRecord(f"{record}: a surrogate without its other half at character {fault.start}", Reason.MALFORMED)
