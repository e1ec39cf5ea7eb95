"""`placet audit`: read a journal back, and say whether it holds what it promises."""

import json
import sys
from typing import Annotated, Any

import typer

from placet.faces.cli import printing
from placet.faces.cli.place import Bootstrap, Data, Place, Url, resolve
from placet.faces.cli.verb import Exit, Failure, Json

EXAMPLE = "placet audit --data run"
EXITS = {Exit.FINE: "clean", Exit.FAULTY: "a check is violated"}


def run(
    sample: Annotated[
        int | None, typer.Option(min=1, help="Decide again about this many verdicts. Else 20,000.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Decide every verdict again, however long that takes.")
    ] = False,
    drained: Annotated[
        bool, typer.Option("--drained", help="Hold also that everything asked is decided: where nobody asks any more.")
    ] = False,
    url: Url = None,
    bootstrap: Bootstrap = None,
    data: Data = None,
    as_json: Json = False,
) -> Exit:
    """Audit a journal with code that shares nothing with the desks but the schemas.

    Seals and their chain, one answer for each record, answers decided again
    from their cases, the life of every intent, claims and outcomes, and the
    changelog. Prints each check with what it looked at.
    """
    report = audited(resolve(url, bootstrap, data), sys.maxsize if every else sample, drained=drained)
    if as_json:
        printing.emit(report)
    else:
        show(report)
    return Exit.FINE if report["clean"] else Exit.FAULTY


def audited(place: Place, sample: int | None = None, *, drained: bool = False) -> dict[str, Any]:
    """Return the report of an audit of the journal at `place`, as JSON has it."""
    from placet.drivers.keyfile import KEK_NAME, read_secret
    from placet.drivers.ledger.folder import FolderReader
    from placet.errors import Unavailable
    from placet.faces.auditor import Ledger, audit
    from placet.faces.cli.reading import reading, settings_of

    settings = settings_of(place)
    try:
        keys = json.loads(settings.keys_file.read_bytes())
    except FileNotFoundError:
        hint = "PLACET_KEYS names the file of pinned keys"
        raise Failure(Exit.NOT_RUN, f"{settings.keys_file}: no pinned keys: expected keys.json", hint) from None
    except ValueError as error:
        raise Failure(Exit.FAULTY, f"{settings.keys_file}: not JSON: {error}") from None
    try:
        kek: bytes | None = read_secret(settings.secrets_dir / KEK_NAME)
    except Unavailable:
        kek = None  # what needs the cases is counted as not checked
    # Below the folder of a journal lies its own log; of another journal only one that is named.
    own = place.data is not None or settings.ledger is not None
    ledger = Ledger(FolderReader(settings.ledger_dir).get) if own and settings.ledger_dir.is_dir() else None
    with reading(place) as log:
        report = audit(
            log,
            keys,
            kek,
            sample=sample,
            drained=drained,
            lag_ms_max=settings.lag_ms_max,
            skew_ms_max=settings.skew_ms_max,
            ledger=ledger,
        )
    return report.to_dict()


def show(report: dict[str, Any]) -> None:
    """Print a report: a row for each check, then what it found."""
    rows = [
        (
            check["name"],
            "violated" if check["violated"] else "ok" if check["checked"] else "-",
            check["checked"],
            check["violated"],
            sum(check["not_checked"].values()),
            check["says"],
        )
        for check in report["checks"]
    ]
    printing.console().print(
        printing.table(("check", "", "looked at", "violated", "not checked", "what must hold"), rows)
    )
    for check in report["checks"]:
        for found in check["violations"]:
            printing.say(f"{found['topic']}/{found['partition']}@{found['offset']}: {check['name']}: {found['text']}")
        for why, count in check["not_checked"].items():
            printing.say(f"{check['name']}: {count} not checked: {why}")
    read = ", ".join(f"{count} {name}" for name, count in sorted(report["read"].items()))
    printing.say(
        f"{'clean' if report['clean'] else 'VIOLATED'}: read {read or 'nothing'}; decided again: {report['decided_again']}"
    )
