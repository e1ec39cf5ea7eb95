"""What a batch changed in a desk, as one record, and when such a record may be forgotten."""

from collections import deque
from typing import NamedTuple

from placet.decision.leases import Leases
from placet.decision.settled import SettledTable
from placet.model.codec import desk_change
from placet.model.codec.desk_change import DataKey, DeskChange, Lease, Session
from placet.ports import Message

ORDINAL_SIZE = 8


def ordinal_key(ordinal: int) -> bytes:
    """Return the key of a batch's record in `placet.desk`."""
    return ordinal.to_bytes(ORDINAL_SIZE, "big")


class Chunk(NamedTuple):
    """What of one record of `placet.desk` may have to outlive it."""

    ordinal: int
    retire_at: int
    opened: tuple[tuple[bytes, int], ...]
    sessions: tuple[tuple[str, int], ...]
    long_lived: tuple[bytes, ...]


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
        self._added: Chunk | None = None
        self.begin()

    def begin(self) -> None:
        self.settled: list[bytes] = []
        self.long_lived: list[bytes] = []
        self.opened: dict[bytes, Lease] = {}
        self.closed: list[bytes] = []
        self.sessions: dict[str, Session] = {}
        self.forgotten: list[Session] = []
        self._retired = []
        self._added = None

    def retire(self, instant: int, leases: Leases, sessions: dict[str, Session], settled: SettledTable) -> None:
        """Take the records whose time is over out of the ledger, and what of them still lives into this batch."""
        while self._chunks and self._chunks[0].retire_at <= instant:
            chunk = self._chunks.popleft()
            self._retired.append(chunk)
            for slot, seq in chunk.opened:
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
            for slot in chunk.long_lived:
                row = settled.row(slot)
                if row is not None:
                    self.settled.append(slot + row)
                    self.long_lived.append(slot)

    def messages(self, seq_to: int, instant: int, data_keys: list[DataKey]) -> list[Message]:
        """Return the batch's records of `placet.desk`: data keys, the change itself, and tombstones of the retired."""
        self.ordinal += 1
        change = DeskChange(
            partition=self._partition,
            ordinal=self.ordinal,
            seq_to=seq_to,
            instant=instant,
            settled=b"".join(self.settled),
            closed=b"".join(self.closed),
            opened=tuple(self.opened.values()),
            data_keys=(),
            sessions=tuple(self.sessions.values()),
        )
        out = [
            Message(
                b"k/" + row.key.encode(),
                desk_change.frame(
                    change._replace(settled=b"", closed=b"", opened=(), sessions=(), data_keys=(row,)),
                ),
            )
            for row in data_keys
        ]
        out.append(Message(ordinal_key(self.ordinal), desk_change.frame(change)))
        out += [Message(ordinal_key(chunk.ordinal), None) for chunk in self._retired]
        self._added = self._chunk(change, tuple(self.long_lived))
        self._chunks.append(self._added)
        return out

    def restore(self, change: DeskChange, long_lived: tuple[bytes, ...]) -> None:
        """Enter a record read back from `placet.desk` into the ledger."""
        self.ordinal = change.ordinal
        self._chunks.append(self._chunk(change, long_lived))

    def drop(self) -> None:
        """Take back what this batch did to the ledger."""
        if self._added is not None:
            self._chunks.pop()
            self.ordinal -= 1
        self._chunks.extendleft(reversed(self._retired))
        self.begin()

    def _chunk(self, change: DeskChange, long_lived: tuple[bytes, ...]) -> Chunk:
        return Chunk(
            change.ordinal,
            change.instant + self._horizon_ms,
            tuple((lease.slot, lease.seq) for lease in change.opened),
            tuple((session.key, session.seq) for session in change.sessions),
            long_lived,
        )
