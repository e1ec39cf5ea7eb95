"""Which test reaches which line of the pure rooms, and what each costs: `python -m ops.mutation.covering OUT`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import coverage

from ops.mutation import tests_run
from ops.mutation.tests_run import FOLDERS, ROOT

ROOMS = ("streams/placet/decision", "streams/placet/policy", "streams/placet/context")
AT_IMPORT = -1  # stands for "reached before the first test began"
# Measured under coverage, which about doubles what a test costs; so a mutant has twice as long as its tests need.
PLAN_CPU_S_MOST = 4.0


def measure(out: Path) -> int:
    """Run every pure-room test once under coverage and write what was seen; 4 when one fails without a mutant."""
    # In memory: what is kept is what this writes.
    cover = coverage.Coverage(
        data_file=None, include=[f"{ROOT}/{room}/*" for room in ROOMS], config_file=False, messages=False
    )
    watched = tests_run.Watched(cover.switch_context, PLAN_CPU_S_MOST)
    cover.start()
    scratch = out.parent / "scratch-covering"
    code = tests_run.run(FOLDERS, [watched], scratch)
    cover.stop()
    shutil.rmtree(scratch, ignore_errors=True)
    if code or watched.failed:
        print("\n".join(watched.failed) or f"pytest ended with {code}", file=sys.stderr)
        return 4
    data = cover.get_data()
    cpu = {test: cpu for test, cpu in watched.cpu.items() if test not in watched.dear}
    number = {test: at for at, test in enumerate(cpu)} | {"": AT_IMPORT}
    lines: dict[str, dict[str, list[int]]] = {}
    for file in sorted(data.measured_files()):
        by_line = data.contexts_by_lineno(file)
        name = Path(file).relative_to(ROOT).as_posix()
        lines[name] = {
            str(line): sorted(number[test] for test in by_line[line] if test in number) for line in sorted(by_line)
        }
    modules = sorted(name for name in sys.modules if name.split(".")[0] in ("placet", "tests"))
    seen = {"tests": [[test, round(cost, 4)] for test, cost in cpu.items()], "lines": lines, "modules": modules}
    out.with_suffix(".part").write_text(json.dumps(seen))
    out.with_suffix(".part").replace(out)
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(measure(Path(sys.argv[1])))
