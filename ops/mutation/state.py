"""What is kept in `build/mutation`, so that a run goes on where the last one stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TextIO

from ops.mutation.covering import ROOMS
from ops.mutation.mutants import Mutant, mutants_of
from ops.mutation.plans import Seen, imports
from ops.mutation.texts import Texts, digest_of, texts
from ops.mutation.trial import KILLED, TIMED_OUT, UNSETTLED, Verdict

# Test files that are run together without a mutant; what they show is kept before the next.
TOGETHER = 8


class CouldNotRun(Exception):
    """Why no mutant can be tried."""


class Kept(NamedTuple):
    """One verdict as it is kept: for which mutant, resting on which texts."""

    key: str
    source: str
    world: str
    verdict: Verdict


class State:
    """The folder of a checkout's mutation runs."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.texts = Texts(root)
        self.results = folder / "results.jsonl"
        self.kept = list(self._read())

    def mutants(self) -> list[Mutant]:
        """Return the mutants of all three rooms; those of a file are made once for each text of it."""
        made = []
        maker = digest_of([self.root / "ops" / "mutation" / "mutants.py"])
        for path in texts(self.root, ROOMS):
            file = path.relative_to(self.root).as_posix()
            cached = self.folder / "mutants" / f"{digest_of([path])}-{maker}.json"
            if cached.exists():
                made += [Mutant(*row)._replace(lines=tuple(row[3])) for row in json.loads(cached.read_text())]
                continue
            mutants = mutants_of(path.read_text(), file)
            cached.parent.mkdir(exist_ok=True)
            _put(cached, json.dumps(mutants))
            made += mutants
        return made

    def seen(self, jobs: int, said: TextIO) -> Seen:
        """Return what the tests show without a mutant; a test file is run anew when anything it rests on has changed."""
        folder = self.folder / "covering"
        folder.mkdir(exist_ok=True)
        outs = {file: folder / f"{digest}.json" for file, digest in self.texts.shown.items()}
        for old in {*folder.iterdir()} - {*outs.values()}:
            old.unlink()
        missing = [(file, str(out)) for file, out in outs.items() if not out.exists()]
        some = [dict(missing[at : at + TOGETHER]) for at in range(0, len(missing), TOGETHER)]
        left = len(missing)
        with ThreadPoolExecutor(jobs) as pool:
            for ran in pool.map(self._shown, some):
                left -= ran
                print(f"without a mutant: {left} test files to go", file=said, flush=True)
        seen = Seen.together([Seen.of(json.loads(out.read_text())) for out in outs.values()])
        return seen._replace(named={file: imports("", self.root / file, seen.modules) for file in outs})

    def _shown(self, outs: Mapping[str, str]) -> int:
        """Run some test files without a mutant, in a process of their own, and return how many."""
        command = [sys.executable, "-m", "ops.mutation.covering", json.dumps(outs)]
        done = subprocess.run(command, cwd=self.root, check=False, capture_output=True, text=True)
        if done.returncode:
            raise CouldNotRun(f"the tests fail without a mutant:\n{done.stdout}{done.stderr}")
        return len(outs)

    def known(self, mutants: Iterable[Mutant], *, killed_stay: bool) -> dict[str, Verdict]:
        """Return the verdicts that still hold; `killed_stay` keeps what was killed whatever tests were added since.

        What came out neither way is tried again.
        """
        sources: dict[str, str] = {}
        known = {}
        by_key = {one.key: one for one in self.kept}
        for mutant in mutants:
            kept = by_key.get(mutant.key)
            if kept is None or kept.verdict.said == UNSETTLED:
                continue
            if mutant.file not in sources:
                sources[mutant.file] = digest_of([self.root / mutant.file])
            stays = killed_stay and kept.verdict.said in (KILLED, TIMED_OUT) and kept.source == sources[mutant.file]
            if kept.world == self._rests_on(kept.verdict) or stays:
                known[mutant.key] = kept.verdict
        return known

    def keep(self, mutant: Mutant, verdict: Verdict) -> None:
        """Write one verdict down, on a line of its own also after one that was cut short."""
        source = digest_of([self.root / mutant.file])
        with self.results.open("a") as results:
            results.write("\n" + json.dumps(Kept(mutant.key, source, self._rests_on(verdict), verdict)))

    def _rests_on(self, verdict: Verdict) -> str:
        """Return the digest of what a verdict rests on: that of the test that killed, else of all tests."""
        killer = verdict.by.split("::")[0] if verdict.said == KILLED else ""
        return self.texts.tried.get(killer, self.texts.world)

    def _read(self) -> Iterable[Kept]:
        if not self.results.exists():
            return
        for line in self.results.read_text().splitlines():
            try:
                key, source, world, verdict = json.loads(line)
            except ValueError:
                continue  # empty, or being written when a run was stopped
            yield Kept(key, source, world, Verdict(*verdict))


def _put(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)
