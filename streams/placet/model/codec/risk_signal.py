"""One thing a feed noticed about a subject. Generated from schemas/risk_signal.avsc by `make codecs`; edit the schema, not this file."""
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
    unwritable,
)

SCHEMA_ID = 16
HEADER = bytes.fromhex("0000000010")
FINGERPRINT = bytes.fromhex("9951d53e1e579c7d532729b288e2074831da062bee10520337d0fa5585cb2cd3")


class Proof(NamedTuple):
    """Who wrote this record: an Ed25519 signature over the Merkle root of the writer's batch, and the path from this record to it."""

    issuer: str  # principal id of the writer
    kid: str  # id of the key in the pinned key file
    index: int  # type: ignore[assignment]  # 0-based place of this record in the writer's batch
    size: int  # how many records the writer's batch has; 1 means the leaf is the root
    path: bytes  # RFC 6962 audit path, 32 bytes a node, leaf side first
    signature: bytes  # Ed25519 over the domain, the size and the root


class RiskSignal(NamedTuple):
    """One thing a feed noticed about a subject."""

    tenant: str
    subject: str  # a principal id, or `session:` and a session
    source: str
    event_id: str
    score: int  # 0 to 100
    event_at: int
    half_life_s: int  # 0: does not decay
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


def encode_unsigned(record: RiskSignal) -> bytes:
    """Return what its writer signs: all fields before the proof."""
    try:
        while True:
            try:
                (tenant, subject, source, event_id, score, event_at, half_life_s, reason, _) = record
                tenant_ = tenant.encode()
                subject_ = subject.encode()
                source_ = source.encode()
                event_id_ = event_id.encode()
                reason_ = reason.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(subject_)],
                        subject_,
                        LONG[len(source_)],
                        source_,
                        LONG[len(event_id_)],
                        event_id_,
                        INT[score],
                        LONG[event_at],
                        INT[half_life_s],
                        LONG[len(reason_)],
                        reason_,
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("risk_signal", fault) from None


def encode(record: RiskSignal) -> bytes:
    """Return the payload, without framing."""
    try:
        return encode_unsigned(record) + encode_proof(record.proof)
    except UnicodeEncodeError as fault:
        raise unwritable("risk_signal", fault) from None


def frame(record: RiskSignal) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode_signed(data: bytes, start: int = 5) -> tuple[RiskSignal, int]:
    """Return the RiskSignal in `data` from `start` to its end, and where its proof begins."""
    b, i, end, here = data, start, len(data), "tenant"
    try:
        here = "tenant"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        tenant = b[i + 1 : j].decode()
        i = j
        here = "subject"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        subject = b[i + 1 : j].decode()
        i = j
        here = "source"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        source = b[i + 1 : j].decode()
        i = j
        here = "event_id"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        event_id = b[i + 1 : j].decode()
        i = j
        here = "score"
        n = b[i]
        if n < 128:
            score = SMALL[n]
            i += 1
        else:
            score, i = int_at(b, i)
        here = "event_at"
        n = b[i]
        if n < 128:
            event_at = SMALL[n]
            i += 1
        else:
            event_at, i = long_at(b, i)
        here = "half_life_s"
        n = b[i]
        if n < 128:
            half_life_s = SMALL[n]
            i += 1
        else:
            half_life_s, i = int_at(b, i)
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
        raise undecodable("risk_signal", here, i, b, fault) from None
    return tuple.__new__(
        RiskSignal,
        (
            tenant,
            subject,
            source,
            event_id,
            score,
            event_at,
            half_life_s,
            reason,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> RiskSignal:
    """Return the RiskSignal in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
