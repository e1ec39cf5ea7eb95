"""A slice of the faults on a cluster, for every run of the tests; `make faults` has them all."""

from collections.abc import Iterator

import pytest

from tests.faults.cluster.ending import Ending
from tests.faults.cluster.running import run
from tests.faults.cluster.scenarios import BY_CODE, FAULTS, pair
from tests.faults.cluster.soak import Sample, Soaked, soak
from tests.faults.cluster.stand import Stand

SLICE = ("F1", "F9", "F18")
"""One of each sort: a process that dies, a network that is late, a stream that is silent."""


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with Stand(tmp_path_factory.mktemp("stand")) as made:
        yield made


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.parametrize("code", SLICE)
def test_under_load_a_fault_that_bit_leaves_nothing_lost_doubled_or_unfounded(stand: Stand, code: str) -> None:
    told = run(stand, (BY_CODE[code],), seed=1)
    assert told.good, str(told)


@pytest.mark.broker
@pytest.mark.slow
def test_a_slice_of_the_soak_loses_doubles_and_gets_wrong_nothing(stand: Stand) -> None:
    """One fault after another on the same installation: a storm of rebalances, then poison."""
    told = soak(stand, 20.0, seed=1, calm_s=1.0, faults=(BY_CODE["F20"], BY_CODE["F4"]))
    assert told.good, str(told)
    assert told.faults.total() >= 2
    assert told.ending.intents > 1_000


def test_memory_that_grows_all_the_time_is_named() -> None:
    told = Soaked(Ending(1, intents=1))
    told.memory["flat"] = [Sample(float(at), 200.0 + at % 7) for at in range(100)]
    # What is reached once and kept is no growth: that is what the first quarter is for.
    told.memory["warm"] = [Sample(float(at), min(100.0 + 10 * at, 300.0)) for at in range(100)]
    assert told.good
    told.memory["leak"] = [Sample(float(at), 100.0 + at) for at in range(100)]
    # Medians of 25 to 49 s and of 75 to 99 s: 137 and 187, more than 137 * 1.15 + 16.
    assert told.grown() == ["GROWN: leak from 137 to 187 MB"]
    assert not told.good


def test_every_fault_of_the_list_is_there() -> None:
    numbers = [*range(1, 12), 14, 18, 19, 20, 21, 22, 23, 24, 31, 32]
    assert {f"F{number}" for number in numbers} <= BY_CODE.keys()


def test_a_seed_has_the_same_pair_each_time_and_thirty_of_them_have_most_faults() -> None:
    pairs = [pair(seed) for seed in range(1, 31)]
    assert pairs == [pair(seed) for seed in range(1, 31)]
    assert all(one.kind != other.kind for one, other in pairs)
    assert len({fault.code for both in pairs for fault in both}) > len(FAULTS) * 3 // 4
