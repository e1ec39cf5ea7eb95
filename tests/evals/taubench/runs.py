"""The recorded runs of tau-bench's shop, as a folder that the caller names; the data is never part of this repository."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One tool call as it was recorded, with what came back as text."""

    function: str
    args: dict[str, Any]
    result: str
    failed: bool


class Run(NamedTuple):
    """One recorded run. `rewarded`, for scoring only: the shop's data ended as it should."""

    agent: str
    rewarded: bool
    calls: tuple[Call, ...]


def read_run(line: str, agent: str) -> Run:
    """Return the run in one line of the data; KeyError names a field that is not there."""
    found = json.loads(line)
    calls = tuple(
        Call(
            call["function"],
            {name: value for name, value in (call["args"] or {}).items() if value is not None},
            call["result"] or "",
            call["error"] is not None,
        )
        for call in found["calls"]
    )
    return Run(agent, found["reward"] == 1, calls)


def read_runs(folder: Path) -> Iterator[Run]:
    """Yield every run in `folder`, by agent; FileNotFoundError where there is none."""
    files = sorted(folder.glob("*.jsonl.gz"))
    if not files:
        raise FileNotFoundError(f"{folder}: no `<domain>-<agent>.jsonl.gz` in it")
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield read_run(line, file.name.removesuffix(".jsonl.gz"))
