"""What was asked is kept for the newest open intents, whatever stays open for long."""

from typing import Any

from placet.decision.readings import Readings


class Reading:
    """As much of a reading as is looked at."""

    def __init__(self, slot: bytes) -> None:
        self.slot = slot


def reading(number: int) -> Any:
    return Reading(b"%d" % number)


def test_the_newest_are_kept_and_what_came_first_is_let_go() -> None:
    readings = Readings(most=4)
    for number in range(5):
        readings.put(reading(number))
    # Two generations of two: the first one went when a third began.
    assert [number for number in range(5) if readings.get(b"%d" % number) is not None] == [2, 3, 4]


def test_what_has_ended_is_forgotten_in_either_generation() -> None:
    readings = Readings(most=4)
    for number in range(3):
        readings.put(reading(number))
    for number in (0, 2, 7):
        readings.forget(b"%d" % number)
    assert [number for number in range(3) if readings.get(b"%d" % number) is not None] == [1]


def test_what_is_asked_anew_under_a_slot_is_what_is_read() -> None:
    readings = Readings(most=2)
    first, second = reading(1), reading(1)
    readings.put(first)
    readings.put(second)
    assert readings.get(b"1") is second
    readings.forget(b"1")
    # The older one is still there; whoever reads compares it with the lease's own bytes.
    assert readings.get(b"1") is first
