"""A slice of the faults on a cluster, for every run of the tests; `make faults` has them all."""

from collections.abc import Iterator

import pytest

from tests.faults.cluster.running import run
from tests.faults.cluster.scenarios import BY_CODE, FAULTS, pair
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


def test_every_fault_of_the_list_is_there() -> None:
    numbers = [*range(1, 12), 14, 18, 19, 20, 21, 22, 23, 24, 31, 32]
    assert {f"F{number}" for number in numbers} <= BY_CODE.keys()


def test_a_seed_has_the_same_pair_each_time_and_thirty_of_them_have_most_faults() -> None:
    pairs = [pair(seed) for seed in range(1, 31)]
    assert pairs == [pair(seed) for seed in range(1, 31)]
    assert all(one.kind != other.kind for one, other in pairs)
    assert len({fault.code for both in pairs for fault in both}) > len(FAULTS) * 3 // 4
