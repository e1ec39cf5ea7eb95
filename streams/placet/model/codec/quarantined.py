"""The bytes of a refused record. Generated from schemas/quarantined.avsc by `make codecs`; edit the schema, not this file."""
# ruff: noqa

from typing import NamedTuple

from placet.model.codec._wire import (
    INT,
    LONG,
    SMALL,
    SPAN,
    Misread,
    int_at,
    learn,
    left_over,
    long_at,
    span,
    undecodable,
    unwritable,
)

SCHEMA_ID = 13
HEADER = bytes.fromhex("000000000d")
FINGERPRINT = bytes.fromhex("7779282b10d76e724601cb2f585be3e4512787d6276d8959c02c927f7294beed")


class Quarantined(NamedTuple):
    """The bytes of a refused record."""

    topic: int
    partition: int
    offset: int
    at: int
    reason: int
    detail: str
    key: bytes | None
    value: bytes | None


def encode_key(value: bytes | None) -> bytes:
    """Return the bytes of a value of `key`."""
    while True:
        try:
            if value is None:
                return b"\x00"
            return b"".join((b"\x02", LONG[len(value)], value))
        except KeyError as missed:
            learn(missed)


def encode_value(value: bytes | None) -> bytes:
    """Return the bytes of a value of `value`."""
    while True:
        try:
            if value is None:
                return b"\x00"
            return b"".join((b"\x02", LONG[len(value)], value))
        except KeyError as missed:
            learn(missed)


def encode(record: Quarantined) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    topic,
                    partition,
                    offset,
                    at,
                    reason,
                    detail,
                    key,
                    value,
                ) = record
                detail_ = detail.encode()
                return b"".join(
                    (
                        INT[topic],
                        INT[partition],
                        LONG[offset],
                        LONG[at],
                        INT[reason],
                        LONG[len(detail_)],
                        detail_,
                        b"\x00" if key is None else encode_key(key),
                        b"\x00" if value is None else encode_value(value),
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("quarantined", fault) from None


def frame(record: Quarantined) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Quarantined:
    """Return the Quarantined in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "topic"
    try:
        here = "topic"
        n = b[i]
        if n < 128:
            topic = SMALL[n]
            i += 1
        else:
            topic, i = int_at(b, i)
        here = "partition"
        n = b[i]
        if n < 128:
            partition = SMALL[n]
            i += 1
        else:
            partition, i = int_at(b, i)
        here = "offset"
        n = b[i]
        if n < 128:
            offset = SMALL[n]
            i += 1
        else:
            offset, i = long_at(b, i)
        here = "at"
        n = b[i]
        if n < 128:
            at = SMALL[n]
            i += 1
        else:
            at, i = long_at(b, i)
        here = "reason"
        n = b[i]
        if n < 128:
            reason = SMALL[n]
            i += 1
        else:
            reason, i = int_at(b, i)
        here = "detail"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        detail = b[i + 1 : j].decode()
        i = j
        here = "key"
        key: bytes | None = None
        n = b[i]
        i += 1
        if n == 2:
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            key_ = b[i + 1 : j]
            i = j
            key = key_
        elif n:
            raise Misread("a union index of 0 or 1")
        here = "value"
        value: bytes | None = None
        n = b[i]
        i += 1
        if n == 2:
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            value_ = b[i + 1 : j]
            i = j
            value = value_
        elif n:
            raise Misread("a union index of 0 or 1")
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("quarantined", here, i, b, fault) from None
    return tuple.__new__(
        Quarantined,
        (
            topic,
            partition,
            offset,
            at,
            reason,
            detail,
            key,
            value,
        ),
    )
