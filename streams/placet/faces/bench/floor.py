"""The raw floor beside placet: the peers' bare loop on the same cluster, in the same run, where a checkout is at hand."""

import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from placet.faces.bench.report import tell

CLOSED_MS, OPEN_MS = 100, 20
"""Commit intervals of the floor: as in the peers' own tables for throughput, and for latency."""
RATE, OPEN_S = 1_000, 30
WAIT_S = 300.0
_FAILURES = (subprocess.SubprocessError, ValueError, IndexError, KeyError)


class Floor:
    """The peers' bare loop on `bootstrap`. Without a checkout, or once it has failed, nothing is measured, and why is told."""

    def __init__(self, peers: Path | None, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._rounds: list[dict[str, Any]] = []
        self._why = ""
        self._peers = peers or Path()
        if peers is None:
            self._leave_out("no --peers")
        elif not (peers / "raw_floor.py").exists():
            self._leave_out(f"{peers} holds no raw_floor.py")

    def closed(self, intents: int) -> float | None:
        """Run a closed loop of `intents`; return its CPU in µs a verdict, or None."""
        if self._why:
            return None
        tell(f"raw floor: {intents} intents")
        try:
            self._rounds.append(_closed(self._peers, self._bootstrap, _name(), intents))
        except _FAILURES as error:
            self._leave_out(f"{type(error).__name__}: {error}")
            return None
        return float(self._rounds[-1]["cpu_us_per_verdict"])

    def told(self, seconds: float) -> dict[str, Any] | str:
        """Return medians of the closed loops, and the latency of an open one of about `seconds`; or why there are none."""
        if not self._why:
            try:
                opened = _open(self._peers, self._bootstrap, _name(), min(OPEN_S, max(6, round(seconds))))
            except _FAILURES as error:
                self._leave_out(f"{type(error).__name__}: {error}")
            else:
                names = self._rounds[0] if self._rounds else ()
                return {name: statistics.median(one[name] for one in self._rounds) for name in names} | opened
        return self._why

    def _leave_out(self, why: str) -> None:
        self._why = f"left out ({why})"
        tell(f"raw floor: {self._why}")


def _name() -> str:
    return f"floor-{secrets.token_hex(4)}"


def _closed(peers: Path, bootstrap: str, name: str, intents: int) -> dict[str, Any]:
    topics = ["--intents", f"intents-{name}", "--verdicts", f"verdicts-{name}"]
    _run(peers, bootstrap, "load.py", "fill", *topics, "--count", str(intents))
    with _job(peers, bootstrap, name, topics, CLOSED_MS) as job:
        got = _run(peers, bootstrap, "watch.py", *topics[2:], "--count", str(intents))
        said = _end(job)
    _run(peers, bootstrap, "-c", _removal(name))
    return {
        "verdicts_per_s": got["per_s"],
        "warm_verdicts_per_s": got["per_s_warm"],
        "cpu_us_per_verdict": round(said["cpu_s"] / intents * 1e6, 1),
        "faults": got["missing"] + got["repeated"] + got["wrong"],
    }


def _open(peers: Path, bootstrap: str, name: str, seconds: int) -> dict[str, Any]:
    topics = ["--intents", f"intents-{name}", "--verdicts", f"verdicts-{name}"]
    warm, count = 2_000, RATE * seconds
    sent = Path(os.environ.get("TMPDIR", "/tmp")) / f"placet-{name}.tsv"  # noqa: S108  drawn at random
    _run(peers, bootstrap, "load.py", "fill", *topics, "--count", str(warm))
    with _job(peers, bootstrap, name, topics, OPEN_MS) as job:
        _run(peers, bootstrap, "watch.py", *topics[2:], "--count", str(warm), "--no-audit")
        watch = ["watch.py", *topics[2:], "--count", str(count), "--live", "--sent", str(sent), "--no-audit"]
        watcher = _start(peers, bootstrap, *watch, stderr=subprocess.PIPE)
        assert watcher.stderr is not None
        watcher.stderr.readline()  # it stands at the end of the topic
        pace = ["--first", str(warm), "--rate", str(RATE), "--seconds", str(seconds), "--sent", str(sent)]
        _run(peers, bootstrap, "load.py", "open", *topics, *pace)
        got = _said(watcher)
        _end(job)
    sent.unlink(missing_ok=True)
    _run(peers, bootstrap, "-c", _removal(name))
    return {f"open_{at}_ms": got["latency_ms"][at] for at in ("p50", "p99", "p999", "max")}


def _job(peers: Path, bootstrap: str, name: str, topics: list[str], commit_ms: int) -> "subprocess.Popen[str]":
    options = ["--bootstrap", bootstrap, "--group", name, *topics, "--commit-ms", str(commit_ms)]
    return _start(peers, bootstrap, "raw_floor.py", *options)


def _end(job: "subprocess.Popen[str]") -> dict[str, Any]:
    job.send_signal(signal.SIGTERM)
    return _said(job)


def _removal(name: str) -> str:
    titles = [f"intents-{name}", f"verdicts-{name}", f"{name}-usage"]
    return f"import load, settings; load.delete(settings.BOOTSTRAP, {titles!r})"


def _start(peers: Path, bootstrap: str, *command: str, stderr: int | None = None) -> "subprocess.Popen[str]":
    env = {**os.environ, "PEERS_BOOTSTRAP": bootstrap, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, *command], cwd=peers, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True
    )


def _run(peers: Path, bootstrap: str, *command: str) -> dict[str, Any]:
    return _said(_start(peers, bootstrap, *command))


def _said(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the JSON that a program says last, once it has ended well; nothing where it says none."""
    try:
        out, _ = process.communicate(timeout=WAIT_S)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    lines = out.strip().splitlines()
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return found
