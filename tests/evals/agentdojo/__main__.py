"""`python -m tests.evals.agentdojo DIR [--json]`: drive the recorded runs below DIR and print what placet said."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.evals.agentdojo.drive import drive
from tests.evals.agentdojo.report import tables
from tests.evals.agentdojo.runs import read_runs
from tests.evals.agentdojo.score import plain, score
from tests.evals.stand import audited
from tests.evals.tables import percentile


def main(arguments: list[str]) -> int:
    """Print the tables; return 0, 1 where the data is not there, 3 where the auditor finds fault with the journal."""
    parser = argparse.ArgumentParser(prog="python -m tests.evals.agentdojo", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds <suite>/<model>.jsonl.gz")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = score(drive(read_runs(asked.folder), Path(folder) / "data"))
            clean = audited(Path(folder) / "data").clean
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
            return 1
    if asked.json:
        data = plain(found)
        for row, tally in zip(data["tallies"], found.tallies.values(), strict=True):
            row |= {f"p{share}_ms": round(percentile(tally.times, share / 100), 3) for share in (50, 99)}
        print(json.dumps(data, indent=2))
    else:
        print(tables(found))
    print(f"audit of the journal: {'clean' if clean else 'violated'}", file=sys.stderr)
    return 0 if clean else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
