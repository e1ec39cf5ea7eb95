"""Reads schema id 3 as vote.Vote of now. Generated from schemas/history/vote/3.avsc by `make codecs`."""
# ruff: noqa

from placet.model.codec.vote import Proof, Vote
from placet.model.codec._wire import SMALL, SPAN, Misread, int_at, left_over, long_at, span, undecodable

SCHEMA_ID = 3
HEADER = bytes.fromhex("0000000003")
FINGERPRINT = bytes.fromhex("4c6bf8e0d2610765e78b93ca11def75c1805aed275eb1c53fdbbdae418402ea8")


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
            "",
            0,
            proof,
        ),
    ), proof_at


def decode(data: bytes, start: int = 5) -> Vote:
    """Return the Vote in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    return decode_signed(data, start)[0]
