"""A policy pack, whole. Generated from schemas/pack.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 20
HEADER = bytes.fromhex("0000000014")
FINGERPRINT = bytes.fromhex("af92a70d96846afc16ba8edf15469e1bac6e296e01701714c3950e7053ab252a")


class File(NamedTuple):
    """A part of `Pack`."""

    name: str
    text: str


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Pack(NamedTuple):
    """A policy pack, whole."""

    tenant: str
    name: str
    digest: bytes  # 32 bytes
    files: tuple[File, ...]
    published_at: int
    proof: Proof | None  # last on purpose: what is signed is the payload before it


def _encode_file(record: File) -> bytes:
    while True:
        try:
            name, text = record
            name_ = name.encode()
            text_ = text.encode()
            return b"".join((LONG[len(name_)], name_, LONG[len(text_)], text_))
        except KeyError as missed:
            learn(missed)


def encode_files(value: tuple[File, ...]) -> bytes:
    """Return the bytes of a value of `files`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_file(item))
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


def encode_unsigned(record: Pack) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (tenant, name, digest, files, published_at, _) = record
                tenant_ = tenant.encode()
                name_ = name.encode()
                if len(digest) != 32:
                    raise unfit("pack.digest", len(digest), 32)
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(name_)],
                        name_,
                        digest,
                        b"\x00" if not files else encode_files(files),
                        LONG[published_at],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("pack", fault) from None


def encode(record: Pack) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("pack", fault) from None


def frame(record: Pack) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[Pack, int]:
    """Return the Pack in `data` from `start` to its end, and where its proof begins."""
    b, i, end, here = data, start, len(data), "tenant"
    try:
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "name"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        name = b[i + 1 : j].decode()
        i = j
        here = "digest"
        digest = b[i : i + 32]
        i += 32
        here = "files"
        files: tuple[File, ...] = ()
        if b[i]:
            n, i = count(b, i, 2)
            files_list: list[File] = []
            for _ in range(n):
                here = "files_item.name"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                files_item_name = b[i + 1 : j].decode()
                i = j
                here = "files_item.text"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                files_item_text = b[i + 1 : j].decode()
                i = j
                files_item = tuple.__new__(
                    File,
                    (
                        files_item_name,
                        files_item_text,
                    ),
                )
                files_list.append(files_item)
            here = "files"
            if b[i]:
                raise Misread("one block, and its end")
            files = tuple(files_list)
        i += 1
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
        raise undecodable("pack", here, i, b, fault) from None
    return tuple.__new__(
        Pack,
        (
            tenant,
            name,
            digest,
            files,
            published_at,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Pack:
    """Return the Pack in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
