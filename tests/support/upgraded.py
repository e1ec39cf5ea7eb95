"""A small world whose writers are of this release, and whose worker may be of a later one."""

from typing import Any

from placet.provenance.seal import SealKey
from tests.support.memory import MemoryFeed
from tests.support.release import Release
from tests.support.world import KEK, World


class Upgraded(World):
    """A world whose writers are of this release, and whose worker is of `release` once there is one."""

    release: Release | None = None

    def __init__(self, release: Release | None = None) -> None:
        self.release = release
        super().__init__()

    def new_loop(self) -> Any:
        if self.release is None:
            return super().new_loop()
        of = self.release.module
        self.codec = of("model.codec")
        keys = of("model.proof").KeyRing([known.key for known in self.keys.pinned.values()])
        tables, library = of("context.tables").Tables(keys), of("decision.library").Library(keys)

        def desk_of(partition: int) -> Any:
            return of("decision.desk").Desk(partition, self.memory.count, tables, library, keys, KEK, self.settings)

        key = SealKey("seal-1", self.seal_private)
        bureau = of("drivers.bureau").Bureau(tables, library, desk_of, "memory", key, keys)
        self.memory.rewind()
        return of("drivers.loop").Loop(
            self.memory,
            MemoryFeed(self.memory),
            bureau,
            self.clock,
            self.entropy,
            of("drivers.metrics").Watch(),
            batch_most=500,
            seal_idle_ms=1000,
            skew_ms_max=2000,
        )

    def upgrade(self, release: Release | None) -> None:
        self.release = release
        self.restart()
