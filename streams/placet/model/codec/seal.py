"""The signed close of a batch in a partition of decisions. Generated from schemas/seal.avsc by `make codecs`; edit the schema, not this file."""
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

SCHEMA_ID = 9
HEADER = bytes.fromhex("0000000009")
FINGERPRINT = bytes.fromhex("4ba4b31fd47a734ee3b104252a78e3071913398cb69a3cb6b561c9a71dfb2fde")


class Mark(NamedTuple):
    """How far one partition had been read, and when its feed was last alive."""

    topic: int
    partition: int
    offset: int  # one past the last record read
    heard_at: int


class Position(NamedTuple):
    """A part of `Seal`."""

    topic: int
    partition: int
    offset: int


class Seal(NamedTuple):
    """The signed close of a batch in a partition of decisions."""

    cluster: str
    partition: int
    epoch: int
    seq_from: int
    seq_to: int  # one past the last; equal to seq_from in an empty Seal
    previous_root: bytes  # 32 bytes
    root: (
        bytes  # 32 bytes; RFC 6962 over fingerprint and payload of the batch's records; of nothing: SHA-256 of nothing
    )
    read_cut: tuple[Mark, ...]
    swept_cut: tuple[Mark, ...]
    inputs: tuple[Position, ...]  # one past the last record decided
    instant: int
    desk_ordinal: int  # of the last desk change
    kid: str
    signature: bytes  # 64 bytes


def _encode_mark(record: Mark) -> bytes:
    while True:
        try:
            topic, partition, offset, heard_at = record
            return b"".join((INT[topic], INT[partition], LONG[offset], LONG[heard_at]))
        except KeyError as missed:
            learn(missed)


def encode_read_cut(value: tuple[Mark, ...]) -> bytes:
    """Return the bytes of a value of `read_cut`."""
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


def encode_swept_cut(value: tuple[Mark, ...]) -> bytes:
    """Return the bytes of a value of `swept_cut`."""
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


def _encode_position(record: Position) -> bytes:
    while True:
        try:
            topic, partition, offset = record
            return b"".join((INT[topic], INT[partition], LONG[offset]))
        except KeyError as missed:
            learn(missed)


def encode_inputs(value: tuple[Position, ...]) -> bytes:
    """Return the bytes of a value of `inputs`."""
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


def encode(record: Seal) -> bytes:
    """Return the payload, without framing."""
    try:
        while True:
            try:
                (
                    cluster,
                    partition,
                    epoch,
                    seq_from,
                    seq_to,
                    previous_root,
                    root,
                    read_cut,
                    swept_cut,
                    inputs,
                    instant,
                    desk_ordinal,
                    kid,
                    signature,
                ) = record
                cluster_ = cluster.encode()
                if len(previous_root) != 32:
                    raise unfit("seal.previous_root", len(previous_root), 32)
                if len(root) != 32:
                    raise unfit("seal.root", len(root), 32)
                kid_ = kid.encode()
                if len(signature) != 64:
                    raise unfit("seal.signature", len(signature), 64)
                return b"".join(
                    (
                        LONG[len(cluster_)],
                        cluster_,
                        INT[partition],
                        LONG[epoch],
                        LONG[seq_from],
                        LONG[seq_to],
                        previous_root,
                        root,
                        b"\x00" if not read_cut else encode_read_cut(read_cut),
                        b"\x00" if not swept_cut else encode_swept_cut(swept_cut),
                        b"\x00" if not inputs else encode_inputs(inputs),
                        LONG[instant],
                        LONG[desk_ordinal],
                        LONG[len(kid_)],
                        kid_,
                        signature,
                    )
                )
            except KeyError as missed:
                learn(missed)
    except UnicodeEncodeError as fault:
        raise unwritable("seal", fault) from None


def frame(record: Seal) -> bytes:
    """Return the payload in Confluent framing."""
    return HEADER + encode(record)


def decode(data: bytes, start: int = 5) -> Seal:
    """Return the Seal in `data` from `start` to its end; raise PoisonRecord where it is not one."""
    b, i, end, here = data, start, len(data), "cluster"
    try:
        here = "cluster"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        cluster = b[i + 1 : j].decode()
        i = j
        here = "partition"
        n = b[i]
        if n < 128:
            partition = SMALL[n]
            i += 1
        else:
            partition, i = int_at(b, i)
        here = "epoch"
        n = b[i]
        if n < 128:
            epoch = SMALL[n]
            i += 1
        else:
            epoch, i = long_at(b, i)
        here = "seq_from"
        n = b[i]
        if n < 128:
            seq_from = SMALL[n]
            i += 1
        else:
            seq_from, i = long_at(b, i)
        here = "seq_to"
        n = b[i]
        if n < 128:
            seq_to = SMALL[n]
            i += 1
        else:
            seq_to, i = long_at(b, i)
        here = "previous_root"
        previous_root = b[i : i + 32]
        i += 32
        here = "root"
        root = b[i : i + 32]
        i += 32
        here = "read_cut"
        read_cut: tuple[Mark, ...] = ()
        if b[i]:
            n, i = count(b, i, 4)
            read_cut_list: list[Mark] = []
            for _ in range(n):
                here = "read_cut_item.topic"
                n = b[i]
                if n < 128:
                    read_cut_item_topic = SMALL[n]
                    i += 1
                else:
                    read_cut_item_topic, i = int_at(b, i)
                here = "read_cut_item.partition"
                n = b[i]
                if n < 128:
                    read_cut_item_partition = SMALL[n]
                    i += 1
                else:
                    read_cut_item_partition, i = int_at(b, i)
                here = "read_cut_item.offset"
                n = b[i]
                if n < 128:
                    read_cut_item_offset = SMALL[n]
                    i += 1
                else:
                    read_cut_item_offset, i = long_at(b, i)
                here = "read_cut_item.heard_at"
                n = b[i]
                if n < 128:
                    read_cut_item_heard_at = SMALL[n]
                    i += 1
                else:
                    read_cut_item_heard_at, i = long_at(b, i)
                read_cut_item = tuple.__new__(
                    Mark,
                    (
                        read_cut_item_topic,
                        read_cut_item_partition,
                        read_cut_item_offset,
                        read_cut_item_heard_at,
                    ),
                )
                read_cut_list.append(read_cut_item)
            here = "read_cut"
            if b[i]:
                raise Misread("one block, and its end")
            read_cut = tuple(read_cut_list)
        i += 1
        here = "swept_cut"
        swept_cut: tuple[Mark, ...] = ()
        if b[i]:
            n, i = count(b, i, 4)
            swept_cut_list: list[Mark] = []
            for _ in range(n):
                here = "swept_cut_item.topic"
                n = b[i]
                if n < 128:
                    swept_cut_item_topic = SMALL[n]
                    i += 1
                else:
                    swept_cut_item_topic, i = int_at(b, i)
                here = "swept_cut_item.partition"
                n = b[i]
                if n < 128:
                    swept_cut_item_partition = SMALL[n]
                    i += 1
                else:
                    swept_cut_item_partition, i = int_at(b, i)
                here = "swept_cut_item.offset"
                n = b[i]
                if n < 128:
                    swept_cut_item_offset = SMALL[n]
                    i += 1
                else:
                    swept_cut_item_offset, i = long_at(b, i)
                here = "swept_cut_item.heard_at"
                n = b[i]
                if n < 128:
                    swept_cut_item_heard_at = SMALL[n]
                    i += 1
                else:
                    swept_cut_item_heard_at, i = long_at(b, i)
                swept_cut_item = tuple.__new__(
                    Mark,
                    (
                        swept_cut_item_topic,
                        swept_cut_item_partition,
                        swept_cut_item_offset,
                        swept_cut_item_heard_at,
                    ),
                )
                swept_cut_list.append(swept_cut_item)
            here = "swept_cut"
            if b[i]:
                raise Misread("one block, and its end")
            swept_cut = tuple(swept_cut_list)
        i += 1
        here = "inputs"
        inputs: tuple[Position, ...] = ()
        if b[i]:
            n, i = count(b, i, 3)
            inputs_list: list[Position] = []
            for _ in range(n):
                here = "inputs_item.topic"
                n = b[i]
                if n < 128:
                    inputs_item_topic = SMALL[n]
                    i += 1
                else:
                    inputs_item_topic, i = int_at(b, i)
                here = "inputs_item.partition"
                n = b[i]
                if n < 128:
                    inputs_item_partition = SMALL[n]
                    i += 1
                else:
                    inputs_item_partition, i = int_at(b, i)
                here = "inputs_item.offset"
                n = b[i]
                if n < 128:
                    inputs_item_offset = SMALL[n]
                    i += 1
                else:
                    inputs_item_offset, i = long_at(b, i)
                inputs_item = tuple.__new__(
                    Position,
                    (
                        inputs_item_topic,
                        inputs_item_partition,
                        inputs_item_offset,
                    ),
                )
                inputs_list.append(inputs_item)
            here = "inputs"
            if b[i]:
                raise Misread("one block, and its end")
            inputs = tuple(inputs_list)
        i += 1
        here = "instant"
        n = b[i]
        if n < 128:
            instant = SMALL[n]
            i += 1
        else:
            instant, i = long_at(b, i)
        here = "desk_ordinal"
        n = b[i]
        if n < 128:
            desk_ordinal = SMALL[n]
            i += 1
        else:
            desk_ordinal, i = long_at(b, i)
        here = "kid"
        j = i + SPAN[b[i]]
        if j == i:
            i, j = span(b, i)
        kid = b[i + 1 : j].decode()
        i = j
        here = "signature"
        signature = b[i : i + 64]
        i += 64
        if i != end:
            raise left_over(i, end)
    except (IndexError, UnicodeDecodeError, Misread) as fault:
        raise undecodable("seal", here, i, b, fault) from None
    return tuple.__new__(
        Seal,
        (
            cluster,
            partition,
            epoch,
            seq_from,
            seq_to,
            previous_root,
            root,
            read_cut,
            swept_cut,
            inputs,
            instant,
            desk_ordinal,
            kid,
            signature,
        ),
    )
