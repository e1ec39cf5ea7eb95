"""What stands in the provenance log, byte for byte, so that a stranger can make every leaf again from the topics.

Every committed record of `placet.decisions` and of the context topics (risk, sensitivity, principals, mandates, controls,
policies with the packs and what they were activated by, keys) is one leaf, Seals too; a watermark is none. Integers are
big endian. A leaf begins with

    1 byte   format, 1
    1 byte   kind: 1 record, 2 tombstone, 3 unread, 4 cut; 129, 130, 131 stand for one of the first three by its digest

A leaf of a record goes on with where it came from and what it is:

    1 byte   topic, by its number in `placet.model.topics`
    4 bytes  partition
    8 bytes  offset
    32 bytes fingerprint of the record's schema: SHA-256 of its Parsing Canonical Form, the file in `schemas/` or
             `schemas/history/`; zero in a tombstone and in an unread one
    4 bytes  length of the key, 2^32 - 1 where the record has none
             the key
             the record: its Avro payload, without the five bytes of framing; of a tombstone nothing; unread, because
             no schema is known by its framing, the value as it lies in the topic

Where the record is longer than 60,000 bytes, or the leaf than 65,535, the leaf is instead: format, kind + 128, topic,
partition, offset, fingerprint as before, then the length (4 bytes) and the SHA-256 of the leaf it stands for.

A cut says how far each partition was read and stands before the leaves of what it took in:

    8 bytes  number of the cut, from 0
    8 bytes  index of this leaf
    8 bytes  instant at which the notary made it, ms since 1970
    25 bytes for each partition that moved, by topic and partition: topic (1), partition (4), offset from (8), offset to
             (8), leaves (4)

A cut goes on where the one before ended, for every partition, the first at 0. Its leaves are those of the records from
`from` up to `to`, partition by partition as the cut names them, each by offset. So the topics and the cuts alone give one
tree, and a record left out shows. Where offsets are missing among the leaves there lay a watermark, a mark of a
transaction, or, in a compacted topic, a record that the topic itself keeps no more.
"""

from collections.abc import Sequence
from hashlib import sha256
from struct import Struct, error
from typing import Final, NamedTuple

from placet.model.codec import BY_HEADER, HEADERS
from placet.model.topics import CONTEXT, Topic
from placet.ports import Rec
from placet.provenance.tiles import ENTRY_BYTES_MAX

LOGGED: Final = (Topic.DECISIONS, *CONTEXT)
"""The topics whose records become leaves."""
RECORD_BYTES_MAX: Final = 60_000
"""A longer record enters as its digest."""
FORMAT: Final = 1
RECORD, TOMBSTONE, UNREAD, CUT = 1, 2, 3, 4
DIGEST: Final = 128
"""Added to the kind of a leaf that is only named by its digest."""

_HEAD: Final = Struct(">BBBIQ32s")
_LENGTH: Final = Struct(">I")
_NO_KEY: Final = 0xFFFFFFFF
_CUT: Final = Struct(">BBQQQ")
_MOVE: Final = Struct(">BIQQI")
_NOTHING: Final = bytes(32)
_WATERMARKS: Final = HEADERS["watermark"]
_FINGERPRINTS: Final[dict[bytes, bytes]] = {header: reader.FINGERPRINT for header, reader in BY_HEADER.items()}


class Leaf(NamedTuple):
    """A leaf read back. `digest` is that of the leaf it stands for, and then neither key nor body is there."""

    kind: int
    topic: int
    partition: int
    offset: int
    fingerprint: bytes
    key: bytes | None
    body: bytes
    digest: bytes | None = None


class Move(NamedTuple):
    """How far one partition was read by a cut, and how many leaves that gave."""

    topic: int
    partition: int
    start: int
    end: int
    leaves: int


class Cut(NamedTuple):
    """A cut read back. `at` is its own index in the log."""

    number: int
    at: int
    instant: int
    moves: tuple[Move, ...]

    @property
    def leaves(self) -> int:
        """Return how many leaves follow the cut before the next one."""
        return sum(move.leaves for move in self.moves)


def encode_record(rec: Rec) -> bytes | None:
    """Return the leaf of a committed record; None of a watermark."""
    topic, partition, offset, _, key, value, *_ = rec
    if value is None:
        kind, fingerprint, body = TOMBSTONE, _NOTHING, b""
    else:
        header = value[:5]
        if header in _WATERMARKS:
            return None
        known = _FINGERPRINTS.get(header)
        kind, fingerprint, body = (UNREAD, _NOTHING, value) if known is None else (RECORD, known, value[5:])
    head = _HEAD.pack(FORMAT, kind, topic, partition, offset, fingerprint)
    keyed = _LENGTH.pack(_NO_KEY) if key is None else _LENGTH.pack(len(key)) + key
    leaf = head + keyed + body
    if len(body) <= RECORD_BYTES_MAX and len(leaf) <= ENTRY_BYTES_MAX:
        return leaf
    head = _HEAD.pack(FORMAT, kind + DIGEST, topic, partition, offset, fingerprint)
    return head + _LENGTH.pack(len(leaf)) + sha256(leaf).digest()


def encode_cut(number: int, at: int, instant: int, moves: Sequence[Move]) -> bytes:
    """Return the leaf of a cut; `moves` are by topic and partition."""
    return _CUT.pack(FORMAT, CUT, number, at, instant) + b"".join(_MOVE.pack(*move) for move in moves)


def is_cut(leaf: bytes) -> bool:
    """Say whether a leaf is a cut."""
    return leaf[:2] == bytes((FORMAT, CUT))


def read_leaf(leaf: bytes) -> Leaf | Cut:
    """Return what a leaf says; raise ValueError where it is none."""
    if len(leaf) < 2 or leaf[0] != FORMAT:
        raise ValueError(f"a leaf that begins with {leaf[:2].hex()}, expected format {FORMAT}")
    try:
        return _read_cut(leaf) if leaf[1] == CUT else _read_record(leaf)
    except error:
        raise ValueError(f"a leaf cut short at {len(leaf)} bytes") from None


def _read_cut(leaf: bytes) -> Cut:
    _, _, number, at, instant = _CUT.unpack_from(leaf)
    moves = tuple(Move(*found) for found in _MOVE.iter_unpack(leaf[_CUT.size :]))
    places = [move[:2] for move in moves]
    if places != sorted(set(places)):
        raise ValueError(f"cut {number} names a partition twice, or not in order")
    wrong = [move for move in moves if not (move.start < move.end and move.leaves <= move.end - move.start)]
    if wrong:
        raise ValueError(f"cut {number} takes {wrong[0].leaves} leaves from offsets {wrong[0].start} to {wrong[0].end}")
    return Cut(number, at, instant, moves)


def _read_record(leaf: bytes) -> Leaf:
    _, kind, topic, partition, offset, fingerprint = _HEAD.unpack_from(leaf)
    (length,) = _LENGTH.unpack_from(leaf, _HEAD.size)
    at = _HEAD.size + _LENGTH.size
    if kind - DIGEST in (RECORD, TOMBSTONE, UNREAD):
        if len(leaf) != at + 32:
            raise ValueError(f"a leaf of {len(leaf)} bytes that stands for another, expected {at + 32}")
        return Leaf(kind, topic, partition, offset, fingerprint, None, b"", leaf[at:])
    if kind not in (RECORD, TOMBSTONE, UNREAD):
        raise ValueError(f"a leaf of kind {kind}, known are {RECORD} to {CUT}, and {DIGEST} more for a digest")
    end = at if length == _NO_KEY else at + length
    if end > len(leaf) or (kind == TOMBSTONE and end != len(leaf)):
        raise ValueError(f"a leaf of {len(leaf)} bytes whose key ends at {end}")
    return Leaf(kind, topic, partition, offset, fingerprint, None if length == _NO_KEY else leaf[at:end], leaf[end:])
