"""A journal without a database: what a desk says goes to flat files, so that memory and collector see only the desk."""

import struct
import time
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path

from placet.model.topics import CONTEXT, INPUTS, Topic
from placet.ports import Clock, Emits, Message, Rec, Restored

_HEAD = struct.Struct(">qii")
"""Append time, length of the key and of the value; -1 stands for none."""


class _Place:
    """The records of one partition, one after another in a file, and where each begins."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=1 << 20)
        self.starts = array("Q", [0])

    def append(self, messages: Sequence[Message], at: int) -> int:
        first, end = len(self.starts) - 1, self.starts[-1]
        parts: list[bytes] = []
        for key, value, _ in messages:
            parts += (_HEAD.pack(at, -1 if key is None else len(key), -1 if value is None else len(value)),)
            parts += (key or b"", value or b"")
            end += _HEAD.size + len(key or b"") + len(value or b"")
            self.starts.append(end)
        self._file.seek(0, 2)
        self._file.write(b"".join(parts))
        return first

    def read(self, topic: int, partition: int, offset: int, most: int) -> list[Rec]:
        last = min(offset + most, len(self.starts) - 1)
        if last <= offset:
            return []
        self._file.seek(self.starts[offset])
        data = self._file.read(self.starts[last] - self.starts[offset])
        found, here = [], 0
        for number in range(offset, last):
            at, key_size, value_size = _HEAD.unpack_from(data, here)
            here += _HEAD.size
            key = None if key_size < 0 else data[here : here + key_size]
            here += max(0, key_size)
            value = None if value_size < 0 else data[here : here + value_size]
            here += max(0, value_size)
            found.append(Rec(topic, partition, number, at, key, value))
        return found

    def close(self) -> None:
        self._file.close()


class Spool:
    """Journal, feed and log in one, for one thread. `cpu_s` is the CPU time that `take` and `commit` have used."""

    cluster = "bench"

    def __init__(self, folder: Path, partitions: int, clock: Clock) -> None:
        self._folder = folder
        self._count = partitions
        self._clock = clock
        self._places: dict[tuple[int, int], _Place] = {}
        self._taken: dict[tuple[int, int], int] = {}
        self._heard: dict[int, int] = {}
        self._first = 0
        self.cpu_s = 0.0

    def partitions(self, topic: int) -> int:
        return 1 if topic in CONTEXT or topic == Topic.SIGNALS else self._count

    def append(self, topic: int, partition: int, messages: Sequence[Message]) -> int:
        return self._place(topic, partition).append(messages, self._clock.now_ms())

    def read(self, topic: int, partition: int, offset: int, most: int, wait_ms: int) -> list[Rec]:  # noqa: ARG002
        return self._place(topic, partition).read(topic, partition, offset, most)

    def end(self, topic: int, partition: int) -> int:
        return len(self._place(topic, partition).starts) - 1

    def assigned(self) -> frozenset[int]:
        return frozenset(range(self._count))

    def restore(self, partition: int) -> Restored:  # noqa: ARG002
        """Return that nothing was ever decided: a spool is used once."""
        return Restored([], [], {})

    def take(self, most: int, wait_ms: int = 0) -> dict[int, list[Rec]]:  # noqa: ARG002
        started = time.thread_time()
        found: dict[int, list[Rec]] = {}
        for step in range(self._count):
            partition = (self._first + step) % self._count
            for topic in INPUTS:
                place = (int(topic), partition)
                records = self.read(*place, self._taken.get(place, 0), most, 0) if most else []
                if records:
                    self._taken[place] = records[-1].offset + 1
                    found.setdefault(partition, []).extend(records)
                    most -= len(records)
        self._first = (self._first + 1) % self._count
        self.cpu_s += time.thread_time() - started
        return found

    def commit(self, emits: Mapping[int, Emits], inputs: Mapping[int, Mapping[int, int]]) -> None:  # noqa: ARG002
        started = time.thread_time()
        for partition, said in emits.items():
            self.append(Topic.DECISIONS, partition, said.decisions)
            self.append(Topic.CASES, partition, said.cases)
            self.append(Topic.DESK, partition, said.desk)
            self.append(Topic.QUARANTINE, partition, said.quarantine)
        self.cpu_s += time.thread_time() - started

    def rewind(self) -> None:
        """Do nothing: no commit here fails and is tried again."""

    def close(self) -> None:
        for place in self._places.values():
            place.close()
        self._places.clear()

    def _place(self, topic: int, partition: int) -> _Place:
        place = self._places.get((topic, partition))
        if place is None:
            path = self._folder / f"{Topic(topic).name.lower()}-{partition}"
            place = self._places[topic, partition] = _Place(path)
        return place


class SpoolFeed:
    """The context topics of a spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._read = dict.fromkeys((int(topic) for topic in CONTEXT), 0)

    def catch_up(self) -> list[Rec]:
        return self.take()

    def again(self) -> list[Rec]:
        self._read = dict.fromkeys(self._read, 0)
        return self.take()

    def take(self) -> list[Rec]:
        found: list[Rec] = []
        for topic, at in self._read.items():
            if self._spool.end(topic, 0) > at:
                found += self._spool.read(topic, 0, at, 1 << 30, 0)
                self._read[topic] = self._spool.end(topic, 0)
        return found

    def close(self) -> None:
        """Do nothing: the spool's files are its own."""
