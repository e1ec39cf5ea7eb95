"""Signals folded many at once end where they end one by one, and what is read back or taken away meanwhile lowers nothing."""

import asyncio
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from placet.drivers.context_app.app import ContextApp
from placet.drivers.context_app.facts import Facts
from placet.drivers.context_app.fold import Folder
from placet.drivers.context_app.partitions import Partitions
from placet.model.codec import risk, risk_signal
from placet.model.codec.risk import Risk
from placet.model.codec.risk_signal import RiskSignal
from placet.model.proof import KeyRing, Signer
from placet.model.reasons import Reason
from tests.support.memory import HandClock

FEED = Signer("feed-1", "service:feed", b"f" * 32)
RING = KeyRing([FEED.pinned("feed")._replace(sources=("siem",))])
NOW = 1_700_000_000_000
KEY = b"acme/agent:ada/siem"
SIGNALS = "placet.signals"
CHANGELOG = TP("placet-context-facts-changelog", 0)


def message(offset: int, score: int, age_ms: int = 0, partition: int = 0, subject: str = "agent:ada") -> Any:
    """Return a signal as it is delivered; one with a score above 100 is believed by nobody."""
    record = RiskSignal("acme", subject, "siem", "e", score, NOW - age_ms, 60, "", None)
    (proof,) = FEED.sign_batch("risk_signal", risk_signal.FINGERPRINT, [risk_signal.encode_unsigned(record)])
    value = risk_signal.frame(record._replace(proof=risk_signal.Proof(*proof)))
    tp = TP(SIGNALS, partition)
    return SimpleNamespace(tp=tp, partition=partition, offset=offset, timestamp=NOW / 1000, key=b"k", value=value)


def folder(stands: dict[bytes, bytes] | None = None, signals: int = 1) -> Folder:
    return Folder(lambda _, key: (stands or {}).get(key), RING, 2_000, signals, 1)


def scores(facts: Sequence[tuple[bytes, bytes]]) -> list[int]:
    return [risk.decode(frame).score for _, frame in facts]


def test_each_of_a_subjects_signals_is_said_in_order_and_the_last_one_is_kept() -> None:
    folded = folder().fold([message(0, 10, 30), message(1, 90, 20), message(2, 50, 40), message(3, 20, 10)])
    # The third is older than what is known by then: nothing is said of it.
    assert scores(folded.said[0]) == [10, 90, 20]
    assert scores([*folded.kept[0].items()]) == [20]
    assert folded.taken == 4


def test_a_signal_that_was_folded_before_is_said_and_kept_again() -> None:
    (once,) = folder().fold([message(0, 10)]).said[0]
    again = folder(dict([once])).fold([message(0, 10)])
    assert again.said[0] == [once]
    assert again.kept[0] == dict([once])


def test_poison_among_signals_is_set_aside_and_changes_nothing_of_the_rest() -> None:
    signals = [message(offset, 200 if offset % 100 == 50 else offset % 100, 900 - offset) for offset in range(900)]
    folded = folder().fold(signals)
    assert [one.offset for one, _ in folded.poison] == list(range(50, 900, 100))
    assert {poison.reason for _, poison in folded.poison} == {Reason.MALFORMED}
    assert scores(folded.said[0]) == [offset % 100 for offset in range(900) if offset % 100 != 50]


def test_a_signal_outside_its_subjects_partition_is_poison() -> None:
    wrong = next(p for p in (0, 1) if not folder(signals=2).fold([message(0, 10, partition=p)]).said)
    ((_, poison),) = folder(signals=2).fold([message(0, 10, partition=wrong)]).poison
    assert poison.reason == Reason.WRONG_PARTITION


class Database(dict[bytes, bytes]):
    """What a table's store is asked of its database."""

    def put(self, key: bytes, value: bytes) -> None:
        self[key] = value

    def delete(self, key: bytes) -> None:
        del self[key]

    def keys(self, from_key: bytes = b"") -> Iterator[bytes]:  # type: ignore[override]  # as RocksDB has it
        return iter(sorted(key for key in [*self] if key >= from_key))


def table(database: Database) -> Facts:
    made = Facts.__new__(Facts)
    store: Any = SimpleNamespace(_dbs={0: database}, offset_key=b"up to")
    made._data = store
    return made


def change(offset: int, score: int, event_at: int) -> Any:
    frame = risk.frame(Risk("acme", "agent:ada", "siem", score, event_at, 60, 0, offset))
    return SimpleNamespace(tp=CHANGELOG, partition=0, offset=offset, key=KEY, value=frame)


def test_what_is_read_back_late_does_not_stand_over_what_is_newer() -> None:
    database = Database()
    facts = table(database)
    facts.read_back(CHANGELOG, [change(4, 90, NOW), change(5, 10, NOW - 1)])
    assert (risk.decode(database[KEY]).score, database[b"up to"]) == (90, b"5")
    facts.read_back(CHANGELOG, [change(6, 20, NOW - 2)])
    assert (risk.decode(database[KEY]).score, database[b"up to"]) == (90, b"6")
    facts.read_back(CHANGELOG, [change(7, 30, NOW + 1)])
    assert (risk.decode(database[KEY]).score, database[b"up to"]) == (30, b"7")


def test_what_faust_hands_over_of_a_partition_that_is_gone_opens_nothing() -> None:
    database = Database()
    facts = table(database)
    gone = SimpleNamespace(message=change(0, 90, NOW))
    gone.message.tp = TP(CHANGELOG.topic, 1)
    facts.apply_changelog_batch([gone])
    assert not database
    assert not facts.owned(1)


class Consumer:
    """What is asked of a consumer to bring signals in turn."""

    def __init__(self) -> None:
        self.begins: dict[TP, int | None] = {TP(SIGNALS, 0): 0}
        self.left: list[int] = []
        self.sought: list[int | None] = []

    def leave(self, one: Any) -> None:
        self.left.append(one.offset)

    async def pass_over(self, tp: TP, hole: range) -> None:
        pass

    async def seek_wait(self, positions: dict[TP, int]) -> None:
        self.sought += positions.values()


def partitions(consumer: Consumer) -> Partitions:
    app: Any = SimpleNamespace(consumer=consumer)

    async def mark(partition: int, at: int) -> None:
        pass

    return Partitions(app, SIGNALS, 30.0, HandClock(), mark)


def events(*offsets: int) -> list[Any]:
    return [SimpleNamespace(message=message(offset, 10)) for offset in offsets]


def test_of_many_signals_those_before_a_hole_are_in_turn_and_the_rest_is_asked_for() -> None:
    consumer = Consumer()
    turns = asyncio.run(partitions(consumer).in_turn(events(0, 1, 3, 4)))
    assert [event.message.offset for event, _ in turns] == [0, 1]
    assert (consumer.left, consumer.sought) == ([3, 4], [2])


def test_what_was_in_turn_before_a_rebalance_is_not_folded_after_it() -> None:
    consumer = Consumer()
    mine = partitions(consumer)
    before = asyncio.run(mine.in_turn(events(0, 1)))
    assert mine.still(before) == before
    mine.forget()
    assert mine.still(before) == []
    consumer.begins[TP(SIGNALS, 0)] = 0
    after = asyncio.run(mine.in_turn(events(0, 1)))
    assert mine.still(before) == []
    assert mine.still(after) == after


def test_signals_that_cannot_be_handed_over_end_the_app_and_are_not_passed_over(monkeypatch: Any) -> None:
    app = ContextApp.__new__(ContextApp)
    crashed: list[Exception] = []
    lost = OSError("the producer is closed")

    async def crash(error: Exception) -> None:
        crashed.append(error)

    async def hear(_: Any) -> Any:
        raise lost

    async def delivered() -> Any:
        yield events(0)[0]

    faust: Any = SimpleNamespace(crash=crash)
    app.app = faust
    app._partitions = partitions(Consumer())
    app._facts = table(Database())
    app._saying = asyncio.Lock()
    monkeypatch.setattr(app, "_hear", hear)
    queue = SimpleNamespace(empty=lambda: True)
    stream = SimpleNamespace(channel=SimpleNamespace(queue=queue), noack=lambda: SimpleNamespace(events=delivered))
    with pytest.raises(OSError, match="closed"):
        asyncio.run(app._fold(stream))
    assert crashed == [lost]
