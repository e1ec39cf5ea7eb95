"""Faults that the simulation found in placet, each by hand."""

from pathlib import Path

from placet.drivers.kafka.warm import WarmDisk
from placet.ports import Message
from tests.sim.disk import SimDisk

FOLDER = Path("data/warm-a")


def test_a_full_disk_costs_the_copy_and_not_the_worker() -> None:
    """It can neither be opened nor begun anew: the worker goes on without, and has one again when there is room."""
    disk = SimDisk()
    disk.failing = True
    warm = WarmDisk(FOLDER, b"this", 1_000, disk)
    assert warm.covered(0, 0, 10, 0) is None
    warm.keep({0: [Message(b"k", b"v")]}, {0: 5}, 0)
    warm.close()
    disk.failing = False
    again = WarmDisk(FOLDER, b"this", 1_000, disk)
    again.keep({0: [Message(b"k", b"v")]}, {0: 5}, 0)
    assert again.covered(0, 0, 10, 0) == 5
    assert dict(again.changes(0)) == {b"k": b"v"}
