"""What is kept in `build/mutation`, so that a run goes on where the last one stopped."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ops.mutation.covering import ROOMS
from ops.mutation.mutants import Mutant, mutants_of
from ops.mutation.plans import Seen
from ops.mutation.tests_run import FOLDERS
from ops.mutation.trial import KILLED, TIMED_OUT, UNSETTLED, Verdict

# What a verdict rests on: another byte in one of these and it is no longer known.
HOW = tuple(f"ops/mutation/{name}.py" for name in ("covering", "plans", "tests_run", "trial"))
RESTS_ON = ("streams", "policies", "schemas", *HOW, *FOLDERS, "tests/support", "tests/conftest.py")
SUFFIXES = (".py", ".yaml", ".avsc", ".json", ".jsonl")


class CouldNotRun(Exception):
    """Why no mutant can be tried."""


class Kept(NamedTuple):
    """One verdict as it is kept: for which mutant, resting on which texts."""

    key: str
    source: str
    world: str
    verdict: Verdict


class State:
    """The folder of a checkout's mutation runs. `world` is the digest of all that a verdict rests on."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.world = digest_of(_texts(root, RESTS_ON))
        self.results = folder / "results.jsonl"
        self.kept = list(self._read())

    def mutants(self) -> list[Mutant]:
        """Return the mutants of all three rooms; those of a file are made once for each text of it."""
        made = []
        maker = digest_of([self.root / "ops" / "mutation" / "mutants.py"])
        for path in _texts(self.root, ROOMS):
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

    def seen(self) -> Seen:
        """Return what the run without a mutant shows; it is made anew when anything it rests on has changed."""
        out = self.folder / f"covering-{self.world}.json"
        if not out.exists():
            for old in (*self.folder.glob("covering-*.json"), *(self.folder / "mutants").glob("*.part")):
                old.unlink()
            command = [sys.executable, "-m", "ops.mutation.covering", str(out)]
            done = subprocess.run(command, cwd=self.root, check=False, capture_output=True, text=True)
            if done.returncode:
                raise CouldNotRun(f"the tests fail without a mutant:\n{done.stdout}{done.stderr}")
        return Seen.of(json.loads(out.read_text()))

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
            if kept.world == self.world or stays:
                known[mutant.key] = kept.verdict
        return known

    def keep(self, mutant: Mutant, verdict: Verdict) -> None:
        """Write one verdict down, on a line of its own also after one that was cut short."""
        source = digest_of([self.root / mutant.file])
        with self.results.open("a") as results:
            results.write("\n" + json.dumps(Kept(mutant.key, source, self.world, verdict)))

    def _read(self) -> Iterable[Kept]:
        if not self.results.exists():
            return
        for line in self.results.read_text().splitlines():
            try:
                key, source, world, verdict = json.loads(line)
            except ValueError:
                continue  # empty, or being written when a run was stopped
            yield Kept(key, source, world, Verdict(*verdict))


def digest_of(paths: Iterable[Path]) -> str:
    """Return a short digest of the names and texts of some files."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(f"{path.name}\n".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def _texts(root: Path, places: Iterable[str]) -> list[Path]:
    found: set[Path] = set()
    for place in places:
        path = root / place
        found |= {path} if path.suffix else {p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file()}
    return sorted(path for path in found if path.exists())


def _put(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)
