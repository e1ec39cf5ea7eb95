"""`placet witness` as a process: it says where it is, cosigns, is measured, and ends when asked to."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from placet.provenance.checkpoint import read_checkpoint
from placet.provenance.cosignature import CosignatureVerifier
from placet.provenance.notes import split, verify
from tests.drivers.witness.stand import PLACE, SIGNER, call, note_of

ENV = {name: value for name, value in os.environ.items() if not name.startswith("PLACET_")}


@pytest.fixture
def witness(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    words = ["witness", "--data", str(tmp_path), "--name", "w.example/a", "--log", SIGNER.vkey, "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "placet.faces.cli", *words, "--port", "0", "--metrics-port", "0"],
        env=ENV,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        if process.poll() is None:
            process.kill()


def got(url: str, data: bytes | None = None) -> bytes:
    with urllib.request.urlopen(url, data, timeout=20) as answer:
        body: bytes = answer.read()
    return body


def test_a_witness_cosigns_is_measured_and_ends_when_asked_to(witness: "subprocess.Popen[str]", tmp_path: Path) -> None:
    assert witness.stdout is not None
    said = json.loads(witness.stdout.readline())
    assert said["logs"] == ["example.com/log"]
    own = CosignatureVerifier.read(said["vkey"])
    assert verify(note_of(7) + got(f"{said['url']}/add-checkpoint", call(0, 7)), [own]).signatures
    shown = got(f"{said['url']}/{PLACE}/checkpoint")
    assert read_checkpoint(split(shown)[0]) == read_checkpoint(split(note_of(7))[0])
    assert b'placet_witness_answers_total{status="200"} 1.0' in got(f"{said['metrics']}/metrics")
    assert got(f"{said['metrics']}/readyz") == b'{"status": "ready"}'
    witness.send_signal(signal.SIGTERM)
    assert witness.wait(30) == 0
    assert (tmp_path / "seen" / PLACE / "checkpoint").read_bytes() == shown
