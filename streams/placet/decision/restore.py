"""A desk read back: the fold of its changes, checked against the last Seal it was closed with."""

from collections.abc import Sequence

from placet.decision.book import Book
from placet.decision.settled import REST, ROW
from placet.errors import Corrupted
from placet.model.codec import desk_change
from placet.model.codec.seal import Seal
from placet.ports import Rec


def restore(book: Book, changes: Sequence[Rec], seal: Seal | None) -> None:
    """Fill an empty book from the records of `placet.desk`, in order of their ordinal.

    Raise Corrupted where they do not end where `seal`, the last of the
    partition's decisions, says that the desk ended.
    """
    settled = book.settled
    instant = 0 if seal is None else seal.instant
    horizon = book.settings.deadline_ms_max
    for rec in changes:
        change = desk_change.decode(rec.value or b"")
        for row in change.data_keys:
            book.vault.take(row)
        if (rec.key or b"")[:2] == b"k/":
            continue
        long_lived = []
        rows = change.settled
        if len(rows) % ROW.size:
            raise Corrupted(f"desk change {change.ordinal}: {len(rows)} bytes of rows of {ROW.size}")
        for at in range(0, len(rows), ROW.size):
            slot, row_ = rows[at : at + 16], rows[at + 16 : at + ROW.size]
            deadline = REST.unpack(row_)[1]
            if deadline > instant:
                settled.put(slot, row_, deadline, change.instant)
                if deadline - change.instant > horizon:
                    long_lived.append(slot)
        for at in range(0, len(change.closed), 16):
            book.leases.open.pop(change.closed[at : at + 16], None)
        for lease in change.opened:
            book.leases.put(lease)
        for session in change.sessions:
            book.sessions[session.key] = session
        book.changes.restore(change, tuple(long_lived))
        book.seq = change.seq_to
        settled.keep()
        book.leases.keep()
    if seal is not None and (book.seq, book.changes.ordinal) != (seal.seq_to, seal.desk_ordinal):
        raise Corrupted(
            f"the desk's changes end at seq {book.seq}, ordinal {book.changes.ordinal}; "
            f"the last seal says {seal.seq_to}, {seal.desk_ordinal}"
        )
