"""`placet policy test`: whether packs mean what their tests say, and how much of them the tests exercise."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from placet.faces.cli import printing
from placet.faces.cli.folders import pack_folders
from placet.faces.cli.policy_check import Folders, fault_of, load
from placet.faces.cli.verb import Exit, Json, usage

if TYPE_CHECKING:
    from placet.policy.cases import TestResult
    from placet.policy.contents import Pack
    from placet.policy.coverage import Coverage
    from placet.policy.diagnostics import Diagnostic

EXAMPLE = """
placet policy test policies/*
placet policy test policies/payments --coverage-min 80 --format junit
"""
EXITS = {Exit.FAULTY: "a pack does not load", Exit.TEST_FAILED: "a test failed, or the coverage is too low"}
FORMATS = ("tree", "json", "junit")


class Tested(NamedTuple):
    """What came of one folder: its results, or the faults because of which it does not load."""

    folder: Path
    pack: "Pack | None"
    faults: "list[Diagnostic]"
    results: "list[TestResult]"
    untested: list[str]
    coverage: "Coverage | None"

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(result.passed for result in self.results)


def run(
    folders: Folders,
    matching: Annotated[str, typer.Option("--filter", help="Only tests whose sentence contains this.")] = "",
    with_coverage: Annotated[
        bool, typer.Option("--coverage", help="Show which rules fired, and which clauses came out both ways.")
    ] = False,
    coverage_min: Annotated[
        float | None, typer.Option("--coverage-min", min=0, max=100, metavar="PERCENT", help="Exit 4 below this.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}. Else a line for each failure.")
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Run the tests of policy packs, each by generated code and by the CEL library.

    Prints what differed, at the test's line, and the rules no test exercises. Coverage counts
    each rule that fired and each clause that was seen true and seen false, of all there are.
    """
    if form is not None and form not in FORMATS:
        raise usage(f"--format: `{form}`: expected one of {', '.join(FORMATS)}")
    if as_json and form not in (None, "json"):
        raise usage(f"--json and --format {form}: one form at a time")
    wanted = with_coverage or coverage_min is not None
    tested = [_test(folder, matching, wanted=wanted) for folder in pack_folders(folders)]
    code = exit_of(tested, coverage_min)
    if matching and code is Exit.FINE and not any(one.results for one in tested):
        raise usage(f"--filter: no test says `{matching}`")
    tell(tested, "json" if as_json else form, coverage_min)
    return code


def _test(folder: Path, matching: str, *, wanted: bool) -> Tested:
    from placet.policy.cases import coverage, run_tests
    from placet.policy.coverage import measure

    pack, faults = load(folder)
    if pack is None:
        return Tested(folder, None, faults, [], [], None)
    results = run_tests(pack, matching=matching)
    untested = [] if matching else [name for name, hits in coverage(pack, results).items() if not hits]
    return Tested(folder, pack, [], results, untested, measure(pack, matching=matching) if wanted else None)


def exit_of(tested: list[Tested], coverage_min: float | None = None) -> Exit:
    """Return how the verb ends: a pack that does not load outweighs a test that fails."""
    if any(one.pack is None for one in tested):
        return Exit.FAULTY
    if any(one.passed < len(one.results) for one in tested):
        return Exit.TEST_FAILED
    low = coverage_min is not None and any(one.coverage and one.coverage.percent < coverage_min for one in tested)
    return Exit.TEST_FAILED if low else Exit.FINE


def tell(tested: list[Tested], form: str | None, coverage_min: float | None = None) -> None:
    """Print what came out, as lines or in one of FORMATS."""
    from placet.faces.cli import policy_test_forms as forms

    if form == "json":
        printing.emit({"packs": [_data(one) for one in tested]})
    elif form == "junit":
        printing.say(forms.junit(tested))
    elif form == "tree":
        printing.console().print(forms.tree(tested))
    else:
        for one in tested:
            _print(one)
    if form not in ("json", "junit"):
        for one in tested:
            if one.coverage is not None:
                printing.console().print(forms.table(one.coverage))
                short = coverage_min is not None and one.coverage.percent < coverage_min
                least = f", expected at least {coverage_min:g} %" if short else ""
                printing.say(f"{one.folder}: {one.coverage.percent} % covered{least}")


def _print(one: Tested) -> None:
    for fault in one.faults:
        printing.say(str(fault))
    if one.pack is None:
        return
    for result in one.results:
        for difference in result.differences:
            printing.say(f"{result.file}:{result.line}:{result.column}: {result.says}: {difference}")
    for name in one.untested:
        printing.say(f"{name}: no test exercises this rule")
    printing.say(f"{one.pack.name}: {one.passed} passed, {len(one.results) - one.passed} failed")


def _data(one: Tested) -> dict[str, Any]:
    if one.pack is None:
        return {"folder": one.folder, "loads": False, "faults": [fault_of(fault) for fault in one.faults]}
    told: dict[str, Any] = {
        "folder": one.folder,
        "loads": True,
        "name": one.pack.name,
        "passed": one.passed,
        "failed": len(one.results) - one.passed,
        "untested": one.untested,
        "tests": [_test_of(result) for result in one.results],
    }
    return told if one.coverage is None else told | {"coverage": _coverage_of(one.coverage)}


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


def _coverage_of(coverage: "Coverage") -> dict[str, Any]:
    rules = [
        {
            "rule": rule.rule,
            "line": rule.line,
            "fired": rule.fired,
            "clauses": [{"text": one.text, "true": one.true, "false": one.false} for one in rule.clauses],
        }
        for rule in coverage.rules
    ]
    return {"percent": coverage.percent, "covered": coverage.covered, "total": coverage.total, "rules": rules}
