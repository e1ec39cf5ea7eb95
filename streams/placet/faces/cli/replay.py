"""`placet replay`: history decided again, and asked what would have been under other rules."""

import os
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Place, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json, usage

EXAMPLE = """placet replay --data run
placet replay --data run --what-if policies/payments --html report.html
placet replay --bisect 01a21e1f0e3473838648ffcbafb36ce4 --data run"""
EXITS = {
    Exit.FAULTY: "a verdict comes out otherwise, or its packs or its engine are not there",
}
WHAT_IF = "Under other packs"
TURNED = "What turned an answer"
Since = Annotated[str, typer.Option("--since", help="From this instant on: ms since 1970, or 2026-11-27T12:00:00Z.")]
Until = Annotated[str, typer.Option("--until", help="Up to this instant.")]
PLACES = "How it is done"


def run(
    since: Since = "",
    until: Until = "",
    what_if: Annotated[
        list[Path] | None,
        typer.Option(
            "--what-if",
            help="Ask again under this pack, in the place of the one of its name; may be said again.",
            rich_help_panel=WHAT_IF,
        ),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="These packs are the whole set.", rich_help_panel=WHAT_IF)
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write the report to this file: one page, no network.", rich_help_panel=WHAT_IF),
    ] = None,
    bisect: Annotated[
        str,
        typer.Option(
            "--bisect", help="Name the change that turned the answer to this intent, by its id.", rich_help_panel=TURNED
        ),
    ] = "",
    against: Annotated[
        str,
        typer.Option("--against", help="Begin from the last answer to this intent instead.", rich_help_panel=TURNED),
    ] = "",
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

    With --what-if the same questions are put under other packs, and limits and
    approvals are carried along the history that follows. What is let through
    at another moment than on record is taken for done at that moment; what
    waits for people hears the votes on record; of what is open here alone only
    the clock is heard.

    With --bisect the cases of two answers to one intent are compared, and each
    part in which they differ is changed in the order in which it came, until
    the answer turns: an event of the context, a version of packs, or another.
    """
    place = resolve(url, bootstrap, data)
    asked = (instant_ms(since, "--since"), instant_ms(until, "--until"))
    if asked[1] and asked[1] < asked[0]:
        raise usage("--until: lies before --since")
    how = How(place, partition, jobs, resume)
    if against and not bisect:
        raise usage("--against: only with --bisect")
    if bisect and (what_if or html or alone or any(asked)):
        raise usage("--bisect: is about two answers: expected no --what-if and no range")
    if bisect:
        return _bisect(place, bisect, against, as_json=as_json)
    if what_if:
        return _instead(how, asked, what_if, html, alone=alone, as_json=as_json)
    for name, given in (("--alone", alone), ("--html", html)):
        if given:
            raise usage(f"{name}: only with --what-if")
    return _same(how, asked, as_json=as_json)


class How(NamedTuple):
    """Where history lies, and how it is gone through."""

    place: Place
    partitions: list[int] | None
    jobs: int
    resume: Path | None


def _same(how: How, asked: tuple[int, int], *, as_json: bool) -> Exit:
    from placet.faces.replay.jobs import SameJob, same_of
    from placet.faces.replay.same import Range, Same
    from placet.faces.replay.telling import tell_same

    found = Same()
    parts = performed(how, SameJob(how.place, Range(*asked)), {"mode": "same", "range": list(asked)}, "decided again")
    for part in parts:
        found.add(same_of(part))
    told = {"mode": "same", "partitions": len(parts), **found.to_dict()}
    if as_json:
        printing.emit(told)
    else:
        tell_same(told)
    return Exit.FAULTY if found.faulty else Exit.FINE


def _instead(
    how: How, asked: tuple[int, int], folders: list[Path], html: Path | None, *, alone: bool, as_json: bool
) -> Exit:
    from placet.faces.cli.folders import pack_folders, read_pack
    from placet.faces.replay.candidate import Candidate
    from placet.faces.replay.changes import Changes, changes_of
    from placet.faces.replay.jobs import InsteadJob
    from placet.faces.replay.page import page
    from placet.faces.replay.same import Range
    from placet.faces.replay.telling import tell_changes
    from placet.policy.diagnostics import PackError

    files = tuple(read_pack(folder) for folder in pack_folders(folders))
    try:
        digests = Candidate(files).digests
    except PackError as error:
        raise Failure(
            Exit.FAULTY, f"a pack does not load: {error}", "`placet policy check DIR` says all of it"
        ) from None
    question = {"mode": "what if", "range": list(asked), "packs": digests, "alone": alone}
    found = Changes()
    parts = performed(how, InsteadJob(how.place, Range(*asked), files, alone), question, "asked again")
    for part in parts:
        found.add(changes_of(part))
    told = {"mode": "what if", "partitions": len(parts), "packs": digests, "alone": alone, **found.to_dict()}
    if html is not None:
        _write(html, page(told, ", ".join(folder.resolve().name for folder in folders)))
    if as_json:
        printing.emit(told)
    else:
        tell_changes(told)
    return Exit.FINE


def _bisect(place: Place, intent: str, against: str, *, as_json: bool) -> Exit:
    from placet.faces.replay import flips
    from placet.faces.replay.opened import Unreadable
    from placet.faces.replay.source import opened
    from placet.faces.replay.telling import tell_steps

    try:
        with opened(place) as (log, settled):
            said = flips.judged(log, settled, id_of(intent, "--bisect"))
            others = flips.judged(log, settled, id_of(against, "--against")) if against else []
            for name, found in ((intent, said), (against, others)):
                if name and not found:
                    raise Failure(Exit.NOT_RUN, f"{name}: no answer to it has a case", "`placet show ID` tells of it")
            pair = (others[-1], said[-1]) if against else flips.turned(said)
            if pair is None:
                raise Failure(
                    Exit.NOT_RUN, f"{intent}: no two answers to it of which one grants", "name another with --against"
                )
            steps = flips.bisect(*pair, settled)
    except Unreadable as fault:
        raise Failure(Exit.FAULTY, f"{intent}: {fault}") from None
    told = flips.told(*pair, steps)
    if as_json:
        printing.emit(told)
    else:
        tell_steps(told)
    return Exit.FINE


def id_of(text: str, option: str) -> bytes:
    """Return an intent's id from its 32 hex digits."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 16:
        raise usage(f"{option}: `{text}`: expected the 32 hex digits of an intent's id")
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise Failure(Exit.NOT_RUN, f"{path}: cannot be written: {error.strerror}") from error


def performed(how: How, job: Any, asked: dict[str, Any], title: str) -> list[dict[str, Any]]:
    """Return what came of each chosen partition, with a bar on stderr meanwhile."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from placet.faces.cli.reading import reading
    from placet.faces.replay.bookmark import Bookmark
    from placet.faces.replay.crew import run as side_by_side
    from placet.model.topics import Topic
    from placet.policy.evaluate import ENGINE

    place, chosen, processes, resume = how
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
