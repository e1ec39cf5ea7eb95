"""The embedded journal keeps the promises every driver makes."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.drivers.embedded.folder import SMALL, Folder
from tests.drivers.journal_contract import Factory, Handle, JournalContract


class Folders:
    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, partitions: int) -> Handle:
        return Folder(self.root / "data" / "journal", replace(SMALL, partitions=partitions))


class TestEmbedded(JournalContract):
    @pytest.fixture
    def factory(self, tmp_path: Path) -> Factory:
        return Folders(tmp_path)
