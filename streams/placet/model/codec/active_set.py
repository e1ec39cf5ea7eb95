"""Which packs decide for a tenant. Generated from schemas/active_set.avsc by `make codecs`; edit the schema, not this file."""
# ruff: noqa

from typing import NamedTuple

from placet.model.codec._wire import (
    INT,
    LONG,
    SMALL,
    SPAN,
    Misread,
    count,
    int_at,
    learn,
    left_over,
    long_at,
    span,
    undecodable,
    unfit,
    unwritable,
)

SCHEMA_ID = 21
HEADER = bytes.fromhex("0000000015")
FINGERPRINT = bytes.fromhex("aa0ba33e045352f8b9ec265b40aba846a92d31b71e59b47a7b1ec1bcf7e073bc")


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class ActiveSet(NamedTuple):
    """Which packs decide for a tenant."""

    tenant: str
    revision: int  # only a greater one is taken
    digests: tuple[bytes, ...]
    reason: str
    published_at: int
    proof: Proof | None  # last on purpose: what is signed is the payload before it


def encode_digests(value: tuple[bytes, ...]) -> bytes:
    """Return the bytes of a value of `digests`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                if len(item) != 32:
                    raise unfit("active_set.digests_item", len(item), 32)
                parts.append(item)
            parts.append(b"\x00")
            return b"".join(parts)
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


def encode_unsigned(record: ActiveSet) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (tenant, revision, digests, reason, published_at, _) = record
                tenant_ = tenant.encode()
                reason_ = reason.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[revision],
                        b"\x00" if not digests else encode_digests(digests),
                        LONG[len(reason_)],
                        reason_,
                        LONG[published_at],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("active_set", fault) from None


def encode(record: ActiveSet) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("active_set", fault) from None


def frame(record: ActiveSet) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[ActiveSet, int]:
    """Return the ActiveSet in `data` from `start` to its end, and where its proof begins."""
    b, i, end, here = data, start, len(data), "tenant"
    try:
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "revision"
        n = b[i]
        if n < 128:
            revision = SMALL[n]
            i += 1
        else:
            revision, i = long_at(b, i)
        here = "digests"
        digests: tuple[bytes, ...] = ()
        if b[i]:
            n, i = count(b, i, 32)
            digests_list: list[bytes] = []
            for _ in range(n):
                digests_item = b[i : i + 32]
                i += 32
                digests_list.append(digests_item)
            here = "digests"
            if b[i]:
                raise Misread("one block, and its end")
            digests = tuple(digests_list)
        i += 1
        here = "reason"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        reason = b[i + 1 : j].decode()
        i = j
        here = "published_at"
        n = b[i]
        if n < 128:
            published_at = SMALL[n]
            i += 1
        else:
            published_at, i = long_at(b, i)
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
        raise undecodable("active_set", here, i, b, fault) from None
    return tuple.__new__(
        ActiveSet,
        (
            tenant,
            revision,
            digests,
            reason,
            published_at,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> ActiveSet:
    """Return the ActiveSet in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
