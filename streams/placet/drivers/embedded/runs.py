"""A run: the records of one append packed into one row, and back.

Layout, big endian: format (1), topic (1), partition (4), first offset (8),
`at` in ms (8), count (4); then per record the lengths of key and value (4 each,
-1 for none); then the keys and values themselves, record by record.
"""

import struct
from collections.abc import Sequence
from itertools import repeat
from typing import Final

from placet.drivers.embedded.layout import FORMAT
from placet.errors import Corrupted
from placet.ports import Message, Rec

ALL: Final = 1 << 31
"""More records than a row can hold."""
_HEAD: Final = struct.Struct(">BBIQqI")


def pack_run(topic: int, partition: int, base: int, at: int, messages: Sequence[Message]) -> bytes:
    """Return the row that holds `messages` as the records from offset `base` on, appended at `at`."""
    lengths: list[int] = []
    parts: list[bytes] = []
    for key, value, _ in messages:
        if key is None:
            lengths.append(-1)
        else:
            lengths.append(len(key))
            parts.append(key)
        if value is None:
            lengths.append(-1)
        else:
            lengths.append(len(value))
            parts.append(value)
    head = _HEAD.pack(FORMAT, topic, partition, base, at, len(messages))
    return b"".join((head, struct.pack(f">{len(lengths)}i", *lengths), *parts))


def unpack_run(row: bytes, topic: int, partition: int, base: int, skip: int = 0, most: int = ALL) -> list[Rec]:
    """Return up to `most` records of a row without its first `skip`.

    Raise `Corrupted` when the row says that it is another one, or when its
    lengths do not add up to it.
    """
    where = f"row of topic {topic} partition {partition} offset {base}"
    try:
        form, is_topic, is_partition, is_base, at, count = _HEAD.unpack_from(row)
        lengths = struct.unpack_from(f">{2 * count}i", row, _HEAD.size)
    except struct.error as error:
        raise Corrupted(f"{where}: cut short at {len(row)} bytes") from error
    if form != FORMAT:
        raise Corrupted(f"{where}: in format {form}, known is {FORMAT}")
    if (is_topic, is_partition, is_base) != (topic, partition, base):
        raise Corrupted(f"{where}: says that it is topic {is_topic} partition {is_partition} offset {is_base}")
    start = _HEAD.size + 8 * count
    absent = lengths.count(-1)
    if start + sum(lengths) + absent != len(row) or min(lengths, default=0) < -1:
        raise Corrupted(f"{where}: {len(row)} bytes, its lengths say {start + sum(lengths) + absent}")
    upto = min(count, skip + most)
    position = start + sum(length for length in lengths[: 2 * skip] if length > 0)
    keys: list[bytes | None] = []
    values: list[bytes | None] = []
    found = (keys, values)
    for number, length in enumerate(lengths[2 * skip : 2 * upto]):
        if length < 0:
            found[number & 1].append(None)
        else:
            found[number & 1].append(row[position : position + length])
            position += length
    offsets = range(base + skip, base + upto)
    return list(map(Rec, repeat(topic), repeat(partition), offsets, repeat(at), keys, values))
