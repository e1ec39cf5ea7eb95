"""Which test reaches which line of the pure rooms, and what each costs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import coverage
import pytest

from ops.mutation import tests_run
from ops.mutation.tests_run import ROOT

ROOMS = ("streams/placet/decision", "streams/placet/policy", "streams/placet/context")
AT_IMPORT = -1  # stands for "reached before the first test began"
# Measured under coverage, which about doubles what a test costs; so a mutant has twice as long as its tests need.
PLAN_CPU_S_MOST = 4.0


def measure(outs: Mapping[str, str]) -> int:
    """Run some test files once under coverage and write what each shows, into the file named; 4 when a test fails."""
    # In memory: what is kept is what this writes.
    cover = coverage.Coverage(
        data_file=None, include=[f"{ROOT}/{room}/*" for room in ROOMS], config_file=False, messages=False
    )
    watched = tests_run.Watched(cover.switch_context, PLAN_CPU_S_MOST)
    cover.start()
    scratch = Path(next(iter(outs.values()))).parent.parent / f"scratch-{os.getpid()}"
    code = tests_run.run(list(outs), [watched], scratch)
    cover.stop()
    shutil.rmtree(scratch, ignore_errors=True)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or watched.failed:
        print("\n".join(watched.failed) or f"pytest ended with {code}", file=sys.stderr)
        return 4
    modules = sorted(name for name in sys.modules if name.split(".")[0] in ("placet", "tests"))
    reached = _reached(cover.get_data())
    for file, out in outs.items():
        cpu = {test: cost for test, cost in watched.cpu.items() if test.split("::")[0] == file}
        tests = [[test, round(cost, 4)] for test, cost in cpu.items() if test not in watched.dear]
        number = {test: at for at, (test, _) in enumerate(tests)} | {"": AT_IMPORT}
        lines = {
            name: {str(line): sorted(number[test] for test in by if test in number) for line, by in by_line.items()}
            for name, by_line in reached.items()
        }
        part = Path(out).with_suffix(".part")
        part.write_text(json.dumps({"tests": tests, "lines": lines, "modules": modules}))
        part.replace(out)
    return 0


def _reached(data: coverage.CoverageData) -> dict[str, dict[int, list[str]]]:
    """Return for each file of the rooms and each line who reached it: tests, and an empty text for imports."""
    return {
        Path(measured).relative_to(ROOT).as_posix(): dict(sorted(data.contexts_by_lineno(measured).items()))
        for measured in sorted(data.measured_files())
    }


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(measure(json.loads(sys.argv[1])))
