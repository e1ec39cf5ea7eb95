"""The one order in which keys on record are heard, for everybody who hears them: what a pinned key signed goes first."""

from collections.abc import Collection, Iterable
from contextlib import suppress

from placet.context.writers import Writers
from placet.errors import PoisonRecord
from placet.model.codec import BY_HEADER, HEADERS, decode_as
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Rec

RECORDS = HEADERS["key"]


def rank_of(rec: Rec, pinned: Collection[str]) -> int:
    """Return when a context record is heard, 0 first: what others prove rests on the keys, and those on pinned ones.

    Every operator on record was put there by a pinned one, so nothing of rank 1 waits for a key that comes after it.
    """
    if rec.topic != Topic.KEYS:
        return 2
    try:
        said = decode_as("key", rec.value)
    except PoisonRecord:
        return 1
    return 0 if said is not None and said.proof is not None and said.proof.kid in pinned else 1


class Roll:
    """The keys on record as a reader hears them that decides nothing: what is not believed the desks refuse.

    `ring` is filled by it alone. Which keys stand in it depends on which records
    were heard, and not on how many were heard at a time.
    """

    def __init__(self, ring: KeyRing, partitions: int) -> None:
        self._ring = ring
        self._partitions = partitions
        self._writers = Writers(ring)

    @property
    def stale(self) -> bool:
        """Whether more had waited for an operator's key than is remembered: all must be heard again."""
        return self._writers.stale

    def hear(self, records: Iterable[Rec]) -> None:
        """Fold records of `placet.keys`, in the order in which they are believed."""
        self._fold(self._writers, records)

    def hear_again(self, records: Iterable[Rec]) -> None:
        """Fold all there are anew; what was known stands until that is done."""
        writers = Writers(self._ring.apart())
        self._fold(writers, records)
        writers.serve(self._ring)
        self._writers = writers

    def _fold(self, writers: Writers, records: Iterable[Rec]) -> None:
        for rec in sorted(records, key=lambda rec: rank_of(rec, self._ring.pinned)):
            value = rec.value or b""
            if value[:5] in RECORDS:
                with suppress(PoisonRecord):
                    writers.fold(rec, value, self._partitions, BY_HEADER[value[:5]])
