"""Reads schema id 11 as case_body.CaseBody of now. Generated from schemas/history/case_body/11.avsc by `make codecs`."""
# ruff: noqa

from placet.model.codec.case_body import Mark, Fact, CaseBody
from placet.model.codec._wire import SMALL, SPAN, Misread, count, int_at, left_over, long_at, span, undecodable

SCHEMA_ID = 11
HEADER = bytes.fromhex("000000000b")
FINGERPRINT = bytes.fromhex("8fde4c4303ca5340673cd73a1a7acd1f69006dc5738708ef896ce9afd4ca7dd2")


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
            (),
            (),
        ),
    )
