"""Whatever goes wrong between workers and brokers, nothing is missing, nothing is there twice, and no seed hangs."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.sim.run import OLD_EVERY, Sum, prepare, replay, tell
from tests.sim.swarm import Kind

SEEDS = int(os.environ.get("PLACET_SIM_SEEDS", "2000" if os.environ.get("CI") == "true" else "200"))
"""Stories told: some 0.2 s of CPU each. CI tells all that the gate asks for."""
SLICE = 100


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=prepare) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, SLICE))
def test_nothing_is_lost_or_done_twice_whatever_happens_on_the_way(pool: ProcessPoolExecutor, first: int) -> None:
    total = Sum()
    found: list[str] = []
    for told in pool.map(tell, range(first, min(first + SLICE, SEEDS)), chunksize=5):
        total.add(told)
        if told.violations:
            found += [replay(told.seed), *told.violations]
    assert not found, "\n".join(found)
    assert set(total.faults) == set(Kind), "a kind of fault never struck"
    assert total.checked > 100 * total.seeds


@pytest.mark.slow
def test_the_same_seed_tells_the_same_story_in_any_process() -> None:
    """Also where sets and dicts of names are ordered otherwise, and in both protocols."""
    for seed in (1, OLD_EVERY - 1):
        digests = set()
        for hashes in ("1", "2"):
            command = [sys.executable, "-m", "tests.sim", "--seed", str(seed)]
            said = subprocess.run(
                command, env={**os.environ, "PYTHONHASHSEED": hashes}, capture_output=True, text=True, check=True
            )
            digests |= set(re.findall(r"^all that was written: ([0-9a-f]{64})$", said.stdout, re.MULTILINE))
        assert len(digests) == 1
