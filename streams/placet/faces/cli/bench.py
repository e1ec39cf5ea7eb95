"""`placet bench`: measure placet, beside its targets."""

from pathlib import Path
from typing import Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.verb import Exit, Json, usage

EXAMPLE = "placet bench embedded --json"
NAMES = (
    "desk",
    "limits",
    "policy",
    "embedded",
    "kafka",
    "proofs",
    "replay",
    "restore",
    "revoke",
    "failover",
    "context",
    "ledger",
    "all",
)
EXITS = {
    Exit.FAULTY: "the audit of what was written is violated",
    Exit.TEST_FAILED: "with --strict: a target was missed",
}


def run(
    name: Annotated[str, typer.Argument(help=f"{', '.join(NAMES)}.")],
    bootstrap: Annotated[
        str | None,
        typer.Option("--bootstrap", envvar="PLACET_BOOTSTRAP", help="The Kafka cluster to measure on."),
    ] = None,
    peers: Annotated[
        Path | None,
        typer.Option("--peers", help="A folder with `raw_floor.py`, which `kafka` then runs beside its own."),
    ] = None,
    intents: Annotated[int | None, typer.Option(min=1, help="How many distinct intents. Else 500,000.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the JSON to this file too.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 4 when a target was missed.")] = False,
    as_json: Json = False,
) -> Exit:
    """Run a benchmark and print its figures beside their targets.

    Figures count first answers to distinct intents; each run ends with an audit
    of what it wrote, and a violation makes every target missed.
    """
    if name not in NAMES:
        raise usage(f"NAME: `{name}`: expected one of {', '.join(NAMES)}")
    from placet.faces import bench

    told: dict[str, Any] = bench.run(name, bootstrap=bootstrap, intents=intents, peers=peers)
    if out is not None:
        import json

        out.write_text(json.dumps(printing.plain(told), indent=2) + "\n")
    if as_json:
        printing.emit(told)
    else:
        _print(told)
    if told.get("clean") is False:
        return Exit.FAULTY
    return Exit.TEST_FAILED if strict and not all(told["met"].values()) else Exit.FINE


def _print(told: dict[str, Any]) -> None:
    targets, met = told["targets"], told["met"]
    rows = []
    for figure, value in told["figures"].items():
        verdict = {True: "ok", False: "missed"}.get(met.get(figure), "")
        rows.append((figure, value, targets.get(figure, ""), verdict))
    printing.console().print(printing.table(("figure", "measured", "target", ""), rows))
    for stage, micros in told.get("profile_us", {}).items():
        printing.say(f"  {stage}: {micros} us")
