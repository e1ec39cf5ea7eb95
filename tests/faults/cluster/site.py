"""One scenario's installation on the cluster: its topics, two workers, the context app, two executors, agents and a feed."""

import shutil
import signal
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic, sleep, time
from typing import Self

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from broker import Broker
from placet import wiring
from placet.drivers.kafka.reader import Reader
from placet.drivers.kafka.topics import apply_topics, remove_topics
from placet.model.topics import INPUTS, Topic
from tests.faults.cluster import cast
from tests.faults.cluster.cast import PARTITIONS, REPLICAS
from tests.faults.cluster.children import Child, actor, verb
from tests.faults.cluster.proxy import Proxy
from tests.faults.town import OTHER, SHOP

RATE = 130
"""Intents a second, by the clock."""
PATIENCE_S = 90.0
STOP_S = 40.0
_LOOK_S = 0.05
_STACKS_S = 5.0
SAID = 4_000
"""Characters of what each process said last that a failure shows."""


class Unproved(AssertionError):
    """The fault did not bite: what the scenario showed is nothing."""


class Site:
    """`with Site(...) as site`: load is on when the block begins, and every process is gone when it ends.

    `proof` is what shows that the fault bit, by name; `prove` fails on zero.
    `alone` says that no other fault is on, `may_detect` that contradictions may
    come of it and have to be named.
    """

    def __init__(self, broker: Broker, proxy: Proxy, folder: Path, seed: int, *, rate: int = RATE) -> None:
        self.broker = broker
        self.proxy = proxy
        self.folder = folder
        self.draw = Random(seed)
        self.seed = seed
        self.rate = rate
        self.bootstrap = ",".join(f"127.0.0.1:{port}" for port in proxy.ports.values())
        self.prefix = f"{uuid.uuid4().hex[:8]}."
        self.connection = wiring.cluster(cast.settings(self.bootstrap, self.prefix, "test"))
        self.admin = AdminClient(self.connection.client())
        self.proof: dict[str, int] = {}
        self.counts: Counter[object] = Counter()
        self.counted = dict.fromkeys(range(cast.PARTITIONS), 0)
        self.may_detect = False
        self.alone = True
        self.loaded_s = 0.0
        self._began = 0.0
        self.env = {
            "PLACET_PREFIX": self.prefix,
            "PLACET_METRICS_PORT": "0",
            "PLACET_BATCH_WAIT_MS": "50",
            "PLACET_WATERMARK_MS": "1000",
        }
        self.a, self.b = (self._worker(slot) for slot in ("worker-a", "worker-b"))
        words = ["context", "--bootstrap", self.bootstrap, "--data", str(self.data("context"))]
        self.context = verb(words, "context", folder / "context.log", self.env)
        where = {"bootstrap": self.bootstrap, "prefix": self.prefix, "folder": str(folder)}
        self.shop = actor("executor", "shop", folder / "shop.log", issuer=SHOP, **where)
        self.other = actor("executor", "other", folder / "other.log", issuer=OTHER, **where)
        self.agents = actor("agents", "agents", folder / "agents.log", rate=rate, seed=seed, **where)
        self.workers = (self.a, self.b)
        self.children: tuple[Child, ...] = (self.a, self.b, self.context, self.shop, self.other, self.agents)

    def data(self, name: str) -> Path:
        """Return a folder with the keys in it, made when it is not there."""
        data = self.folder / name
        cast.lay_keys(data)
        return data

    def _worker(self, slot: str) -> Child:
        words = ["worker", "--bootstrap", self.bootstrap, "--slot", slot, "--data", str(self.data(slot))]
        return verb(words, slot, self.folder / f"{slot}.log", self.env)

    def __enter__(self) -> Self:
        try:
            apply_topics(self.connection, partitions=PARTITIONS, replication=REPLICAS)
            cast.publish(self.connection, int(time() * 1000))
            for child in self.children:
                child.start()
            self.until(self.asked, "nothing is asked")
            self._began = monotonic()
            self.until(lambda: self.acts() > self.rate, "the load is not carried")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.lift()
        for child in self.children:
            child.signal(signal.SIGCONT)
            child.kill()

    def remove(self) -> None:
        """Leave nothing of it, on the cluster or on the disk."""
        remove_topics(self.connection)
        shutil.rmtree(self.folder, ignore_errors=True)

    # While it runs

    def until(self, holds: Callable[[], object], otherwise: str, seconds: float = PATIENCE_S) -> None:
        """Look after the processes until something holds; `otherwise` says what is wrong if it never does."""
        late = monotonic() + seconds
        while not holds():
            self.tend()
            if monotonic() > late:
                self.stacks()
                raise AssertionError(f"{otherwise} after {seconds:.0f} s\n{self.logs()}")
            sleep(_LOOK_S)

    def tend(self) -> None:
        """Begin again what ended unasked."""
        for child in self.children:
            child.tend()

    def load_for(self, seconds: float) -> None:
        """Let the load go on for so long, whatever is in its way."""
        until = monotonic() + seconds
        self.until(lambda: monotonic() >= until, "time stands still", seconds + PATIENCE_S)

    def carry_on(self, acts: int | None = None) -> None:
        """Let the load go on until so many more actions were done (a second's worth): there is progress."""
        wanted = self.acts() + (acts or self.rate // 2)
        self.until(lambda: self.acts() >= wanted or self.corrupted(), "nothing is done any more")

    def prove(self, what: str, count: int) -> None:
        """Note how often the fault bit; not at all is a failure."""
        self.proof[what] = self.proof.get(what, 0) + count
        if not self.proof[what]:
            raise Unproved(f"the fault did not bite: {what}: 0\n{self.logs()}")

    def corrupted(self) -> list[str]:
        """Return who has stopped at a contradiction, and what each said of it."""
        return [f"{child.name}: {child.contradiction}" for child in self.children if child.corrupted]

    def acts(self) -> int:
        """Return how many actions were begun."""
        return sum(path.read_bytes().count(b"\n") for path in self.folder.glob("acts-*"))

    def asked(self) -> list[tuple[int, int, bytes]]:
        """Return partition, offset and id of every intent that the cluster acknowledged."""
        found = [line.split() for line in lines(self.folder / "asked")]
        return [(int(partition), int(offset), bytes.fromhex(name)) for partition, offset, name in found]

    def stacks(self) -> None:
        """Let every worker die with the stacks of its threads in its log: whoever stands still says where."""
        for worker in self.workers:
            worker.signal(signal.SIGCONT)
            worker.signal(signal.SIGABRT)
        until = monotonic() + _STACKS_S
        while monotonic() < until and any(worker.running() for worker in self.workers):
            sleep(_LOOK_S)

    def logs(self) -> str:
        """Return the end of what each process said, for a person."""
        return "\n".join(
            f"-- {child.name} begun {child.begun} ended {child.ends}\n{child.said()[-SAID:]}" for child in self.children
        )

    # Its end

    def drain(self) -> None:
        """End the load, let everything asked be decided and done, and end the rest in order."""
        self.loaded_s = monotonic() - self._began
        self.agents.stop(STOP_S)
        reader = Reader(self.connection)
        try:
            self.until(partial(self._decided, reader), "not everything is decided")
            for executor in (self.shop, self.other):
                executor.stop(STOP_S)
            self.until(partial(self._decided, reader), "not everything is decided")
        finally:
            reader.close()
        for child in (self.context, self.a, self.b):
            child.stop(STOP_S)

    def _decided(self, reader: Reader) -> bool:
        """Return whether the group has decided all inputs up to their ends."""
        if self.corrupted():
            return True
        return all(at >= reader.bounds(*place)[1] for place, at in self.positions().items())

    def positions(self) -> dict[tuple[Topic, int], int]:
        """Return the workers' committed positions in the inputs, -1 where there is none yet."""
        titles = {self.connection.title(topic): topic for topic in INPUTS}
        wanted = [TopicPartition(title, partition) for title in titles for partition in range(PARTITIONS)]
        group = self.connection.prefix + self.connection.group
        answer = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, wanted)])
        found = next(iter(answer.values())).result(30).topic_partitions
        return {(titles[one.topic], one.partition): max(one.offset, 0) for one in found}


def lines(path: Path) -> list[str]:
    """Return the whole lines of a file; none when it is not there."""
    return path.read_text().split("\n")[:-1] if path.exists() else []
