"""Faults on a cluster: all, or those named: `python -m tests.faults.cluster [F1 F9+F5 ...] [--seed N] [--pairs N]`."""

import argparse
import logging
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.cluster.running import Told, run
from tests.faults.cluster.scenarios import BY_CODE, FAULTS, pair
from tests.faults.cluster.stand import Stand

PAIRS = 30


def main() -> int:
    """Run scenarios one by one; the last line sums up. 1 when anything was violated, or did not bite."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.cluster", description=__doc__)
    parser.add_argument("codes", nargs="*", help="F1, or F1+F5 for both at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="how many seeded pairs follow when no code is named")
    known = parser.parse_args()
    # What a client has to say of a broker that is down on purpose is no news.
    logging.getLogger("placet").setLevel(logging.CRITICAL)
    wanted = [(tuple(BY_CODE[one] for one in code.split("+")), known.seed) for code in known.codes]
    if not wanted:
        wanted = [((fault,), known.seed) for fault in FAULTS]
        wanted += [(pair(seed), seed) for seed in range(known.seed, known.seed + known.pairs)]
    # Whoever is asked to end takes the brokers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    told: list[Told] = []
    with TemporaryDirectory(prefix="placet-stand-") as folder, Stand(Path(folder)) as stand:
        for faults, seed in wanted:
            told.append(run(stand, faults, seed))
            print(told[-1], flush=True)
    print(summed(told))
    return 0 if all(one.good for one in told) else 1


def summed(told: list[Told]) -> str:
    """Return the last line."""
    return (
        f"faults: {sum(len(one.codes) for one in told)}, scenarios: {len(told)}, "
        f"violations: {sum(len(one.ending.violations) for one in told)}, "
        f"detections: {sum(len(one.ending.detected) for one in told)}, "
        f"failed: {sum(bool(one.failure) for one in told)}"
    )


if __name__ == "__main__":
    sys.exit(main())
