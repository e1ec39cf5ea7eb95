"""The journal of one process in one folder: RocksDB, one row per append, one fsync per batch."""

from placet.drivers.embedded.journal import EmbeddedJournal
from placet.drivers.embedded.log import EmbeddedFeed, EmbeddedLog
from placet.drivers.embedded.owner import Embedded, open_owner
from placet.drivers.embedded.reader import EmbeddedReader, open_reader
from placet.drivers.embedded.settings import EmbeddedSettings

__all__ = [
    "Embedded",
    "EmbeddedFeed",
    "EmbeddedJournal",
    "EmbeddedLog",
    "EmbeddedReader",
    "EmbeddedSettings",
    "open_owner",
    "open_reader",
]
