"""`python -m tests.evals.taubench DIR [--json]`: drive the recorded runs in DIR and print what placet said."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.evals.stand import audited
from tests.evals.taubench.drive import drive
from tests.evals.taubench.runs import read_runs
from tests.evals.taubench.score import plain, score, tables


def main(arguments: list[str]) -> int:
    """Print the tables; return 0, 1 where the data is not there, 3 where the auditor finds fault with the journal."""
    parser = argparse.ArgumentParser(prog="python -m tests.evals.taubench", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds <domain>-<agent>.jsonl.gz")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = score(drive(read_runs(asked.folder), Path(folder) / "data"))
            clean = audited(Path(folder) / "data").clean
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
            return 1
    print(json.dumps(plain(found), indent=2) if asked.json else tables(found))
    print(f"audit of the journal: {'clean' if clean else 'violated'}", file=sys.stderr)
    return 0 if clean else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
