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
from ops.mutation.plans import module_of

# Of the processor, not of the clock: a busy machine makes no mutant late.
CPU_S_MOST = 4
# Late counts as found only where the program without the mutant needs this much less: what was near the bound anyway,
# or cost more because others used the caches, shows nothing.
TIMES_SLOWER = 2
# Nothing in a pure room waits; this is for a mutant that does, and for a machine that lets nothing run. Which, nobody
# can tell, so that it counts as not found.
WALL_S_MOST = 600
MEMORY_MOST = 3 << 30
# What is shown first, in a run of its own: most mutants need no more, and the other files are not even imported.
FIRST_TESTS = 12

KILLED, SURVIVED, TIMED_OUT, UNREACHED = "killed", "survived", "timed out", "unreached"
UNSETTLED = "unsettled"


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

    def tried(text: str, plan: Sequence[str]) -> Verdict:
        return _forked(Replaced(module_of(file), root / file, text), plan, scratch)

    for mutant, plan in mutants:
        verdict = tried(mutant.applied(source), plan)
        if verdict.said == TIMED_OUT:
            verdict = slower(verdict, tried(source, plan))
        yield verdict


def slower(late: Verdict, without: Verdict) -> Verdict:
    """Return the verdict on a mutant that ran out of time, beside what its tests cost on the program without it."""
    fair = without.said == SURVIVED and without.cpu_s * TIMES_SLOWER <= CPU_S_MOST
    return late if fair else Verdict(UNSETTLED, f"without it {without.said} after {without.cpu_s} s", late.cpu_s)


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
    return ended(said, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, cpu_s)


def ended(said: str, by_signal: int, cpu_s: float) -> Verdict:
    """Return what came of a child that said what killed the mutant, or nothing, and was ended by a signal, or none."""
    if not by_signal:
        return Verdict(KILLED if said else SURVIVED, said, cpu_s)
    if by_signal == signal.SIGXCPU or (by_signal == signal.SIGKILL and cpu_s >= CPU_S_MOST):
        return Verdict(TIMED_OUT, "", cpu_s)
    # Somebody else's kill, and one for want of memory, say nothing of the mutant.
    outside = by_signal in (signal.SIGALRM, signal.SIGKILL, signal.SIGTERM)
    return Verdict(UNSETTLED if outside else KILLED, f"signal {by_signal}", cpu_s)


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
