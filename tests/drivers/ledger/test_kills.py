"""Real processes that keep a log, killed with SIGKILL: at any moment of a live journal, and at every call to the system."""

import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from placet.drivers.clock import SystemClock
from placet.drivers.embedded import open_owner
from placet.drivers.ledger.folder import FolderReader, FolderStore
from placet.drivers.ledger.notary import Notary
from placet.drivers.ledger.sources import FolderSource
from placet.drivers.metrics import Watch
from placet.faces.auditor.ledger import Ledger, audit_ledger
from placet.faces.auditor.records import Schemas
from placet.faces.auditor.report import Report
from placet.model.topics import Topic
from placet.provenance.tiles import CHECKPOINT
from tests.drivers.ledger.faulty import SIGNER, drive, expect_whole, opened
from tests.drivers.ledger.victim import KEEPING, RECS, ROUNDS

VICTIM = [sys.executable, "-m", "tests.drivers.ledger.victim"]
ENV = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
LIVES = (1, 40, 7, 90, 25)
"""After how many records each process is killed; where its notary is then is up to the machine."""
CALLS = {
    "fsync": ("error=EIO", "signal=KILL"),
    "rename": ("error=EIO", "signal=KILL"),
    "write": ("error=ENOSPC", "signal=KILL"),
    "mkdir": ("error=ENOSPC", "signal=KILL"),
    "unlink": ("error=EIO", "signal=KILL"),
}
SAMPLED = (1, 2, 3, 5, 8, 13, 21, 34, 55)


@pytest.mark.slow
def test_a_notary_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    shown = []
    for lives in LIVES:
        with subprocess.Popen([*VICTIM, "town", str(tmp_path)], stdout=subprocess.PIPE, env=ENV, text=True) as victim:
            assert victim.stdout is not None
            for _ in range(lives):
                assert victim.stdout.readline()
            victim.kill()
        shown.append(FolderReader(tmp_path / "ledger").get(CHECKPOINT) or b"")
    owner = open_owner(tmp_path / "journal", SystemClock(), KEEPING)
    ledger = opened(FolderStore(tmp_path / "ledger"))
    notary = Notary(FolderSource(owner.log(), ledger.state.places), ledger, SystemClock(), Watch(), checkpoint_ms=10)
    notary.finish()
    report = Report()
    files = FolderReader(tmp_path / "ledger")
    audit_ledger(owner.log(), Schemas(), report, Ledger(files.get, (SIGNER.vkey,)))
    assert [(check.name, check.shown) for check in report.checks.values() if check.violated] == []
    written = owner.log().end(Topic.DECISIONS, 0) + owner.log().end(Topic.RISK, 0)
    assert report["V13"].checked == written >= 2 * sum(LIVES)
    notary.close()
    owner.close()


def broken_at(call: str, fault: str, when: int, folder: Path) -> bool:
    """Run the story with the fault in the given call, then go on with what it left; return whether there was such a call."""
    told = folder.with_name("told")
    inject = ["strace", "-f", "-o", str(told), "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={when}"]
    subprocess.run([*inject, *VICTIM, "story", str(folder)], env=ENV, capture_output=True, check=False)
    shown = [note] if folder.is_dir() and (note := FolderReader(folder).get(CHECKPOINT)) else []
    store = FolderStore(folder)
    list(drive(opened(store), RECS, ROUNDS))
    store.close()
    expect_whole(folder, RECS, shown)
    shutil.rmtree(folder)
    return any(word in told.read_text() for word in ("INJECTED", "killed by SIGKILL"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(("call", "fault"), [(call, fault) for call, faults in CALLS.items() for fault in faults])
def test_a_fault_in_any_call_to_the_system_leaves_a_log_that_goes_on(call: str, fault: str, tmp_path: Path) -> None:
    """A sample of the calls; `PLACET_EVERY_CALL=1` takes every one until there are no more."""
    every = os.environ.get("PLACET_EVERY_CALL") == "1"
    met = 0
    for when in count(1) if every else SAMPLED:
        if not broken_at(call, fault, when, tmp_path / "log"):
            break
        met += 1
    assert met
