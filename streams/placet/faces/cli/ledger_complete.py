"""`placet ledger complete`: whether anything went by the desks or by the log, as far as is on record."""

from placet.faces.cli import printing
from placet.faces.cli.audit import audited, show
from placet.faces.cli.place import Bootstrap, Data, resolve
from placet.faces.cli.verb import Exit, Json

EXAMPLE = "placet ledger complete --data run"
EXITS = {Exit.FINE: "no bypass on record", Exit.FAULTY: "something went by"}
COMPLETE = ("SEALS", "V1", "V11", "V13", "V14", "V18")
"""Numbers without a hole; an answer for every record asked; a grant for every outcome; a leaf for every record."""


def run(bootstrap: Bootstrap = None, data: Data = None, as_json: Json = False) -> Exit:
    """Say whether every intent has an answer, every outcome its grant and claim, and every record its leaf.

    Sequence numbers must have no hole. What breaks it is listed. It is what
    `placet audit` says of this alone; where the provenance log lies elsewhere
    than below `--data`, PLACET_LEDGER names it.
    """
    report = audited(resolve(None, bootstrap, data), 1)
    checks = [check for check in report["checks"] if check["name"] in COMPLETE]
    complete = not any(check["violated"] for check in checks)
    if as_json:
        printing.emit({"complete": complete, "read": report["read"], "checks": checks})
    else:
        show({**report, "checks": checks, "clean": complete, "decided_again": "nothing"})
    return Exit.FINE if complete else Exit.FAULTY
