"""One mutant on trial: a forked child that imports it in place of the original and runs its tests in process."""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

import pytest

from ops.mutation import tests_run
from ops.mutation.mutants import Mutant

CPU_S_MOST = 4
# Nothing in a pure room waits; this is for a mutant that does, on a machine that is busy with other things.
WALL_S_MOST = 600
MEMORY_MOST = 3 << 30
# What is shown first, in a run of its own: most mutants need no more, and the other files are not even imported.
FIRST_TESTS = 12

KILLED, SURVIVED, TIMED_OUT, UNREACHED = "killed", "survived", "timed out", "unreached"


class Verdict(NamedTuple):
    """What came of a mutant, the test that killed it, and the CPU seconds it took."""

    said: str
    by: str
    cpu_s: float


class Replaced(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutated text for one module, and leaves every other to those who come after."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self.name, self.path, self.text = name, path, text

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self) -> CodeType:
        return compile(self.text, str(self.path), "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        exec(self.get_code(), module.__dict__)  # noqa: S102 - this is what the runner is for


def module_of(file: str) -> str:
    """Return the dotted name of a file below `streams`."""
    return file.removeprefix("streams/").removesuffix(".py").replace("/", ".")


def try_all(
    root: Path, mutants: Sequence[tuple[Mutant, list[str]]], warm: Sequence[str], scratch: Path
) -> Iterator[Verdict]:
    """Yield the verdict on each mutant of one file, in order; every one is tried in a child of this process."""
    file = mutants[0][0].file
    source = (root / file).read_text()
    for name in warm:
        importlib.import_module(name)
    assert module_of(file) not in sys.modules, f"`{file}` was imported before it could be mutated"
    gc.collect()
    gc.freeze()
    for mutant, plan in mutants:
        yield _forked(Replaced(module_of(file), root / file, mutant.applied(source)), plan, scratch)


def _forked(replaced: Replaced, plan: Sequence[str], scratch: Path) -> Verdict:
    if not plan:
        return Verdict(UNREACHED, "", 0.0)
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.close(reads)
        _child(replaced, plan, scratch, writes)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        said = pipe.read()
    _, status, used = os.wait4(child, 0)
    cpu_s = round(used.ru_utime + used.ru_stime, 3)
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM)
        return Verdict(TIMED_OUT if late else KILLED, "" if late else f"signal {os.WTERMSIG(status)}", cpu_s)
    return Verdict(KILLED if said else SURVIVED, said, cpu_s)


def _child(replaced: Replaced, plan: Sequence[str], scratch: Path, writes: int) -> None:
    """Try one mutant and end this process; what is written to the pipe is what killed it."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MOST, CPU_S_MOST + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MOST, MEMORY_MOST))
        signal.alarm(WALL_S_MOST)
        quiet = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(quiet, standard)
        sys.dont_write_bytecode = True
        sys.meta_path.insert(0, replaced)
        killer = killer_of(plan, scratch)
        os.write(writes, killer.encode())
        code = 0
    except BaseException:  # noqa: BLE001 - whatever a mutant raises through pytest has killed it
        os.write(writes, f"raised {traceback.format_exc(limit=-1)}"[:300].encode())
    finally:
        os._exit(code)


def killer_of(plan: Sequence[str], scratch: Path) -> str:
    """Return the test that fails first, or an empty text when all pass."""
    for part in (plan[:FIRST_TESTS], plan[FIRST_TESTS:]):
        if not part:
            continue
        chosen = tests_run.Chosen(part)
        files = list(dict.fromkeys(test.split("::")[0] for test in part))
        code = tests_run.run(files, [chosen], scratch, "-x")
        # A mutant may give its tests other names, so that none of the plan is found: that is no failure of theirs.
        if chosen.failed or code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return chosen.failed or f"pytest ended with {code}"
    return ""
