"""A trace travels beside a record through a broker: from who asks, past the desk, to whoever reads the verdict."""

import pytest
from confluent_kafka import Producer

from placet.model.topics import Topic
from placet.ports import Emits, Message
from tests.drivers.kafka.stand import DECISIONS, INTENTS, SEAL, Stand, until

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
pytestmark = pytest.mark.slow


def test_a_record_is_read_with_the_trace_it_was_appended_with(stand: Stand) -> None:
    stand.log.append(INTENTS, 0, [Message(b"k", b"plain"), Message(b"k", b"traced", TRACE)])
    found = until(lambda: stand.log.read(INTENTS, 0, 0, 9, 100), lambda recs: len(recs) == 2)
    assert [rec.trace for rec in found] == [None, TRACE]


def test_headers_of_others_are_no_trace_and_neither_is_one_without_end(stand: Stand) -> None:
    producer = Producer(stand.connection.writer())
    title = stand.connection.title(Topic.INTENTS)
    for headers in (("tracestate", b"a=b"),), (("traceparent", b"x" * 513),), (("other", b"1"), ("traceparent", TRACE)):
        producer.produce(title, b"value", b"k", 0, headers=list(headers))
    producer.flush(10)
    found = until(lambda: stand.log.read(INTENTS, 0, 0, 9, 100), lambda recs: len(recs) == 3)
    assert [rec.trace for rec in found] == [None, None, TRACE]


def test_what_a_desk_says_is_committed_with_the_trace_it_belongs_to(stand: Stand) -> None:
    journal = stand.journal()
    until(journal.assigned, lambda found: found == {0})
    journal.restore(0)
    stand.log.append(INTENTS, 0, [Message(b"k", b"asked", TRACE)])
    taken = until(lambda: journal.take(10, 100))
    assert [rec.trace for rec in taken[0]] == [TRACE]
    decisions = [Message(b"k", b"answered", TRACE), Message(b"k", b"another"), Message(b"seal", SEAL)]
    journal.commit({0: Emits(decisions)}, {0: {INTENTS: 1}})
    found = until(lambda: stand.log.read(DECISIONS, 0, 0, 9, 100), lambda recs: len(recs) == 3)
    assert [rec.trace for rec in found] == [TRACE, None, None]
