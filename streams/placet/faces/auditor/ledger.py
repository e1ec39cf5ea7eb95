"""The provenance log beside a journal: V14 of it alone, V13 against the records it says it holds."""

from typing import NamedTuple

from placet.faces.auditor.logged import Cuts, Logged
from placet.faces.auditor.records import Schemas
from placet.faces.auditor.report import Report
from placet.faces.auditor.tlog import Get, LogWalk, Unsound, open_head
from placet.model.topics import Topic
from placet.ports import Log

NONE = "no provenance log lies beside this journal"
VKEYS = ".placet/vkeys"


class Ledger(NamedTuple):
    """Where the files of a log are got from, and by which keys it is signed; without any, by those that lie beside it."""

    get: Get
    vkeys: tuple[str, ...] = ()


def audit_ledger(log: Log, schemas: Schemas, report: Report, ledger: Ledger | None) -> None:
    """Check the log up to its checkpoint as it is now; what was committed since is not held against it."""
    note = ledger.get("checkpoint") if ledger is not None else None
    if ledger is None or note is None:
        report["V13"].skip(NONE)
        report["V14"].skip(NONE)
        return
    sound = report["V14"]

    def fail(text: str) -> None:
        sound.fail(Topic.DECISIONS, 0, 0, text)

    vkeys = ledger.vkeys or tuple((ledger.get(VKEYS) or b"").decode().split())
    try:
        head = open_head(note, vkeys)
    except Unsound as fault:
        fail(f"checkpoint: {fault}")
        return
    walk = LogWalk(ledger.get, head.size)
    cuts = Cuts(lambda index, text: fail(f"leaf {index}: {text}"))
    logged = Logged(log, schemas, report["V13"])
    for index, leaf in walk.leaves():
        sound.checked += 1
        took, taken = cuts.take(index, leaf)
        if took:
            logged.cut(took)
        elif taken is not None:
            logged.leaf(taken, leaf)
    cuts.finish(head.size)
    logged.finish()
    walk.expect_root(head.root)
    for flaw in walk.flaws:
        fail(f"{flaw.path}: {flaw.text}")
    report.read["leaf"] += head.size
