"""`placet policy watch`: check, lint and test packs again whenever one of their files changes."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.folders import FILES, pack_folders
from placet.faces.cli.policy_check import Folders, fault_of, load
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = "placet policy watch policies/payments"
EXITS = {Exit.FINE: "ended with Ctrl-C"}

Marks = dict[Path, tuple[tuple[str, int, int], ...]]


def run(
    folders: Folders,
    every_ms: Annotated[
        int, typer.Option("--every-ms", min=50, max=60_000, help="How often files are looked at.")
    ] = 500,
    as_json: Json = False,
) -> Exit:
    """Check, lint and test policy packs, and do so again whenever a file changes, until Ctrl-C.

    Only the packs that changed are looked at again. With `--json` there is one line for each look.
    """
    for folder in folders:
        if not folder.is_dir():
            raise usage(
                f"{folder}: no such folder: expected a pack with pack.yaml and rules.yaml", "placet policy watch DIR"
            )
    for found in follow(folders, lambda: time.sleep(every_ms / 1000)):
        if as_json:
            printing.emit(found, lines=True)
        else:
            _print(found)
    return Exit.FINE


def follow(folders: Sequence[Path], wait: Callable[[], None]) -> Iterator[dict[str, Any]]:
    """Yield what is found of each pack at first, and again of those whose files have changed after each `wait`.

    A pack that comes is looked at, and one that goes is told of once. Ends when `wait` raises.
    """
    before: Marks = {}
    while True:
        now = marks(folders)
        for folder in sorted(now.keys() | before.keys()):
            if folder not in now:
                yield {"folder": folder, "loads": False, "lines": [f"{folder}: the pack is gone"], "fine": False}
            elif now[folder] != before.get(folder):
                yield look(folder)
        before = now
        wait()


def marks(folders: Sequence[Path]) -> Marks:
    """Return of each pack its files with their size and the instant of their last change, in ns."""
    found: Marks = {}
    for folder in pack_folders(folders):
        seen = []
        for name in FILES:
            try:
                stat = (folder / name).stat()
            except OSError:
                continue
            seen.append((name, stat.st_mtime_ns, stat.st_size))
        if seen:
            found[folder] = tuple(seen)
    return found


def look(folder: Path) -> dict[str, Any]:
    """Return what check, lint and test say of a pack; `fine` when none has anything against it."""
    from placet.policy.cases import run_tests
    from placet.policy.lint import lint

    try:
        pack, faults = load(folder)
    except Failure as failure:
        return {"folder": folder, "loads": False, "lines": [str(failure)], "fine": False}
    if pack is None:
        lines = [str(fault) for fault in faults]
        return {
            "folder": folder,
            "loads": False,
            "faults": [fault_of(one) for one in faults],
            "lines": lines,
            "fine": False,
        }
    found, results = lint(pack), run_tests(pack)
    failed = [result for result in results if not result.passed]
    lines = [f"{warning} (warning)" for warning in pack.warnings]
    lines += [str(one) for one in found]
    lines += [f"{one.file}:{one.line}:{one.column}: {one.says}: {said}" for one in failed for said in one.differences]
    return {
        "folder": folder,
        "loads": True,
        "name": pack.name,
        "rules": len(pack.rules),
        "passed": len(results) - len(failed),
        "failed": len(failed),
        "lines": lines,
        "fine": not failed and not any(one.severity == "error" for one in found),
    }


def _print(found: dict[str, Any]) -> None:
    for line in found["lines"]:
        printing.say(line)
    counts = (
        f"{found['rules']} rules, {found['passed']} passed, {found['failed']} failed"
        if found["loads"]
        else "does not load"
    )
    printing.say(f"{time.strftime('%H:%M:%S')} {found['folder']}: {'fine' if found['fine'] else 'not fine'}, {counts}")
