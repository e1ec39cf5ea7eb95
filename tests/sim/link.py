"""How a process and the cluster hear of each other: each request takes its time, and may find nobody there."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from tests.faults.script import Died
from tests.sim.cluster import Cluster
from tests.sim.timeline import Timeline

T = TypeVar("T")


class Lost(Exception):
    """A request or its answer did not come through; whether it was done nobody says."""


class Weather(Protocol):
    """What may happen to a request of a process. It may pause, raise `Died`, `Lost`, or what a client would raise."""

    def around(self, link: "Link", api: str, call: Callable[[], T]) -> T: ...


class Calm:
    """Every request takes a millisecond and is answered."""

    def around(self, link: "Link", api: str, call: Callable[[], T]) -> T:
        link.timeline.pause(1)
        return call()


class Link:
    """One process and its way to the cluster. What was made over it is gone when the process is."""

    def __init__(self, cluster: Cluster, weather: Weather | None = None, name: str = "process") -> None:
        self.cluster = cluster
        self.timeline: Timeline = cluster.timeline
        self.weather: Weather = weather or Calm()
        self.name = name
        self.dead = False
        self.silent_since: float | None = None
        """Since when no heartbeat has come through: stopped, or cut off. None while they do."""
        self.on_silence: list[Callable[[], None]] = []
        self.cut_until = 0.0

    def ask(self, api: str, call: Callable[[], T]) -> T:
        """Return the answer to a request. Raise `Lost` when there is none."""
        self.check()
        answer = self.weather.around(self, api, call)
        self.check()
        return answer

    def check(self) -> None:
        if self.dead:
            raise Died(self.name)

    def die(self) -> None:
        """Be gone, with all clients, in the middle of whatever they do."""
        self.dead = True
        self.fall_silent()

    def fall_silent(self) -> None:
        """Send no heartbeats from now on."""
        if self.silent_since is None:
            self.silent_since = self.timeline.now
            for watch in list(self.on_silence):
                watch()

    def speak(self) -> None:
        """Send heartbeats again."""
        if not self.dead:
            self.silent_since = None
