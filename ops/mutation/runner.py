"""The run: two processes at a time, each with a batch of one file's mutants; every verdict is kept as it is heard."""

from __future__ import annotations

import importlib
import json
import os
import selectors
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TextIO

from ops.mutation import trial
from ops.mutation.mutants import Mutant
from ops.mutation.plans import Seen, imports, module_of, warm
from ops.mutation.state import State
from ops.mutation.trial import Verdict

BATCH = 24
# Loaded before the first fork, so that no child has to: what the rooms and their tests use of others.
OTHERS = (
    "pytest",
    "hypothesis.strategies",
    "cel_expr_python",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "fastavro",
    "google.protobuf.message",
    "msgspec",
    "orjson",
    "pydantic",
    "re2",
    "rfc8785",
    "ruamel.yaml",
)
SAID_EVERY_S = 10.0


class Progress:
    """Says from time to time how many are done, how many of them were killed, and when the rest will be."""

    def __init__(self, known: Mapping[str, Verdict], total: int, out: TextIO) -> None:
        self.done, self.total, self.out = len(known), total, out
        self.killed = sum(verdict.said in (trial.KILLED, trial.TIMED_OUT) for verdict in known.values())
        self.begun, self.said_at, self.tried = time.monotonic(), time.monotonic(), 0

    def heard(self, verdict: Verdict) -> None:
        self.done, self.tried = self.done + 1, self.tried + 1
        self.killed += verdict.said in (trial.KILLED, trial.TIMED_OUT)
        now = time.monotonic()
        if now - self.said_at >= SAID_EVERY_S or self.done == self.total:
            self.said_at = now
            left_s = (self.total - self.done) * (now - self.begun) / self.tried
            share = 100 * self.killed / self.done
            print(f"{self.done}/{self.total} done, {share:.1f} % killed, eta {left_s / 60:.1f} min", file=self.out)


class Runner:
    """Tries mutants and keeps what came of them, until all are done or the time is over."""

    def __init__(self, state: State, seen: Seen, jobs: int) -> None:
        self.state, self.seen, self.jobs = state, seen, jobs
        self.kills: dict[str, Counter[str]] = defaultdict(Counter)
        paths = {name: path_of(state.root, name) for name in seen.modules}
        self.graph = {name: imports(name, path, paths) for name, path in paths.items() if path is not None}

    def run(self, mutants: Sequence[Mutant], until: float, progress: Progress) -> dict[str, Verdict]:
        """Return the verdicts of all that were tried before the monotonic instant `until`."""
        for name in OTHERS:
            importlib.import_module(name)
        batches = list(in_batches(mutants))[::-1]
        verdicts: dict[str, Verdict] = {}
        waiting = selectors.DefaultSelector()
        running = 0
        while batches or running:
            while batches and running < self.jobs and time.monotonic() < until:
                batch = batches.pop()
                waiting.register(self._begun(batch), selectors.EVENT_READ, iter(batch))
                running += 1
            if not running:
                break
            for key, _ in waiting.select():
                pipe: IO[str] = key.fileobj  # type: ignore[assignment]
                line = pipe.readline()
                if not line:
                    waiting.unregister(pipe)
                    pipe.close()
                    os.wait()
                    running -= 1
                    left = [one.key for one in key.data]
                    assert not left, f"a batch ended with {len(left)} mutants untried; what it printed says why"
                    continue
                mutant, verdict = next(key.data), Verdict(*json.loads(line))
                verdicts[mutant.key] = verdict
                self.kills[mutant.file][verdict.by] += verdict.said == trial.KILLED
                self.state.keep(mutant, verdict)
                progress.heard(verdict)
        return verdicts

    def _begun(self, batch: Sequence[Mutant]) -> IO[str]:
        """Fork the process of a batch, and return the end of a pipe on which it tells verdict after verdict."""
        reads, writes = os.pipe()
        if os.fork():
            os.close(writes)
            return os.fdopen(reads, buffering=1)
        code = 1
        scratch = self.state.folder / f"scratch-{os.getpid()}"
        try:
            os.close(reads)
            kills = self.kills[batch[0].file]
            with suppress(BrokenPipeError), os.fdopen(writes, "w", buffering=1) as pipe:
                shown = [(one, self.seen.ordered(self.seen.plan(one), kills)) for one in batch]
                ready = warm(module_of(batch[0].file), self.graph)
                for verdict in trial.try_all(self.state.root, shown, ready, scratch):
                    pipe.write(json.dumps(verdict) + "\n")
                code = 0
        except Exception:  # noqa: BLE001 - said here, and the run ends for the batch that is not whole
            sys.excepthook(*sys.exc_info())
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            os._exit(code)


def in_batches(mutants: Sequence[Mutant]) -> Iterator[list[Mutant]]:
    """Yield mutants in batches of one file each."""
    by_file: dict[str, list[Mutant]] = defaultdict(list)
    for one in mutants:
        by_file[one.file].append(one)
    for same in by_file.values():
        yield from (same[at : at + BATCH] for at in range(0, len(same), BATCH))


def path_of(root: Path, module: str) -> Path | None:
    """Return the file of a module of ours, or None where it has none."""
    base = (root / "streams" if f"{module}.".startswith("placet.") else root) / module.replace(".", "/")
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
