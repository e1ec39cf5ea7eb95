"""A record that could not be decided, refused once. Its bytes are in `placet.quarantine`. Generated from schemas/refusal.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 8
HEADER = bytes.fromhex("0000000008")
FINGERPRINT = bytes.fromhex("d5139b71370c97bfe4de7e47ba644ce1bc9b846aca49ae2d0e34b63d06199a85")


class Refusal(NamedTuple):
    """A record that could not be decided, refused once. Its bytes are in `placet.quarantine`."""

    partition: int
    seq: int
    instant: int
    cause_topic: int
    cause_partition: int
    cause_offset: int
    asked_at: int
    reason: int
    detail: str
    raw_digest: bytes  # 32 bytes; SHA-256 of the refused value
    tenant: str  # empty when it could not be read
    authority: str
    id: bytes
    attempt: int
    retry_after_ms: int


def encode(record: Refusal) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    partition,
                    seq,
                    instant,
                    cause_topic,
                    cause_partition,
                    cause_offset,
                    asked_at,
                    reason,
                    detail,
                    raw_digest,
                    tenant,
                    authority,
                    id,
                    attempt,
                    retry_after_ms,
                ) = record
                detail_ = detail.encode()
                if len(raw_digest) != 32:
                    raise unfit("refusal.raw_digest", len(raw_digest), 32)
                tenant_ = tenant.encode()
                authority_ = authority.encode()
                return b"".join(
                    (
                        INT[partition],
                        LONG[seq],
                        LONG[instant],
                        INT[cause_topic],
                        INT[cause_partition],
                        LONG[cause_offset],
                        LONG[asked_at],
                        INT[reason],
                        LONG[len(detail_)],
                        detail_,
                        raw_digest,
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(authority_)],
                        authority_,
                        LONG[len(id)],
                        id,
                        INT[attempt],
                        INT[retry_after_ms],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("refusal", fault) from None


def frame(record: Refusal) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Refusal:
    """Return the Refusal in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "partition"
    try:
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
        here = "asked_at"
        n = b[i]
        if n < 128:
            asked_at = SMALL[n]
            i += 1
        else:
            asked_at, i = long_at(b, i)
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
        here = "raw_digest"
        raw_digest = b[i : i + 32]
        i += 32
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
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        id = b[i + 1 : j]
        i = j
        here = "attempt"
        n = b[i]
        if n < 128:
            attempt = SMALL[n]
            i += 1
        else:
            attempt, i = int_at(b, i)
        here = "retry_after_ms"
        n = b[i]
        if n < 128:
            retry_after_ms = SMALL[n]
            i += 1
        else:
            retry_after_ms, i = int_at(b, i)
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("refusal", here, i, b, fault) from None
    return tuple.__new__(
        Refusal,
        (
            partition,
            seq,
            instant,
            cause_topic,
            cause_partition,
            cause_offset,
            asked_at,
            reason,
            detail,
            raw_digest,
            tenant,
            authority,
            id,
            attempt,
            retry_after_ms,
        ),
    )
