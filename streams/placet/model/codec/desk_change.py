"""What one batch changed in a desk. `placet.desk` makes restore fast; decisions remain the state. Generated from schemas/desk_change.avsc by `make codecs`; edit the schema, not this file."""
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
    left_over,
    long_at,
    span,
    undecodable,
    unfit,
    unwritable,
)

SCHEMA_ID = 12
HEADER = bytes.fromhex("000000000c")
FINGERPRINT = bytes.fromhex("63ec30d145ecaf757be62a2d9738861aaee6392ce015908e3501844224e0969b")


class Lease(NamedTuple):
    """An intent that is not at the end of its life."""

    slot: bytes  # 16 bytes
    seq: int  # of the newest record of this attempt
    state: int
    effect: int
    reason: int
    intent: bytes  # the Intent in its framing, as it came
    asked_offset: int
    asked_at: int
    until: int  # when the clock moves it
    granted_digest: bytes
    granted_arguments: bytes | None
    claim_required: bool
    act_ms_max: int
    expires_at: int
    set_digest: bytes
    executor: str
    nonce: bytes
    stopped: bool
    wanted: bytes  # of the requirement that people were told, 8 bytes of its digest; or empty
    votes: tuple[bytes, ...]  # votes that were taken, in their framing, in order of voters


class DataKey(NamedTuple):
    """A part of `DeskChange`."""

    key: str  # tenant/authority
    key_id: bytes  # 16 bytes
    wrapped: bytes  # nonce and AES-256-GCM under the key-encryption key
    salt: bytes  # 32 bytes


class Session(NamedTuple):
    """A part of `DeskChange`."""

    key: str  # tenant/authority/session
    origin: int
    rank: int
    seq: int
    heard_at: int


class DeskChange(NamedTuple):
    """What one batch changed in a desk. `placet.desk` makes restore fast; decisions remain the state."""

    partition: int
    ordinal: int  # key of this record; of the batch
    seq_to: int
    instant: int
    settled: bytes  # rows of 76 bytes: see `decision.settled`
    closed: bytes  # slots of 16 bytes that are no longer open
    opened: tuple[Lease, ...]
    data_keys: tuple[DataKey, ...]
    sessions: tuple[Session, ...]


def encode_opened_item_granted_arguments(value: bytes | None) -> bytes:
    """Return the bytes of a value of `opened_item.granted_arguments`."""
    if value is None:
        return b"\x00"
    return b"".join((b"\x02", LONG[len(value)], value))


def encode_opened_item_votes(value: tuple[bytes, ...]) -> bytes:
    """Return the bytes of a value of `opened_item.votes`."""
    if not value:
        return b"\x00"
    parts = [LONG[len(value)]]
    for item in value:
        parts += (LONG[len(item)], item)
    parts.append(b"\x00")
    return b"".join(parts)


def _encode_lease(record: Lease) -> bytes:
    (
        slot,
        seq,
        state,
        effect,
        reason,
        intent,
        asked_offset,
        asked_at,
        until,
        granted_digest,
        granted_arguments,
        claim_required,
        act_ms_max,
        expires_at,
        set_digest,
        executor,
        nonce,
        stopped,
        wanted,
        votes,
    ) = record
    if len(slot) != 16:
        raise unfit("desk_change.opened_item.slot", len(slot), 16)
    executor_ = executor.encode()
    return b"".join(
        (
            slot,
            LONG[seq],
            INT[state],
            INT[effect],
            INT[reason],
            LONG[len(intent)],
            intent,
            LONG[asked_offset],
            LONG[asked_at],
            LONG[until],
            LONG[len(granted_digest)],
            granted_digest,
            b"\x00" if granted_arguments is None else encode_opened_item_granted_arguments(granted_arguments),
            b"\x01" if claim_required else b"\x00",
            INT[act_ms_max],
            LONG[expires_at],
            LONG[len(set_digest)],
            set_digest,
            LONG[len(executor_)],
            executor_,
            LONG[len(nonce)],
            nonce,
            b"\x01" if stopped else b"\x00",
            LONG[len(wanted)],
            wanted,
            b"\x00" if not votes else encode_opened_item_votes(votes),
        )
    )


def encode_opened(value: tuple[Lease, ...]) -> bytes:
    """Return the bytes of a value of `opened`."""
    if not value:
        return b"\x00"
    parts = [LONG[len(value)]]
    for item in value:
        parts.append(_encode_lease(item))
    parts.append(b"\x00")
    return b"".join(parts)


def _encode_datakey(record: DataKey) -> bytes:
    key, key_id, wrapped, salt = record
    key_ = key.encode()
    if len(key_id) != 16:
        raise unfit("desk_change.data_keys_item.key_id", len(key_id), 16)
    if len(salt) != 32:
        raise unfit("desk_change.data_keys_item.salt", len(salt), 32)
    return b"".join((LONG[len(key_)], key_, key_id, LONG[len(wrapped)], wrapped, salt))


def encode_data_keys(value: tuple[DataKey, ...]) -> bytes:
    """Return the bytes of a value of `data_keys`."""
    if not value:
        return b"\x00"
    parts = [LONG[len(value)]]
    for item in value:
        parts.append(_encode_datakey(item))
    parts.append(b"\x00")
    return b"".join(parts)


def _encode_session(record: Session) -> bytes:
    key, origin, rank, seq, heard_at = record
    key_ = key.encode()
    return b"".join((LONG[len(key_)], key_, INT[origin], INT[rank], LONG[seq], LONG[heard_at]))


def encode_sessions(value: tuple[Session, ...]) -> bytes:
    """Return the bytes of a value of `sessions`."""
    if not value:
        return b"\x00"
    parts = [LONG[len(value)]]
    for item in value:
        parts.append(_encode_session(item))
    parts.append(b"\x00")
    return b"".join(parts)


def encode(record: DeskChange) -> bytes:
    """Return the payload, without framing."""
    try:
        (
            partition,
            ordinal,
            seq_to,
            instant,
            settled,
            closed,
            opened,
            data_keys,
            sessions,
        ) = record
        return b"".join(
            (
                INT[partition],
                LONG[ordinal],
                LONG[seq_to],
                LONG[instant],
                LONG[len(settled)],
                settled,
                LONG[len(closed)],
                closed,
                b"\x00" if not opened else encode_opened(opened),
                b"\x00" if not data_keys else encode_data_keys(data_keys),
                b"\x00" if not sessions else encode_sessions(sessions),
            )
        )
    except UnicodeEncodeError as fault:
        raise unwritable("desk_change", fault) from None


def frame(record: DeskChange) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> DeskChange:
    """Return the DeskChange in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "partition"
    try:
        here = "partition"
        n = b[i]
        if n < 128:
            partition = SMALL[n]
            i += 1
        else:
            partition, i = int_at(b, i)
        here = "ordinal"
        n = b[i]
        if n < 128:
            ordinal = SMALL[n]
            i += 1
        else:
            ordinal, i = long_at(b, i)
        here = "seq_to"
        n = b[i]
        if n < 128:
            seq_to = SMALL[n]
            i += 1
        else:
            seq_to, i = long_at(b, i)
        here = "instant"
        n = b[i]
        if n < 128:
            instant = SMALL[n]
            i += 1
        else:
            instant, i = long_at(b, i)
        here = "settled"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        settled = b[i + 1 : j]
        i = j
        here = "closed"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        closed = b[i + 1 : j]
        i = j
        here = "opened"
        opened: tuple[Lease, ...] = ()
        if b[i]:
            n, i = count(b, i, 35)
            opened_list: list[Lease] = []
            for _ in range(n):
                here = "opened_item.slot"
                opened_item_slot = b[i : i + 16]
                i += 16
                here = "opened_item.seq"
                n = b[i]
                if n < 128:
                    opened_item_seq = SMALL[n]
                    i += 1
                else:
                    opened_item_seq, i = long_at(b, i)
                here = "opened_item.state"
                n = b[i]
                if n < 128:
                    opened_item_state = SMALL[n]
                    i += 1
                else:
                    opened_item_state, i = int_at(b, i)
                here = "opened_item.effect"
                n = b[i]
                if n < 128:
                    opened_item_effect = SMALL[n]
                    i += 1
                else:
                    opened_item_effect, i = int_at(b, i)
                here = "opened_item.reason"
                n = b[i]
                if n < 128:
                    opened_item_reason = SMALL[n]
                    i += 1
                else:
                    opened_item_reason, i = int_at(b, i)
                here = "opened_item.intent"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                opened_item_intent = b[i + 1 : j]
                i = j
                here = "opened_item.asked_offset"
                n = b[i]
                if n < 128:
                    opened_item_asked_offset = SMALL[n]
                    i += 1
                else:
                    opened_item_asked_offset, i = long_at(b, i)
                here = "opened_item.asked_at"
                n = b[i]
                if n < 128:
                    opened_item_asked_at = SMALL[n]
                    i += 1
                else:
                    opened_item_asked_at, i = long_at(b, i)
                here = "opened_item.until"
                n = b[i]
                if n < 128:
                    opened_item_until = SMALL[n]
                    i += 1
                else:
                    opened_item_until, i = long_at(b, i)
                here = "opened_item.granted_digest"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                opened_item_granted_digest = b[i + 1 : j]
                i = j
                here = "opened_item.granted_arguments"
                opened_item_granted_arguments: bytes | None = None
                n = b[i]
                i += 1
                if n == 2:
                    j = i + SPAN[b[i]]
                    if j == i:
                        i, j = span(b, i)
                    opened_item_granted_arguments_ = b[i + 1 : j]
                    i = j
                    opened_item_granted_arguments = opened_item_granted_arguments_
                elif n:
                    raise Misread("a union index of 0 or 1")
                here = "opened_item.claim_required"
                n = b[i]
                if n > 1:
                    raise Misread("a boolean of 0 or 1")
                opened_item_claim_required = n == 1
                i += 1
                here = "opened_item.act_ms_max"
                n = b[i]
                if n < 128:
                    opened_item_act_ms_max = SMALL[n]
                    i += 1
                else:
                    opened_item_act_ms_max, i = int_at(b, i)
                here = "opened_item.expires_at"
                n = b[i]
                if n < 128:
                    opened_item_expires_at = SMALL[n]
                    i += 1
                else:
                    opened_item_expires_at, i = long_at(b, i)
                here = "opened_item.set_digest"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                opened_item_set_digest = b[i + 1 : j]
                i = j
                here = "opened_item.executor"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                opened_item_executor = b[i + 1 : j].decode()
                i = j
                here = "opened_item.nonce"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                opened_item_nonce = b[i + 1 : j]
                i = j
                here = "opened_item.stopped"
                n = b[i]
                if n > 1:
                    raise Misread("a boolean of 0 or 1")
                opened_item_stopped = n == 1
                i += 1
                here = "opened_item.wanted"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                opened_item_wanted = b[i + 1 : j]
                i = j
                here = "opened_item.votes"
                opened_item_votes: tuple[bytes, ...] = ()
                if b[i]:
                    n, i = count(b, i, 1)
                    opened_item_votes_list: list[bytes] = []
                    for _ in range(n):
                        j = i + SPAN[b[i]]
                        if j == i:
                            i, j = span(b, i)
                        opened_item_votes_item = b[i + 1 : j]
                        i = j
                        opened_item_votes_list.append(opened_item_votes_item)
                    here = "opened_item.votes"
                    if b[i]:
                        raise Misread("one block, and its end")
                    opened_item_votes = tuple(opened_item_votes_list)
                i += 1
                opened_item = tuple.__new__(
                    Lease,
                    (
                        opened_item_slot,
                        opened_item_seq,
                        opened_item_state,
                        opened_item_effect,
                        opened_item_reason,
                        opened_item_intent,
                        opened_item_asked_offset,
                        opened_item_asked_at,
                        opened_item_until,
                        opened_item_granted_digest,
                        opened_item_granted_arguments,
                        opened_item_claim_required,
                        opened_item_act_ms_max,
                        opened_item_expires_at,
                        opened_item_set_digest,
                        opened_item_executor,
                        opened_item_nonce,
                        opened_item_stopped,
                        opened_item_wanted,
                        opened_item_votes,
                    ),
                )
                opened_list.append(opened_item)
            here = "opened"
            if b[i]:
                raise Misread("one block, and its end")
            opened = tuple(opened_list)
        i += 1
        here = "data_keys"
        data_keys: tuple[DataKey, ...] = ()
        if b[i]:
            n, i = count(b, i, 50)
            data_keys_list: list[DataKey] = []
            for _ in range(n):
                here = "data_keys_item.key"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                data_keys_item_key = b[i + 1 : j].decode()
                i = j
                here = "data_keys_item.key_id"
                data_keys_item_key_id = b[i : i + 16]
                i += 16
                here = "data_keys_item.wrapped"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                data_keys_item_wrapped = b[i + 1 : j]
                i = j
                here = "data_keys_item.salt"
                data_keys_item_salt = b[i : i + 32]
                i += 32
                data_keys_item = tuple.__new__(
                    DataKey,
                    (
                        data_keys_item_key,
                        data_keys_item_key_id,
                        data_keys_item_wrapped,
                        data_keys_item_salt,
                    ),
                )
                data_keys_list.append(data_keys_item)
            here = "data_keys"
            if b[i]:
                raise Misread("one block, and its end")
            data_keys = tuple(data_keys_list)
        i += 1
        here = "sessions"
        sessions: tuple[Session, ...] = ()
        if b[i]:
            n, i = count(b, i, 5)
            sessions_list: list[Session] = []
            for _ in range(n):
                here = "sessions_item.key"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                sessions_item_key = b[i + 1 : j].decode()
                i = j
                here = "sessions_item.origin"
                n = b[i]
                if n < 128:
                    sessions_item_origin = SMALL[n]
                    i += 1
                else:
                    sessions_item_origin, i = int_at(b, i)
                here = "sessions_item.rank"
                n = b[i]
                if n < 128:
                    sessions_item_rank = SMALL[n]
                    i += 1
                else:
                    sessions_item_rank, i = int_at(b, i)
                here = "sessions_item.seq"
                n = b[i]
                if n < 128:
                    sessions_item_seq = SMALL[n]
                    i += 1
                else:
                    sessions_item_seq, i = long_at(b, i)
                here = "sessions_item.heard_at"
                n = b[i]
                if n < 128:
                    sessions_item_heard_at = SMALL[n]
                    i += 1
                else:
                    sessions_item_heard_at, i = long_at(b, i)
                sessions_item = tuple.__new__(
                    Session,
                    (
                        sessions_item_key,
                        sessions_item_origin,
                        sessions_item_rank,
                        sessions_item_seq,
                        sessions_item_heard_at,
                    ),
                )
                sessions_list.append(sessions_item)
            here = "sessions"
            if b[i]:
                raise Misread("one block, and its end")
            sessions = tuple(sessions_list)
        i += 1
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("desk_change", here, i, b, fault) from None
    return tuple.__new__(
        DeskChange,
        (
            partition,
            ordinal,
            seq_to,
            instant,
            settled,
            closed,
            opened,
            data_keys,
            sessions,
        ),
    )
