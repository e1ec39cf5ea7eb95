"""How many deliberate mistakes in the pure rooms their own tests find: `make mutation`.

Each mutant is one small change to one file of `decision`, `policy` or
`context`, made by mutmut's operators. The tests of these rooms that reach the
changed line run against it, in a forked child that has at most 4 s of CPU. What
was found is kept in `build/mutation`, and a run that is stopped goes on there.

Exit codes: 0 the bar was held, 1 could not run or time was over, 2 wrong usage,
3 a justified mutant is none, or was killed, 4 below the bar.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence

from ops.mutation.mutants import Mutant
from ops.mutation.report import Report, read_justified
from ops.mutation.runner import Progress, Runner
from ops.mutation.state import CouldNotRun, State
from ops.mutation.tests_run import ROOT

BAR = 0.85
JOBS = 2
MINUTES_MOST = 100.0
FOLDER = ROOT / "build" / "mutation"
JUSTIFIED = ROOT / "ops" / "mutation" / "justified.yaml"


def asked(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="make mutation",
        description=__doc__.split("\n\n")[1] if __doc__ else "",
        epilog="example: make mutation SAMPLE=200 SEED=1 ARGS='--only decision/judge --json'",
    )
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only N mutants; 0 is all")
    parser.add_argument("--seed", default="1", help="which N: the same seed takes the same ones where these still are")
    parser.add_argument("--only", default="", metavar="TEXT", help="only files whose path holds this")
    parser.add_argument("--survivors", action="store_true", help="what was killed stays so, whatever tests came since")
    parser.add_argument("--jobs", type=int, default=JOBS, help="processes at a time")
    parser.add_argument("--minutes", type=float, default=MINUTES_MOST, help="then stop; a run again goes on")
    parser.add_argument("--bar", type=float, default=BAR, help="the least share killed, 0 to 1")
    parser.add_argument("--json", action="store_true", help="the report as JSON; progress goes to standard error")
    return parser.parse_args(arguments)


def sampled(mutants: Sequence[Mutant], n: int, seed: str) -> list[Mutant]:
    """Return `n` mutants by the digest of seed and key: an edit elsewhere leaves nearly all of them the same."""
    if not n:
        return list(mutants)
    drawn = sorted(mutants, key=lambda one: hashlib.sha256(f"{seed}\n{one.key}".encode()).digest())[:n]
    return sorted(drawn, key=lambda one: (one.file, one.start))


def main(arguments: Sequence[str]) -> int:
    """Try the mutants that are asked for, print what came of them, and return the exit code."""
    wanted = asked(arguments)
    until = time.monotonic() + wanted.minutes * 60
    said = sys.stderr if wanted.json else sys.stdout
    state = State(ROOT, FOLDER)
    every = state.mutants()
    justified = read_justified(JUSTIFIED)
    stale = [each for each in justified if not any(each.means(one) for one in every)]
    mutants = sampled([one for one in every if wanted.only in one.file], wanted.sample, wanted.seed)
    known = state.known(mutants, killed_stay=wanted.survivors)
    print(f"{len(mutants)} mutants of {len(every)}, {len(known)} known from before", file=said, flush=True)
    try:
        seen = state.seen(wanted.jobs, said)
    except CouldNotRun as why:
        print(why, file=sys.stderr)
        return 1
    runner = Runner(state, seen, wanted.jobs)
    left = [one for one in mutants if one.key not in known]
    verdicts = known | runner.run(left, until, Progress(known, len(mutants), said))
    report = Report(mutants, verdicts, justified, wanted.bar)
    (FOLDER / "survivors.txt").write_text(report.survived())
    rooms = not wanted.sample and not wanted.only
    print(json.dumps(report.as_json(rooms=rooms), indent=2) if wanted.json else report.table())
    return ended(report, [f"{each.file}: {each.before}" for each in stale], rooms=rooms)


def ended(report: Report, stale: Sequence[str], *, rooms: bool) -> int:
    """Say on standard error what is wrong, and return the exit code for it."""
    for each in stale:
        print(f"justified.yaml: there is no such mutant any more: {each}", file=sys.stderr)
    for mutant, verdict in report.false:
        print(f"justified.yaml: `{mutant.after}` was killed by {verdict.by}: it is no equivalent", file=sys.stderr)
    if report.untried:
        print(f"time is over with {report.untried} mutants untried; the same command goes on", file=sys.stderr)
        return 1
    if stale or report.false:
        return 3
    for row in report.below(rooms=rooms):
        print(f"{row.file}: {row.share:.1%} killed, the bar is {report.bar:.0%}", file=sys.stderr)
    if report.survivors:
        print("survivors are in build/mutation/survivors.txt", file=sys.stderr)
    return 4 if report.below(rooms=rooms) else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The same sets in the same order each time: what a mutant does may hang on it.
        again = [sys.executable, "-m", "ops.mutation", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
