"""`placet policy check`: whether packs load, every fault at its line and column."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.folders import pack_folders, read_pack
from placet.faces.cli.verb import Exit, Json

if TYPE_CHECKING:
    from placet.policy.diagnostics import Diagnostic
    from placet.policy.pack import Pack

EXAMPLE = "placet policy check policies/*"
EXITS = {Exit.FAULTY: "a pack does not load"}

Folders = Annotated[
    list[Path], typer.Argument(help="Folders of packs, or folders that hold such folders.", metavar="DIR...")
]


def load(folder: Path) -> "tuple[Pack | None, list[Diagnostic]]":
    """Return the pack of `folder`, or None and what is wrong with it."""
    from placet.policy.diagnostics import PackError
    from placet.policy.pack import load_pack

    try:
        return load_pack(read_pack(folder), f"{folder}/", judged=True), []
    except PackError as error:
        return None, list(error.diagnostics)


def run(folders: Folders, as_json: Json = False) -> Exit:
    """Load policy packs, and print every fault as file:line:column.

    Rules, conditions and declared actions are checked as they would be by a
    desk, which takes a pack only when it loads. Warnings do not change the exit.
    """
    results = []
    for folder in pack_folders(folders):
        pack, faults = load(folder)
        warnings = list(pack.warnings) if pack else []
        results.append(
            {
                "folder": folder,
                "loads": pack is not None,
                "name": pack.name if pack else None,
                "digest": pack.digest if pack else None,
                "rules": len(pack.rules) if pack else 0,
                "faults": [fault_of(fault) for fault in faults],
                "warnings": [fault_of(warning) for warning in warnings],
            }
        )
        if not as_json:
            for fault in faults:
                printing.say(str(fault))
            for warning in warnings:
                printing.say(f"{warning} (warning)")
            if pack:
                printing.say(f"{folder}: ok, {len(pack.rules)} rules, digest {pack.digest.hex()[:16]}")
    if as_json:
        printing.emit({"packs": results})
    return Exit.FINE if all(result["loads"] for result in results) else Exit.FAULTY


def fault_of(diagnostic: "Diagnostic") -> dict[str, object]:
    """Return a diagnostic as JSON has it; line and column count from 1."""
    return {
        "file": diagnostic.file,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "message": diagnostic.message,
    }
