"""One worker as a process of its own, so that its CPU and memory are its alone: `python -m placet.faces.bench.worker`.

Takes its settings as JSON in its only argument. On stdout it says, one JSON
object a line, that it is open and then twenty times a second how far it is; on
stdin it hears `mark` (what was used before does not count) and `stop`.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from placet import wiring
from placet.drivers.running import Stack
from placet.drivers.settings import Settings
from placet.errors import Unavailable
from placet.faces.bench import machine
from placet.faces.bench.profile import Profile
from placet.model.topics import Topic

REPORT_S = 0.05


class Worker:
    """Steps a loop until told to stop, and tells how far it is."""

    def __init__(self, stack: Stack) -> None:
        self._loop = stack.loop
        self._wait_ms = stack.settings.batch_wait_ms
        self._stop = threading.Event()
        self._marked = False
        self._begun: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._decided = 0

    def run(self) -> None:
        """Step until `stop` was heard. A failed batch is tried again; whatever else fails ends the process."""
        for work in (self._hear, self._report):
            threading.Thread(target=work, daemon=True).start()
        while not self._stop.is_set():
            before = time.monotonic(), time.process_time()
            try:
                decided = self._loop.step(self._wait_ms)
            except Unavailable:
                self._stop.wait(0.05)
                continue
            if self._marked:
                self._begun, self._decided, self._marked = None, 0, False
            if decided:
                self._begun = self._begun or before
                self._last = time.monotonic(), time.process_time()
                self._decided += decided

    def told(self) -> dict[str, Any]:
        """Return how far the desks are, and what it took since the last mark."""
        began, last = self._begun or self._last, self._last
        places = self._loop.bureau.places
        return {
            "places": len(places),
            "intents": {p: place.inputs.get(Topic.INTENTS, 0) for p, place in list(places.items())},
            "outcomes": {p: place.inputs.get(Topic.OUTCOMES, 0) for p, place in list(places.items())},
            "decided": self._decided,
            "wall_s": last[0] - began[0],
            "cpu_s": last[1] - began[1],
            "open": sum(len(place.desk.book.leases.open) for place in list(places.values())),
            "rss_mb": machine.resident_mb(),
            "peak_mb": machine.resident_mb(peak=True),
        }

    def _hear(self) -> None:
        for line in sys.stdin:
            if line.strip() == "mark":
                self._marked = True
            else:
                break
        self._stop.set()

    def _report(self) -> None:
        while not self._stop.wait(REPORT_S):
            say(self.told())


def say(told: Mapping[str, Any]) -> None:
    """Write one line of JSON to stdout."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Open a stack on Kafka or over a folder, say how long that took, and work until told to stop."""
    asked = json.loads(sys.argv[1])
    sample, whole = asked.pop("sample", False), asked.pop("whole", True)
    settings = Settings(**asked)
    started = time.monotonic()
    stack = wiring.kafka(settings) if settings.bootstrap else wiring.embedded(settings)
    made = time.monotonic()
    wanted = stack.log.partitions(Topic.DECISIONS) if whole else 1
    while len(stack.loop.bureau.places) < wanted:
        try:
            stack.loop.step(10)
        except Unavailable as error:
            say({"waits": str(error)})
            time.sleep(0.02)
    opened = time.monotonic()
    settled = sum(len(place.desk.book.settled) for place in stack.loop.bureau.places.values())
    leases = sum(len(place.desk.book.leases.open) for place in stack.loop.bureau.places.values())
    say({"opened_s": opened - started, "made_s": made - started, "settled": settled, "open": leases})
    worker, profile = Worker(stack), Profile()
    if sample:
        with profile.running():
            worker.run()
    else:
        worker.run()
    say({**worker.told(), "samples": profile.samples, "ended": True})
    stack.close()


if __name__ == "__main__":
    main()
    # Threads of the clients may still be ending; nothing is left to lose.
    sys.stdout.flush()
    os._exit(0)
