"""The texts that a run rests on, by digest: what has not changed since need not be run again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ops.mutation.plans import imports
from ops.mutation.tests_run import FOLDERS

# What every test rests on, besides its own file and the test files that one imports.
SHARED = ("streams", "policies", "schemas", *FOLDERS, "tests/support", "tests/conftest.py")
SUFFIXES = (".py", ".yaml", ".avsc", ".json", ".jsonl")
SHOWN_BY = ("covering", "tests_run")
TRIED_BY = (*SHOWN_BY, "plans", "trial")


class Texts:
    """Digests of the texts of a checkout, by test file: each of the file, what it imports and what all share.

    `shown` is what the run without mutants rests on, `tried` what a mutant killed by that file does,
    and `world` what one does that no test killed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        tests = {path.relative_to(root).as_posix(): path for path in texts(root, FOLDERS) if is_test(path)}
        shared = _digests(path for path in texts(root, SHARED) if not is_test(path))
        own = _with_imported(tests)
        self.shown = {file: _of(shared, _how(root, SHOWN_BY), own[file]) for file in tests}
        self.tried = {file: _of(shared, _how(root, TRIED_BY), own[file]) for file in tests}
        self.world = _of(*self.tried.values(), shared, _how(root, TRIED_BY))


def digest_of(paths: Iterable[Path]) -> str:
    """Return a short digest of the names and texts of some files."""
    return _of(_digests(paths))


def texts(root: Path, places: Iterable[str]) -> list[Path]:
    """Return the files of some places, those that hold what a program reads."""
    found: set[Path] = set()
    for place in places:
        path = root / place
        found |= {path} if path.suffix else {p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file()}
    return sorted(path for path in found if path.exists())


def is_test(path: Path) -> bool:
    """Tell whether pytest collects a file."""
    return path.name.startswith("test_") and path.suffix == ".py"


def _how(root: Path, names: Iterable[str]) -> str:
    return _digests(texts(root, (f"ops/mutation/{name}.py" for name in names)))


def _with_imported(tests: dict[str, Path]) -> dict[str, str]:
    """Return for each test file the digests of it and of all test files that it imports something of."""
    names = {file.removesuffix(".py").replace("/", "."): file for file in tests}
    wants = {name: imports(name, tests[file], names) for name, file in names.items()}
    found = {}
    for name, file in names.items():
        rests, grew = {name}, True
        while grew:
            more = frozenset[str]().union(*(wants[one] for one in rests)) - rests
            rests |= more
            grew = bool(more)
        found[file] = _digests(tests[names[one]] for one in sorted(rests))
    return found


def _digests(paths: Iterable[Path]) -> str:
    return "".join(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in paths)


def _of(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
