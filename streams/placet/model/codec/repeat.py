"""The same intent attempt was asked again: the first answer stands. Generated from schemas/repeat.avsc by `make codecs`; edit the schema, not this file."""
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
    unfit,
    unwritable,
)

SCHEMA_ID = 7
HEADER = bytes.fromhex("0000000007")
FINGERPRINT = bytes.fromhex("eb0c71a2318b6ee2fcd675504f512c537d536263f6a88f6f94cace8ca99387da")


class Repeat(NamedTuple):
    """The same intent attempt was asked again: the first answer stands."""

    tenant: str
    authority: str
    id: bytes  # 16 bytes
    attempt: int
    partition: int
    seq: int
    instant: int
    cause_topic: int
    cause_offset: int
    asked_at: int
    first_seq: int
    first_offset: int  # of the first answer in `placet.decisions`, or a lower bound of it; -1 when unknown


def encode(record: Repeat) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    tenant,
                    authority,
                    id,
                    attempt,
                    partition,
                    seq,
                    instant,
                    cause_topic,
                    cause_offset,
                    asked_at,
                    first_seq,
                    first_offset,
                ) = record
                tenant_ = tenant.encode()
                authority_ = authority.encode()
                if len(id) != 16:
                    raise unfit("repeat.id", len(id), 16)
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(authority_)],
                        authority_,
                        id,
                        INT[attempt],
                        INT[partition],
                        LONG[seq],
                        LONG[instant],
                        INT[cause_topic],
                        LONG[cause_offset],
                        LONG[asked_at],
                        LONG[first_seq],
                        LONG[first_offset],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("repeat", fault) from None


def frame(record: Repeat) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Repeat:
    """Return the Repeat in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "tenant"
    try:
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "authority"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        authority = b[i + 1 : j].decode()
        i = j
        here = "id"
        id = b[i : i + 16]
        i += 16
        here = "attempt"
        n = b[i]
        if n < 128:
            attempt = SMALL[n]
            i += 1
        else:
            attempt, i = int_at(b, i)
        here = "partition"
        n = b[i]
        if n < 128:
            partition = SMALL[n]
            i += 1
        else:
            partition, i = int_at(b, i)
        here = "seq"
        n = b[i]
        if n < 128:
            seq = SMALL[n]
            i += 1
        else:
            seq, i = long_at(b, i)
        here = "instant"
        n = b[i]
        if n < 128:
            instant = SMALL[n]
            i += 1
        else:
            instant, i = long_at(b, i)
        here = "cause_topic"
        n = b[i]
        if n < 128:
            cause_topic = SMALL[n]
            i += 1
        else:
            cause_topic, i = int_at(b, i)
        here = "cause_offset"
        n = b[i]
        if n < 128:
            cause_offset = SMALL[n]
            i += 1
        else:
            cause_offset, i = long_at(b, i)
        here = "asked_at"
        n = b[i]
        if n < 128:
            asked_at = SMALL[n]
            i += 1
        else:
            asked_at, i = long_at(b, i)
        here = "first_seq"
        n = b[i]
        if n < 128:
            first_seq = SMALL[n]
            i += 1
        else:
            first_seq, i = long_at(b, i)
        here = "first_offset"
        n = b[i]
        if n < 128:
            first_offset = SMALL[n]
            i += 1
        else:
            first_offset, i = long_at(b, i)
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("repeat", here, i, b, fault) from None
    return tuple.__new__(
        Repeat,
        (
            tenant,
            authority,
            id,
            attempt,
            partition,
            seq,
            instant,
            cause_topic,
            cause_offset,
            asked_at,
            first_seq,
            first_offset,
        ),
    )
