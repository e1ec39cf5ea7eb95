"""The context app of a bench, as the process that users run."""

import os
import subprocess
import sys
from typing import Self

from placet.drivers.settings import Settings

STOP_S = 60


class Folding:
    """`placet context` over a bench's topics, until the end of the `with`."""

    def __init__(self, settings: Settings) -> None:
        env = {
            **os.environ,
            "PLACET_PREFIX": settings.prefix,
            "PLACET_REPLICAS": str(settings.replicas),
            "PLACET_WATERMARK_MS": "500",
        }
        command = [sys.executable, "-m", "placet.faces.cli", "context", "--bootstrap", settings.bootstrap]
        command += ["--data", str(settings.data), "--slot", "bench-context", "--metrics-port", "0"]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
