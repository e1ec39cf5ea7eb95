"""What one source last said of a subject's risk: the fold of its signals. Generated from schemas/risk.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 17
HEADER = bytes.fromhex("0000000011")
FINGERPRINT = bytes.fromhex("0b41ee5f8728e7a7f611450ebe54bbe7d483ff81ecaf050305caca6a3a11795f")


class Risk(NamedTuple):
    """What one source last said of a subject's risk: the fold of its signals."""

    tenant: str
    subject: str
    source: str
    score: int  # 0 to 100, at event_at
    event_at: int
    half_life_s: int
    signal_partition: int
    signal_offset: int  # covers all signals before it


def encode(record: Risk) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    tenant,
                    subject,
                    source,
                    score,
                    event_at,
                    half_life_s,
                    signal_partition,
                    signal_offset,
                ) = record
                tenant_ = tenant.encode()
                subject_ = subject.encode()
                source_ = source.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(subject_)],
                        subject_,
                        LONG[len(source_)],
                        source_,
                        INT[score],
                        LONG[event_at],
                        INT[half_life_s],
                        INT[signal_partition],
                        LONG[signal_offset],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("risk", fault) from None


def frame(record: Risk) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Risk:
    """Return the Risk in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "tenant"
    try:
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "subject"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        subject = b[i + 1 : j].decode()
        i = j
        here = "source"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        source = b[i + 1 : j].decode()
        i = j
        here = "score"
        n = b[i]
        if n < 128:
            score = SMALL[n]
            i += 1
        else:
            score, i = int_at(b, i)
        here = "event_at"
        n = b[i]
        if n < 128:
            event_at = SMALL[n]
            i += 1
        else:
            event_at, i = long_at(b, i)
        here = "half_life_s"
        n = b[i]
        if n < 128:
            half_life_s = SMALL[n]
            i += 1
        else:
            half_life_s, i = int_at(b, i)
        here = "signal_partition"
        n = b[i]
        if n < 128:
            signal_partition = SMALL[n]
            i += 1
        else:
            signal_partition, i = int_at(b, i)
        here = "signal_offset"
        n = b[i]
        if n < 128:
            signal_offset = SMALL[n]
            i += 1
        else:
            signal_offset, i = long_at(b, i)
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("risk", here, i, b, fault) from None
    return tuple.__new__(
        Risk,
        (
            tenant,
            subject,
            source,
            score,
            event_at,
            half_life_s,
            signal_partition,
            signal_offset,
        ),
    )
