"""How the results of a pack's tests look: as a tree for people, as JUnit's XML for what runs builds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from placet.faces.cli import printing

if TYPE_CHECKING:
    from placet.faces.cli.policy_test import Tested
    from placet.policy.coverage import Coverage


def tree(tested: "Sequence[Tested]") -> Tree:
    """Return every pack with every test, and what differed in those that failed."""
    root = Tree("packs")
    for one in tested:
        name = one.pack.name if one.pack else f"{one.folder}: does not load"
        total = f" {one.passed} of {len(one.results)} passed" if one.pack else ""
        branch = root.add(Text(name + total, style="" if one.pack else "red"))
        for fault in one.faults:
            branch.add(Text(str(fault)))
        for result in one.results:
            mark = Text("passed " if result.passed else "failed ", style="green" if result.passed else "red")
            leaf = branch.add(mark + Text(result.says))
            for difference in result.differences:
                leaf.add(Text(f"{result.file}:{result.line}: {difference}"))
        for rule in one.untested:
            branch.add(Text(f"{rule}: no test exercises this rule", style="yellow"))
    return root


def table(coverage: "Coverage") -> Table:
    """Return what was seen of each rule, and what was not."""
    rows: list[tuple[object, ...]] = [
        (rule.rule, rule.fired, f"{rule.covered}/{rule.total}", "; ".join(rule.missing())) for rule in coverage.rules
    ]
    rows.append(("all", "", f"{coverage.covered}/{coverage.total}", f"{coverage.percent} %"))
    return printing.table(("rule", "fired", "seen", "not seen"), rows)


def junit(tested: "Sequence[Tested]") -> str:
    """Return the results as JUnit XML: a suite for each pack; a pack that does not load is one error."""
    root = ET.Element("testsuites")
    for one in tested:
        name = one.pack.name if one.pack else str(one.folder)
        failed = len(one.results) - one.passed
        counts = {
            "tests": len(one.results) or int(one.pack is None),
            "failures": failed,
            "errors": int(one.pack is None),
        }
        suite = ET.SubElement(
            root,
            "testsuite",
            _clean({"name": name, **{key: str(value) for key, value in counts.items()}, "skipped": "0"}),
        )
        if one.coverage is not None:
            properties = ET.SubElement(suite, "properties")
            ET.SubElement(properties, "property", {"name": "coverage_percent", "value": str(one.coverage.percent)})
        if one.pack is None:
            case = ET.SubElement(suite, "testcase", _clean({"classname": name, "name": "the pack loads"}))
            _say(case, "error", [str(fault) for fault in one.faults])
        for result in one.results:
            place = {"file": result.file, "line": str(result.line)}
            case = ET.SubElement(suite, "testcase", _clean({"classname": name, "name": result.says, **place}))
            if not result.passed:
                _say(case, "failure", list(result.differences))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def _say(case: ET.Element, what: str, sentences: Sequence[str]) -> None:
    told = ET.SubElement(case, what, _clean({"message": sentences[0]}))
    told.text = _printable("\n".join(sentences))


def _clean(attributes: dict[str, str]) -> dict[str, str]:
    return {name: _printable(value) for name, value in attributes.items()}


def _printable(text: str) -> str:
    """Return `text` with a mark in place of each character XML 1.0 cannot hold."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "?" for c in text
    )
