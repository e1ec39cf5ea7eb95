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
    learn,
    left_over,
    long_at,
    span,
    undecodable,
    unfit,
    unwritable,
)

SCHEMA_ID = 25
HEADER = bytes.fromhex("0000000019")
FINGERPRINT = bytes.fromhex("3fd649cc6c5b2c682dfd2f9f2b5676b4d7168f904fb04fcda017b6ca18b4e291")


class Held(NamedTuple):
    """What a grant counts in one limit."""

    limit: str  # `pack/id` or `mandate/id`
    scope: str  # whose count it is, under the key of the intent
    amount: int
    phase: int  # 1 held, 2 spent, 4 beyond the limit by people's leave, and not counted
    window_ms: int  # how long it counts once it is spent; 0: for good
    last: int  # the last ms of the bucket it was spent in, or 0
    measure: str  # what it counts: `count`, or the name of an argument


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
    votes: tuple[bytes, ...]  # that were taken, in their framing, in order of voters
    holds: tuple[Held, ...]
    wanted: bytes  # of the requirement that people were told, 8 bytes of its digest; or empty


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


class Bucket(NamedTuple):
    """A part of `DeskChange`."""

    last: int  # its last ms: until `window_ms` after it the amount counts
    amount: int


class Meter(NamedTuple):
    """What was spent of one limit in one scope: written whole each time it changes."""

    key: str  # tenant/authority
    limit: str
    scope: str
    seq: int  # of the decision that changed it last
    window_ms: int  # 0: for good
    buckets: tuple[Bucket, ...]
    measure: str  # what it counts: `count`, or the name of an argument


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
    meters: tuple[Meter, ...]


def encode_opened_item_granted_arguments(value: bytes | None) -> bytes:
    """Return the bytes of a value of `opened_item.granted_arguments`."""
    while True:
        try:
            if value is None:
                return b"\x00"
            return b"".join((b"\x02", LONG[len(value)], value))
        except KeyError as missed:
            learn(missed)


def encode_opened_item_votes(value: tuple[bytes, ...]) -> bytes:
    """Return the bytes of a value of `opened_item.votes`."""
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


def _encode_held(record: Held) -> bytes:
    while True:
        try:
            limit, scope, amount, phase, window_ms, last, measure = record
            limit_ = limit.encode()
            scope_ = scope.encode()
            measure_ = measure.encode()
            return b"".join(
                (
                    LONG[len(limit_)],
                    limit_,
                    LONG[len(scope_)],
                    scope_,
                    LONG[amount],
                    INT[phase],
                    LONG[window_ms],
                    LONG[last],
                    LONG[len(measure_)],
                    measure_,
                )
            )
        except KeyError as missed:
            learn(missed)


def encode_opened_item_holds(value: tuple[Held, ...]) -> bytes:
    """Return the bytes of a value of `opened_item.holds`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_held(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_lease(record: Lease) -> bytes:
    while True:
        try:
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
                votes,
                holds,
                wanted,
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
                    b"\x00" if not votes else encode_opened_item_votes(votes),
                    b"\x00" if not holds else encode_opened_item_holds(holds),
                    LONG[len(wanted)],
                    wanted,
                )
            )
        except KeyError as missed:
            learn(missed)


def encode_opened(value: tuple[Lease, ...]) -> bytes:
    """Return the bytes of a value of `opened`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_lease(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_datakey(record: DataKey) -> bytes:
    while True:
        try:
            key, key_id, wrapped, salt = record
            key_ = key.encode()
            if len(key_id) != 16:
                raise unfit("desk_change.data_keys_item.key_id", len(key_id), 16)
            if len(salt) != 32:
                raise unfit("desk_change.data_keys_item.salt", len(salt), 32)
            return b"".join((LONG[len(key_)], key_, key_id, LONG[len(wrapped)], wrapped, salt))
        except KeyError as missed:
            learn(missed)


def encode_data_keys(value: tuple[DataKey, ...]) -> bytes:
    """Return the bytes of a value of `data_keys`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_datakey(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_session(record: Session) -> bytes:
    while True:
        try:
            key, origin, rank, seq, heard_at = record
            key_ = key.encode()
            return b"".join((LONG[len(key_)], key_, INT[origin], INT[rank], LONG[seq], LONG[heard_at]))
        except KeyError as missed:
            learn(missed)


def encode_sessions(value: tuple[Session, ...]) -> bytes:
    """Return the bytes of a value of `sessions`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_session(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_bucket(record: Bucket) -> bytes:
    while True:
        try:
            last, amount = record
            return b"".join((LONG[last], LONG[amount]))
        except KeyError as missed:
            learn(missed)


def encode_meters_item_buckets(value: tuple[Bucket, ...]) -> bytes:
    """Return the bytes of a value of `meters_item.buckets`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_bucket(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def _encode_meter(record: Meter) -> bytes:
    while True:
        try:
            key, limit, scope, seq, window_ms, buckets, measure = record
            key_ = key.encode()
            limit_ = limit.encode()
            scope_ = scope.encode()
            measure_ = measure.encode()
            return b"".join(
                (
                    LONG[len(key_)],
                    key_,
                    LONG[len(limit_)],
                    limit_,
                    LONG[len(scope_)],
                    scope_,
                    LONG[seq],
                    LONG[window_ms],
                    b"\x00" if not buckets else encode_meters_item_buckets(buckets),
                    LONG[len(measure_)],
                    measure_,
                )
            )
        except KeyError as missed:
            learn(missed)


def encode_meters(value: tuple[Meter, ...]) -> bytes:
    """Return the bytes of a value of `meters`."""
    while True:
        try:
            if not value:
                return b"\x00"
            parts = [LONG[len(value)]]
            for item in value:
                parts.append(_encode_meter(item))
            parts.append(b"\x00")
            return b"".join(parts)
        except KeyError as missed:
            learn(missed)


def encode(record: DeskChange) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
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
                    meters,
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
                        b"\x00" if not meters else encode_meters(meters),
                    )
                )
            except KeyError as missed:
                learn(missed)
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
            n, i = count(b, i, 36)
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
                here = "opened_item.holds"
                opened_item_holds: tuple[Held, ...] = ()
                if b[i]:
                    n, i = count(b, i, 7)
                    opened_item_holds_list: list[Held] = []
                    for _ in range(n):
                        here = "opened_item.holds_item.limit"
                        j = i + SPAN[b[i]]
                        if j == i:
                            i, j = span(b, i)
                        opened_item_holds_item_limit = b[i + 1 : j].decode()
                        i = j
                        here = "opened_item.holds_item.scope"
                        j = i + SPAN[b[i]]
                        if j == i:
                            i, j = span(b, i)
                        opened_item_holds_item_scope = b[i + 1 : j].decode()
                        i = j
                        here = "opened_item.holds_item.amount"
                        n = b[i]
                        if n < 128:
                            opened_item_holds_item_amount = SMALL[n]
                            i += 1
                        else:
                            opened_item_holds_item_amount, i = long_at(b, i)
                        here = "opened_item.holds_item.phase"
                        n = b[i]
                        if n < 128:
                            opened_item_holds_item_phase = SMALL[n]
                            i += 1
                        else:
                            opened_item_holds_item_phase, i = int_at(b, i)
                        here = "opened_item.holds_item.window_ms"
                        n = b[i]
                        if n < 128:
                            opened_item_holds_item_window_ms = SMALL[n]
                            i += 1
                        else:
                            opened_item_holds_item_window_ms, i = long_at(b, i)
                        here = "opened_item.holds_item.last"
                        n = b[i]
                        if n < 128:
                            opened_item_holds_item_last = SMALL[n]
                            i += 1
                        else:
                            opened_item_holds_item_last, i = long_at(b, i)
                        here = "opened_item.holds_item.measure"
                        j = i + SPAN[b[i]]
                        if j == i:
                            i, j = span(b, i)
                        opened_item_holds_item_measure = b[i + 1 : j].decode()
                        i = j
                        opened_item_holds_item = tuple.__new__(
                            Held,
                            (
                                opened_item_holds_item_limit,
                                opened_item_holds_item_scope,
                                opened_item_holds_item_amount,
                                opened_item_holds_item_phase,
                                opened_item_holds_item_window_ms,
                                opened_item_holds_item_last,
                                opened_item_holds_item_measure,
                            ),
                        )
                        opened_item_holds_list.append(opened_item_holds_item)
                    here = "opened_item.holds"
                    if b[i]:
                        raise Misread("one block, and its end")
                    opened_item_holds = tuple(opened_item_holds_list)
                i += 1
                here = "opened_item.wanted"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                opened_item_wanted = b[i + 1 : j]
                i = j
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
                        opened_item_votes,
                        opened_item_holds,
                        opened_item_wanted,
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
        here = "meters"
        meters: tuple[Meter, ...] = ()
        if b[i]:
            n, i = count(b, i, 7)
            meters_list: list[Meter] = []
            for _ in range(n):
                here = "meters_item.key"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                meters_item_key = b[i + 1 : j].decode()
                i = j
                here = "meters_item.limit"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                meters_item_limit = b[i + 1 : j].decode()
                i = j
                here = "meters_item.scope"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                meters_item_scope = b[i + 1 : j].decode()
                i = j
                here = "meters_item.seq"
                n = b[i]
                if n < 128:
                    meters_item_seq = SMALL[n]
                    i += 1
                else:
                    meters_item_seq, i = long_at(b, i)
                here = "meters_item.window_ms"
                n = b[i]
                if n < 128:
                    meters_item_window_ms = SMALL[n]
                    i += 1
                else:
                    meters_item_window_ms, i = long_at(b, i)
                here = "meters_item.buckets"
                meters_item_buckets: tuple[Bucket, ...] = ()
                if b[i]:
                    n, i = count(b, i, 2)
                    meters_item_buckets_list: list[Bucket] = []
                    for _ in range(n):
                        here = "meters_item.buckets_item.last"
                        n = b[i]
                        if n < 128:
                            meters_item_buckets_item_last = SMALL[n]
                            i += 1
                        else:
                            meters_item_buckets_item_last, i = long_at(b, i)
                        here = "meters_item.buckets_item.amount"
                        n = b[i]
                        if n < 128:
                            meters_item_buckets_item_amount = SMALL[n]
                            i += 1
                        else:
                            meters_item_buckets_item_amount, i = long_at(b, i)
                        meters_item_buckets_item = tuple.__new__(
                            Bucket,
                            (
                                meters_item_buckets_item_last,
                                meters_item_buckets_item_amount,
                            ),
                        )
                        meters_item_buckets_list.append(meters_item_buckets_item)
                    here = "meters_item.buckets"
                    if b[i]:
                        raise Misread("one block, and its end")
                    meters_item_buckets = tuple(meters_item_buckets_list)
                i += 1
                here = "meters_item.measure"
                j = i + SPAN[b[i]]
                if j == i:
                    i, j = span(b, i)
                meters_item_measure = b[i + 1 : j].decode()
                i = j
                meters_item = tuple.__new__(
                    Meter,
                    (
                        meters_item_key,
                        meters_item_limit,
                        meters_item_scope,
                        meters_item_seq,
                        meters_item_window_ms,
                        meters_item_buckets,
                        meters_item_measure,
                    ),
                )
                meters_list.append(meters_item)
            here = "meters"
            if b[i]:
                raise Misread("one block, and its end")
            meters = tuple(meters_list)
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
            meters,
        ),
    )
