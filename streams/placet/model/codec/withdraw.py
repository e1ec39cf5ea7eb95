"""The actor takes an intent back. Generated from schemas/withdraw.avsc by `make codecs`; edit the schema, not this file."""
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
    span,
    undecodable,
    unfit,
    unwritable,
)

SCHEMA_ID = 2
HEADER = bytes.fromhex("0000000002")
FINGERPRINT = bytes.fromhex("9fb2d5cc4cac1a31e72c3b73e3bedd4da377fc4f71d3caabe273701e74fce136")


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Withdraw(NamedTuple):
    """The actor takes an intent back."""

    tenant: str
    authority: str
    id: bytes  # 16 bytes
    attempt: int
    actor: str
    reason: str
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


def encode_unsigned(record: Withdraw) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (tenant, authority, id, attempt, actor, reason, _) = record
                tenant_ = tenant.encode()
                authority_ = authority.encode()
                if len(id) != 16:
                    raise unfit("withdraw.id", len(id), 16)
                actor_ = actor.encode()
                reason_ = reason.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(authority_)],
                        authority_,
                        id,
                        INT[attempt],
                        LONG[len(actor_)],
                        actor_,
                        LONG[len(reason_)],
                        reason_,
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("withdraw", fault) from None


def encode(record: Withdraw) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("withdraw", fault) from None


def frame(record: Withdraw) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[Withdraw, int]:
    """Return the Withdraw in `data` from `start` to its end, and where its proof begins."""
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
        here = "actor"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        actor = b[i + 1 : j].decode()
        i = j
        here = "reason"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        reason = b[i + 1 : j].decode()
        i = j
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
        raise undecodable("withdraw", here, i, b, fault) from None
    return tuple.__new__(
        Withdraw,
        (
            tenant,
            authority,
            id,
            attempt,
            actor,
            reason,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Withdraw:
    """Return the Withdraw in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
