"""Kill the worker anywhere, lose what it says or its answers: nothing is missing, nothing is there twice."""

import os

import pytest

from tests.faults import tally
from tests.faults.journals import JOURNALS
from tests.faults.story import Story, replay

SEEDS = int(os.environ.get("PLACET_FAULT_SEEDS", "200" if os.environ.get("CI") == "true" else "40"))
"""Stories of each journal. `make faults` and CI tell 200."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("journal", sorted(JOURNALS))
def test_whatever_dies_nothing_is_lost_and_nothing_happens_twice(journal: str, seed: int) -> None:
    story = Story(seed, JOURNALS[journal])
    try:
        ending = story.tell()
    except Exception as error:
        raise AssertionError(f"{replay(journal, seed)}: {type(error).__name__}: {error}") from error
    finally:
        story.handle.close()
    tally.add(ending)
    assert not ending.violations, "\n".join([replay(journal, seed), *ending.violations])
