"""One intent and all the facts joined to it, at one instant. Generated from schemas/case_body.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 24
HEADER = bytes.fromhex("0000000018")
FINGERPRINT = bytes.fromhex("32d6b9547868d0200aab2481b3411418a56b6ec97e891b53d816bd28b0a7b2a2")


class Mark(NamedTuple):
    """How far one partition had been read, and when its feed was last alive."""

    topic: int
    partition: int
    offset: int  # one past the last record read
    heard_at: int


class Fact(NamedTuple):
    """A part of `CaseBody`."""

    role: str
    topic: int
    partition: int
    offset: int
    at: int  # append time
    value: bytes  # as it came, framing included


class Metered(NamedTuple):
    """One limit as it stood when this was decided."""

    limit: str  # `pack/id` or `mandate/id`
    scope: str
    used: int  # held and spent by others
    own: int  # what this intent held of it already
    max: int
    amount: int  # what it would take, or takes
    approved: bool  # people gave leave to go beyond it


class CaseBody(NamedTuple):
    """One intent and all the facts joined to it, at one instant."""

    intent: bytes  # the Intent in its framing, as it came
    instant: int
    set_digest: bytes
    engine: str
    session_origin: str
    session_rank: int
    session_seq: int
    cut: tuple[Mark, ...]
    facts: tuple[Fact, ...]
    limits: tuple[Metered, ...]
    votes: tuple[bytes, ...]  # the votes that were looked at, in their framing, as they came


def _encode_mark(record: Mark) -> bytes:
    while True:
        try:
            topic, partition, offset, heard_at = record
            return b"".join((INT[topic], INT[partition], LONG[offset], LONG[heard_at]))
        except KeyError as missed:
            learn(missed)


def encode_cut(value: tuple[Mark, ...]) -> bytes:
    """Return the bytes of a value of `cut`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_mark(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_fact(record: Fact) -> bytes:
    while True:
        try:
            role, topic, partition, offset, at, value = record
            role_ = role.encode()
            return b"".join(
                (LONG[len(role_)], role_, INT[topic], INT[partition], LONG[offset], LONG[at], LONG[len(value)], value)
            )
        except KeyError as missed:
            learn(missed)


def encode_facts(value: tuple[Fact, ...]) -> bytes:
    """Return the bytes of a value of `facts`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_fact(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_metered(record: Metered) -> bytes:
    while True:
        try:
            limit, scope, used, own, max, amount, approved = record
            limit_ = limit.encode()
            scope_ = scope.encode()
            return b"".join(
                (
                    LONG[len(limit_)],
                    limit_,
                    LONG[len(scope_)],
                    scope_,
                    LONG[used],
                    LONG[own],
                    LONG[max],
                    LONG[amount],
                    b"\x01" if approved else b"\x00",
                )
            )
        except KeyError as missed:
            learn(missed)


def encode_limits(value: tuple[Metered, ...]) -> bytes:
    """Return the bytes of a value of `limits`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_metered(item))
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


def encode(record: CaseBody) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    intent,
                    instant,
                    set_digest,
                    engine,
                    session_origin,
                    session_rank,
                    session_seq,
                    cut,
                    facts,
                    limits,
                    votes,
                ) = record
                engine_ = engine.encode()
                session_origin_ = session_origin.encode()
                return b"".join(
                    (
                        LONG[len(intent)],
                        intent,
                        LONG[instant],
                        LONG[len(set_digest)],
                        set_digest,
                        LONG[len(engine_)],
                        engine_,
                        LONG[len(session_origin_)],
                        session_origin_,
                        INT[session_rank],
                        LONG[session_seq],
                        b"\x00" if not cut else encode_cut(cut),
                        b"\x00" if not facts else encode_facts(facts),
                        b"\x00" if not limits else encode_limits(limits),
                        b"\x00" if not votes else encode_votes(votes),
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("case_body", fault) from None


def frame(record: CaseBody) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> CaseBody:
    """Return the CaseBody in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "intent"
    try:
        here = "intent"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        intent = b[i + 1 : j]
        i = j
        here = "instant"
        n = b[i]
        if n < 128:
            instant = SMALL[n]
            i += 1
        else:
            instant, i = long_at(b, i)
        here = "set_digest"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        set_digest = b[i + 1 : j]
        i = j
        here = "engine"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        engine = b[i + 1 : j].decode()
        i = j
        here = "session_origin"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        session_origin = b[i + 1 : j].decode()
        i = j
        here = "session_rank"
        n = b[i]
        if n < 128:
            session_rank = SMALL[n]
            i += 1
        else:
            session_rank, i = int_at(b, i)
        here = "session_seq"
        n = b[i]
        if n < 128:
            session_seq = SMALL[n]
            i += 1
        else:
            session_seq, i = long_at(b, i)
        here = "cut"
        cut: tuple[Mark, ...] = ()
        if b[i]:
            n, i = count(b, i, 4)
            cut_list: list[Mark] = []
            for _ in range(n):
                here = "cut_item.topic"
                n = b[i]
                if n < 128:
                    cut_item_topic = SMALL[n]
                    i += 1
                else:
                    cut_item_topic, i = int_at(b, i)
                here = "cut_item.partition"
                n = b[i]
                if n < 128:
                    cut_item_partition = SMALL[n]
                    i += 1
                else:
                    cut_item_partition, i = int_at(b, i)
                here = "cut_item.offset"
                n = b[i]
                if n < 128:
                    cut_item_offset = SMALL[n]
                    i += 1
                else:
                    cut_item_offset, i = long_at(b, i)
                here = "cut_item.heard_at"
                n = b[i]
                if n < 128:
                    cut_item_heard_at = SMALL[n]
                    i += 1
                else:
                    cut_item_heard_at, i = long_at(b, i)
                cut_item = tuple.__new__(
                    Mark,
                    (
                        cut_item_topic,
                        cut_item_partition,
                        cut_item_offset,
                        cut_item_heard_at,
                    ),
                )
                cut_list.append(cut_item)
            here = "cut"
            if b[i]:
                raise Misread("one block, and its end")
            cut = tuple(cut_list)
        i += 1
        here = "facts"
        facts: tuple[Fact, ...] = ()
        if b[i]:
            n, i = count(b, i, 6)
            facts_list: list[Fact] = []
            for _ in range(n):
                here = "facts_item.role"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                facts_item_role = b[i + 1 : j].decode()
                i = j
                here = "facts_item.topic"
                n = b[i]
                if n < 128:
                    facts_item_topic = SMALL[n]
                    i += 1
                else:
                    facts_item_topic, i = int_at(b, i)
                here = "facts_item.partition"
                n = b[i]
                if n < 128:
                    facts_item_partition = SMALL[n]
                    i += 1
                else:
                    facts_item_partition, i = int_at(b, i)
                here = "facts_item.offset"
                n = b[i]
                if n < 128:
                    facts_item_offset = SMALL[n]
                    i += 1
                else:
                    facts_item_offset, i = long_at(b, i)
                here = "facts_item.at"
                n = b[i]
                if n < 128:
                    facts_item_at = SMALL[n]
                    i += 1
                else:
                    facts_item_at, i = long_at(b, i)
                here = "facts_item.value"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                facts_item_value = b[i + 1 : j]
                i = j
                facts_item = tuple.__new__(
                    Fact,
                    (
                        facts_item_role,
                        facts_item_topic,
                        facts_item_partition,
                        facts_item_offset,
                        facts_item_at,
                        facts_item_value,
                    ),
                )
                facts_list.append(facts_item)
            here = "facts"
            if b[i]:
                raise Misread("one block, and its end")
            facts = tuple(facts_list)
        i += 1
        here = "limits"
        limits: tuple[Metered, ...] = ()
        if b[i]:
            n, i = count(b, i, 7)
            limits_list: list[Metered] = []
            for _ in range(n):
                here = "limits_item.limit"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                limits_item_limit = b[i + 1 : j].decode()
                i = j
                here = "limits_item.scope"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                limits_item_scope = b[i + 1 : j].decode()
                i = j
                here = "limits_item.used"
                n = b[i]
                if n < 128:
                    limits_item_used = SMALL[n]
                    i += 1
                else:
                    limits_item_used, i = long_at(b, i)
                here = "limits_item.own"
                n = b[i]
                if n < 128:
                    limits_item_own = SMALL[n]
                    i += 1
                else:
                    limits_item_own, i = long_at(b, i)
                here = "limits_item.max"
                n = b[i]
                if n < 128:
                    limits_item_max = SMALL[n]
                    i += 1
                else:
                    limits_item_max, i = long_at(b, i)
                here = "limits_item.amount"
                n = b[i]
                if n < 128:
                    limits_item_amount = SMALL[n]
                    i += 1
                else:
                    limits_item_amount, i = long_at(b, i)
                here = "limits_item.approved"
                n = b[i]
                if n > 1:
                    raise Misread("a boolean of 0 or 1")
                limits_item_approved = n == 1
                i += 1
                limits_item = tuple.__new__(
                    Metered,
                    (
                        limits_item_limit,
                        limits_item_scope,
                        limits_item_used,
                        limits_item_own,
                        limits_item_max,
                        limits_item_amount,
                        limits_item_approved,
                    ),
                )
                limits_list.append(limits_item)
            here = "limits"
            if b[i]:
                raise Misread("one block, and its end")
            limits = tuple(limits_list)
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
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("case_body", here, i, b, fault) from None
    return tuple.__new__(
        CaseBody,
        (
            intent,
            instant,
            set_digest,
            engine,
            session_origin,
            session_rank,
            session_seq,
            cut,
            facts,
            limits,
            votes,
        ),
    )
