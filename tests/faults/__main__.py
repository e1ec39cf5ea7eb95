"""All faults, and one line at the end that says what they came to: `python -m tests.faults`, or one story again by its seed."""

import argparse
import os
import sys

import pytest

from placet.decision import library
from tests.faults import packs, tally
from tests.faults.journals import JOURNALS
from tests.faults.story import Story

SEEDS = "200"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--journal", choices=sorted(JOURNALS), default="memory")
    parser.add_argument("--seed", type=int, help="tell this story again, and say what was violated")
    known, rest = parser.parse_known_args()
    code = run(rest) if known.seed is None else again(known.journal, known.seed)
    print(tally.TOTAL)
    return code


def run(arguments: list[str]) -> int:
    """Run the fault tests with all their seeds."""
    os.environ.setdefault("PLACET_FAULT_SEEDS", SEEDS)
    return int(pytest.main(["tests/faults", "-q", *arguments]))


def again(journal: str, seed: int) -> int:
    """Tell one story; the debugger of your choice is welcome."""
    setattr(library, "load_pack", packs.read_once)  # noqa: B010  the seam that the tests replace as well
    story = Story(seed, JOURNALS[journal])
    ending = story.tell()
    story.handle.close()
    tally.add(ending)
    for (point, way), count in sorted(ending.faults.items(), key=str):
        print(f"{count} x {point}: {way.value}")
    print(*ending.violations, sep="\n")
    return 1 if ending.violations else 0


if __name__ == "__main__":
    sys.exit(main())
