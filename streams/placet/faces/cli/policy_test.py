"""`placet policy test`: whether packs mean what their tests say."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.folders import pack_folders
from placet.faces.cli.policy_check import Folders, fault_of, load
from placet.faces.cli.verb import Exit, Json, usage

if TYPE_CHECKING:
    from placet.policy.cases import TestResult
    from placet.policy.contents import Pack

EXAMPLE = "placet policy test policies/*"
EXITS = {Exit.FAULTY: "a pack does not load", Exit.TEST_FAILED: "a test failed"}


def run(
    folders: Folders,
    matching: Annotated[str, typer.Option("--filter", help="Only tests whose sentence contains this.")] = "",
    as_json: Json = False,
) -> Exit:
    """Run the tests of policy packs, each by generated code and by the CEL library.

    Prints what differed, at the test's line, and the rules no test exercises.
    """
    from placet.policy.cases import coverage, run_tests

    told, count, code = [], 0, Exit.FINE
    for folder in pack_folders(folders):
        pack, faults = load(folder)
        if pack is None:
            code = Exit.FAULTY
            told.append({"folder": folder, "loads": False, "faults": [fault_of(fault) for fault in faults]})
            if not as_json:
                for fault in faults:
                    printing.say(str(fault))
            continue
        results = run_tests(pack, matching=matching)
        count += len(results)
        if code is Exit.FINE and any(not result.passed for result in results):
            code = Exit.TEST_FAILED
        untested = [] if matching else [name for name, hits in coverage(pack, results).items() if not hits]
        told.append(
            {
                "folder": folder,
                "loads": True,
                "name": pack.name,
                "passed": sum(result.passed for result in results),
                "failed": sum(not result.passed for result in results),
                "untested": untested,
                "tests": [_test_of(result) for result in results],
            }
        )
        if not as_json:
            _print(pack, results, untested)
    if matching and code is Exit.FINE and not count:
        raise usage(f"--filter: no test says `{matching}`")
    if as_json:
        printing.emit({"packs": told})
    return code


def _print(pack: "Pack", results: "Iterable[TestResult]", untested: list[str]) -> None:
    passed = failed = 0
    for result in results:
        if result.passed:
            passed += 1
            continue
        failed += 1
        for difference in result.differences:
            printing.say(f"{result.file}:{result.line}:{result.column}: {result.says}: {difference}")
    for name in untested:
        printing.say(f"{name}: no test exercises this rule")
    printing.say(f"{pack.name}: {passed} passed, {failed} failed")


def _test_of(result: "TestResult") -> dict[str, Any]:
    return {
        "says": result.says,
        "file": result.file,
        "line": result.line,
        "column": result.column,
        "passed": result.passed,
        "differences": result.differences,
        "effect": result.finding.effect,
        "reason": result.finding.reason,
        "rules": result.finding.rules,
        "fired": result.fired,
    }
