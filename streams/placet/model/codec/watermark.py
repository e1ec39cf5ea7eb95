"""All quiet up to here: the feed of this partition is alive. Generated from schemas/watermark.avsc by `make codecs`; edit the schema, not this file."""
# ruff: noqa

from typing import NamedTuple

from placet.model.codec._wire import (
    LONG,
    SMALL,
    SPAN,
    Misread,
    learn,
    left_over,
    long_at,
    span,
    undecodable,
    unwritable,
)

SCHEMA_ID = 22
HEADER = bytes.fromhex("0000000016")
FINGERPRINT = bytes.fromhex("187247b75d79954be3e01c86623003d9cd228051cc238302b1e7fabdd0fcf336")


class Watermark(NamedTuple):
    """All quiet up to here: the feed of this partition is alive."""

    source: str
    at: int


def encode(record: Watermark) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    source,
                    at,
                ) = record
                source_ = source.encode()
                return b"".join((LONG[len(source_)], source_, LONG[at]))
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("watermark", fault) from None


def frame(record: Watermark) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Watermark:
    """Return the Watermark in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "source"
    try:
        here = "source"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        source = b[i + 1 : j].decode()
        i = j
        here = "at"
        n = b[i]
        if n < 128:
            at = SMALL[n]
            i += 1
        else:
            at, i = long_at(b, i)
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("watermark", here, i, b, fault) from None
    return tuple.__new__(
        Watermark,
        (
            source,
            at,
        ),
    )
