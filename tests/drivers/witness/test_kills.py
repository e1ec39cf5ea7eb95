"""Real processes that witness a log, with a fault in, or killed at, each call to the system: what was answered is kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from placet.drivers.ledger.folder import FolderStore
from tests.drivers.witness.stand import call, witness_in
from tests.drivers.witness.victim import SIZES

VICTIM = [sys.executable, "-m", "tests.drivers.witness.victim"]
ENV = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
FAULTS = [
    (name, fault)
    for name, faults in {
        "fsync": ("error=EIO", "signal=KILL"),
        "rename": ("error=EIO", "signal=KILL"),
        "write": ("error=ENOSPC", "signal=KILL"),
        "mkdir": ("error=ENOSPC", "signal=KILL"),
    }.items()
    for fault in faults
]
SAMPLED = (1, 2, 3, 5, 8, 13)


def broken_at(name: str, fault: str, when: int, folder: Path) -> bool:
    """Run the story with the fault in the given call, and hold what is left against what was answered; say whether it was met."""
    told = folder.with_name("told")
    inject = ["strace", "-f", "-o", str(told), "-e", f"trace={name}", "-e", f"inject={name}:{fault}:when={when}"]
    done = subprocess.run([*inject, *VICTIM, str(folder)], env=ENV, capture_output=True, text=True, check=False)
    answered = max([int(line) for line in done.stdout.split()], default=0)
    store = FolderStore(folder)
    again = witness_in(store)
    known = again.latest("example.com/log")
    size = known.size if known else 0
    assert size >= answered
    assert size in (0, *SIZES)
    assert again.answer(call(size, 20)).status == 200
    assert again.answer(call(20, 20, "fork")).status == 409
    store.close()
    shutil.rmtree(folder)
    return any(word in told.read_text() for word in ("INJECTED", "killed by SIGKILL"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_a_fault_in_any_call_to_the_system_takes_back_no_answer(name: str, fault: str, tmp_path: Path) -> None:
    """A sample of the calls; `PLACET_EVERY_CALL=1` takes every one until there are no more."""
    met = 0
    for when in range(1, 1_000) if os.environ.get("PLACET_EVERY_CALL") == "1" else SAMPLED:
        if not broken_at(name, fault, when, tmp_path / "seen"):
            break
        met += 1
    assert met
