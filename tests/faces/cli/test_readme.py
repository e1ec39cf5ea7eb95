"""The three uses of the README run as they stand there, one line after the other."""

import os
import re
import shlex
from pathlib import Path

import pytest

from placet.drivers.settings import Settings
from placet.faces.gateway.server import Server
from tests.architecture.house import ROOT
from tests.drivers.kafka.stand import until
from tests.faces.cli.said import Said, placet

STEPS = (ROOT / "README.md").read_text().split("## Three uses, step by step")[1].split("\n## ")[0]
WORDS = [
    [shlex.split(line)[1:] for line in block.splitlines()]
    for block in re.findall(r"^```\n(.*?)```$", STEPS, re.MULTILINE | re.DOTALL)
]


def test_each_use_shows_what_is_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("PLACET_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLACET_DATA", "run")
    Path("policies").symlink_to(ROOT / "policies")
    server = Server(Settings(data=Path("run"), port=0, partitions=1))

    def run(words: list[str]) -> Said:
        return placet(capsys, *words)

    approve, risk, replay = WORDS
    try:
        said = [run(words) for words in approve]
        assert [one.code for one in said] == [0] * len(approve)
        assert "granted, reason permitted, rules payments/refund-small" in said[-1].out
        assert run(risk[0]).code == 0
        seen = until(lambda: run(risk[1]), lambda said: "revoked" in said.out)
        assert re.search(r"revoked deny context_changed .* rules=payments/risk-high", seen.out), seen
        permits = run(replay[0])
        assert [line["record"]["state"] for line in permits.lines] == ["granted"]
        audit = run(replay[1])
        assert audit.code == 0
        assert "clean" in audit.out
    finally:
        server.stop()
