"""What was decided before anybody here listened: found by its sequence number, and believed only under its Seal."""

from typing import Any

from placet.errors import Corrupted, PoisonRecord, Unavailable
from placet.faces.sdk.follow import THERE_MS, read_with
from placet.faces.sdk.sealed import Sealed, SealedReader
from placet.model.codec import decode_any, open_frame
from placet.model.proof import KeyRing
from placet.model.reasons import Reason
from placet.model.topics import Topic
from placet.ports import Log, Rec

READ_MOST = 200
UNNUMBERED = ("seal", "")
"""What has no sequence number, or none that can be read here."""


def since(log: Log, ring: KeyRing, partition: int, seq: int) -> list[Sealed]:
    """Return the sealed decisions of `partition` from sequence number `seq` to the end as it is now.

    The offset is found by halving: sequence numbers rise with offsets. Costs
    about 20 reads and then everything that came after. Raise `Corrupted` when
    there is no such record, and `Unavailable` when it may be among those of a
    schema that this package does not read.
    """
    end = log.end(Topic.DECISIONS, partition)
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        found = _seq_from(log, partition, middle, end)
        if found is not None and found < seq:
            low = middle + 1
        else:
            high = middle
    # What cannot be read lies between the last record before and the first behind it, and is then read over.
    start = min(low, _batch_start(log, partition, low, seq))
    reader = SealedReader(partition, ring, genesis=start == 0)
    sealed = [one for one in read_with(reader, log, start, end) if one.record.seq >= seq]
    if not sealed or sealed[0].record.seq != seq:
        if reader.unread:
            raise Unavailable(
                f"{Topic.DECISIONS.title}/{partition}: seq {seq} is not found beside records of schema id "
                f"{min(reader.unread)}, which this package does not read"
            )
        raise Corrupted(f"{Topic.DECISIONS.title}/{partition}: no sealed record with seq {seq} before offset {end}")
    return sealed


def _seq_from(log: Log, partition: int, offset: int, end: int) -> int | None:
    """Return the first sequence number at or after `offset`, or None when only Seals follow."""
    while offset < end:
        recs = log.read(Topic.DECISIONS, partition, offset, READ_MOST, THERE_MS)
        if not recs:
            return None
        for rec in recs:
            name, record = _opened(rec)
            if name not in UNNUMBERED:
                return int(record.seq)
        offset = recs[-1].offset + 1
    return None


def _batch_start(log: Log, partition: int, offset: int, seq: int) -> int:
    """Return the offset at which the batch begins whose record `seq` is the first at or after `offset`.

    The records of a batch lie side by side: its Seal says how many stand before.
    """
    at, place = offset, None
    while True:
        recs = log.read(Topic.DECISIONS, partition, at, READ_MOST, THERE_MS)
        if not recs:
            return offset
        for rec in recs:
            name, record = _opened(rec)
            if name not in UNNUMBERED:
                place = rec.offset if place is None else place
            elif name == "seal" and place is not None:
                return max(0, place - (seq - int(record.seq_from)))
        at = recs[-1].offset + 1


def _opened(rec: Rec) -> tuple[str, Any]:
    """Return a decision's name and the record; no name for one of a schema that this package does not read."""
    value = rec.value or b""
    try:
        return open_frame(value)[0], decode_any(value)
    except PoisonRecord as error:
        if error.reason != Reason.SCHEMA_UNKNOWN:
            raise
        return "", None
