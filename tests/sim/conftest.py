"""Lives in a simulation are short: what one costs besides deciding is paid once."""

import logging

import pytest

from placet.decision import library
from placet.drivers.bureau import Bureau
from tests.faults import packs


@pytest.fixture(autouse=True)
def _lives_are_short(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Read each pack once, and leave the memory of a life to the collector: no life lasts long enough to settle."""
    monkeypatch.setattr(library, "load_pack", packs.read_once)
    monkeypatch.setattr(Bureau, "settle_memory", lambda self: None)
    caplog.set_level(logging.CRITICAL, "placet.kafka")
