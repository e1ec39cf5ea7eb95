"""A long time under load with one random fault after another: `python -m tests.faults.cluster.soak [--minutes N] [--seed N]`."""

import argparse
import logging
import signal
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory, mkdtemp
from time import monotonic
from typing import NamedTuple

from placet.faces.bench.machine import resident_mb
from tests.faults.cluster.ending import Ending, ending_of
from tests.faults.cluster.scenarios import FAULTS, Fault
from tests.faults.cluster.site import Site
from tests.faults.cluster.stand import Stand

MINUTES = 30.0
CALM_S = 10.0
"""Load without any fault, after each."""
GROWN_RATIO, GROWN_MB = 1.15, 16.0
"""What a process may have grown by from the second quarter of the time to the last, both together."""
HELD = tuple(fault for fault in FAULTS if not fault.detects)
"""A fault that may only be named afterwards would stop the whole."""


class Sample(NamedTuple):
    """The resident memory of a process, MB, and when, s from the begin."""

    at_s: float
    mb: float


@dataclass
class Soaked:
    """What came of it."""

    ending: Ending
    faults: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[Sample]] = field(default_factory=dict)
    failure: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled or wrong, and nobody's memory has grown."""
        return not self.failure and not self.ending.violations and not self.grown()

    def grown(self) -> list[str]:
        """Return whose memory has grown."""
        quarters = {name: _quarters(samples) for name, samples in self.memory.items()}
        return [
            f"GROWN: {name} from {early:.0f} to {late:.0f} MB"
            for name, (early, late) in quarters.items()
            if late > early * GROWN_RATIO + GROWN_MB
        ]

    def __str__(self) -> str:
        end = self.ending
        kinds = Counter(one.partition(":")[0].partition(" ")[0] for one in end.violations)
        doubled = kinds.pop("V1", 0) + sum("times" in one for one in end.violations)
        lost = kinds.pop("LOST", 0) + kinds.pop("V18", 0)
        held = ", ".join(
            f"{name} {early:.0f} to {late:.0f} MB"
            for name, (early, late) in ((name, _quarters(samples)) for name, samples in self.memory.items())
        )
        line = (
            f"soak: seed {end.seed}, faults {self.faults.total()} of {len(self.faults)} kinds, "
            f"intents in {end.intents}, verdicts {end.states.total()}, actions {end.acts}, duplicates {doubled}, "
            f"lost {lost}, wrong {len(end.violations) - doubled - lost}, invariants checked {end.checked}, "
            f"memory {held or 'not seen'}"
        )
        return "\n".join([*end.violations, *self.grown(), *filter(None, [self.failure]), line])


def _quarters(samples: Sequence[Sample]) -> tuple[float, float]:
    """Return the median memory of the second quarter of the time, and that of the last; too short a run has but one."""
    whole = samples[-1].at_s if samples else 0.0
    early = [one.mb for one in samples if whole / 4 <= one.at_s < whole / 2]
    late = [one.mb for one in samples if one.at_s >= whole * 3 / 4]
    return statistics.median(early or late or [0.0]), statistics.median(late or [0.0])


class Contradicted(Exception):
    """Somebody stopped because two things that must agree did not, under faults that may not cause it."""


class Soak:
    """Load on one installation. `one` inflicts a fault and lets the load go on afterwards."""

    def __init__(self, stand: Stand, site: Site, seed: int) -> None:
        self._stand = stand
        self._site = site
        self._began = monotonic()
        self.told = Soaked(Ending(seed))

    def one(self, fault: Fault, calm_s: float) -> None:
        """Inflict one fault, heal, see that work goes on, and note what memory everybody holds when all is calm."""
        site, began = self._site, monotonic()
        site.proof = {}  # it has to bite each time
        with fault.inflict(site):
            site.load_for(fault.seconds)
        self._stand.heal()
        site.carry_on()
        if contradictions := site.corrupted():
            raise Contradicted(contradictions)
        site.load_for(calm_s)
        self.told.faults[fault.code] += 1
        bit = ", ".join(f"{what}: {count}" for what, count in site.proof.items())
        held = self._weigh()
        print(f"{began - self._began:6.0f} s  {fault.code:<4} {fault.says}  |  {bit}  |  {held}", flush=True)

    def _weigh(self) -> str:
        found = []
        for child in (self._site.a, self._site.b, self._site.context):
            if child.running():
                mb = resident_mb(child.pid)
                self.told.memory.setdefault(child.name, []).append(Sample(monotonic() - self._began, mb))
                found.append(f"{child.name} {mb:.0f} MB")
        return ", ".join(found)


def soak(stand: Stand, seconds: float, seed: int, calm_s: float = CALM_S, faults: Sequence[Fault] = HELD) -> Soaked:
    """Go on for so long; the faults are drawn by the seed, each once before any comes again."""
    folder = Path(mkdtemp(prefix="placet-soak-"))
    site = Site(stand.broker, stand.proxy, folder, seed)
    draw, left = Random(seed), list[Fault]()
    with site:
        whole = Soak(stand, site, seed)
        until = monotonic() + seconds
        try:
            while monotonic() < until:
                left = left or draw.sample(faults, len(faults))
                whole.one(left.pop(), calm_s)
            site.drain()
            whole.told.ending = ending_of(site)
        except Exception as error:  # noqa: BLE001  what was seen until then is still told
            whole.told.failure = f"{type(error).__name__}: {error}; kept in {folder}"
            stand.keep(folder)
            stand.heal()
    if whole.told.good:
        site.remove()
    return whole.told


def main() -> int:
    """Soak; the last line sums up. 1 when anything was lost, doubled or wrong, or has grown."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.cluster.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--seed", type=int, default=1)
    known = parser.parse_args()
    # What a client has to say of a broker that is down on purpose is no news.
    logging.getLogger("placet").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with TemporaryDirectory(prefix="placet-stand-") as folder, Stand(Path(folder)) as stand:
        told = soak(stand, known.minutes * 60, known.seed)
    print(told)
    return 0 if told.good else 1


if __name__ == "__main__":
    sys.exit(main())
