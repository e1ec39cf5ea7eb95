"""A client that does not keep its timeouts: nobody waits for it longer than was said."""

from threading import Event
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from placet.drivers.kafka.bounded import ends_within
from placet.drivers.kafka.connection import Connection
from placet.drivers.kafka.outside import Outside
from placet.drivers.kafka.transactor import Transactor
from placet.errors import Unsure


class Deaf:
    """A producer whose group coordinator is away: positions are taken when it comes back, and not before."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.back = Event()
        self.committed = 0

    def list_topics(self, *_: object, **__: object) -> None:
        pass

    init_transactions = begin_transaction = poll = purge = list_topics

    def send_offsets_to_transaction(self, *_: object) -> None:
        self.back.wait()

    def commit_transaction(self, _seconds: float) -> None:
        self.committed += 1


def test_positions_that_nobody_takes_end_the_producer_and_not_the_worker() -> None:
    made: list[Deaf] = []

    def producer(config: dict[str, Any]) -> Any:
        made.append(Deaf(config))
        return made[-1]

    transactor = Transactor(Connection("nowhere:1", transaction_ms=50, outside=Outside(producer=producer)), "a")
    (deaf,) = made
    try:
        with pytest.raises(Unsure, match="positions were not taken within 1 s, and the call goes on"):
            transactor.commit([], [TopicPartition("placet.intents", 0, 1)], None)
        assert not deaf.back.is_set()
        assert not deaf.committed
        with pytest.raises(Unsure, match="ended: positions were not taken"):
            transactor.commit([], [TopicPartition("placet.intents", 0, 1)], None)
        transactor.close()
    finally:
        deaf.back.set()


def test_what_a_call_raises_in_time_is_raised_where_it_was_waited_for() -> None:
    def fails() -> None:
        raise ValueError("as it was")

    with pytest.raises(ValueError, match="as it was"):
        ends_within(fails, 5)
    assert ends_within(lambda: None, 5)
    never = Event()
    assert not ends_within(never.wait, 0)
    never.set()
