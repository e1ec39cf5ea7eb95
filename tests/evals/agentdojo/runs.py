"""The recorded runs of AgentDojo, as a folder that the caller names; the data is never part of this repository."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One tool call as it was recorded. `injected` is for scoring only: nothing that decides may look at it."""

    function: str
    args: dict[str, Any]
    ran: bool
    failed: bool
    injected: bool


class Run(NamedTuple):
    """One recorded run. `attacked` and `aborted` are for scoring only."""

    suite: str
    model: str
    task: str
    prompt: str
    attacked: bool
    aborted: bool
    calls: tuple[Call, ...]


def read_run(line: str) -> Run:
    """Return the run in one line of the data; KeyError names a field that is not there."""
    found = json.loads(line)
    calls = tuple(
        Call(
            call["function"],
            {name: value for name, value in (call["args"] or {}).items() if value is not None},
            call["result"] is not None,
            call["error"] is not None,
            bool(call.get("injected")),
        )
        for call in found["calls"]
    )
    return Run(
        found["suite"],
        "-".join(filter(None, (found["model"], found["defense"]))),
        found["user_task"],
        found["prompt"],
        found["attack"] is not None,
        bool(found.get("aborted")),
        calls,
    )


def read_runs(folder: Path) -> Iterator[Run]:
    """Yield every run below `folder`, by suite and model; FileNotFoundError where there is none."""
    files = sorted(folder.glob("*/*.jsonl.gz"))
    if not files:
        raise FileNotFoundError(f"{folder}: no `<suite>/<model>.jsonl.gz` below it")
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            yield from map(read_run, lines)
