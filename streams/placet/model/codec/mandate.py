"""Delegated authority: one link of a chain. Generated from schemas/mandate.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 15
HEADER = bytes.fromhex("000000000f")
FINGERPRINT = bytes.fromhex("30bd607651d815589f3e25532a28d208c253f4b5c6df12717ab6f82ff211c870")


class Limit(NamedTuple):
    """A part of `Mandate`."""

    measure: str  # `count` or the name of an integer argument
    max: int
    window_s: int
    actions: tuple[str, ...]


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class Mandate(NamedTuple):
    """Delegated authority: one link of a chain."""

    tenant: str
    id: str
    delegator: str
    delegate: str
    task: str  # in words
    actions: tuple[str, ...]  # patterns
    resources: tuple[str, ...]  # patterns
    limits: tuple[Limit, ...]
    parent: str  # mandate id, or empty at the root
    expires_at: int  # 0: not
    status: str  # active, suspended or revoked
    observed_at: int
    proof: Proof | None  # last on purpose: what is signed is the payload before it


def encode_actions(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `actions`."""
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


def encode_resources(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `resources`."""
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


def encode_limits_item_actions(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `limits_item.actions`."""
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


def _encode_limit(record: Limit) -> bytes:
    while True:
        try:
            measure, max, window_s, actions = record
            measure_ = measure.encode()
            return b"".join(
                (
                    LONG[len(measure_)],
                    measure_,
                    LONG[max],
                    INT[window_s],
                    b"\x00" if not actions else encode_limits_item_actions(actions),
                )
            )
        except KeyError as missed:
            learn(missed)


def encode_limits(value: tuple[Limit, ...]) -> bytes:
    """Return the bytes of a value of `limits`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_limit(item))
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


def encode_unsigned(record: Mandate) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (
                    tenant,
                    id,
                    delegator,
                    delegate,
                    task,
                    actions,
                    resources,
                    limits,
                    parent,
                    expires_at,
                    status,
                    observed_at,
                    _,
                ) = record
                tenant_ = tenant.encode()
                id_ = id.encode()
                delegator_ = delegator.encode()
                delegate_ = delegate.encode()
                task_ = task.encode()
                parent_ = parent.encode()
                status_ = status.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(id_)],
                        id_,
                        LONG[len(delegator_)],
                        delegator_,
                        LONG[len(delegate_)],
                        delegate_,
                        LONG[len(task_)],
                        task_,
                        b"\x00" if not actions else encode_actions(actions),
                        b"\x00" if not resources else encode_resources(resources),
                        b"\x00" if not limits else encode_limits(limits),
                        LONG[len(parent_)],
                        parent_,
                        LONG[expires_at],
                        LONG[len(status_)],
                        status_,
                        LONG[observed_at],
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("mandate", fault) from None


def encode(record: Mandate) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("mandate", fault) from None


def frame(record: Mandate) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[Mandate, int]:
    """Return the Mandate in `data` from `start` to its end, and where its proof begins."""
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
        here = "delegator"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        delegator = b[i + 1 : j].decode()
        i = j
        here = "delegate"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        delegate = b[i + 1 : j].decode()
        i = j
        here = "task"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        task = b[i + 1 : j].decode()
        i = j
        here = "actions"
        actions: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            actions_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                actions_item = b[i + 1 : j].decode()
                i = j
                actions_list.append(actions_item)
            here = "actions"
            if b[i]:
                raise Misread("one block, and its end")
            actions = tuple(actions_list)
        i += 1
        here = "resources"
        resources: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            resources_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                resources_item = b[i + 1 : j].decode()
                i = j
                resources_list.append(resources_item)
            here = "resources"
            if b[i]:
                raise Misread("one block, and its end")
            resources = tuple(resources_list)
        i += 1
        here = "limits"
        limits: tuple[Limit, ...] = ()
        if b[i]:
            n, i = count(b, i, 4)
            limits_list: list[Limit] = []
            for _ in range(n):
                here = "limits_item.measure"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                limits_item_measure = b[i + 1 : j].decode()
                i = j
                here = "limits_item.max"
                n = b[i]
                if n < 128:
                    limits_item_max = SMALL[n]
                    i += 1
                else:
                    limits_item_max, i = long_at(b, i)
                here = "limits_item.window_s"
                n = b[i]
                if n < 128:
                    limits_item_window_s = SMALL[n]
                    i += 1
                else:
                    limits_item_window_s, i = int_at(b, i)
                here = "limits_item.actions"
                limits_item_actions: tuple[str, ...] = ()
                if b[i]:
                    n, i = count(b, i, 1)
                    limits_item_actions_list: list[str] = []
                    for _ in range(n):
                        j = i + SPAN[b[i]]
                        if j == i:
                            i, j = span(b, i)
                        limits_item_actions_item = b[i + 1 : j].decode()
                        i = j
                        limits_item_actions_list.append(limits_item_actions_item)
                    here = "limits_item.actions"
                    if b[i]:
                        raise Misread("one block, and its end")
                    limits_item_actions = tuple(limits_item_actions_list)
                i += 1
                limits_item = tuple.__new__(
                    Limit,
                    (
                        limits_item_measure,
                        limits_item_max,
                        limits_item_window_s,
                        limits_item_actions,
                    ),
                )
                limits_list.append(limits_item)
            here = "limits"
            if b[i]:
                raise Misread("one block, and its end")
            limits = tuple(limits_list)
        i += 1
        here = "parent"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        parent = b[i + 1 : j].decode()
        i = j
        here = "expires_at"
        n = b[i]
        if n < 128:
            expires_at = SMALL[n]
            i += 1
        else:
            expires_at, i = long_at(b, i)
        here = "status"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        status = b[i + 1 : j].decode()
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
        raise undecodable("mandate", here, i, b, fault) from None
    return tuple.__new__(
        Mandate,
        (
            tenant,
            id,
            delegator,
            delegate,
            task,
            actions,
            resources,
            limits,
            parent,
            expires_at,
            status,
            observed_at,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Mandate:
    """Return the Mandate in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
