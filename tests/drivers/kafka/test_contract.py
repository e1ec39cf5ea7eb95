"""The Kafka journal keeps the promises every driver makes."""

from pathlib import Path

import pytest

from broker import Broker
from placet.ports import Feed, Journal, Log
from tests.drivers.journal_contract import Factory, Handle, JournalContract
from tests.drivers.kafka.stand import Stand


class Installation:
    """Topics of its own, and one slot with a warm disk."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._journal: Journal | None = None

    def journal(self) -> Journal:
        if self._journal is None:
            self._journal = self._stand.journal(data=self._stand.folder)
        return self._journal

    def feed(self) -> Feed:
        return self._stand.feed()

    def log(self) -> Log:
        return self._stand.log

    def reopen(self) -> None:
        self._stand.crash()
        self._journal = None

    def close(self) -> None:
        self._stand.close()


class Installations:
    def __init__(self, bootstrap: str, folder: Path) -> None:
        self._bootstrap, self._folder = bootstrap, folder

    def make(self, partitions: int) -> Handle:
        return Installation(Stand(self._bootstrap, self._folder, partitions))


class TestKafka(JournalContract):
    @pytest.fixture
    def factory(self, broker: Broker, tmp_path: Path) -> Factory:
        return Installations(broker.bootstrap, tmp_path)
