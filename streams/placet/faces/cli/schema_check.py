"""`placet schema check`: whether changed schemas still read, and are still read by, what others hold."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import placet
from placet.faces.cli import printing
from placet.faces.cli.inputs import text_of
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = "placet schema check schemas"
EXITS = {Exit.FAULTY: "a schema breaks what was released"}


def run(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Schemas, with `history` in it. Else those of placet.")
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Check every schema against every version of it that was released.

    Decisions, claims and outcomes must read and be read by all versions, other
    records must read them; the ids in `ids.json` must name these very schemas.
    """
    from placet.model.evolution import check_all, mode_of

    place = folder or own()
    if not place.is_dir():
        raise usage(f"{place}: no such folder: expected schemas (*.avsc) and their history")
    current = {path.stem: parsed(path) for path in sorted(place.glob("*.avsc"))}
    if not current:
        raise usage(f"{place}: no schemas: expected *.avsc")
    history = {
        record.name: {int(path.stem): parsed(path) for path in record.glob("*.avsc")}
        for record in sorted((place / "history").glob("*"))
        if record.is_dir()
    }
    found = [str(problem) for problem in check_all(current, history)] + _ids(place, current, history)
    if as_json:
        modes = {record: mode_of(record) for record in current}
        versions = {record: sorted(history.get(record, {})) for record in current}
        printing.emit({"schemas": versions, "modes": modes, "problems": found})
    else:
        for problem in found:
            printing.say(problem)
        released = sum(map(len, history.values()))
        printing.say(f"{len(current)} schemas against {released} released: {len(found) or 'no'} problems")
    return Exit.FAULTY if found else Exit.FINE


def own() -> Path:
    """Return the folder of the schemas that came with placet."""
    inside = Path(placet.__file__).parent
    for folder in (inside / "_schemas", inside.parent.parent / "schemas"):
        if folder.is_dir():
            return folder
    raise Failure(Exit.NOT_RUN, "the schemas did not come with this installation of placet", "name their folder")


def parsed(path: Path) -> Any:
    """Return a JSON file; one that is none is faulty."""
    try:
        return json.loads(text_of(path))
    except ValueError as error:
        raise Failure(Exit.FAULTY, f"{path}: not JSON: {error}") from None


def _ids(place: Path, current: dict[str, Any], history: dict[str, dict[int, Any]]) -> list[str]:
    """Return every id that does not name the schema it was given to."""
    from placet.model.evolution import fingerprint

    file = place / "ids.json"
    if not file.exists():
        return [f"{file}: is missing: expected an id for every schema"]
    rows: dict[str, dict[str, Any]] = parsed(file)
    problems = [f"{file}: `{name}` has no id" for name in current if name not in {row["name"] for row in rows.values()}]
    newest = {row["name"]: number for number, row in sorted(rows.items(), key=lambda item: int(item[0]))}
    for number, row in rows.items():
        schema = history.get(row["name"], {}).get(int(number))
        if schema is None:
            problems.append(f"{file}: id {number} of `{row['name']}`: no such file in the history")
        elif fingerprint(schema).hex() != row["fingerprint"]:
            problems.append(f"{file}: id {number} of `{row['name']}`: the fingerprint is not that of its schema")
        elif (
            newest[row["name"]] == number and fingerprint(current.get(row["name"], schema)).hex() != row["fingerprint"]
        ):
            problems.append(f"{place / row['name']}.avsc: differs from id {number}: `make codecs` gives it a new one")
    return problems
