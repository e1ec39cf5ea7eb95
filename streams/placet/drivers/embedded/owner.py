"""One folder opened by its one owner, and the views the rest of the process has of it."""

from pathlib import Path

from placet.drivers.embedded.disk import Disk
from placet.drivers.embedded.ends import Ends
from placet.drivers.embedded.journal import EmbeddedJournal
from placet.drivers.embedded.log import EmbeddedFeed, EmbeddedLog
from placet.drivers.embedded.settings import EmbeddedSettings
from placet.drivers.embedded.shelf import Shelf
from placet.drivers.embedded.state import check_state, read_state
from placet.drivers.embedded.writer import Writer
from placet.ports import Clock


class Embedded:
    """The owner's hold on a folder. Views may be asked for at any time; closing the owner closes them all."""

    def __init__(self, disk: Disk, clock: Clock, settings: EmbeddedSettings) -> None:
        self._disk = disk
        try:
            self._state = read_state(disk)
            check_state(disk, self._state)
        except BaseException:
            disk.close()
            raise
        self._ends = Ends(self._state.ends)
        self._shelf = Shelf(disk, self._state.counts)
        self._writer = Writer(disk, self._state, self._ends, clock, settings)

    @property
    def cluster(self) -> str:
        """Return the name under which this folder's Seals are signed."""
        return self._state.cluster

    def journal(self) -> EmbeddedJournal:
        """Return the journal of the deciding loop."""
        return EmbeddedJournal(self._state, self._shelf, self._ends, self._writer)

    def feed(self) -> EmbeddedFeed:
        """Return a reader of the context that begins at the start."""
        return EmbeddedFeed(self._state, self._shelf, self._ends, self._writer)

    def log(self) -> EmbeddedLog:
        """Return the topics for writers and followers."""
        return EmbeddedLog(self._shelf, self._ends, self._writer)

    def close(self) -> None:
        """End all work and give the folder back. Whoever waits in a view hears `Unavailable`."""
        durable = self._writer.close()
        self._disk.close()
        self._disk.mark(durable)


def open_owner(folder: Path, clock: Clock, settings: EmbeddedSettings | None = None) -> Embedded:
    """Open `folder`, making it when it is absent or empty, as the only process that writes to it.

    Raise `Unavailable` when another owner has it, `Corrupted` when what is in
    it contradicts itself.
    """
    settings = settings or EmbeddedSettings()
    return Embedded(Disk.own(folder, settings), clock, settings)
