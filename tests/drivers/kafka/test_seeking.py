"""Where the context app begins to read: at what is committed, else at the beginning, and never where it happens to be."""

import asyncio
from types import SimpleNamespace
from typing import Any

from faust.transport.drivers import aiokafka
from faust.types import TP

from placet.drivers.context_app.seeking import ENOUGH, Consumer
from placet.drivers.context_app.seeking import Thread as Fetching

COMMITTED, NEVER, AT_ZERO = TP("placet.signals", 0), TP("placet.signals", 1), TP("placet.signals", 2)
TABLE = TP("placet-context-facts-changelog", 0)


class Thread:
    """What a consumer asks of its thread, and where each partition was sought to."""

    def __init__(self) -> None:
        self.sought: dict[TP, int] = {}

    async def seek_to_committed(self) -> dict[TP, int | None]:
        # As aiokafka does: only a position above 0 is sought.
        self.sought[COMMITTED] = 41
        return {COMMITTED: 41, NEVER: None, AT_ZERO: 0, TABLE: None}

    async def earliest_offsets(self, *partitions: TP) -> dict[TP, int]:
        return {tp: {NEVER: 7, AT_ZERO: 0}[tp] for tp in partitions}

    async def seek_wait(self, positions: dict[TP, int]) -> None:
        self.sought |= positions


def test_a_partition_that_was_never_committed_is_read_from_its_beginning() -> None:
    thread: Any = Thread()
    consumer = Consumer.__new__(Consumer)
    consumer._thread = thread
    consumer.begins = {}
    found = asyncio.run(consumer.seek_to_committed())
    assert thread.sought == {COMMITTED: 41, NEVER: 7, AT_ZERO: 0}
    assert found == {COMMITTED: 41, NEVER: 7, AT_ZERO: 0, TABLE: None}
    assert consumer.begins == {COMMITTED: 41, NEVER: 7, AT_ZERO: 0}


class Table:
    """The table of facts as far as it is read back."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def owned(self, partition: int) -> bool:
        return partition == TABLE.partition

    def read_back(self, _: TP, messages: list[int]) -> None:
        self.taken += messages


class Queue:
    def __init__(self, most: int) -> None:
        self.waiting: list[int] = []
        self.most = most

    def full(self) -> bool:
        return len(self.waiting) >= self.most

    def qsize(self) -> int:
        return len(self.waiting)


def consumer_of(monkeypatch: Any, fetched: list[tuple[TP, int]], queue: Queue, table: Table) -> Consumer:
    async def getmany(_: Any, __: float) -> Any:
        for each in fetched:
            yield each

    async def callback(message: Any) -> None:
        queue.waiting.append(message)

    monkeypatch.setattr(aiokafka.Consumer, "getmany", getmany)
    made = Consumer.__new__(Consumer)
    made.callback = callback
    made.flow_active = True
    app: Any = SimpleNamespace(
        producer=SimpleNamespace(buffer=SimpleNamespace(size=0, max_messages=100)),
        flow_control=SimpleNamespace(is_active=lambda: True),
        topics=SimpleNamespace(_tp_index={COMMITTED: [SimpleNamespace(queue=queue)]}),
        tables=SimpleNamespace(_changelogs={TABLE.topic: table}),
    )
    made.app = app
    return made


def yielded(consumer: Consumer) -> list[tuple[TP, Any]]:
    async def all_of_it() -> list[tuple[TP, Any]]:
        return [each async for each in consumer.getmany(1.0)]

    return asyncio.run(all_of_it())


def test_signals_are_handed_on_in_order_and_those_that_must_wait_are_left_to_faust(monkeypatch: Any) -> None:
    queue = Queue(3)
    consumer = consumer_of(monkeypatch, [(COMMITTED, number) for number in range(5)], queue, Table())
    assert yielded(consumer) == [(COMMITTED, 3), (COMMITTED, 4)]
    assert queue.waiting == [0, 1, 2]


def test_while_flow_is_suspended_nothing_is_handed_on_past_faust(monkeypatch: Any) -> None:
    queue = Queue(3)
    consumer = consumer_of(monkeypatch, [(COMMITTED, 0)], queue, Table())
    consumer.flow_active = False
    assert yielded(consumer) == [(COMMITTED, 0)]
    assert queue.waiting == []


def test_a_changelog_is_read_back_by_its_table_and_faust_hears_how_far(monkeypatch: Any) -> None:
    table = Table()
    elsewhere = TP(TABLE.topic, 9)
    fetched = [(TABLE, 0), (TABLE, 1), (elsewhere, 7), (TABLE, 2), (elsewhere, 8)]
    assert yielded(consumer_of(monkeypatch, fetched, Queue(3), table)) == [(TABLE, 2), (elsewhere, 8)]
    assert table.taken == [0, 1, 2]


def test_while_much_waits_nothing_more_is_fetched() -> None:
    queue = Queue(9_999)
    queue.waiting = [0] * (ENOUGH + 1)
    consumer = Consumer.__new__(Consumer)
    app: Any = SimpleNamespace(topics=SimpleNamespace(_tp_index={COMMITTED: [SimpleNamespace(queue=queue)]}))
    consumer.app = app
    # Without a thread to ask, a fetch would fail.
    assert asyncio.run(consumer._getmany({COMMITTED}, 1.0)) == {}


def test_a_fetch_that_brings_nothing_does_not_keep_another_partition_waiting(monkeypatch: Any) -> None:
    client = SimpleNamespace(_fetch_max_wait_ms=1_500)
    monkeypatch.setattr(aiokafka.AIOKafkaConsumerThread, "_create_worker_consumer", lambda *_: client)
    thread = Fetching.__new__(Fetching)
    assert thread._create_worker_consumer(None)._fetch_max_wait_ms == 50
