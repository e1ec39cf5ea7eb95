"""A journal in memory that keeps the promises of `placet.ports`: the simplest thing the loop can run on."""

from collections.abc import Mapping, Sequence

from placet.model.codec import seal
from placet.model.topics import CONTEXT, INPUTS, Topic
from placet.ports import Emits, Message, Rec, Restored


class HandClock:
    """A clock moved by hand, in ms."""

    def __init__(self, now: int = 1_760_000_000_000) -> None:
        self.now = now

    def now_ms(self) -> int:
        return self.now


class CountedEntropy:
    """Bytes that never repeat and are the same in every run."""

    def __init__(self) -> None:
        self.drawn = 0

    def draw(self, size: int) -> bytes:
        self.drawn += 1
        return (self.drawn.to_bytes(8, "big") * (size // 8 + 1))[:size]


class Memory:
    """Topics as lists. One object is journal and log at once."""

    cluster = "memory"

    def __init__(self, partitions: int, clock: HandClock) -> None:
        self.count = partitions
        self.clock = clock
        self.topics: dict[tuple[int, int], list[Rec]] = {}
        self.committed: dict[tuple[int, int], int] = {}
        self.taken: dict[tuple[int, int], int] = {}

    def partitions(self, topic: int) -> int:
        return 1 if topic in CONTEXT or topic == Topic.SIGNALS else self.count

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        log = self.topics.setdefault((topic, partition), [])
        first = len(log)
        for number, message in enumerate(messages):
            log.append(Rec(topic, partition, first + number, self.clock.now, *message))
        return first

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:
        return self.topics.get((topic, partition), [])[offset : offset + most]

    def end(self, topic: int, partition: int) -> int:
        return len(self.topics.get((topic, partition), []))

    def assigned(self) -> frozenset[int]:
        return frozenset(range(self.count))

    def take(self, most: int, wait_ms: int) -> dict[int, list[Rec]]:
        found: dict[int, list[Rec]] = {}
        for partition in range(self.count):
            for topic in INPUTS:
                at = self.taken.get((topic, partition), self.committed.get((topic, partition), 0))
                records = self.read(topic, partition, at, most, 0)
                self.taken[topic, partition] = at + len(records)
                if records:
                    found.setdefault(partition, []).extend(records)
        return found

    def commit(self, emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:
        for partition, said in emits.items():
            self.append(Topic.DECISIONS, partition, said.decisions)
            self.append(Topic.CASES, partition, said.cases)
            self.append(Topic.DESK, partition, said.desk)
            self.append(Topic.QUARANTINE, partition, said.quarantine)
        for partition, ends in inputs.items():
            for topic, offset in ends.items():
                self.committed[topic, partition] = offset

    def rewind(self) -> None:
        self.taken.clear()

    def restore(self, partition: int) -> Restored:
        live: dict[bytes, Rec] = {}
        for rec in self.topics.get((Topic.DESK, partition), []):
            live.pop(rec.key or b"", None)
            if rec.value is not None:
                live[rec.key or b""] = rec
        tail: list[Rec] = []
        for rec in reversed(self.topics.get((Topic.DECISIONS, partition), [])):
            if tail and (rec.value or b"")[:5] == seal.HEADER:
                break
            tail.insert(0, rec)
        inputs: dict[int, int] = {
            topic: self.committed[topic, partition] for topic in INPUTS if (topic, partition) in self.committed
        }
        return Restored(list(live.values()), tail, inputs)

    def close(self) -> None:
        """Forget what was taken and not committed."""
        self.taken.clear()


class MemoryFeed:
    """The context topics of a `Memory`, read by one reader."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._read_to: dict[int, int] = {}

    def catch_up(self) -> list[Rec]:
        self._read_to.clear()
        return self.take()

    def again(self) -> list[Rec]:
        return self.catch_up()

    def take(self) -> list[Rec]:
        found = []
        for topic in CONTEXT:
            at = self._read_to.get(topic, 0)
            records = self._memory.read(topic, 0, at, 1 << 30, 0)
            self._read_to[topic] = at + len(records)
            found += records
        return found

    def close(self) -> None:
        self._read_to.clear()
