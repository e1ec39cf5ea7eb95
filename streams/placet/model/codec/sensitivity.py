"""What is known of a resource. Generated from schemas/sensitivity.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 18
HEADER = bytes.fromhex("0000000012")
FINGERPRINT = bytes.fromhex("d1b26ff912b6fe0a8c6da4bd36f9bddb5ee54af946c9752c4cbc1ca7ac3c911b")


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Sensitivity(NamedTuple):
    """What is known of a resource."""

    tenant: str
    resource: str
    label: str  # public, internal, confidential or restricted
    owner: str | None
    origin: str | None  # internal or external
    categories: tuple[str, ...]
    source: str
    observed_at: int
    proof: Proof | None  # last on purpose: what is signed is the payload before it


def encode_owner(value: str | None) -> bytes:
    """Return the bytes of a value of `owner`."""
    while True:
        try:
            if value is None:
                return b"\x00"
            value_ = value.encode()
            return b"".join((b"\x02", LONG[len(value_)], value_))
        except KeyError as missed:
            learn(missed)


def encode_origin(value: str | None) -> bytes:
    """Return the bytes of a value of `origin`."""
    while True:
        try:
            if value is None:
                return b"\x00"
            value_ = value.encode()
            return b"".join((b"\x02", LONG[len(value_)], value_))
        except KeyError as missed:
            learn(missed)


def encode_categories(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `categories`."""
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


def encode_unsigned(record: Sensitivity) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (tenant, resource, label, owner, origin, categories, source, observed_at, _) = record
                tenant_ = tenant.encode()
                resource_ = resource.encode()
                label_ = label.encode()
                source_ = source.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(resource_)],
                        resource_,
                        LONG[len(label_)],
                        label_,
                        b"\x00" if owner is None else encode_owner(owner),
                        b"\x00" if origin is None else encode_origin(origin),
                        b"\x00" if not categories else encode_categories(categories),
                        LONG[len(source_)],
                        source_,
                        LONG[observed_at],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("sensitivity", fault) from None


def encode(record: Sensitivity) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("sensitivity", fault) from None


def frame(record: Sensitivity) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[Sensitivity, int]:
    """Return the Sensitivity in `data` from `start` to its end, and where its proof begins."""
    b, i, end, here = data, start, len(data), "tenant"
    try:
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "resource"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        resource = b[i + 1 : j].decode()
        i = j
        here = "label"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        label = b[i + 1 : j].decode()
        i = j
        here = "owner"
        owner: str | None = None
        n = b[i]
        i += 1
        if n == 2:
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            owner_ = b[i + 1 : j].decode()
            i = j
            owner = owner_
        elif n:
            raise Misread("a union index of 0 or 1")
        here = "origin"
        origin: str | None = None
        n = b[i]
        i += 1
        if n == 2:
            j = i + SPAN[b[i]]
            if j == i:
                i, j = span(b, i)
            origin_ = b[i + 1 : j].decode()
            i = j
            origin = origin_
        elif n:
            raise Misread("a union index of 0 or 1")
        here = "categories"
        categories: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            categories_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                categories_item = b[i + 1 : j].decode()
                i = j
                categories_list.append(categories_item)
            here = "categories"
            if b[i]:
                raise Misread("one block, and its end")
            categories = tuple(categories_list)
        i += 1
        here = "source"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        source = b[i + 1 : j].decode()
        i = j
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
        raise undecodable("sensitivity", here, i, b, fault) from None
    return tuple.__new__(
        Sensitivity,
        (
            tenant,
            resource,
            label,
            owner,
            origin,
            categories,
            source,
            observed_at,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Sensitivity:
    """Return the Sensitivity in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
