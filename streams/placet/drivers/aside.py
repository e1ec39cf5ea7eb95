"""What is set aside of signals: the bytes of a record that could not be believed, where it lay, and why."""

from typing import NamedTuple

from placet.errors import PoisonRecord
from placet.model.codec import quarantined
from placet.model.codec.quarantined import Quarantined
from placet.model.topics import Topic

DETAIL_MAX = 500


class Aside(NamedTuple):
    """A record of `placet.quarantine`."""

    partition: int
    key: bytes
    value: bytes


def set_aside(
    partition: int, offset: int, at: int, key: bytes | None, value: bytes | None, poison: PoisonRecord, partitions: int
) -> Aside:
    """Return what `placet.quarantine`, of so many `partitions`, keeps of a bad record among the signals."""
    kept = Quarantined(
        int(Topic.SIGNALS), partition, offset, at, int(poison.reason), str(poison)[:DETAIL_MAX], key, value
    )
    place = f"{int(Topic.SIGNALS)}/{partition}/{offset}".encode()
    return Aside(partition % partitions, place, quarantined.frame(kept))
