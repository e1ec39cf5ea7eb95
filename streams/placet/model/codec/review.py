"""Where the review of an emergency is: asked in the batch that granted it, then answered, or overdue and answered later. Generated from schemas/review.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 30
HEADER = bytes.fromhex("000000001e")
FINGERPRINT = bytes.fromhex("85d9470b30e9d6b7308ff1a4911c9bb18e5c801e4a20e5f5a6f542e6d9cfec17")


class Review(NamedTuple):
    """Where the review of an emergency is: asked in the batch that granted it, then answered, or overdue and answered later."""

    tenant: str
    authority: str
    id: bytes  # 16 bytes; of the intent that was called an emergency
    attempt: int
    actor: str
    action: str
    resource: str
    purpose: str  # why it was one, in the agent's words
    partition: int
    seq: int
    previous_seq: int  # the record before it of the same review, or -1
    grant_seq: int  # of the verdict that granted it
    instant: int
    state: int  # 1 asked, 2 right, 3 wrong, 4 overdue
    cause_topic: int  # votes, or 0 for the grant itself and for the clock
    cause_partition: int
    cause_offset: int
    digest: bytes  # 32 bytes; votes on the review bind to this: of the intent's digest, the partition and `grant_seq`
    quorum: int  # how many must find it right; one who finds it wrong ends it
    eligible: tuple[str, ...]
    acr: tuple[str, ...]  # ways to authenticate of which each must have taken one; empty: any
    auth_age_ms_max: int  # how long ago that may be when they vote; 0: any time
    chain: tuple[str, ...]  # who asked and who answers for it when it was granted: none of them reviews it
    owner: str  # of the actor then, or empty: nor does its owner
    unreviewed_max: int  # emergencies of the actor that might be unanswered, this one among them
    asked_at: int  # when it was granted
    expires_at: int  # when it is overdue
    voters: tuple[str, ...]  # who has found it right and counts
    votes: tuple[bytes, ...]  # that are held, in their framing, in order of voters
    by: str  # whose vote answered it, or empty
    detail: str  # in their words


def encode_eligible(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `eligible`."""
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


def encode_acr(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `acr`."""
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


def encode_chain(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `chain`."""
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


def encode_voters(value: tuple[str, ...]) -> bytes:
    """Return the bytes of a value of `voters`."""
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


def encode_votes(value: tuple[bytes, ...]) -> bytes:
    """Return the bytes of a value of `votes`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts += (LONG[len(item)], item)
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def encode(record: Review) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    tenant,
                    authority,
                    id,
                    attempt,
                    actor,
                    action,
                    resource,
                    purpose,
                    partition,
                    seq,
                    previous_seq,
                    grant_seq,
                    instant,
                    state,
                    cause_topic,
                    cause_partition,
                    cause_offset,
                    digest,
                    quorum,
                    eligible,
                    acr,
                    auth_age_ms_max,
                    chain,
                    owner,
                    unreviewed_max,
                    asked_at,
                    expires_at,
                    voters,
                    votes,
                    by,
                    detail,
                ) = record
                tenant_ = tenant.encode()
                authority_ = authority.encode()
                if len(id) != 16:
                    raise unfit("review.id", len(id), 16)
                actor_ = actor.encode()
                action_ = action.encode()
                resource_ = resource.encode()
                purpose_ = purpose.encode()
                if len(digest) != 32:
                    raise unfit("review.digest", len(digest), 32)
                owner_ = owner.encode()
                by_ = by.encode()
                detail_ = detail.encode()
                return b"".join(
                    (
                        LONG[len(tenant_)],
                        tenant_,
                        LONG[len(authority_)],
                        authority_,
                        id,
                        INT[attempt],
                        LONG[len(actor_)],
                        actor_,
                        LONG[len(action_)],
                        action_,
                        LONG[len(resource_)],
                        resource_,
                        LONG[len(purpose_)],
                        purpose_,
                        INT[partition],
                        LONG[seq],
                        LONG[previous_seq],
                        LONG[grant_seq],
                        LONG[instant],
                        INT[state],
                        INT[cause_topic],
                        INT[cause_partition],
                        LONG[cause_offset],
                        digest,
                        INT[quorum],
                        b"\x00" if not eligible else encode_eligible(eligible),
                        b"\x00" if not acr else encode_acr(acr),
                        LONG[auth_age_ms_max],
                        b"\x00" if not chain else encode_chain(chain),
                        LONG[len(owner_)],
                        owner_,
                        INT[unreviewed_max],
                        LONG[asked_at],
                        LONG[expires_at],
                        b"\x00" if not voters else encode_voters(voters),
                        b"\x00" if not votes else encode_votes(votes),
                        LONG[len(by_)],
                        by_,
                        LONG[len(detail_)],
                        detail_,
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("review", fault) from None


def frame(record: Review) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Review:
    """Return the Review in `data` from `start` to its end; raise PoisonRecord where it is not one."""
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
        here = "actor"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        actor = b[i + 1 : j].decode()
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
        here = "partition"
        n = b[i]
        if n < 128:
            partition = SMALL[n]
            i += 1
        else:
            partition, i = int_at(b, i)
        here = "seq"
        n = b[i]
        if n < 128:
            seq = SMALL[n]
            i += 1
        else:
            seq, i = long_at(b, i)
        here = "previous_seq"
        n = b[i]
        if n < 128:
            previous_seq = SMALL[n]
            i += 1
        else:
            previous_seq, i = long_at(b, i)
        here = "grant_seq"
        n = b[i]
        if n < 128:
            grant_seq = SMALL[n]
            i += 1
        else:
            grant_seq, i = long_at(b, i)
        here = "instant"
        n = b[i]
        if n < 128:
            instant = SMALL[n]
            i += 1
        else:
            instant, i = long_at(b, i)
        here = "state"
        n = b[i]
        if n < 128:
            state = SMALL[n]
            i += 1
        else:
            state, i = int_at(b, i)
        here = "cause_topic"
        n = b[i]
        if n < 128:
            cause_topic = SMALL[n]
            i += 1
        else:
            cause_topic, i = int_at(b, i)
        here = "cause_partition"
        n = b[i]
        if n < 128:
            cause_partition = SMALL[n]
            i += 1
        else:
            cause_partition, i = int_at(b, i)
        here = "cause_offset"
        n = b[i]
        if n < 128:
            cause_offset = SMALL[n]
            i += 1
        else:
            cause_offset, i = long_at(b, i)
        here = "digest"
        digest = b[i : i + 32]
        i += 32
        here = "quorum"
        n = b[i]
        if n < 128:
            quorum = SMALL[n]
            i += 1
        else:
            quorum, i = int_at(b, i)
        here = "eligible"
        eligible: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            eligible_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                eligible_item = b[i + 1 : j].decode()
                i = j
                eligible_list.append(eligible_item)
            here = "eligible"
            if b[i]:
                raise Misread("one block, and its end")
            eligible = tuple(eligible_list)
        i += 1
        here = "acr"
        acr: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            acr_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                acr_item = b[i + 1 : j].decode()
                i = j
                acr_list.append(acr_item)
            here = "acr"
            if b[i]:
                raise Misread("one block, and its end")
            acr = tuple(acr_list)
        i += 1
        here = "auth_age_ms_max"
        n = b[i]
        if n < 128:
            auth_age_ms_max = SMALL[n]
            i += 1
        else:
            auth_age_ms_max, i = long_at(b, i)
        here = "chain"
        chain: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            chain_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                chain_item = b[i + 1 : j].decode()
                i = j
                chain_list.append(chain_item)
            here = "chain"
            if b[i]:
                raise Misread("one block, and its end")
            chain = tuple(chain_list)
        i += 1
        here = "owner"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        owner = b[i + 1 : j].decode()
        i = j
        here = "unreviewed_max"
        n = b[i]
        if n < 128:
            unreviewed_max = SMALL[n]
            i += 1
        else:
            unreviewed_max, i = int_at(b, i)
        here = "asked_at"
        n = b[i]
        if n < 128:
            asked_at = SMALL[n]
            i += 1
        else:
            asked_at, i = long_at(b, i)
        here = "expires_at"
        n = b[i]
        if n < 128:
            expires_at = SMALL[n]
            i += 1
        else:
            expires_at, i = long_at(b, i)
        here = "voters"
        voters: tuple[str, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            voters_list: list[str] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                voters_item = b[i + 1 : j].decode()
                i = j
                voters_list.append(voters_item)
            here = "voters"
            if b[i]:
                raise Misread("one block, and its end")
            voters = tuple(voters_list)
        i += 1
        here = "votes"
        votes: tuple[bytes, ...] = ()
        if b[i]:
            n, i = count(b, i, 1)
            votes_list: list[bytes] = []
            for _ in range(n):
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                votes_item = b[i + 1 : j]
                i = j
                votes_list.append(votes_item)
            here = "votes"
            if b[i]:
                raise Misread("one block, and its end")
            votes = tuple(votes_list)
        i += 1
        here = "by"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        by = b[i + 1 : j].decode()
        i = j
        here = "detail"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        detail = b[i + 1 : j].decode()
        i = j
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("review", here, i, b, fault) from None
    return tuple.__new__(
        Review,
        (
            tenant,
            authority,
            id,
            attempt,
            actor,
            action,
            resource,
            purpose,
            partition,
            seq,
            previous_seq,
            grant_seq,
            instant,
            state,
            cause_topic,
            cause_partition,
            cause_offset,
            digest,
            quorum,
            eligible,
            acr,
            auth_age_ms_max,
            chain,
            owner,
            unreviewed_max,
            asked_at,
            expires_at,
            voters,
            votes,
            by,
            detail,
        ),
    )
