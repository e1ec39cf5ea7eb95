"""What a rebalance calls does nothing that could wait: no commit, no restore, no question to a broker."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from placet.drivers.kafka import Connection
from placet.drivers.kafka.intake import Intake
from placet.drivers.kafka.outside import Outside
from placet.errors import Corrupted
from placet.model.topics import INPUTS


class Strict:
    """A consumer of which nothing may be asked but what a test allows; it keeps what was."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.asked: list[str] = []
        self.on: dict[str, Callable[[Any, list[TopicPartition]], None]] = {}

    def list_topics(self, timeout: float) -> None:
        """Be asked once, before the group is joined."""

    def subscribe(self, _topics: list[str], **callbacks: Any) -> None:
        self.on = callbacks

    def consumer_group_metadata(self) -> object:
        self.asked.append("membership")  # known to the client, no question to a broker
        return object()

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.asked.append(f"assign {len(partitions)}")

    def poll(self, _timeout: float) -> None:
        return None


def taken(partitions: set[int]) -> list[TopicPartition]:
    return [TopicPartition(topic.title, number) for topic in INPUTS for number in sorted(partitions)]


@pytest.fixture
def intake() -> tuple[Intake, Strict]:
    made: list[Strict] = []

    def make(options: dict[str, Any]) -> Any:
        made.append(Strict(options))
        return made[0]

    return Intake(Connection("nowhere:1", outside=Outside(consumer=make)), "a"), made[0]


def test_the_callbacks_of_a_rebalance_only_note_what_changed(intake: tuple[Intake, Strict]) -> None:
    journal, consumer = intake
    consumer.on["on_assign"](consumer, taken({0, 1}))
    assert consumer.asked == ["membership", "assign 0"]
    assert journal.assigned() == {0, 1}
    consumer.asked.clear()
    consumer.on["on_revoke"](consumer, taken({0, 1}))
    consumer.on["on_lost"](consumer, [])
    assert consumer.asked == []
    # Nothing once after each rebalance, even when the same ones come back: another may have decided them in between.
    consumer.on["on_assign"](consumer, taken({0, 1}))
    assert [journal.assigned(), journal.assigned()] == [frozenset(), {0, 1}]


def test_a_member_that_is_silent_loses_its_partitions_in_bounded_time(intake: tuple[Intake, Strict]) -> None:
    _, consumer = intake
    assert consumer.options["session.timeout.ms"] == 6_000
    assert consumer.options["heartbeat.interval.ms"] == 2_000


def test_inputs_that_are_not_assigned_together_are_not_served(intake: tuple[Intake, Strict]) -> None:
    journal, consumer = intake
    consumer.on["on_assign"](consumer, taken({0, 1})[:-1])
    with pytest.raises(Corrupted, match="not assigned together"):
        journal.assigned()
