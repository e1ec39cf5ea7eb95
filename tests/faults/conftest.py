"""Every fault test reads each pack once."""

import pytest

from placet.decision import library
from tests.faults import packs


@pytest.fixture(autouse=True)
def _packs_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "load_pack", packs.read_once)
