"""What was decided before anybody here listened: found by its sequence number, and believed only under its Seal."""

from placet.errors import Corrupted
from placet.faces.sdk.follow import THERE_MS, read_sealed
from placet.faces.sdk.sealed import Sealed
from placet.model.codec import BY_NAME, open_frame
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Log

READ_MOST = 200


def since(log: Log, ring: KeyRing, partition: int, seq: int) -> list[Sealed]:
    """Return the sealed decisions of `partition` from sequence number `seq` to the end as it is now.

    The offset is found by halving: sequence numbers rise with offsets. Costs
    about 20 reads and then everything that came after. Raise `Corrupted` when
    there is no such record.
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
    start = _batch_start(log, partition, low, seq)
    sealed = [one for one in read_sealed(log, ring, partition, start, end) if one.record.seq >= seq]
    if not sealed or sealed[0].record.seq != seq:
        raise Corrupted(f"{Topic.DECISIONS.title}/{partition}: no sealed record with seq {seq} before offset {end}")
    return sealed


def _seq_from(log: Log, partition: int, offset: int, end: int) -> int | None:
    """Return the first sequence number at or after `offset`, or None when only Seals follow."""
    while offset < end:
        recs = log.read(Topic.DECISIONS, partition, offset, READ_MOST, THERE_MS)
        if not recs:
            return None
        for rec in recs:
            name, _ = open_frame(rec.value or b"")
            if name != "seal":
                return int(BY_NAME[name].decode(rec.value or b"").seq)
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
            name, _ = open_frame(rec.value or b"")
            if name != "seal":
                place = rec.offset if place is None else place
            elif place is not None:
                return max(0, place - (seq - int(BY_NAME["seal"].decode(rec.value or b"").seq_from)))
        at = recs[-1].offset + 1
