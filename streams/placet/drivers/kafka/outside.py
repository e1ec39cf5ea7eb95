"""What the drivers of this room meet the world through, in one place: clients, time that only passes, and a disk."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from time import monotonic

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from rocksdict import Options, Rdict, WriteBatch

from placet.drivers.kafka.bounded import ends_within


class Disk:
    """Where the copies that make a restart fast lie: a database a folder."""

    def open(self, folder: Path, options: Options) -> Rdict:
        """Return the database of `folder`, made when it is not there. Raises whatever rocksdict raises."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Rdict(str(folder), options)

    def batch(self) -> WriteBatch:
        """Return writes that are done in one piece or not at all."""
        return WriteBatch(raw_mode=True)

    def remove(self, folder: Path) -> None:
        """Leave nothing of `folder`."""
        rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Outside:
    """Makers of clients, a clock that never goes back (s), the disk, and who waits for a call that may never end.

    A simulation puts its own here.
    """

    producer: Callable[..., Producer] = Producer
    consumer: Callable[..., Consumer] = Consumer
    admin: Callable[..., AdminClient] = AdminClient
    monotonic: Callable[[], float] = monotonic
    disk: Disk = field(default_factory=Disk)
    ends_within: Callable[[Callable[[], object], float], bool] = ends_within
