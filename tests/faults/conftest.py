"""Hundreds of lives of a worker in one process: what a life costs besides deciding is paid once."""

import gc
from collections.abc import Iterator

import pytest

from placet.decision import library
from placet.drivers.bureau import Bureau
from tests.faults import packs


@pytest.fixture(scope="session", autouse=True)
def _only_stories_are_collected() -> Iterator[None]:
    """Keep all that is loaded out of the collector's sight: a folder is let go of by a collection, once a crash."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _lives_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each pack once, and leave the memory of a life to the collector: no life lasts long enough to settle."""
    monkeypatch.setattr(library, "load_pack", packs.read_once)
    monkeypatch.setattr(Bureau, "settle_memory", lambda self: None)
