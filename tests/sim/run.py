"""Many stories, one after the other on each core, and what they come to."""

import gc
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from time import process_time
from typing import Any

from placet.decision import library
from placet.drivers.bureau import Bureau
from tests.faults import packs
from tests.sim.story import SimStory, Told
from tests.sim.swarm import Kind

OLD_EVERY = 4
"""One seed of so many speaks the protocol before KIP-890."""
COLLECT_EVERY = 20


def prepare() -> None:
    """Pay once for what a life costs besides deciding: packs are read once, and no life is long enough to settle."""
    replaced: Any = library
    replaced.load_pack = packs.read_once
    replaced = Bureau
    replaced.settle_memory = lambda self: None
    # A simulated disk is full on purpose, some hundred times a run.
    logging.getLogger("placet").setLevel(logging.CRITICAL)
    gc.collect()
    gc.freeze()
    # Whole worlds are dropped after each story; between them nothing needs the collector.
    gc.disable()


def speaks_old(seed: int) -> bool:
    """Return whether the cluster of this seed speaks as before KIP-890."""
    return seed % OLD_EVERY == OLD_EVERY - 1


def replay(seed: int) -> str:
    """Return the command that tells one story again."""
    return f"again: .venv/bin/python -m tests.sim --seed {seed}"


def tell(seed: int) -> Told:
    """Tell one story. What breaks the simulation itself is a violation like any other."""
    began = process_time()
    try:
        told = SimStory(seed, old=speaks_old(seed)).tell()
    except Exception as error:  # noqa: BLE001  the seed must be named, whatever happened
        told = Told(seed, violations=[f"BROKEN: {type(error).__name__}: {error}"])
    if seed % COLLECT_EVERY == 0:
        gc.collect()
    told.cpu_s = process_time() - began
    return told


@dataclass
class Sum:
    """What the stories of a run come to; `str` is its last line."""

    seeds: int = 0
    faults: Counter[Kind] = field(default_factory=Counter)
    checked: int = 0
    late: int = 0
    detections: int = 0
    violations: int = 0
    cpu_s: float = 0.0

    def add(self, told: Told) -> None:
        self.seeds += 1
        self.faults += told.kinds
        self.checked += told.checked
        self.late += told.late
        self.detections += bool(told.detections)
        self.violations += len(told.violations)
        self.cpu_s += told.cpu_s

    def __str__(self) -> str:
        return (
            f"seeds: {self.seeds}, faults injected: {self.faults.total()}, invariants checked: {self.checked}, "
            f"late requests of the old protocol: {self.late}, detections: {self.detections}, "
            f"violations: {self.violations}, CPU a seed: {self.cpu_s / max(self.seeds, 1):.2f} s"
        )


def tell_all(seeds: Iterable[int], jobs: int) -> Iterator[Told]:
    """Yield what became of each story, in order, told by so many processes."""
    if jobs == 1:
        prepare()
        yield from map(tell, seeds)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=prepare) as pool:
        yield from pool.map(tell, seeds, chunksize=10)
