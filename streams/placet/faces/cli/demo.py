"""`placet demo`: a small company of agents on one embedded journal, live in the terminal."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from placet.faces.cli import printing
from placet.faces.cli.inputs import duration_ms
from placet.faces.cli.verb import Exit, Json

if TYPE_CHECKING:
    from placet.faces.demo import Summary

EXAMPLE = "placet demo --for 20s --data run"
EXITS = {Exit.FINE: "its own audit is clean", Exit.FAULTY: "its own audit is violated"}
UNSEEN_S = 20.0


def run(
    for_: Annotated[
        str, typer.Option("--for", help="End after this long, as 20s. Else Ctrl-C; without a terminal 20s.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder to write to. Else a new one, which is kept.")
    ] = None,
    bootstrap: Annotated[
        str | None,
        typer.Option("--bootstrap", help="HOST:PORT of a Kafka cluster whose workers answer. Else a desk of its own."),
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Run the demo: agents ask, executors claim and act, feeds raise and lower risk, and an audit has the last word.

    Watch a risk signal revoke an open payment, a query wait for a label and
    resolve itself, a rollout stop in the middle. Without a terminal each thing
    that happens is a line; it ends with a summary. On Kafka the keys are those
    that `placet keys init --demo` made before the workers started.
    """
    from placet.faces.demo import perform
    from placet.faces.demo.view import Screen, chosen

    view = chosen(as_json=as_json)
    for_s = duration_ms(for_, "--for") / 1000 if for_ else None if isinstance(view, Screen) else UNSEEN_S
    folder = data or Path(tempfile.mkdtemp(prefix="placet-demo-"))
    summary = perform(folder, for_s, view, *([bootstrap] if bootstrap else []))
    if as_json:
        printing.emit(summary)
    else:
        _print(summary, bootstrap)
    return Exit.FINE if summary.audit["clean"] else Exit.FAULTY


def _print(summary: "Summary", bootstrap: str | None) -> None:
    from placet.faces.cli.audit import show

    tally, books = summary.tally, summary.books
    printing.say()
    show(summary.audit)
    effects = ", ".join(f"{count} {effect}" for effect, count in sorted(tally.effects.items()))
    states = ", ".join(f"{count} {state}" for state, count in sorted(tally.states.items()))
    printing.say()
    printing.say(f"{tally.intents} intents in {summary.seconds} s: {effects}")
    printing.say(f"states reached: {states}")
    printing.say(
        f"{tally.revoked} open grants revoked by a change, {tally.resolved} waits resolved by a fact, "
        f"{tally.stopped} told to stop while they ran"
    )
    money = f"{books['refunded'] / 100:.2f} EUR given back in {books['refunds']} refunds"
    rest = ", ".join(f"{books[name]} {name}" for name in ("transfers", "queries", "exports", "releases", "changes"))
    printing.say(f"the company's books: {money}, {rest}")
    if bootstrap:
        printing.say(f"`placet tail --bootstrap {bootstrap}`, `placet audit --bootstrap {bootstrap}`")
        return
    printing.say(
        f"the folder is {summary.data}: `placet tail --data {summary.data}`, `placet audit --data {summary.data}`"
    )
