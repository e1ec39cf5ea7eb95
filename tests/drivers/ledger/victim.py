"""A process that keeps a log, to be killed: `story FOLDER` commits a fixed story, `town FOLDER` logs a journal as it grows."""

import sys
from pathlib import Path

from placet.drivers.clock import SystemClock
from placet.drivers.embedded import EmbeddedSettings, open_owner
from placet.drivers.ledger.folder import FolderStore
from placet.drivers.ledger.notary import Notary, NotaryRunning
from placet.drivers.ledger.sources import FolderSource
from placet.drivers.metrics import Watch
from placet.model.topics import Topic
from placet.ports import Message
from tests.drivers.ledger.faulty import drive, opened, records

RECS = records(340)
ROUNDS = [1, 258, 40]
KEEPING = EmbeddedSettings(free_bytes_min=1, poll_ms=2, keep_past=True)


def story(folder: Path) -> None:
    """Commit what is left of the story, and end."""
    store = FolderStore(folder)
    list(drive(opened(store), RECS, ROUNDS))
    store.close()


def town(folder: Path) -> None:
    """Write to a journal without end, a line for each record, while a notary logs it."""
    owner = open_owner(folder / "journal", SystemClock(), KEEPING)
    log = owner.log()
    ledger = opened(FolderStore(folder / "ledger"))
    source = FolderSource(log, ledger.state.places)
    running = NotaryRunning(
        Notary(source, ledger, SystemClock(), Watch(), checkpoint_ms=10), Watch(), stalled_ms_max=60_000
    )
    writer = owner.log()
    number = writer.end(Topic.DECISIONS, 0)
    while not running.ended.is_set():
        writer.append(Topic.DECISIONS, 0, [Message(b"acme/ada", b"decided %d" % number)])
        writer.append(Topic.RISK, 0, [Message(b"acme/ada/feed", b"risk %d" % number)])
        number += 1
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
    raise SystemExit(str(running.failure))


if __name__ == "__main__":
    {"story": story, "town": town}[sys.argv[1]](Path(sys.argv[2]))
