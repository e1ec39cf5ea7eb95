"""An action an agent asks leave to take. Generated from schemas/intent.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 1
HEADER = bytes.fromhex("0000000001")
FINGERPRINT = bytes.fromhex("010ee5d4219125bfb4f3b7bbd9f70e9d6e0f917f871011fc5e80808adeeab4d0")


class Position(NamedTuple):
    """A part of `Intent`."""

    topic: int
    partition: int
    offset: int


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Intent(NamedTuple):
    """An action an agent asks leave to take."""

    id: bytes  # 16 bytes; chosen by the agent; identity is (key, id, attempt)
    attempt: int  # 1 at first; n+1 only after a transient refusal of n
    tenant: str
    actor: str  # who acts
    authority: str  # who answers for it: the root of the delegation
    mandate: str  # empty: the actor acts for itself
    action: str  # as `payments.refund`
    resource: str  # as `order/7`
    purpose: str  # the reason, in words
    session: str
    after: tuple[bytes, ...]  # the intents whose results the agent had seen
    audience: str  # the executor that may carry it out, or empty
    arguments: bytes  # RFC 8785 bytes of a JSON object
    deadline: int  # ms since 1970; no claim after it
    at_least: tuple[Position, ...]  # decide only when the context has been read up to here
    emergency: bool  # break-glass: only where the pack says so
    proof: Proof | None  # last on purpose: what is signed is the payload before it


def encode_after(value: tuple[bytes, ...]) -> bytes:
    """Return the bytes of a value of `after`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                if len(item) != 16:
                    raise unfit("intent.after_item", len(item), 16)
                parts.append(item)
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_position(record: Position) -> bytes:
    while True:
        try:
            topic, partition, offset = record
            return b"".join((INT[topic], INT[partition], LONG[offset]))
        except KeyError as missed:
            learn(missed)


def encode_at_least(value: tuple[Position, ...]) -> bytes:
    """Return the bytes of a value of `at_least`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_position(item))
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


def encode_unsigned(record: Intent) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (
                    id,
                    attempt,
                    tenant,
                    actor,
                    authority,
                    mandate,
                    action,
                    resource,
                    purpose,
                    session,
                    after,
                    audience,
                    arguments,
                    deadline,
                    at_least,
                    emergency,
                    _,
                ) = record
                if len(id) != 16:
                    raise unfit("intent.id", len(id), 16)
                tenant_ = tenant.encode()
                actor_ = actor.encode()
                authority_ = authority.encode()
                mandate_ = mandate.encode()
                action_ = action.encode()
                resource_ = resource.encode()
                purpose_ = purpose.encode()
                session_ = session.encode()
                audience_ = audience.encode()
                return b"".join(
                    (
                        id,
                        INT[attempt],
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(actor_)],
                        actor_,
                        LONG[len(authority_)],
                        authority_,
                        LONG[len(mandate_)],
                        mandate_,
                        LONG[len(action_)],
                        action_,
                        LONG[len(resource_)],
                        resource_,
                        LONG[len(purpose_)],
                        purpose_,
                        LONG[len(session_)],
                        session_,
                        b"\x00" if not after else encode_after(after),
                        LONG[len(audience_)],
                        audience_,
                        LONG[len(arguments)],
                        arguments,
                        LONG[deadline],
                        b"\x00" if not at_least else encode_at_least(at_least),
                        b"\x01" if emergency else b"\x00",
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("intent", fault) from None


def encode(record: Intent) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("intent", fault) from None


def frame(record: Intent) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_parts(data: bytes, start: int = 5) -> tuple[Intent, int, int]:
    """Return the Intent in `data` from `start` to its end, where its first 9 fields end, and where its proof begins."""
    b, i, end, here = data, start, len(data), "id"
    try:
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
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "actor"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        actor = b[i + 1 : j].decode()
        i = j
        here = "authority"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        authority = b[i + 1 : j].decode()
        i = j
        here = "mandate"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        mandate = b[i + 1 : j].decode()
        i = j
        here = "action"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        action = b[i + 1 : j].decode()
        i = j
        here = "resource"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        resource = b[i + 1 : j].decode()
        i = j
        here = "purpose"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        purpose = b[i + 1 : j].decode()
        i = j
        head_at = i
        here = "session"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        session = b[i + 1 : j].decode()
        i = j
        here = "after"
        after: tuple[bytes, ...] = ()
        if b[i]:
            n, i = count(b, i, 16)
            after_list: list[bytes] = []
            for _ in range(n):
                after_item = b[i : i + 16]
                i += 16
                after_list.append(after_item)
            here = "after"
            if b[i]:
                raise Misread("one block, and its end")
            after = tuple(after_list)
        i += 1
        here = "audience"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        audience = b[i + 1 : j].decode()
        i = j
        here = "arguments"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        arguments = b[i + 1 : j]
        i = j
        here = "deadline"
        n = b[i]
        if n < 128:
            deadline = SMALL[n]
            i += 1
        else:
            deadline, i = long_at(b, i)
        here = "at_least"
        at_least: tuple[Position, ...] = ()
        if b[i]:
            n, i = count(b, i, 3)
            at_least_list: list[Position] = []
            for _ in range(n):
                here = "at_least_item.topic"
                n = b[i]
                if n < 128:
                    at_least_item_topic = SMALL[n]
                    i += 1
                else:
                    at_least_item_topic, i = int_at(b, i)
                here = "at_least_item.partition"
                n = b[i]
                if n < 128:
                    at_least_item_partition = SMALL[n]
                    i += 1
                else:
                    at_least_item_partition, i = int_at(b, i)
                here = "at_least_item.offset"
                n = b[i]
                if n < 128:
                    at_least_item_offset = SMALL[n]
                    i += 1
                else:
                    at_least_item_offset, i = long_at(b, i)
                at_least_item = tuple.__new__(
                    Position,
                    (
                        at_least_item_topic,
                        at_least_item_partition,
                        at_least_item_offset,
                    ),
                )
                at_least_list.append(at_least_item)
            here = "at_least"
            if b[i]:
                raise Misread("one block, and its end")
            at_least = tuple(at_least_list)
        i += 1
        here = "emergency"
        n = b[i]
        if n > 1:
            raise Misread("a boolean of 0 or 1")
        emergency = n == 1
        i += 1
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
        raise undecodable("intent", here, i, b, fault) from None
    return (
        tuple.__new__(
            Intent,
            (
                id,
                attempt,
                tenant,
                actor,
                authority,
                mandate,
                action,
                resource,
                purpose,
                session,
                after,
                audience,
                arguments,
                deadline,
                at_least,
                emergency,
                proof,
            ),
        ),
        head_at,
        proof_at,
    )


def decode_signed(data: bytes, start: int = 5) -> tuple[Intent, int]:
    """Return the Intent in `data` from `start` to its end, and where its proof begins."""
    record, _, proof_at = decode_parts(data, start)
    return record, proof_at


def decode(data: bytes, start: int = 5) -> Intent:
    """Return the Intent in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_parts(data, start)[0]
