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


def measure(out: Path) -> int:
    """Run every pure-room test once under coverage and write what was seen; 4 when one fails without a mutant."""
    # In memory: what is kept is what this writes.
    cover = coverage.Coverage(
        data_file=None, include=[f"{ROOT}/{room}/*" for room in ROOMS], config_file=False, messages=False
    )
    watched = tests_run.Watched(cover.switch_context)
    cover.start()
    scratch = out.parent / "scratch-covering"
    code = tests_run.run(FOLDERS, [watched], scratch)
    cover.stop()
    shutil.rmtree(scratch, ignore_errors=True)
    if code or watched.failed:
        print("\n".join(watched.failed) or f"pytest ended with {code}", file=sys.stderr)
        return 4
    data = cover.get_data()
    number = {test: at for at, test in enumerate(watched.cpu)} | {"": AT_IMPORT}
    lines: dict[str, dict[str, list[int]]] = {}
    for file in sorted(data.measured_files()):
        by_line = data.contexts_by_lineno(file)
        name = Path(file).relative_to(ROOT).as_posix()
        lines[name] = {str(line): sorted(number[test] for test in by_line[line]) for line in sorted(by_line)}
    modules = sorted(name for name in sys.modules if name.split(".")[0] in ("placet", "tests"))
    tests = [[test, round(cpu, 4)] for test, cpu in watched.cpu.items()]
    seen = {"tests": tests, "lines": lines, "modules": modules}
    out.with_suffix(".part").write_text(json.dumps(seen))
    out.with_suffix(".part").replace(out)
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(measure(Path(sys.argv[1])))
