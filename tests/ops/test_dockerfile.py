"""The image is made as good practice asks, from nothing but what is locked, and runs as nobody in particular."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "Dockerfile").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="hadolint is locked for Linux, where CI runs")
def test_hadolint_has_nothing_to_say() -> None:
    # Its wheel is the program itself: it lies beside the interpreter.
    program = Path(sys.executable).parent / "hadolint"
    said = subprocess.run([program, "--no-color", ROOT / "Dockerfile"], check=False, capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "")


def test_everything_that_is_copied_reaches_the_build() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word
        for words in re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE)
        for word in words.split()
        if not word.startswith("--")
    }
    assert copied <= let_in
    assert all((ROOT / name).exists() for name in copied)


def test_it_installs_only_what_is_locked_and_runs_as_nobody() -> None:
    installs = re.findall(r"pip install [^\n&\\]*", TEXT)
    assert installs
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)
    assert re.findall(r"^USER (.+)$", TEXT, re.MULTILINE) == ["10001"]
