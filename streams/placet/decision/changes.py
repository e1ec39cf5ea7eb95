"""What a batch changed in a desk, as few records, and when such a record may be forgotten."""

import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from placet.decision.leases import Leases
from placet.decision.meters import Meters, name_of
from placet.decision.settled import SettledTable
from placet.model.codec import desk_change
from placet.model.codec.desk_change import DataKey, DeskChange, Lease, Meter, Session
from placet.ports import Message

ORDINAL_SIZE = 8
REVIEW = b"r/"
"""How the key of a review begins: then comes its digest."""
PIECE_BYTES_MAX = 1 << 20
"""Leases of one record, in bytes of what was asked and granted: a batch of large intents fits no broker's record."""
BUCKET_BYTES_MAX = 20
R = TypeVar("R")


def ordinal_key(ordinal: int) -> bytes:
    """Return the key of a batch's record in `placet.desk`."""
    return ordinal.to_bytes(ORDINAL_SIZE, "big")


OPENED = struct.Struct(">16sQ")
"""A lease in the ledger: its slot, and the seq of the record that wrote it."""


class Chunk(NamedTuple):
    """What of one record of `placet.desk` may have to outlive it."""

    ordinal: int
    retire_at: int
    opened: bytes
    sessions: tuple[tuple[str, int], ...]
    long_lived: tuple[bytes, ...]
    meters: tuple[tuple[str, str, int, int], ...]


class Changes:
    """The rows a batch adds to `placet.desk`, and the ledger of the records that are still needed.

    Records are retired strictly in their order, after `horizon_ms`; what of
    a record still lives then is written again with the batch that retires it.
    So a lease that was closed can never come back from an older record.
    """

    def __init__(self, partition: int, horizon_ms: int, session_ms_max: int) -> None:
        self._partition = partition
        self._horizon_ms = horizon_ms
        self._session_ms_max = session_ms_max
        self._chunks: deque[Chunk] = deque()
        self.ordinal = -1
        self._retired: list[Chunk] = []
        self._added = 0
        self.begin()

    def begin(self) -> None:
        self.settled: list[bytes] = []
        self.long_lived: list[bytes] = []
        self.opened: dict[bytes, Lease] = {}
        self.closed: list[bytes] = []
        self.sessions: dict[str, Session] = {}
        self.forgotten: list[Session] = []
        self.meters: dict[tuple[str, str, int], Meter] = {}
        self.past: list[Meter] = []
        self.reviews: dict[bytes, bytes | None] = {}
        self._retired = []
        self._added = 0

    def retire(
        self,
        instant: int,
        leases: Leases,
        sessions: dict[str, Session],
        settled: SettledTable,
        meters: Meters,
    ) -> None:
        """Take the records whose time is over out of the ledger, and what of them still lives into this batch."""
        while self._chunks and self._chunks[0].retire_at <= instant:
            chunk = self._chunks.popleft()
            self._retired.append(chunk)
            for slot, seq in OPENED.iter_unpack(chunk.opened):
                lease = leases.open.get(slot)
                if lease is not None and lease.seq == seq:
                    self.opened.setdefault(slot, lease)
            for key, seq in chunk.sessions:
                session = sessions.get(key)
                if session is None or session.seq != seq:
                    continue
                if session.heard_at + self._session_ms_max <= instant:
                    self.forgotten.append(session)
                else:
                    self.sessions.setdefault(key, session)
            for key, name, window_ms, seq in chunk.meters:
                part = meters.find(key.encode(), name, window_ms)
                if part is None or part.row.seq != seq:
                    continue
                if part.is_over(instant):
                    self.past.append(part.row)
                else:
                    self.meters.setdefault((key, name, window_ms), part.row)
            for slot in chunk.long_lived:
                row = settled.row(slot)
                if row is not None:
                    self.settled.append(slot + row)
                    self.long_lived.append(slot)

    def messages(self, seq_to: int, instant: int, data_keys: list[DataKey]) -> list[Message]:
        """Return the batch's records of `placet.desk`: data keys, the change itself, tombstones of the
        retired, and the reviews it changed.

        Leases and meters that are too many bytes for one record go on in the next, each with an ordinal of its own.
        """
        first, *more = _pieces(self.opened.values(), _size_of_lease)
        counted, *further = _pieces(self.meters.values(), _size_of_meter)
        change = DeskChange(
            partition=self._partition,
            ordinal=self.ordinal + 1,
            seq_to=seq_to,
            instant=instant,
            settled=b"".join(self.settled),
            closed=b"".join(self.closed),
            opened=first,
            data_keys=(),
            sessions=tuple(self.sessions.values()),
            meters=counted,
        )
        nothing = change._replace(settled=b"", closed=b"", opened=(), sessions=(), meters=())
        out = [
            Message(
                b"k/" + row.key.encode(),
                desk_change.frame(nothing._replace(data_keys=(row,))),
            )
            for row in data_keys
        ]
        out.append(self._add(change, tuple(self.long_lived)))
        rest = [
            *(nothing._replace(opened=piece) for piece in more),
            *(nothing._replace(meters=rows) for rows in further),
        ]
        out += [self._add(each._replace(ordinal=self.ordinal + 1), ()) for each in rest]
        out += [Message(ordinal_key(chunk.ordinal), None) for chunk in self._retired]
        # Each under a key of its own until it is answered: what lives long is never written again.
        out += [Message(REVIEW + digest, value) for digest, value in self.reviews.items()]
        return out

    def restore(self, change: DeskChange, long_lived: tuple[bytes, ...]) -> None:
        """Enter a record read back from `placet.desk` into the ledger."""
        self.ordinal = change.ordinal
        self._chunks.append(self._chunk(change, long_lived))

    def drop(self) -> None:
        """Take back what this batch did to the ledger."""
        for _ in range(self._added):
            self._chunks.pop()
        self.ordinal -= self._added
        self._chunks.extendleft(reversed(self._retired))
        self.begin()

    def _add(self, change: DeskChange, long_lived: tuple[bytes, ...]) -> Message:
        self.restore(change, long_lived)
        self._added += 1
        return Message(ordinal_key(change.ordinal), desk_change.frame(change))

    def _chunk(self, change: DeskChange, long_lived: tuple[bytes, ...]) -> Chunk:
        return Chunk(
            change.ordinal,
            change.instant + self._horizon_ms,
            b"".join([OPENED.pack(*lease[:2]) for lease in change.opened]),
            tuple((session.key, session.seq) for session in change.sessions),
            long_lived,
            tuple([(meter.key, name_of(meter), meter.window_ms, meter.seq) for meter in change.meters]),
        )


def _pieces(rows: Iterable[R], size_of: Callable[[R], int]) -> Iterator[tuple[R, ...]]:
    """Yield rows in pieces of at most PIECE_BYTES_MAX, but at least one row; one piece without any where there are none."""
    piece: list[R] = []
    size = 0
    for row in rows:
        more = size_of(row)
        if piece and size + more > PIECE_BYTES_MAX:
            yield tuple(piece)
            piece, size = [], 0
        piece.append(row)
        size += more
    yield tuple(piece)


def _size_of_lease(lease: Lease) -> int:
    size = len(lease.intent) + len(lease.granted_arguments or b"")
    return size + sum(map(len, lease.votes)) if lease.votes else size


def _size_of_meter(meter: Meter) -> int:
    key, limit, scope, _, _, buckets, measure = meter
    return len(key) + len(limit) + len(measure) + len(scope) + BUCKET_BYTES_MAX * (1 + len(buckets))
