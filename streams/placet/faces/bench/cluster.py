"""Topics of a bench's own on a cluster, with a company in them, fed in waves no faster than a worker can follow."""

import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

from placet import wiring
from placet.drivers.entropy import SystemEntropy
from placet.drivers.kafka import KafkaLog
from placet.drivers.kafka.topics import apply_topics, remove_topics
from placet.drivers.keyfile import Keys, ensure_keys
from placet.drivers.settings import Settings
from placet.faces.bench import company
from placet.faces.bench.child import Child
from placet.faces.bench.packs import RULES
from placet.faces.bench.report import tell
from placet.faces.bench.workload import ByPartition, Wave, Workload
from placet.model.topics import Topic

WORKLOAD_MOST = 10_000_000
"""Intents one workload may ask for; the next begins after them."""
OPEN_WAVE = 10_000
AHEAD = 3
"""Waves of intents that lie before a worker, so that it never waits for the next."""


@dataclass(slots=True)
class Cluster:
    """Fresh topics with all context written, and how many records were appended to each."""

    settings: Settings
    keys: Keys
    log: KafkaLog
    sent: Counter[tuple[int, int]] = field(default_factory=Counter)
    _numbered: int = 0

    def workload(self, *, reported: bool = False, actors: range | None = None) -> Workload:
        """Return intents that were never asked before, of this cluster's executor."""
        executor, first = self.keys.signer("executor"), self._numbered
        self._numbered += WORKLOAD_MOST
        return Workload(self.settings.cluster_partitions, executor, reported=reported, first=first, actors=actors)

    def append(self, topic: Topic, messages: ByPartition) -> None:
        """Append messages, many at once."""
        for partition, batch in messages.items():
            self.log.append_async(topic, partition, batch)
            self.sent[int(topic), partition] += len(batch)
        self.log.flush()

    def ask(self, wave: Wave) -> "Waiting":
        """Append the intents of a wave."""
        self.append(Topic.INTENTS, wave.intents)
        return Waiting(wave, dict(self.sent))

    def leave_open(self, child: Child, wanted: int, workload: Workload) -> None:
        """Ask until `wanted` leases are open."""
        child.until(lambda status: reached(status, self.sent))
        while (left := wanted - child.status["open"]) > 0:
            tell(f"{child.status['open']} of {wanted} leases are open")
            self.ask(workload.wave(min(OPEN_WAVE, left + left // 40 + 1), time.time_ns() // 1_000_000))
            child.until(lambda status: reached(status, self.sent))

    def feed(self, child: "Deciding", waves: Iterable[Wave], ahead: list["Waiting"]) -> None:
        """Bring waves of intents, `ahead` asked already, and each one's claims and outcomes once it is answered."""
        waiting, source, number = deque(ahead), iter(waves), 0
        while True:
            while len(waiting) < AHEAD and (wave := next(source, None)) is not None:
                waiting.append(self.ask(wave))
            if not waiting:
                break
            wave, upto = waiting.popleft()
            child.until(lambda status, upto=upto: reached(status, upto))  # type: ignore[misc]
            self.append(Topic.OUTCOMES, wave.claims)
            self.append(Topic.OUTCOMES, wave.outcomes)
            number += wave.size
            if number % 50_000 < wave.size:
                tell(f"kafka: {number} intents answered")
        child.until(lambda status: reached(status, self.sent))


class Deciding(Protocol):
    """A worker, or several that are fed as one. `until` returns when something holds of how far they say they are."""

    def until(self, holds: Callable[[Mapping[str, Any]], bool]) -> None: ...


class Waiting(NamedTuple):
    """A wave that was asked, and the offsets below which its intents lie."""

    wave: Wave
    upto: Mapping[tuple[int, int], int]


def reached(status: Mapping[str, Any], upto: Mapping[tuple[int, int], int]) -> bool:
    """Return whether a worker has decided all records below these offsets."""
    return all(
        status.get("intents" if topic == Topic.INTENTS else "outcomes", {}).get(str(partition), 0) >= offset
        for (topic, partition), offset in upto.items()
    )


@contextmanager
def cluster(bootstrap: str) -> Iterator[Cluster]:
    """Yield topics under a prefix of their own, with a company in them. They are removed afterwards."""
    with TemporaryDirectory(prefix="placet-bench-") as name:
        settings = Settings(
            data=Path(name), bootstrap=bootstrap, prefix=f"bench-{secrets.token_hex(4)}.", replicas=1, slot="bench"
        )
        keys = ensure_keys(settings.keys_file, settings.secrets_dir, SystemEntropy())
        connection = wiring.cluster(settings)
        apply_topics(connection, partitions=settings.cluster_partitions, replication=1)
        log = KafkaLog(connection)
        try:
            operator, executor = keys.signer("operator"), keys.signer("executor").issuer
            company.write(log, operator, executor, RULES, time.time_ns() // 1_000_000)
            yield Cluster(settings, keys, log)
        finally:
            log.close()
            remove_topics(connection)
