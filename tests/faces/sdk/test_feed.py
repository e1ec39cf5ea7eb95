"""A feed says what it knows in order, and that it is alive; what a reader who starts anew hears is never the older word."""

import threading

import pytest

from placet import Feed
from placet.errors import PoisonRecord, Unsure
from placet.faces.sdk.connection import Connection
from placet.model.codec.risk_signal import RiskSignal
from placet.model.codec.sensitivity import Sensitivity
from placet.model.codec.watermark import Watermark
from placet.model.topics import Topic
from tests.faces.shop import Shop, until

LABEL = Sensitivity("acme", "order/9", "restricted", None, None, (), "dlp", 5_000, None)


def marks(shop: Shop, topic: Topic = Topic.SENSITIVITY) -> list[Watermark]:
    return [record for _, name, record in shop.records(topic) if name == "watermark" and record.source == "dlp"]


def labels(shop: Shop) -> list[tuple[int, str]]:
    return [
        (record.observed_at, record.label) for _, name, record in shop.records(Topic.SENSITIVITY) if name != "watermark"
    ]


def test_an_older_word_is_not_appended_after_a_newer_one_whoever_wrote_that(shop: Shop, connection: Connection) -> None:
    Feed(connection, Topic.SENSITIVITY, "dlp").publish(LABEL)
    again = Feed(connection, Topic.SENSITIVITY, "dlp")
    with pytest.raises(PoisonRecord, match="observed at 4999, and 5000 is written already"):
        again.publish(LABEL._replace(label="public", observed_at=4_999))
    again.publish(LABEL._replace(label="internal", observed_at=5_001))
    with pytest.raises(PoisonRecord, match="5001 is written already"):
        again.publish(LABEL)
    again.publish(LABEL._replace(source="other", observed_at=1))
    assert sorted(labels(shop)) == [(1, "restricted"), (5_001, "internal")]


def test_it_is_marked_until_it_is_not_alive_and_never_after_its_end(shop: Shop, connection: Connection) -> None:
    living, seen = threading.Event(), set[int]()
    living.set()

    def moved() -> bool:
        seen.update(mark.at for mark in marks(shop))
        return len(seen) >= 3

    with Feed(connection, Topic.SENSITIVITY, "dlp", every_s=0.01, alive=living.is_set):
        until("three marks", moved)
        living.clear()
    assert max(seen) <= connection.clock.now_ms()
    Feed(connection, Topic.SENSITIVITY, "dlp").retire()
    assert [mark.at for mark in marks(shop)] == [0]


def test_a_log_that_is_away_for_a_while_does_not_end_it(
    shop: Shop, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, away = connection.log.append, [Unsure("no answer")] * 3

    def failing(*given: object) -> int:
        if away:
            raise away.pop()
        return append(*given)  # type: ignore[arg-type]

    feed = Feed(connection, Topic.SENSITIVITY, "dlp", every_s=0.01)
    monkeypatch.setattr(connection.log, "append", failing)
    with feed:
        until("a mark", lambda: marks(shop))
    assert away == []


@pytest.mark.parametrize(
    ("topic", "source", "says"),
    [
        (Topic.INTENTS, "dlp", "placet.intents: is no context topic"),
        (Topic.PRINCIPALS, "dlp#2/2", "watermark of part 2 of 2"),
        (Topic.PRINCIPALS, "", "expected a name"),
    ],
)
def test_a_feed_that_could_not_be_heard_is_not_made(
    connection: Connection, topic: Topic, source: str, says: str
) -> None:
    with pytest.raises(PoisonRecord, match=says):
        Feed(connection, topic, source)


def test_a_feed_of_signals_marks_them_and_its_signals_may_come_late(shop: Shop, connection: Connection) -> None:
    feed = Feed(connection, Topic.SIGNALS, "service:feed")
    late = RiskSignal("acme", "agent:x", "service:feed", "e1", 40, 5_000, 0, "seen", None)
    feed.publish(late)
    feed.publish(late._replace(event_at=4_000))
    at = feed.quiet()
    records = [(name, record) for _, name, record in shop.records(Topic.SIGNALS)]
    assert [record.event_at for name, record in records if name == "risk_signal" and record.subject == "agent:x"] == [
        5_000,
        4_000,
    ]
    assert records[-1] == ("watermark", Watermark("service:feed", at))


def test_facts_of_risk_are_not_written_past_the_context_app(connection: Connection) -> None:
    with pytest.raises(PoisonRecord, match="is not written record by record"):
        Feed(connection, Topic.RISK, "siem").publish(LABEL)
