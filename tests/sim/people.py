"""Who lives in a simulated town besides its agents: executors that believe what is sealed, writers that are not always told."""

from collections.abc import Sequence
from random import Random

from placet.errors import Corrupted, PlacetError, Unsure
from placet.faces.sdk.sealed import SealedReader
from placet.model.topics import Topic
from placet.ports import Message
from tests.faults import town
from tests.faults.executors import Executors
from tests.sim.cluster import Cluster
from tests.sim.swarm import Kind, Swarm
from tests.sim.town_log import TownLog


class SealedExecutors(Executors):
    """Executors that believe what is sealed, as the shipped ones do, and stop where Seals and decisions disagree."""

    failure: dict[int, PlacetError]

    def begin(self) -> None:
        self._readers: dict[int, SealedReader] = {}
        self.failure = {}

    def listen(self) -> None:
        if self._random.random() < 0.05:
            self._nonces.clear()  # died: whoever comes after does not know what was begun
        log = self._log()
        for partition in range(log.partitions(Topic.DECISIONS)):
            if partition in self.failure:
                continue
            reader = self._readers.setdefault(partition, SealedReader(partition, town.ring(), genesis=True))
            found = log.read(Topic.DECISIONS, partition, self._read.get(partition, 0), 1 << 30, 0)
            if not found:
                continue
            self._read[partition] = found[-1].offset + 1
            try:
                for one in reader.feed(found):
                    self.hear(one.rec.value or b"")
            except Corrupted as failure:
                self.failure[partition] = failure


class ForgetfulLog(TownLog):
    """Writers' own road: what they wrote is there, and at times they are not told."""

    def __init__(self, cluster: Cluster, random: Random, swarm: Swarm) -> None:
        super().__init__(cluster)
        self._random = random
        self._swarm = swarm

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        first = super().append(topic, partition, messages)
        if self._swarm.has(Kind.WRITERS) and self._random.random() < 0.05:
            self._swarm.strike(Kind.WRITERS)
            raise Unsure("nobody tells what became of it")
        return first
