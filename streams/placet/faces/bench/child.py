"""The hold a bench has on its worker process: started, followed, marked, stopped."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from placet.drivers.settings import Settings
from placet.errors import Unavailable

START_S = 120.0
SILENT_S = 120.0


class Child:
    """A worker in a process of its own. `status` is the newest it said of itself, `opened` what it said at its start.

    It is open when it serves every partition, or with `whole` false when it
    serves any; without `wait` nobody waits for that here.
    """

    def __init__(self, settings: Settings, *, sample: bool = False, whole: bool = True, wait: bool = True) -> None:
        asked = {**settings.model_dump(mode="json", exclude_unset=True), "sample": sample, "whole": whole}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "placet.faces.bench.worker", json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.status: dict[str, Any] = {}
        self.opened: dict[str, Any] = {}
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()
        if wait:
            self.until(lambda _: bool(self.opened), START_S)

    def until(self, holds: Callable[[Mapping[str, Any]], bool], silent_s: float = SILENT_S) -> None:
        """Return when `holds` of the newest status; raise `Unavailable` when the worker ends or nothing moves."""
        before, since = None, time.monotonic()
        with self._changed:
            while not holds(self.status):
                self.alive()
                far = (self.status.get("intents"), self.status.get("outcomes"))
                if far != before:
                    before, since = far, time.monotonic()
                elif time.monotonic() - since > silent_s:
                    raise Unavailable(f"the worker of the bench has stood still for {silent_s:.0f} s at {far}")
                self._changed.wait(1.0)

    def alive(self) -> None:
        """Raise `Unavailable` when the worker has ended."""
        if self._process.poll() is not None:
            raise Unavailable(f"the worker of the bench ended with {self._process.returncode}")

    def mark(self) -> None:
        """What the worker used before does not count from now on."""
        self._say("mark")
        self.until(lambda status: status.get("decided") == 0)

    def kill(self) -> None:
        """End the worker with SIGKILL: it hears nothing and leaves everything as it is."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> dict[str, Any]:
        """End the worker and return its last word. May be called twice."""
        if self._process.stdin is not None and self._process.stdin.closed:
            return self.status
        if self._process.poll() is None:
            self._say("stop")
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        return self.status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: whoever waits for it hears that

    def _hear(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            with self._changed:
                if "opened_s" in told:
                    self.opened = told
                elif "intents" in told:
                    self.status = told
                self._changed.notify_all()
