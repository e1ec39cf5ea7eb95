"""The processes of a scenario: begun, ended in every way there is, and begun again as a supervisor would."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[3]
PLACET = str(Path(sys.executable).with_name("placet"))
AGAIN_S = 0.5
CORRUPTED = 3
"""How a worker or an executor ends that met a contradiction."""


class Child:
    """One process by its name. `wanted` says whether `tend` is to begin it again when it has ended."""

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.command = list(command)
        self.env = dict(env or {})
        self.log = log
        self.wanted = False
        self.ends: list[int] = []
        self.contradiction = ""
        self.begun = 0
        self._tried_at = 0.0
        self._from = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin it, unless it runs."""
        self.wanted = True
        if self.running():
            return
        self._tried_at = monotonic()
        self._from = self.log.stat().st_size if self.log.exists() else 0
        self.begun += 1
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**os.environ, "PYTHONFAULTHANDLER": "1", **self.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def running(self) -> bool:
        """Return whether it lives, stopped or not; of one that has ended note how."""
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        self.ends.append(code)
        if code == CORRUPTED:
            self.contradiction = self.said().strip()[-600:]
        self._process = None
        return False

    def tend(self) -> None:
        """Begin it again if it ended unasked, not too often; what met a contradiction stays down."""
        if self.wanted and not self.running() and monotonic() - self._tried_at > AGAIN_S:
            if self.corrupted:
                return
            self.start()

    @property
    def corrupted(self) -> bool:
        """Whether it ended because two things that must agree did not."""
        return CORRUPTED in self.ends

    @property
    def pid(self) -> int:
        """Its process id; it must run."""
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        if self.running():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a crash would, and leave it down."""
        self.wanted = False
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.running()

    def stop(self, seconds: float) -> int:
        """Ask it to end and return with what code it did; whoever does not end is killed, and that is a fault."""
        self.wanted = False
        if not self.running():
            return self.ends[-1] if self.ends else 0
        assert self._process is not None
        self._process.terminate()
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            # It dies with the stacks of its threads on its lips (PYTHONFAULTHANDLER).
            self._process.send_signal(signal.SIGABRT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            self.kill()
            raise AssertionError(f"{self.name} did not end within {seconds:.0f} s:\n{self.said()}") from None
        self.running()
        return code

    def said(self) -> str:
        """Return what it said since it was begun the last time."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(self._from)
            return file.read().decode(errors="replace")[-4_000:]

    def told(self, text: str) -> int:
        """Return how often it has said this since it was begun the last time."""
        if not self.log.exists():
            return 0
        with self.log.open("rb") as file:
            file.seek(self._from)
            return file.read().count(text.encode())

    def up(self) -> bool:
        """Return whether it has said that it is."""
        return bool(self.said().strip())


def actor(module: str, name: str, log: Path, **spec: object) -> Child:
    """Return one of this folder's own processes."""
    command = [sys.executable, "-m", f"tests.faults.cluster.{module}", json.dumps({"name": name, **spec})]
    return Child(name, command, log)


def verb(words: Sequence[str], name: str, log: Path, env: Mapping[str, str]) -> Child:
    """Return a verb of the shipped command, as an operator would run it."""
    return Child(name, [PLACET, *words, "--json"], log, {"PLACET_KAFKA": json.dumps({"client.id": name}), **env})
