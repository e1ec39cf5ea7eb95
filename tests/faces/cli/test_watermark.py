"""`placet watermark`: once, while a file is young, and for the last time."""

import os
from pathlib import Path

import pytest

from placet import wiring
from placet.drivers.settings import Settings
from placet.model.codec import decode_any
from placet.model.topics import Topic
from tests.faces.cli.said import placet

Caps = pytest.CaptureFixture[str]


def marks(data: Path) -> list[tuple[str, int]]:
    """Return what a folder holds of the marks of `hr`: the newest."""
    reader = wiring.beside(Settings(data=data))
    recs = [rec for rec in reader.read(Topic.PRINCIPALS, 0, 0, 1_000, 0) if rec.value]
    reader.close()
    said = [decode_any(rec.value or b"") for rec in recs if (rec.key or b"").startswith(b"watermark/hr")]
    return [(mark.source, mark.at) for mark in said]


def test_a_feed_is_marked_while_its_file_is_young_and_retired_at_its_end(tmp_path: Path, capsys: Caps) -> None:
    data, pulse = tmp_path / "run", tmp_path / "alive"
    said = ["watermark", "principals", "--source", "hr", "--data", data]
    assert placet(capsys, *said, "--alive", pulse, "--json").json["at"] is None
    pulse.touch()
    told = placet(capsys, *said, "--alive", pulse, "--json")
    assert (told.code, told.json["topic"], told.json["source"]) == (0, "placet.principals", "hr")
    os.utime(pulse, (0, 0))
    assert "hr is silent: nothing written" in placet(capsys, *said, "--alive", pulse).out
    assert marks(data) == [("hr", told.json["at"])]
    assert "hr has ended" in placet(capsys, *said, "--retire").out
    assert marks(data) == [("hr", 0)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["intents", "--source", "hr"], "TOPIC: `intents`: expected one of signals, risk"),
        (["principals", "--source", "h r"], "--source: watermark of `h r`: expected a name"),
        (["principals", "--source", "hr", "--retire", "--every-s", "1"], "a feed that has ended is marked once"),
        (["principals"], "--source"),
    ],
)
def test_what_could_not_be_heard_is_wrong_usage(tmp_path: Path, capsys: Caps, words: list[str], says: str) -> None:
    said = placet(capsys, "watermark", *words, "--data", tmp_path / "run")
    assert said.code == 2
    assert says in said.err
