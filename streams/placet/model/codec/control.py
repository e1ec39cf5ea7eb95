"""An operator's word: a calendar fact now; halt and resume later. Generated from schemas/control.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 19
HEADER = bytes.fromhex("0000000013")
FINGERPRINT = bytes.fromhex("a5a4ed8fd8de82fbf87b6b9b8e8fe3980a0d610f0fcabf7ddf59bc88554abaf0")


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Control(NamedTuple):
    """An operator's word: a calendar fact now; halt and resume later."""

    tenant: str
    id: str
    kind: str  # calendar, halt or resume
    scope: str
    value: str
    reason: str
    by: str
    observed_at: int
    expires_at: int  # 0: not
    proof: Proof | None  # last on purpose: what is signed is the payload before it


def _encode_proof(record: Proof) -> bytes:
    while True:
        try:
            issuer, kid, index, size, path, signature = record
            issuer_ = issuer.encode()
            kid_ = kid.encode()
            return b"".join(
                (
                    LONG[len(issuer_)],
                    issuer_,
                    LONG[len(kid_)],
                    kid_,
                    INT[index],
                    INT[size],
                    LONG[len(path)],
                    path,
                    LONG[len(signature)],
                    signature,
                )
            )
        except KeyError as missed:
            learn(missed)


def encode_proof(value: Proof | None) -> bytes:
    """Return the bytes of a value of `proof`."""
    if value is None:
        return b"\x00"
    return b"".join((b"\x02", _encode_proof(value)))


def encode_unsigned(record: Control) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (tenant, id, kind, scope, value, reason, by, observed_at, expires_at, _) = record
                tenant_ = tenant.encode()
                id_ = id.encode()
                kind_ = kind.encode()
                scope_ = scope.encode()
                value_ = value.encode()
                reason_ = reason.encode()
                by_ = by.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(id_)],
                        id_,
                        LONG[len(kind_)],
                        kind_,
                        LONG[len(scope_)],
                        scope_,
                        LONG[len(value_)],
                        value_,
                        LONG[len(reason_)],
                        reason_,
                        LONG[len(by_)],
                        by_,
                        LONG[observed_at],
                        LONG[expires_at],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("control", fault) from None


def encode(record: Control) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("control", fault) from None


def frame(record: Control) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[Control, int]:
    """Return the Control in `data` from `start` to its end, and where its proof begins."""
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
        here = "kind"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        kind = b[i + 1 : j].decode()
        i = j
        here = "scope"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        scope = b[i + 1 : j].decode()
        i = j
        here = "value"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        value = b[i + 1 : j].decode()
        i = j
        here = "reason"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        reason = b[i + 1 : j].decode()
        i = j
        here = "by"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        by = b[i + 1 : j].decode()
        i = j
        here = "observed_at"
        n = b[i]
        if n < 128:
            observed_at = SMALL[n]
            i += 1
        else:
            observed_at, i = long_at(b, i)
        here = "expires_at"
        n = b[i]
        if n < 128:
            expires_at = SMALL[n]
            i += 1
        else:
            expires_at, i = long_at(b, i)
        proof_at = i
        here = "proof"
        proof: Proof | None = None
        n = b[i]
        i += 1
        if n == 2:
            here = "proof.issuer"
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            proof_issuer = b[i + 1 : j].decode()
            i = j
            here = "proof.kid"
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            proof_kid = b[i + 1 : j].decode()
            i = j
            here = "proof.index"
            n = b[i]
            if n < 128:
                proof_index = SMALL[n]
                i += 1
            else:
                proof_index, i = int_at(b, i)
            here = "proof.size"
            n = b[i]
            if n < 128:
                proof_size = SMALL[n]
                i += 1
            else:
                proof_size, i = int_at(b, i)
            here = "proof.path"
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            proof_path = b[i + 1 : j]
            i = j
            here = "proof.signature"
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            proof_signature = b[i + 1 : j]
            i = j
            proof_ = tuple.__new__(
                Proof,
                (
                    proof_issuer,
                    proof_kid,
                    proof_index,
                    proof_size,
                    proof_path,
                    proof_signature,
                ),
            )
            proof = proof_
        elif n:
            raise Misread("a union index of 0 or 1")
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("control", here, i, b, fault) from None
    return tuple.__new__(
        Control,
        (
            tenant,
            id,
            kind,
            scope,
            value,
            reason,
            by,
            observed_at,
            expires_at,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Control:
    """Return the Control in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
