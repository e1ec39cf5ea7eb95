"""An approver's yes or no on a pending intent, bound to its digest. Generated from schemas/vote.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 28
HEADER = bytes.fromhex("000000001c")
FINGERPRINT = bytes.fromhex("0090d80fe33dc2a827efd3b55bfafdc6a6d1b0ec67126acb3c151baf10b576a6")


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Vote(NamedTuple):
    """An approver's yes or no on a pending intent, bound to its digest."""

    tenant: str
    authority: str
    id: bytes  # 16 bytes
    attempt: int
    intent_digest: bytes  # 32 bytes
    voter: str
    approve: bool
    reason: str
    arguments: bytes | None  # narrower arguments, or null for those asked
    voted_at: int
    acr: str  # authentication context class of the voter, as a token said it (OpenID Connect Core §2); empty: not said
    auth_time: int  # when the voter authenticated, ms since 1970; 0: not said
    proof: Proof | None  # last on purpose: what is signed is the payload before it


def encode_arguments(value: bytes | None) -> bytes:
    """Return the bytes of a value of `arguments`."""
    while True:
        try:
            if value is None:
                return b"\x00"
            return b"".join((b"\x02", LONG[len(value)], value))
        except KeyError as missed:
            learn(missed)


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


def encode_unsigned(record: Vote) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (
                    tenant,
                    authority,
                    id,
                    attempt,
                    intent_digest,
                    voter,
                    approve,
                    reason,
                    arguments,
                    voted_at,
                    acr,
                    auth_time,
                    _,
                ) = record
                tenant_ = tenant.encode()
                authority_ = authority.encode()
                if len(id) != 16:
                    raise unfit("vote.id", len(id), 16)
                if len(intent_digest) != 32:
                    raise unfit("vote.intent_digest", len(intent_digest), 32)
                voter_ = voter.encode()
                reason_ = reason.encode()
                acr_ = acr.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(authority_)],
                        authority_,
                        id,
                        INT[attempt],
                        intent_digest,
                        LONG[len(voter_)],
                        voter_,
                        b"\x01" if approve else b"\x00",
                        LONG[len(reason_)],
                        reason_,
                        b"\x00" if arguments is None else encode_arguments(arguments),
                        LONG[voted_at],
                        LONG[len(acr_)],
                        acr_,
                        LONG[auth_time],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("vote", fault) from None


def encode(record: Vote) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("vote", fault) from None


def frame(record: Vote) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[Vote, int]:
    """Return the Vote in `data` from `start` to its end, and where its proof begins."""
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
        here = "intent_digest"
        intent_digest = b[i : i + 32]
        i += 32
        here = "voter"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        voter = b[i + 1 : j].decode()
        i = j
        here = "approve"
        n = b[i]
        if n > 1:
            raise Misread("a boolean of 0 or 1")
        approve = n == 1
        i += 1
        here = "reason"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        reason = b[i + 1 : j].decode()
        i = j
        here = "arguments"
        arguments: bytes | None = None
        n = b[i]
        i += 1
        if n == 2:
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            arguments_ = b[i + 1 : j]
            i = j
            arguments = arguments_
        elif n:
            raise Misread("a union index of 0 or 1")
        here = "voted_at"
        n = b[i]
        if n < 128:
            voted_at = SMALL[n]
            i += 1
        else:
            voted_at, i = long_at(b, i)
        here = "acr"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        acr = b[i + 1 : j].decode()
        i = j
        here = "auth_time"
        n = b[i]
        if n < 128:
            auth_time = SMALL[n]
            i += 1
        else:
            auth_time, i = long_at(b, i)
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
        raise undecodable("vote", here, i, b, fault) from None
    return tuple.__new__(
        Vote,
        (
            tenant,
            authority,
            id,
            attempt,
            intent_digest,
            voter,
            approve,
            reason,
            arguments,
            voted_at,
            acr,
            auth_time,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Vote:
    """Return the Vote in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
