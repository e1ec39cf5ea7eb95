"""`placet policy fmt`: the files of packs in the one layout."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.folders import pack_folders, read_pack
from placet.faces.cli.policy_check import Folders, fault_of
from placet.faces.cli.verb import Exit, Failure, Json

EXAMPLE = "placet policy fmt --check policies/*"
EXITS = {Exit.FAULTY: "a file cannot be laid out, or with --check is not laid out"}


def run(
    folders: Folders,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 3 when a file would change.")] = False,
    as_json: Json = False,
) -> Exit:
    """Lay out the YAML of policy packs: indentation, spaces, blank lines, comments in their place.

    What a file says never changes, and no comment is lost: the result is read again and compared
    before it is written. The digest of a pack covers its bytes, so a pack laid out is a new pack.
    """
    from placet.policy.diagnostics import PackError
    from placet.policy.layout import lay_out

    told: list[dict[str, Any]] = []
    code = Exit.FINE
    for folder in pack_folders(folders):
        for name, text in read_pack(folder).items():
            path = folder / name
            try:
                laid = lay_out(str(path), text)
            except PackError as error:
                code = Exit.FAULTY
                told.append({"file": path, "state": "faulty", "faults": [fault_of(one) for one in error.diagnostics]})
                lines = [str(one) for one in error.diagnostics]
            else:
                state = "fine" if laid == text else "would change" if check else "changed"
                code = Exit.FAULTY if state == "would change" else code
                told.append({"file": path, "state": state, "faults": []})
                lines = [] if state == "fine" else [f"{path}: {state}"]
                if state == "changed":
                    _write(path, laid)
            for line in () if as_json else lines:
                printing.say(line)
    if as_json:
        printing.emit({"files": told})
    return code


def _write(path: Path, text: str) -> None:
    """Put `text` in place of a file's, whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, "utf-8", newline="\n")
        beside.chmod(path.stat().st_mode & 0o7777)
        os.replace(beside, path)  # noqa: PTH105  the name says that what was there is replaced
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Failure(Exit.NOT_RUN, f"{path}: {error.strerror}") from error
