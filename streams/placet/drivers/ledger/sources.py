"""What a notary reads: all decisions and all context, each partition in order, from where the log is."""

from collections.abc import Mapping
from typing import Protocol

from placet.drivers.embedded import EmbeddedLog
from placet.errors import Corrupted
from placet.model.topics import Topic
from placet.ports import Rec
from placet.provenance.leaf import LOGGED
from placet.provenance.ledger import Place


class Source(Protocol):
    """Committed records as they come. Raise `Unavailable` where nothing can be read now; nothing is lost by that."""

    def take(self, most: int, wait_ms: int) -> list[Rec]:
        """Return up to `most` records behind those returned before, as soon as there is one; none after `wait_ms`."""
        ...

    def logged(self, places: Mapping[Place, int]) -> None:
        """Hear how far the log has come for good."""
        ...

    def close(self) -> None: ...


class FolderSource:
    """The records of a folder's owner, those that newer ones have followed among them."""

    def __init__(self, log: EmbeddedLog, places: Mapping[Place, int]) -> None:
        """Begin at `places`; raise `Corrupted` where the folder ends before the log that was made of it."""
        self._log = log
        self._next: dict[Place, int] = {
            (int(topic), partition): places.get((int(topic), partition), 0)
            for topic in LOGGED
            for partition in range(log.partitions(topic))
        }
        for (topic, partition), offset in places.items():
            end = log.end(topic, partition)
            if end < offset:
                raise Corrupted(
                    f"{Topic(topic).title}/{partition} ends at {end}, the provenance log has read to {offset}: "
                    "refusing to log another past"
                )
        self.logged(places)

    def take(self, most: int, wait_ms: int) -> list[Rec]:
        found: list[Rec] = []
        for place, offset in self._next.items():
            if len(found) == most:
                break
            recs = self._log.whole(*place, offset, most - len(found))
            if recs:
                self._next[place] = recs[-1].offset + 1
                found += recs
        if not found and wait_ms:
            # A Seal a second at least stands in the first partition, so it wakes who waits for anything.
            first = (int(Topic.DECISIONS), 0)
            self._log.read(*first, self._next[first], 1, wait_ms)
            return self.take(most, 0)
        return found

    def logged(self, places: Mapping[Place, int]) -> None:
        self._log.forget({place: offset for place, offset in places.items() if place[0] != Topic.DECISIONS})

    def close(self) -> None:
        self._log.close()
