"""A verb run in this process, and what it said."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from placet.faces.cli import main


@dataclass
class Said:
    """An exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def placet(capsys: pytest.CaptureFixture[str], *arguments: object) -> Said:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return Said(code, captured.out, captured.err)
