"""`placet replay`: history decided again, and asked what would have been under other rules."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Place, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = """placet replay --data run
placet replay --data run --what-if policies/payments --html report.html"""
EXITS = {
    Exit.FAULTY: "a verdict comes out otherwise, or its packs or its engine are not there",
}
Since = Annotated[str, typer.Option("--since", help="From this instant on: ms since 1970, or 2026-11-27T12:00:00Z.")]
Until = Annotated[str, typer.Option("--until", help="Up to this instant.")]
PLACES = "How it is done"


def run(
    since: Since = "",
    until: Until = "",
    partition: Annotated[
        list[int] | None, typer.Option("--partition", min=0, help="Only this partition; may be said again. Else all.")
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Processes, one partition each.", rich_help_panel=PLACES)
    ] = min(os.cpu_count() or 1, 8),
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="Note in this file how far it is, and go on from there.", rich_help_panel=PLACES),
    ] = None,
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Decide every verdict again from its case, and hold it byte for byte against the one on record.

    The recorded verdict is opened only once its own is made. A difference is a
    fault: of the record, or of the engine. What cannot be decided again is
    named with why: erased, an unknown engine build, packs that are not there.
    """
    from placet.faces.replay.jobs import SameJob, same_of
    from placet.faces.replay.same import Range, Same

    place = resolve(url, bootstrap, data)
    asked = Range(instant_ms(since, "--since"), instant_ms(until, "--until"))
    if asked.until and asked.until < asked.since:
        raise usage("--until: lies before --since")
    parts = performed(
        SameJob(place, asked), place, partition, jobs, resume, {"mode": "same", "range": list(asked)}, "decided again"
    )
    found = Same()
    for part in parts:
        found.add(same_of(part))
    if as_json:
        printing.emit({"mode": "same", "partitions": len(parts), **found.to_dict()})
    else:
        show(found.to_dict())
    return Exit.FAULTY if found.faulty else Exit.FINE


def performed(
    job: Any,
    place: Place,
    chosen: list[int] | None,
    processes: int,
    resume: Path | None,
    asked: dict[str, Any],
    title: str,
) -> list[dict[str, Any]]:
    """Return what came of each chosen partition of the journal at `place`, with a bar on stderr meanwhile."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from placet.faces.cli.reading import reading
    from placet.faces.replay.bookmark import Bookmark
    from placet.faces.replay.crew import run as side_by_side
    from placet.model.topics import Topic
    from placet.policy.evaluate import ENGINE

    with reading(place) as log:
        count = log.partitions(Topic.DECISIONS)
        parts = sorted(set(chosen)) if chosen else list(range(count))
        if parts and parts[-1] >= count:
            raise usage(f"--partition: {parts[-1]}: expected 0 to {count - 1}")
        ends = {part: log.end(Topic.DECISIONS, part) for part in parts}
    mark = Bookmark(resume, {**asked, "place": str(place), "partitions": parts, "engine": ENGINE})
    console = printing.console(stderr=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        tasks = {part: bar.add_task(f"{title}: partition {part}", total=end) for part, end in ends.items()}
        try:
            return side_by_side(job, parts, processes, mark, lambda part, at: bar.update(tasks[part], completed=at))
        except KeyboardInterrupt:
            hint = (
                f"`--resume {resume}` goes on from here" if resume else "with --resume FILE it can go on another time"
            )
            raise Failure(Exit.NOT_RUN, "interrupted before its end: nothing is said of the rest", hint) from None


def instant_ms(text: str, option: str) -> int:
    """Return an instant in ms since 1970; empty is 0."""
    from datetime import UTC, datetime

    if not text:
        return 0
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise usage(f"{option}: `{text}`: expected ms since 1970, or a time as 2026-11-27T12:00:00Z") from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def show(found: dict[str, Any]) -> None:
    """Print what came of a replay for a person."""
    if found["differences"]:
        rows = [
            (f"{one['partition']}@{one['offset']}", one["intent"], one["field"], one["recorded"], one["decided"])
            for one in found["differences"]
        ]
        headings = ("decision", "intent", "field", "recorded", "decided")
        printing.console().print(printing.table(headings, [[printing.shown(cell) for cell in row] for row in rows]))
    for why, count in sorted(found["not_decided"].items()):
        printing.say(printing.shown(f"{count} not decided again: {why}: {found['examples'].get(why, '')}"))
    passed = ", ".join(f"{count} {kind}" for kind, count in sorted(found["passed_over"].items()))
    rest = f"; passed over: {passed}" if passed else ""
    before = f"; {found['before_range']} before the range" if found["before_range"] else ""
    printing.say(
        f"{found['same']} of {found['verdicts']} verdicts came out the same, {found['differing']} differ{before}{rest}"
    )
