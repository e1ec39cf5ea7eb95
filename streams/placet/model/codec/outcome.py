"""What the executor did, or what a person settled. Generated from schemas/outcome.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 5
HEADER = bytes.fromhex("0000000005")
FINGERPRINT = bytes.fromhex("92efc7e0d28434528139d582da1a0a61792b6e6416aebc04adba526d7bb1808d")


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Outcome(NamedTuple):
    """What the executor did, or what a person settled."""

    tenant: str
    authority: str
    id: bytes  # 16 bytes
    attempt: int
    executor: str
    nonce: bytes  # 16 bytes
    result: int  # a State: 6 done, 7 failed, 8 refused
    ran_digest: bytes  # action digest of what ran, or empty
    sensitivity: str  # label of what came back, or empty
    origin: str  # `internal`, `external`, or empty when nothing came back
    detail: str
    finished_at: int
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


def encode_unsigned(record: Outcome) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (
                    tenant,
                    authority,
                    id,
                    attempt,
                    executor,
                    nonce,
                    result,
                    ran_digest,
                    sensitivity,
                    origin,
                    detail,
                    finished_at,
                    _,
                ) = record
                tenant_ = tenant.encode()
                authority_ = authority.encode()
                if len(id) != 16:
                    raise unfit("outcome.id", len(id), 16)
                executor_ = executor.encode()
                if len(nonce) != 16:
                    raise unfit("outcome.nonce", len(nonce), 16)
                sensitivity_ = sensitivity.encode()
                origin_ = origin.encode()
                detail_ = detail.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(authority_)],
                        authority_,
                        id,
                        INT[attempt],
                        LONG[len(executor_)],
                        executor_,
                        nonce,
                        INT[result],
                        LONG[len(ran_digest)],
                        ran_digest,
                        LONG[len(sensitivity_)],
                        sensitivity_,
                        LONG[len(origin_)],
                        origin_,
                        LONG[len(detail_)],
                        detail_,
                        LONG[finished_at],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("outcome", fault) from None


def encode(record: Outcome) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("outcome", fault) from None


def frame(record: Outcome) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[Outcome, int]:
    """Return the Outcome in `data` from `start` to its end, and where its proof begins."""
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
        here = "executor"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        executor = b[i + 1 : j].decode()
        i = j
        here = "nonce"
        nonce = b[i : i + 16]
        i += 16
        here = "result"
        n = b[i]
        if n < 128:
            result = SMALL[n]
            i += 1
        else:
            result, i = int_at(b, i)
        here = "ran_digest"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        ran_digest = b[i + 1 : j]
        i = j
        here = "sensitivity"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        sensitivity = b[i + 1 : j].decode()
        i = j
        here = "origin"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        origin = b[i + 1 : j].decode()
        i = j
        here = "detail"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        detail = b[i + 1 : j].decode()
        i = j
        here = "finished_at"
        n = b[i]
        if n < 128:
            finished_at = SMALL[n]
            i += 1
        else:
            finished_at, i = long_at(b, i)
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
        raise undecodable("outcome", here, i, b, fault) from None
    return tuple.__new__(
        Outcome,
        (
            tenant,
            authority,
            id,
            attempt,
            executor,
            nonce,
            result,
            ran_digest,
            sensitivity,
            origin,
            detail,
            finished_at,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Outcome:
    """Return the Outcome in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
