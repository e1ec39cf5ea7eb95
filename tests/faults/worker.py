"""One deciding process over an installation, put together as `wiring` does it, with a script in the way of each port."""

from collections.abc import Collection
from hashlib import sha256
from time import monotonic

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from placet.context.tables import Tables
from placet.decision.desk import Desk
from placet.decision.library import Library
from placet.decision.settings import DeskSettings
from placet.drivers.bureau import Bureau
from placet.drivers.loop import Loop
from placet.drivers.metrics import Watch
from placet.errors import Unavailable, Unsure
from placet.model.topics import INPUTS, Topic
from placet.ports import Clock, Journal
from placet.provenance.seal import SealKey
from tests.faults import town
from tests.faults.journals import Handle
from tests.faults.script import Died, FaultyClock, FaultyEntropy, FaultyFeed, FaultyJournal, Script

SEAL_KEY = SealKey("seal-1", Ed25519PrivateKey.from_private_bytes(b"s" * 32))
PATIENCE_S = 60


class SeededEntropy:
    """Bytes that no other life of a worker draws, and that are the same when the story is told again."""

    def __init__(self, seed: int, life: int) -> None:
        self._drawn = 0
        self._life = b"%d/%d" % (seed, life)

    def draw(self, size: int) -> bytes:
        self._drawn += 1
        block = b"".join(
            sha256(b"%b/%d/%d" % (self._life, self._drawn, part)).digest() for part in range(size // 32 + 1)
        )
        return block[:size]


class Worker:
    """Serves an installation, dies as the script says, and begins again with nothing but what was committed."""

    def __init__(
        self, handle: Handle, clock: Clock, script: Script, settings: DeskSettings, seed: int, most: int
    ) -> None:
        self.handle = handle
        self.script = script
        self._clock = clock
        self._settings = settings
        self._seed = seed
        self._most = most
        self.lives = 0
        self.loop = self._born()

    def _born(self) -> Loop:
        self.lives += 1
        self.journal = self.handle.journal()
        self.feed = self.handle.feed()
        entropy = SeededEntropy(self._seed, self.lives)
        return build(
            FaultyJournal(self.journal, self.script),
            FaultyFeed(self.feed, self.script),
            FaultyClock(self._clock, self.script),
            FaultyEntropy(entropy, self.script),
            self.handle.log().partitions(Topic.INTENTS),
            self._settings,
            self._most,
        )

    def restart(self) -> None:
        """Drop all memory and open again."""
        self.handle.reopen()
        self.loop = self._born()

    def turn(self, wait_ms: int = 0) -> bool:
        """Run one turn of the loop; return whether it came through."""
        try:
            self.loop.step(wait_ms)
        except Unavailable:
            return False
        except (Unsure, Died):
            self.restart()
            return False
        return True

    def serve(self, partitions: Collection[int]) -> None:
        """Restore what is assigned, until that is just `partitions`, and decide nothing yet."""
        late = monotonic() + PATIENCE_S
        while self.loop.bureau.places.keys() != set(partitions):
            assert monotonic() < late, f"serving {self.loop.bureau.places.keys()}, expected {partitions}"
            self.loop._assign()

    def drain(self, wait_ms: int = 0) -> None:
        """Run turns until everything there is has been decided and swept."""
        late = monotonic() + PATIENCE_S
        while not (self.turn(wait_ms) and self._idle()):
            assert monotonic() < late, f"still {self._behind()}"

    def _idle(self) -> bool:
        places = self.loop.bureau.places
        swept = all(
            not len(place.desk.sweeps) and not place.desk.book.heard and not place.desk.book.freed
            for place in places.values()
        )
        return swept and not self._behind() and not self.loop.bureau.poison

    def _behind(self) -> dict[tuple[int, int], int]:
        """Return what is not decided yet: (topic, partition) to how many records."""
        log, places = self.handle.log(), self.loop.bureau.places
        return {
            (int(topic), partition): left
            for partition in range(log.partitions(Topic.INTENTS))
            for topic in INPUTS
            if (
                left := log.end(topic, partition)
                - (places[partition].inputs.get(topic, 0) if partition in places else 0)
            )
        }


def build(
    journal: Journal,
    feed: FaultyFeed,
    clock: FaultyClock,
    entropy: FaultyEntropy,
    partitions: int,
    settings: DeskSettings,
    most: int,
) -> Loop:
    """Return a loop that knows nothing but what is committed."""
    keys = town.ring()
    tables, library = Tables(keys), Library(keys)

    def desk_of(partition: int) -> Desk:
        return Desk(partition, partitions, tables, library, keys, town.KEK, settings)

    bureau = Bureau(tables, library, desk_of, journal.cluster, SEAL_KEY, keys)
    return Loop(journal, feed, bureau, clock, entropy, Watch(), batch_most=most, seal_idle_ms=1_000, skew_ms_max=2_000)
