"""Reads schema id 12 as desk_change.DeskChange of now. Generated from schemas/history/desk_change/12.avsc by `make codecs`."""
# ruff: noqa

from placet.model.codec.desk_change import Lease, DataKey, Session, DeskChange
from placet.model.codec._wire import SMALL, SPAN, Misread, count, int_at, left_over, long_at, span, undecodable

SCHEMA_ID = 12
HEADER = bytes.fromhex("000000000c")
FINGERPRINT = bytes.fromhex("71f73654b236a469cf51f110d8ba5cf39420674dba0eee588161ab81a8828ff9")


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
            n, i = count(b, i, 34)
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
                        (),
                        b"",
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
            (),
        ),
    )
