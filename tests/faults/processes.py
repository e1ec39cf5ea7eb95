"""Victims as their parent sees them: started, waited for, ended."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from tests.faults.victim import Spec

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


class Victim:
    """One process. Leaving the block kills it, whatever has become of it."""

    def __init__(self, spec: Spec, log: Path) -> None:
        self.spec = spec
        self._log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.victim", spec.json()], cwd=ROOT, stdout=out, stderr=out
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def ended(self) -> bool:
        return self.process.poll() is not None

    def said(self) -> str:
        return self._log.read_text(errors="replace")[-6_000:]

    def wait(self, code: int) -> None:
        """Wait for its end, which must be with `code`: negative for a signal."""
        found = self.process.wait(PATIENCE_S)
        assert found == code, f"{self.spec}: ended with {found}, expected {code}: {self.said()}"

    def stop(self) -> None:
        """End it in order."""
        self.process.terminate()
        self.wait(0)

    def has_stopped(self) -> bool:
        """Return whether it has stopped itself (SIGSTOP)."""
        found, status = os.waitpid(self.process.pid, os.WUNTRACED | os.WNOHANG)
        assert not found or os.WIFSTOPPED(status), f"{self.spec}: ended with status {status}: {self.said()}"
        return bool(found)

    def up(self) -> bool:
        """Return whether it has begun to decide."""
        return "up" in self.said()

    def stacks(self) -> str:
        """Return what it has said, and where its threads are if it still runs."""
        if not self.ended():
            self.process.send_signal(signal.SIGUSR1)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
        return f"{self.spec}\n{self.said()}"

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


def dying(spec: Spec, point: str, way: str, call: int) -> Spec:
    """Return `spec` with the call at which the process ends itself."""
    return replace(spec, point=point, way=way, call=call)
