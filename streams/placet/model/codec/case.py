"""What was known when an intent was decided, encrypted under its authority's data key. Generated from schemas/case.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 10
HEADER = bytes.fromhex("000000000a")
FINGERPRINT = bytes.fromhex("b822569314254cd1030be117968f4de6de2318077d82dffe52d619eed6a823ea")


class Case(NamedTuple):
    """What was known when an intent was decided, encrypted under its authority's data key."""

    tenant: str
    authority: str
    partition: int
    seq: int
    data_key: bytes  # 16 bytes
    nonce: bytes  # 12 bytes
    ciphertext: bytes  # AES-256-GCM of a CaseBody in its framing


def encode(record: Case) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    tenant,
                    authority,
                    partition,
                    seq,
                    data_key,
                    nonce,
                    ciphertext,
                ) = record
                tenant_ = tenant.encode()
                authority_ = authority.encode()
                if len(data_key) != 16:
                    raise unfit("case.data_key", len(data_key), 16)
                if len(nonce) != 12:
                    raise unfit("case.nonce", len(nonce), 12)
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(authority_)],
                        authority_,
                        INT[partition],
                        LONG[seq],
                        data_key,
                        nonce,
                        LONG[len(ciphertext)],
                        ciphertext,
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("case", fault) from None


def frame(record: Case) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Case:
    """Return the Case in `data` from `start` to its end; raise PoisonRecord where it is not one."""
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
        here = "data_key"
        data_key = b[i : i + 16]
        i += 16
        here = "nonce"
        nonce = b[i : i + 12]
        i += 12
        here = "ciphertext"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        ciphertext = b[i + 1 : j]
        i = j
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("case", here, i, b, fault) from None
    return tuple.__new__(
        Case,
        (
            tenant,
            authority,
            partition,
            seq,
            data_key,
            nonce,
            ciphertext,
        ),
    )
