"""`placet policy bench`: what packs cost to load, to decide by and to explain."""

from typing import Any

from placet.faces.cli import printing
from placet.faces.cli.decide import loaded
from placet.faces.cli.folders import pack_folders, read_pack
from placet.faces.cli.policy_check import Folders
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet policy bench policies/payments"
EXITS = {Exit.FAULTY: "a pack does not load", Exit.TEST_FAILED: "one of a pack's tests fails"}


def run(folders: Folders, as_json: Json = False) -> Exit:
    """Measure policy packs on their own tests: CPU time to load, to decide each action, and to explain.

    Deciding is the mean over the tests of an action, by generated code; explaining and the search
    for the nearest bounds are those of the dearest test. Each is the least of several rounds.
    `placet bench policy` measures the packs that come with placet beside their targets.
    """
    from placet.faces.bench.policy import measure

    told = []
    for folder in pack_folders(folders):
        pack = loaded(folder)
        told.append({"folder": folder, "name": pack.name, **measure(read_pack(folder))})
    if as_json:
        printing.emit({"packs": told})
    else:
        for one in told:
            _print(one)
    return Exit.TEST_FAILED if any(one["failed"] for one in told) else Exit.FINE


def _print(one: dict[str, Any]) -> None:
    rows = [
        (action, cost["rules"], cost["cases"], cost["decide_us"], cost["explain_ms"], cost["nearest_us"])
        for action, cost in one["actions"].items()
    ]
    headings = ("action", "rules", "tests", "decide us", "explain ms", "nearest us")
    printing.console().print(printing.table(headings, rows))
    failed = f", {one['failed']} tests failed" if one["failed"] else ""
    printing.say(f"{one['name']}: {one['rules']} rules, {one['bytes']} bytes, loaded in {one['load_ms']} ms{failed}")
