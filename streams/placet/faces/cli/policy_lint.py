"""`placet policy lint`: what loads and is still a mistake."""

from typing import TYPE_CHECKING, Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.folders import pack_folders
from placet.faces.cli.policy_check import Folders, fault_of, load
from placet.faces.cli.verb import Exit, Json

if TYPE_CHECKING:
    from placet.policy.lint import Lint

EXAMPLE = "placet policy lint policies/*"
EXITS = {Exit.FAULTY: "an error was found, or a pack does not load"}


def run(
    folders: Folders,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 on warnings too.")] = False,
    as_json: Json = False,
) -> Exit:
    """Look for rules that never decide, never fire or contradict each other, and for approvals nobody can give.

    Each finding is file:line:column, a severity, a code and a sentence. An error is certain:
    what it says holds of every intent. A warning may be meant, and does not change the exit.
    """
    from placet.policy.lint import CODES, lint

    told, code = [], Exit.FINE
    for folder in pack_folders(folders):
        pack, faults = load(folder)
        found = lint(pack) if pack else []
        if pack is None or any(strict or one.severity == "error" for one in found):
            code = Exit.FAULTY
        told.append(
            {
                "folder": folder,
                "loads": pack is not None,
                "name": pack.name if pack else None,
                "faults": [fault_of(fault) for fault in faults],
                "found": [_data(one) for one in found],
            }
        )
        if not as_json:
            for line in (*faults, *found):
                printing.say(str(line))
            if pack:
                printing.say(f"{folder}: {_sum(found)} in {len(pack.rules)} rules")
    if as_json:
        meanings = {name: {"severity": severity, "means": means} for name, (severity, means) in CODES.items()}
        printing.emit({"packs": told, "codes": meanings})
    return code


def _data(one: "Lint") -> dict[str, object]:
    return {
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "severity": one.severity,
        "code": one.code,
        "message": one.message,
    }


def _sum(found: "list[Lint]") -> str:
    errors = sum(one.severity == "error" for one in found)
    return f"{errors} errors, {len(found) - errors} warnings"
