"""Keys on record as a process hears them that decides nothing itself: followed, and folded into its own ring."""

import threading
from contextlib import suppress

from placet.context.writers import Writers
from placet.errors import PlacetError, PoisonRecord
from placet.model.codec import BY_HEADER, HEADERS
from placet.model.proof import KeyRing
from placet.model.topics import Topic
from placet.ports import Log

RECORDS = HEADERS["key"]
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
        self._writers = Writers(ring)
        self._partitions = log.partitions(Topic.KEYS)
        self._next = dict.fromkeys(range(self._partitions), 0)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="placet-keys", daemon=True)

    def hear(self) -> None:
        """Fold what is on record by now. Raise what the log raises; what was heard before stands."""
        for partition, offset in self._next.items():
            end = self._log.end(Topic.KEYS, partition)
            while offset < end and (recs := self._log.read(Topic.KEYS, partition, offset, READ_MOST, 0)):
                for rec in recs:
                    value = rec.value or b""
                    if value[:5] in RECORDS:
                        with suppress(PoisonRecord):
                            self._writers.fold(rec, value, self._partitions, BY_HEADER[value[:5]])
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
