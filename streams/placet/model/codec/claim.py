"""The executor's word that it begins now. Generated from schemas/claim.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 4
HEADER = bytes.fromhex("0000000004")
FINGERPRINT = bytes.fromhex("eb8fa0671b0f059c5a2022d965dbdd36864669ad32c956f76fc97f5d18eacb57")


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Claim(NamedTuple):
    """The executor's word that it begins now."""

    tenant: str
    authority: str
    id: bytes  # 16 bytes
    attempt: int
    granted_digest: bytes  # 32 bytes
    executor: str
    nonce: bytes  # 16 bytes; drawn per process, never stored
    claimed_at: int
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


def encode_unsigned(record: Claim) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (tenant, authority, id, attempt, granted_digest, executor, nonce, claimed_at, _) = record
                tenant_ = tenant.encode()
                authority_ = authority.encode()
                if len(id) != 16:
                    raise unfit("claim.id", len(id), 16)
                if len(granted_digest) != 32:
                    raise unfit("claim.granted_digest", len(granted_digest), 32)
                executor_ = executor.encode()
                if len(nonce) != 16:
                    raise unfit("claim.nonce", len(nonce), 16)
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(authority_)],
                        authority_,
                        id,
                        INT[attempt],
                        granted_digest,
                        LONG[len(executor_)],
                        executor_,
                        nonce,
                        LONG[claimed_at],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("claim", fault) from None


def encode(record: Claim) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("claim", fault) from None


def frame(record: Claim) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[Claim, int]:
    """Return the Claim in `data` from `start` to its end, and where its proof begins."""
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
        here = "granted_digest"
        granted_digest = b[i : i + 32]
        i += 32
        here = "executor"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        executor = b[i + 1 : j].decode()
        i = j
        here = "nonce"
        nonce = b[i : i + 16]
        i += 16
        here = "claimed_at"
        n = b[i]
        if n < 128:
            claimed_at = SMALL[n]
            i += 1
        else:
            claimed_at, i = long_at(b, i)
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
        raise undecodable("claim", here, i, b, fault) from None
    return tuple.__new__(
        Claim,
        (
            tenant,
            authority,
            id,
            attempt,
            granted_digest,
            executor,
            nonce,
            claimed_at,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Claim:
    """Return the Claim in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
