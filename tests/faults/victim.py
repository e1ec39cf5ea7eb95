"""A real worker in a process of its own, put together by `wiring`, that kills or stops itself at a named call of a port.

`python -m tests.faults.victim SPEC`, with SPEC as JSON. On a folder it does
the errands itself: a folder has one owner. The first line it prints is `up`.
"""

import faulthandler
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import TypeVar

from placet import wiring
from placet.drivers.clock import SystemClock
from placet.drivers.keyfile import Keys
from placet.drivers.loop import Loop
from placet.drivers.metrics import Watch
from placet.drivers.settings import Settings
from placet.errors import PlacetError
from placet.ports import Clock, Entropy, Feed, Journal
from tests.faults.errands import Errands
from tests.faults.script import Fault, FaultyClock, FaultyEntropy, FaultyFeed, FaultyJournal, FaultyLog, Script, Way

T = TypeVar("T")


@dataclass(frozen=True)
class Spec:
    """Where the journal is, what to do there, and where to end. `signal` is what the process sends itself."""

    data: str
    bootstrap: str = ""
    prefix: str = ""
    slot: str = "worker-0"
    first: int = 1
    count: int = 0
    point: str = ""
    way: str = Way.BEFORE.name
    call: int = 1
    signal: int = int(signal.SIGKILL)

    def settings(self) -> Settings:
        return Settings(
            data=Path(self.data),
            bootstrap=self.bootstrap,
            prefix=self.prefix,
            slot=self.slot,
            partitions=2,
            replicas=1,
            cluster="victim",
            batch_wait_ms=20,
        )

    def faults(self) -> list[Fault]:
        if not self.point:
            return []
        fault = Fault(self.point, Way[self.way], self.call)
        # Only a commit that was lost leads to a rewind.
        return [Fault("commit", Way.LOST, 2), fault] if self.point == "rewind" else [fault]

    def json(self) -> str:
        return json.dumps(asdict(self))


class Deadly(Script):
    """A script that does not raise: it sends the process a signal. Nothing is given back, nothing is said."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def around(self, point: str, call: Callable[[], T]) -> T:
        way = self._due(point)
        if way is Way.LOST:
            return self.lose(point, call)
        if way is Way.BEFORE:
            os.kill(os.getpid(), self._number)
        answer = call()
        if way is Way.AFTER:
            os.kill(os.getpid(), self._number)
        return answer

    def lose(self, point: str, call: Callable[[], T]) -> T:
        lost = Script()
        lost.arm(Fault(point, Way.LOST))
        return lost.around(point, call)


def wrap(script: Script) -> None:
    """Let every loop that `wiring` makes from now on have the script in the way of its ports."""
    make = wiring.loop_over

    def wrapped(
        journal: Journal,
        feed: Feed,
        partitions: Callable[[int], int],
        keys: Keys,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        watch: Watch,
    ) -> Loop:
        ports = FaultyJournal(journal, script), FaultyFeed(feed, script)
        return make(
            *ports, partitions, keys, settings, FaultyClock(clock, script), FaultyEntropy(entropy, script), watch
        )

    wiring.loop_over = wrapped


def on_folder(spec: Spec, script: Script) -> PlacetError | None:
    """Own the folder, and do the errands there until they are done, or until it dies."""
    running = wiring.serve(wiring.embedded(spec.settings()))
    print("up", flush=True)
    errands = Errands(FaultyLog(running.stack.log, script), SystemClock(), range(spec.first, spec.first + spec.count))
    # A victim with a point to die at idles until it comes there: quiet desks are sealed as well.
    while (errands.step() or spec.point) and not running.ended.is_set():
        pass
    running.stop()
    return running.failure


def on_kafka(spec: Spec, stop: Event) -> PlacetError | None:
    """Decide until SIGTERM."""
    running = wiring.work(spec.settings(), Watch())
    print("up", flush=True)
    while not stop.is_set() and not running.ended.wait(0.1):
        pass
    running.stop()
    return running.failure


def main(text: str) -> int:
    spec = Spec(**json.loads(text))
    faulthandler.register(signal.SIGUSR1)
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    script = Deadly(spec.signal)
    script.arm(*spec.faults())
    wrap(script)
    failure = on_kafka(spec, stop) if spec.bootstrap else on_folder(spec, script)
    print(f"ended {failure!r}", flush=True)
    return 0 if failure is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
