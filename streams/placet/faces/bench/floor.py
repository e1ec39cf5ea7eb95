"""The raw floor beside placet: the peers' bare loop on the same cluster, in the same run, where a checkout is at hand."""

import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from placet.faces.bench.report import tell

CLOSED_MS, OPEN_MS = 100, 20
"""Commit intervals of the floor: as in the peers' own tables for throughput, and for latency."""
RATE, OPEN_S = 1_000, 30
WAIT_S = 300.0


def beside(peers: Path | None, bootstrap: str, intents: int) -> dict[str, Any] | str:
    """Return the floor's throughput, CPU and latency, or why it was left out. It is never needed."""
    if peers is None:
        tell("raw floor: left out (no --peers)")
        return "left out (no --peers)"
    if not (peers / "raw_floor.py").exists():
        tell(f"raw floor: left out ({peers} holds no raw_floor.py)")
        return f"left out ({peers} holds no raw_floor.py)"
    name = f"floor-{secrets.token_hex(4)}"
    tell(f"raw floor: {intents} intents")
    try:
        closed = _closed(peers, bootstrap, name, intents)
        opened = _open(peers, bootstrap, f"{name}-open", min(OPEN_S, max(6, intents // 1_000)))
    except (subprocess.SubprocessError, ValueError, IndexError, KeyError) as error:
        tell(f"raw floor: left out ({error})")
        return f"left out ({type(error).__name__}: {error})"
    return {**closed, **opened}


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
