"""Two workers on one cluster beside one: what a second process adds, in verdicts a second and in CPU a verdict."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from placet.drivers.settings import Settings
from placet.errors import Unavailable
from placet.faces.bench.child import SILENT_S, START_S, Child
from placet.faces.bench.cluster import Cluster
from placet.faces.bench.report import Result, audited, tell

WAVE = 10_000
LOOK_S = 0.02


class Couple:
    """Two workers that share the partitions; to whoever feeds them they are one. `status` is what both said last."""

    def __init__(self, settings: Settings) -> None:
        self._share = settings.cluster_partitions // 2
        self._children = [
            Child(settings.model_copy(update={"slot": f"bench-{number}"}), whole=False) for number in (1, 2)
        ]

    @property
    def status(self) -> dict[str, Any]:
        """How far each partition is by whoever serves it, and what both used since the mark."""
        told = [child.status for child in self._children]
        return {
            "intents": {place: at for one in told for place, at in one.get("intents", {}).items()},
            "outcomes": {place: at for one in told for place, at in one.get("outcomes", {}).items()},
            "wall_s": max(one.get("wall_s", 0.0) for one in told),
            "cpu_s": sum(one.get("cpu_s", 0.0) for one in told),
        }

    def until(self, holds: Callable[[Mapping[str, Any]], bool], silent_s: float = SILENT_S) -> None:
        """Return when `holds` of what both say; raise `Unavailable` when nothing moves, or one of them ends."""
        before, since = self.status, time.monotonic()
        while not holds(now := self.status):
            if now != before:
                before, since = now, time.monotonic()
            if time.monotonic() - since > silent_s:
                raise Unavailable(f"the two workers of the bench have stood still for {silent_s:.0f} s at {now}")
            for child in self._children:
                child.alive()
            time.sleep(LOOK_S)

    def share(self) -> None:
        """Wait until each serves its half, and let what they used before not count."""
        self.until(lambda _: all(child.status.get("places") == self._share for child in self._children), START_S)
        for child in self._children:
            child.mark()

    def stop(self) -> None:
        """End both."""
        for child in self._children:
            child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def measure(one: Cluster, intents: int, alone_per_s: float, result: Result) -> None:
    """Add what two workers do with `intents` first answers, beside `alone_per_s` of one."""
    tell(f"kafka: two workers, {intents} intents")
    with Couple(one.settings) as both:
        both.share()
        one.feed(both, one.workload().waves(intents, WAVE, iter(_now, None)), [])
        told = both.status
    per_s = intents / told["wall_s"]
    result.figures |= {
        "two_verdicts_per_s": round(per_s),
        "two_over_one": round(per_s / alone_per_s, 2),
        "two_cpu_us_per_verdict": round(told["cpu_s"] / intents * 1e6, 2),
    }
    result.audits["two"] = audited(one.log, one.keys.pinned, one.keys.kek(), sum(one.sent.values()))


def _now() -> int:
    return time.time_ns() // 1_000_000
