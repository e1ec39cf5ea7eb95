"""A desk read back: the fold of its changes, checked against the last Seal it was closed with."""

import struct
from collections.abc import Iterable

from placet.decision.book import Book
from placet.decision.changes import REVIEW
from placet.decision.held import SLOT_SIZE, Held, hold, leases_of
from placet.decision.settled import DEADLINES
from placet.decision.shard import ROW
from placet.errors import Behind, Corrupted, PoisonRecord
from placet.model.codec import HEADERS, decode_as
from placet.model.codec.desk_change import DeskChange, Lease
from placet.model.codec.seal import Seal
from placet.ports import Rec

INTENTS = HEADERS["intent"]
"""How the intent of a lease may be framed."""
SLOTS = struct.Struct(f"{SLOT_SIZE}s")
DATA_KEY = b"k/"
"""How the key of a record begins that holds data keys and nothing else."""


def restore(book: Book, changes: Iterable[Rec], seal: Seal | None) -> None:
    """Fill an empty book from the records of `placet.desk`, in order of their ordinal.

    `changes` are read once and let go of. Raise Corrupted where they do not end
    where `seal`, the last of the partition's decisions, says that the desk ended.
    """
    instant = 0 if seal is None else seal.instant
    # What is still open by the end is few: of the others only where they end is ever looked at.
    living: dict[bytes, tuple[int, bytes]] = {}
    ledger: list[tuple[Held, tuple[bytes, ...]]] = []
    for rec in changes:
        if (rec.key or b"")[: len(REVIEW)] == REVIEW:
            _review(book, rec)
            continue
        change = _held(rec)
        for row in change.data_keys:
            book.vault.take(row)
        if (rec.key or b"")[:2] == DATA_KEY:
            continue
        long_lived = _settle(book, change, instant)
        for (slot,) in SLOTS.iter_unpack(change.closed):
            living.pop(slot, None)
        for slot, lease in change.opened:
            living[slot] = change.ordinal, lease
        for session in change.sessions:
            book.sessions[session.key] = session
        for meter in change.meters:
            book.meters.fill(meter)
        ledger.append((change._replace(settled=b"", closed=b"", opened=[]), long_lived))
        book.seq = change.seq_to
    _open(book, living, ledger)
    if seal is not None and (book.seq, book.changes.ordinal) != (seal.seq_to, seal.desk_ordinal):
        less = book.seq <= seal.seq_to and book.changes.ordinal < seal.desk_ordinal
        raise (Behind if less else Corrupted)(
            f"the desk's changes end at seq {book.seq}, ordinal {book.changes.ordinal}; "
            f"the last seal says {seal.seq_to}, {seal.desk_ordinal}"
        )


def _review(book: Book, rec: Rec) -> None:
    """Open a review that nobody has answered."""
    try:
        review = decode_as("review", rec.value)
    except PoisonRecord as fault:
        raise Corrupted(str(fault)) from None
    if review is None or REVIEW + review.digest != rec.key:
        raise Corrupted(
            f"the desk holds what is no review under `{(rec.key or b'').hex()}`: a newer worker served here"
        )
    book.reviews.fill(review)


def _held(rec: Rec) -> Held:
    try:
        return hold(rec.value or b"")
    except PoisonRecord as fault:
        raise Corrupted(str(fault)) from None


def _settle(book: Book, change: Held, instant: int) -> tuple[bytes, ...]:
    """Remember the attempts a change settled; return the slots of those that will outlive it."""
    rows = change.settled
    if len(rows) % ROW.size or len(change.closed) % SLOT_SIZE:
        raise Corrupted(
            f"desk change {change.ordinal}: {len(rows)} bytes of rows of {ROW.size}, "
            f"{len(change.closed)} of slots of {SLOT_SIZE}"
        )
    ends = change.instant + book.settings.deadline_ms_max
    if book.settled.fill(rows, change.instant, instant) <= ends:
        return ()
    return tuple(
        rows[at * ROW.size : at * ROW.size + SLOT_SIZE]
        for at, (deadline,) in enumerate(DEADLINES.iter_unpack(rows))
        if deadline > max(ends, instant)
    )


def _open(book: Book, living: dict[bytes, tuple[int, bytes]], ledger: list[tuple[Held, tuple[bytes, ...]]]) -> None:
    """Open what lives, and enter each change into the ledger with what of it does."""
    opened: dict[int, list[Lease]] = {}
    leases = list(leases_of(raw for _, raw in living.values()))
    for (ordinal, _), lease in zip(living.values(), leases, strict=True):
        if lease.intent[:5] not in INTENTS:
            raise Corrupted(
                f"desk change {ordinal} holds an intent in framing {lease.intent[:5].hex()}, which this worker does "
                "not read: a newer one has served here"
            )
        opened.setdefault(ordinal, []).append(lease)
    book.leases.fill(leases)
    for change, long_lived in ledger:
        lives = tuple(opened.get(change.ordinal, ()))
        book.changes.restore(
            DeskChange(
                change.partition,
                change.ordinal,
                change.seq_to,
                change.instant,
                b"",
                b"",
                lives,
                (),
                change.sessions,
                change.meters,
            ),
            long_lived,
        )
