"""The commands that people and CI rely on are there, say what they do, and need no tool that is not named."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
RELIED_ON = {"setup", "demo", "test", "bench", "lint", "broker", "broker-stop", "codecs", "faults", "clean", "verify"}


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # A make above this one would hand its own flags and level down.
    outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env={**outer, **environment}, check=False, capture_output=True, text=True
    )


def test_make_alone_lists_every_command_with_a_sentence() -> None:
    listed = dict(re.findall(r"^  make (\S+) +(\S.+)$", make().stdout, re.MULTILINE))
    declared = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert listed.keys() >= RELIED_ON
    assert listed.keys() | {"help"} == declared


def test_what_stands_behind_args_reaches_the_command() -> None:
    assert ".venv/bin/placet demo --for 20s" in make("--dry-run", "demo", "ARGS=--for 20s").stdout
    assert "-m pytest tests/policy -k refund" in make("--dry-run", "test", "ARGS=tests/policy -k refund").stdout


def test_a_machine_without_python_is_told_what_is_missing(tmp_path: Path) -> None:
    for name in ("bash", "make", "touch", "mkdir"):
        (tmp_path / name).symlink_to(next(p for p in (Path("/bin") / name, Path("/usr/bin") / name) if p.exists()))
    # Where a version manager shims a name, the name exists and does not work: it must not be taken.
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/bash\nexit 127\n")
    shim.chmod(0o755)
    done = make("setup", f"VENV={tmp_path / 'venv'}", PATH=str(tmp_path), PYTHON="")
    assert done.returncode != 0
    assert "no Python 3.11 or newer with venv found" in done.stderr


def test_the_gate_is_strict_and_runs_the_two_gates() -> None:
    text = (ROOT / ".ci" / "run").read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert re.findall(r"^make (\S+)$", text, re.MULTILINE) == ["lint", "test"]
