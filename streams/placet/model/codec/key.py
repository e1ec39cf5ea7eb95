"""One public key on record: whose it is, the one thing it may sign, and when. Generated from schemas/key.avsc by `make codecs`; edit the schema, not this file."""
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
    unwritable,
)

SCHEMA_ID = 27
HEADER = bytes.fromhex("000000001b")
FINGERPRINT = bytes.fromhex("b6372c9f18398fc75733cb38ea1d85db50f9cb49b2ded7026d7f9dc2991c6863")


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Key(NamedTuple):
    """One public key on record: whose it is, the one thing it may sign, and when."""

    tenant: str  # whose records it signs; empty: of every tenant
    kid: str
    issuer: str  # principal id of who holds its private half
    purpose: str  # operator, executor, agent, approver, feed or directory; seals are proved by pinned keys alone
    public: bytes  # 32 bytes of an Ed25519 public key (RFC 8032)
    sources: tuple[
        str, ...
    ]  # in whose name a feed or a directory may speak besides its issuer's; a last `*` stands for any rest
    not_before: int  # append time in ms from which on its records are taken; 0: from the first
    not_after: int  # append time in ms up to which its records are taken; 0: without end
    compromised_at: int  # since when, ms, another may have signed with it; 0: not. It is never taken back
    observed_at: int
    proof: Proof | None  # last on purpose: what is signed is the payload before it


def encode_sources(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `sources`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                item_ = item.encode()
                parts += (LONG[len(item_)], item_)
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


def encode_unsigned(record: Key) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (
                    tenant,
                    kid,
                    issuer,
                    purpose,
                    public,
                    sources,
                    not_before,
                    not_after,
                    compromised_at,
                    observed_at,
                    _,
                ) = record
                tenant_ = tenant.encode()
                kid_ = kid.encode()
                issuer_ = issuer.encode()
                purpose_ = purpose.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(kid_)],
                        kid_,
                        LONG[len(issuer_)],
                        issuer_,
                        LONG[len(purpose_)],
                        purpose_,
                        LONG[len(public)],
                        public,
                        b"\x00" if not sources else encode_sources(sources),
                        LONG[not_before],
                        LONG[not_after],
                        LONG[compromised_at],
                        LONG[observed_at],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("key", fault) from None


def encode(record: Key) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("key", fault) from None


def frame(record: Key) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[Key, int]:
    """Return the Key in `data` from `start` to its end, and where its proof begins."""
    b, i, end, here = data, start, len(data), "tenant"
    try:
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "kid"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        kid = b[i + 1 : j].decode()
        i = j
        here = "issuer"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        issuer = b[i + 1 : j].decode()
        i = j
        here = "purpose"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        purpose = b[i + 1 : j].decode()
        i = j
        here = "public"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        public = b[i + 1 : j]
        i = j
        here = "sources"
        sources: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            sources_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                sources_item = b[i + 1 : j].decode()
                i = j
                sources_list.append(sources_item)
            here = "sources"
            if b[i]:
                raise Misread("one block, and its end")
            sources = tuple(sources_list)
        i += 1
        here = "not_before"
        n = b[i]
        if n < 128:
            not_before = SMALL[n]
            i += 1
        else:
            not_before, i = long_at(b, i)
        here = "not_after"
        n = b[i]
        if n < 128:
            not_after = SMALL[n]
            i += 1
        else:
            not_after, i = long_at(b, i)
        here = "compromised_at"
        n = b[i]
        if n < 128:
            compromised_at = SMALL[n]
            i += 1
        else:
            compromised_at, i = long_at(b, i)
        here = "observed_at"
        n = b[i]
        if n < 128:
            observed_at = SMALL[n]
            i += 1
        else:
            observed_at, i = long_at(b, i)
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
        raise undecodable("key", here, i, b, fault) from None
    return tuple.__new__(
        Key,
        (
            tenant,
            kid,
            issuer,
            purpose,
            public,
            sources,
            not_before,
            not_after,
            compromised_at,
            observed_at,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Key:
    """Return the Key in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
