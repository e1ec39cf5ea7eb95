"""Stories on a simulated Kafka: `python -m tests.sim --seeds 500 --from 0`, or one again with `--seed 17`."""

import argparse
import os
import sys

from tests.sim.run import Sum, prepare, replay, speaks_old, tell, tell_all
from tests.sim.story import Told

PROGRESS_EVERY = 50


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many stories are told")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--seed", type=int, help="tell this story again, and say all that was found")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes tell them")
    known = parser.parse_args()
    total = Sum()
    if known.seed is not None:
        prepare()
        told = tell(known.seed)
        total.add(told)
        print("protocol: before KIP-890" if speaks_old(known.seed) else "protocol: KIP-890")
        for kind, count in sorted(told.kinds.items(), key=str):
            print(f"{count} x {kind.value}")
        report(told)
        print(f"all that was written: {told.digest}")
    else:
        for told in tell_all(range(known.first, known.first + known.seeds), known.jobs):
            total.add(told)
            if told.violations:
                report(told)
            if total.seeds % PROGRESS_EVERY == 0:
                print(total, flush=True)
        for kind, count in total.faults.most_common():
            print(f"{count:7} x {kind.value}")
    print(total)
    return 1 if total.violations else 0


def report(told: Told) -> None:
    """Print what was found in one story, and how to have it again."""
    for found in told.detections:
        print(f"seed {told.seed}: detected: {found}")
    for found in told.violations:
        print(f"seed {told.seed}: violated: {found}")
    print(replay(told.seed), flush=True)


if __name__ == "__main__":
    sys.exit(main())
