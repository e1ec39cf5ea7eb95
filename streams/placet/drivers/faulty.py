"""Faulty context that waits to be refused: each record by itself, of a flood the last of its kind for all the others."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from placet.ports import Rec

SINGLE_MOST = 500
"""Faulty records refused and kept one by one in a turn; a batch of decisions must stay one that readers hold."""
Kind = tuple[int, int, int]
"""Topic, partition and reason."""


class Fault(NamedTuple):
    """One record that no reader takes, and why."""

    rec: Rec
    reason: int
    detail: str


class Flood(NamedTuple):
    """Faults of one kind past the bound: how many, the offset of the first, and the last of them."""

    size: int
    first: int
    last: Fault

    def told(self) -> Fault:
        """Return the last of them, saying how many it is refused for."""
        if self.size == 1:
            return self.last
        more = f"{self.size - 1} more from offset {self.first} on are refused with this one and not kept"
        return self.last._replace(detail=f"{more}: {self.last.detail}")


class Faulty:
    """What was heard and cannot be taken, in the order it was heard. Its size in memory is bounded."""

    def __init__(self) -> None:
        self._single: list[Fault] = []
        self._floods: dict[Kind, Flood] = {}

    def __len__(self) -> int:
        return len(self._single) + sum(flood.size for flood in self._floods.values())

    def __iter__(self) -> Iterator[Fault]:
        """Yield what is to be refused."""
        yield from self._single
        for flood in self._floods.values():
            yield flood.told()

    @property
    def flooded(self) -> bool:
        """Whether there were more than are kept one by one."""
        return bool(self._floods)

    def add(self, rec: Rec, reason: int, detail: str) -> None:
        """Take one more."""
        fault = Fault(rec, reason, detail)
        if len(self._single) < SINGLE_MOST:
            self._single.append(fault)
            return
        kind = (rec.topic, rec.partition, reason)
        known = self._floods.get(kind, Flood(0, rec.offset, fault))
        self._floods[kind] = Flood(known.size + 1, known.first, fault)

    def clear(self) -> None:
        """Let go of all of it."""
        self._single, self._floods = [], {}

    def drop_below(self, cut: Mapping[tuple[int, int], int]) -> None:
        """Let go of what lies below a cut, by topic and partition; floods are as they are."""
        self._single = [
            fault for fault in self._single if fault.rec.offset >= cut.get((fault.rec.topic, fault.rec.partition), 0)
        ]
