"""Keys on record as a process hears them that decides nothing itself: followed, and folded into its own ring."""

import threading
from collections.abc import Iterator
from contextlib import suppress

from placet.context.roll import Roll
from placet.errors import PlacetError
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Log, Rec

READ_MOST = 1_000
EVERY_S = 1.0


class KeyWatch:
    """Follows `placet.keys` into `ring`, which it alone fills. What is not believed there the desks refuse.

    `hear` is for one thread. With `follow` that is a thread of its own: what a
    new key signs is then believed about a second after it was put on record.
    """

    def __init__(self, log: Log, ring: KeyRing) -> None:
        self.ring = ring
        self._log = log
        partitions = log.partitions(Topic.KEYS)
        self._roll = Roll(ring, partitions)
        self._next = dict.fromkeys(range(partitions), 0)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="placet-keys", daemon=True)

    def hear(self) -> None:
        """Fold what is on record by now. Raise what the log raises; what was heard before stands."""
        self._roll.hear([rec for partition in self._next for rec in self._read(partition)])
        if self._roll.stale:
            begun = dict.fromkeys(self._next, 0)
            self._next.update(begun)
            self._roll.hear_again([rec for partition in begun for rec in self._read(partition)])

    def _read(self, partition: int) -> Iterator[Rec]:
        offset, end = self._next[partition], self._log.end(Topic.KEYS, partition)
        while offset < end and (recs := self._log.read(Topic.KEYS, partition, offset, READ_MOST, 0)):
            yield from recs
            offset = self._next[partition] = recs[-1].offset + 1

    def follow(self) -> None:
        """Hear every second, in a thread, until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the end."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        while not self._ending.wait(EVERY_S):
            with suppress(PlacetError):  # the log answers again, or the process ends for its own reasons
                self.hear()
