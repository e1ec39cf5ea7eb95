"""How far each partition may be read, and sleeping until it is farther."""

from collections.abc import Iterable, Mapping
from threading import Event, Lock
from time import monotonic

Place = tuple[int, int]
"""A topic and a partition."""


class Ends:
    """The durable end of each partition. Who waits for one is woken by it, and by no other."""

    def __init__(self, ends: Mapping[Place, int]) -> None:
        self._ends = dict(ends)
        self._guard = Lock()
        self._sleepers: dict[Place, set[Event]] = {}
        self._over = False

    def at(self, place: Place) -> int:
        """Return one past the last durable record."""
        return self._ends[place]

    def raise_to(self, moves: Iterable[tuple[Place, int]]) -> None:
        """Let these be read, and wake who waits for them."""
        with self._guard:
            for place, end in moves:
                self._ends[place] = end
                for sleeper in self._sleepers.pop(place, ()):
                    sleeper.set()

    def finish(self) -> None:
        """Wake everybody; from now on nobody sleeps here."""
        with self._guard:
            self._over = True
            for sleepers in self._sleepers.values():
                for sleeper in sleepers:
                    sleeper.set()
            self._sleepers.clear()

    def wait(self, marks: Mapping[Place, int], until: float) -> bool:
        """Sleep until an end lies past its mark or `finish` is called; False when the monotonic clock came to `until`."""
        bell = Event()
        with self._guard:
            if self._over or any(self._ends[place] > mark for place, mark in marks.items()):
                return True
            for place in marks:
                self._sleepers.setdefault(place, set()).add(bell)
        rung = bell.wait(max(until - monotonic(), 0))
        with self._guard:
            for place in marks:
                sleepers = self._sleepers.get(place)
                if sleepers is not None:
                    sleepers.discard(bell)
                    if not sleepers:
                        del self._sleepers[place]
        return rung
