"""Sweeps of histories: `python -m tests.decision.reference --histories 100000 --from 0 --jobs 2`.

A last line says how many agreed; exit code 0, or 4 where desk and model part: then the seed, the shortest beginning
of its history that shows it, what each said, and the command to run it again.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from multiprocessing import Pool

from tests.decision.reference.history import Difference, play

SLICE = 50
SHOWN_MOST = 5
PROGRESS_S = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the histories asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.decision.reference", description=__doc__)
    parser.add_argument("--histories", type=int, default=1_500, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    asked = parser.parse_args(arguments)
    seeds = range(asked.first, asked.first + asked.histories)
    slices = [seeds[at : at + SLICE] for at in range(0, len(seeds), SLICE)]
    started = said_at = time.monotonic()
    histories = decisions = 0
    parted: list[Difference] = []
    for found in _played(slices, asked.jobs):
        histories += len(found)
        decisions += sum(each for each in found if isinstance(each, int))
        apart = [each for each in found if isinstance(each, Difference)]
        for difference in apart:
            print(told(difference), flush=True)
        parted += apart
        if time.monotonic() - said_at >= PROGRESS_S:
            said_at = time.monotonic()
            print(f"{histories} of {len(seeds)} histories, {decisions} decisions, {len(parted)} parted", flush=True)
        if len(parted) >= SHOWN_MOST:
            break
    took = time.monotonic() - started
    print(
        f"{histories - len(parted)} of {histories} histories agree from seed {asked.first} on: "
        f"{decisions} decisions, {took:.0f} s"
    )
    return 4 if parted else 0


def _played(slices: list[range], jobs: int) -> Iterator[list[Difference | int]]:
    if jobs == 1:
        yield from map(_slice, slices)
        return
    with Pool(jobs) as pool:
        yield from pool.imap_unordered(_slice, slices)


def _slice(seeds: range) -> list[Difference | int]:
    logger = logging.getLogger("placet")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        return [play(seed) for seed in seeds]
    finally:
        logger.setLevel(before)


def told(found: Difference) -> str:
    """Return where desk and model part, for a person: the turns up to there, what both said, and how to see it again."""
    at = next((n for n, (one, other) in enumerate(zip(found.desk, found.model, strict=False)) if one != other), None)
    at = min(len(found.desk), len(found.model)) if at is None else at
    turns = [
        f"  turn {number}: "
        + "; ".join(f"+{wait} ms {deed}" for wait, deed in turn.deeds)
        + _of(turn.lag_ms, turn.fault)
        for number, turn in enumerate(found.story, 1)
    ]
    says = [
        f"  {who} says {said[at:] or 'nothing more'}" for who, said in (("desk", found.desk), ("model", found.model))
    ]
    again = f"  again: python -m tests.decision.reference --from {found.seed} --histories 1"
    return "\n".join(chain([f"seed {found.seed} parts at turn {found.turns}:"], turns, says, [again]))


def _of(lag_ms: int, fault: str) -> str:
    return (f", read {lag_ms} ms later" if lag_ms else "") + (f", {fault}" if fault else "")


if __name__ == "__main__":
    sys.exit(main())
