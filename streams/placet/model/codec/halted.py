"""From here on nothing that the halt covers is granted or claimed in this partition, until `resumed` says so of the same halt or the next epoch opens: an epoch begins with the halts that stand. Generated from schemas/halted.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 23
HEADER = bytes.fromhex("0000000017")
FINGERPRINT = bytes.fromhex("f9c89b38f14c3814f37b8ff5d02af986bcf855e86ffc54bbf7ff9fd6ef55f264")


class Halted(NamedTuple):
    """From here on nothing that the halt covers is granted or claimed in this partition, until `resumed` says so of the same halt or the next epoch opens: an epoch begins with the halts that stand."""

    tenant: str
    id: str  # the halt, as its control names it
    scope: str  # all, tenant, or authority/, agent/, action/ or tool/ and a name
    resumed: bool  # the halt stands no more: two operators resumed it, or its time is over
    partition: int
    seq: int
    instant: int
    cause_topic: int
    cause_partition: int
    cause_offset: int  # the halt's own record
    by: str  # the operator who signed the halt
    reason: str  # in the operator's words


def encode(record: Halted) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    tenant,
                    id,
                    scope,
                    resumed,
                    partition,
                    seq,
                    instant,
                    cause_topic,
                    cause_partition,
                    cause_offset,
                    by,
                    reason,
                ) = record
                tenant_ = tenant.encode()
                id_ = id.encode()
                scope_ = scope.encode()
                by_ = by.encode()
                reason_ = reason.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(id_)],
                        id_,
                        LONG[len(scope_)],
                        scope_,
                        b"\x01" if resumed else b"\x00",
                        INT[partition],
                        LONG[seq],
                        LONG[instant],
                        INT[cause_topic],
                        INT[cause_partition],
                        LONG[cause_offset],
                        LONG[len(by_)],
                        by_,
                        LONG[len(reason_)],
                        reason_,
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("halted", fault) from None


def frame(record: Halted) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Halted:
    """Return the Halted in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "tenant"
    try:
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "id"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        id = b[i + 1 : j].decode()
        i = j
        here = "scope"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        scope = b[i + 1 : j].decode()
        i = j
        here = "resumed"
        n = b[i]
        if n > 1:
            raise Misread("a boolean of 0 or 1")
        resumed = n == 1
        i += 1
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
        here = "cause_partition"
        n = b[i]
        if n < 128:
            cause_partition = SMALL[n]
            i += 1
        else:
            cause_partition, i = int_at(b, i)
        here = "cause_offset"
        n = b[i]
        if n < 128:
            cause_offset = SMALL[n]
            i += 1
        else:
            cause_offset, i = long_at(b, i)
        here = "by"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        by = b[i + 1 : j].decode()
        i = j
        here = "reason"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        reason = b[i + 1 : j].decode()
        i = j
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("halted", here, i, b, fault) from None
    return tuple.__new__(
        Halted,
        (
            tenant,
            id,
            scope,
            resumed,
            partition,
            seq,
            instant,
            cause_topic,
            cause_partition,
            cause_offset,
            by,
            reason,
        ),
    )
