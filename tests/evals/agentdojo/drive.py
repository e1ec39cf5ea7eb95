"""Recorded runs put before placet, call by call: what it said to each."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.evals.agentdojo.runs import Call, Run
from tests.evals.agentdojo.tools import DIRECTORY, TOOLS, Tool, resource_of
from tests.evals.agentdojo.words import mandate_of
from tests.evals.stand import Back, Said, Stand

PACKS = Path(__file__).parent / "packs"
PERSON = "user:owner"
STRANGE = Tool("unknown")
"""Stands for a tool that the suite does not have: no mandate covers it."""


class Driven(NamedTuple):
    """A run and the first answer to each of its calls, in order."""

    run: Run
    said: tuple[Said, ...]


def tool_of(suite: str, function: str) -> Tool:
    """Return what a tool means, or `STRANGE`."""
    return TOOLS[suite].get(function, STRANGE)


def back_of(tool: Tool, call: Call) -> Back | None:
    """Return what the executor reports of a call, by its tool alone; None where it never ran."""
    return Back(tool.origin, call.failed) if call.ran else None


def drive(runs: Iterable[Run], folder: Path, *, synced: bool = True) -> Iterator[Driven]:
    """Yield every run with the answers to its calls, decided over a journal in `folder`.

    A call that placet stops has no outcome, and nothing of it reaches the
    session; the recorded run goes on as it was recorded.
    """
    known = list(runs)
    with Stand(folder, synced=synced) as stand:
        for suite in dict.fromkeys(run.suite for run in known):
            here = [run for run in known if run.suite == suite]
            stand.open_tenant(suite, PACKS / suite, sorted({f"agent:{run.model}" for run in here}))
            stand.know(suite, PERSON, DIRECTORY.get(suite))
            calls = [call for run in here for call in run.calls]
            for resource in sorted({resource_of(tool_of(suite, call.function), call.args) for call in calls}):
                stand.label(suite, resource)
        for run in known:
            yield Driven(run, tuple(_said(stand, run)))


def _said(stand: Stand, run: Run) -> Iterator[Said]:
    given = mandate_of(run.prompt, run.suite)
    session = stand.open_session(
        run.suite, f"agent:{run.model}", PERSON, given.actions, ("*", *given.named), run.prompt
    )
    for call in run.calls:
        tool = tool_of(run.suite, call.function)
        yield stand.ask(
            session, f"{run.suite}.{call.function}", resource_of(tool, call.args), call.args, back_of(tool, call)
        )
