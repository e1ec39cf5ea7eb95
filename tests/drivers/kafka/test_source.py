"""A notary on a real broker: what is committed becomes leaves once, what was aborted never, and it goes on where the log is."""

from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from placet.drivers.clock import SystemClock
from placet.drivers.kafka import KafkaSource
from placet.drivers.ledger.folder import FolderReader, FolderStore
from placet.drivers.ledger.notary import Notary
from placet.drivers.metrics import Watch
from placet.errors import Behind, Corrupted
from placet.faces.auditor.ledger import Ledger, audit_ledger
from placet.faces.auditor.records import Schemas
from placet.faces.auditor.report import Report
from placet.model.codec import BY_NAME
from placet.model.topics import CONTEXT, Topic
from placet.ports import Message
from placet.provenance.leaf import LOGGED
from tests.drivers.kafka.stand import Stand, message, until
from tests.drivers.kafka.test_log import transactional
from tests.drivers.ledger.faulty import SIGNER, opened


def notary_of(stand: Stand) -> Notary:
    ledger = opened(FolderStore(stand.folder / "ledger"))
    source = KafkaSource(stand.connection, LOGGED, ledger.state.places)
    return Notary(source, ledger, SystemClock(), Watch(), checkpoint_ms=10)


def logged(stand: Stand, leaves: int) -> None:
    """Let a notary run until it has logged so many records more, and end."""
    notary = notary_of(stand)
    before = notary.ledger.state

    def more() -> int:
        notary.turn()
        state = notary.ledger.state
        return state.size - before.size - (state.cuts - before.cuts)

    assert until(more, lambda found: found >= leaves) == leaves
    notary.close()


def expect_sound(stand: Stand, records: int) -> None:
    report = Report()
    files = FolderReader(stand.folder / "ledger")
    audit_ledger(stand.log, Schemas(), report, Ledger(files.get, (SIGNER.vkey,)))
    assert [(check.name, check.shown) for check in report.checks.values() if check.violated] == []
    assert report["V13"].checked == records


def test_what_is_committed_is_logged_once_and_what_was_aborted_never(wide: Stand) -> None:
    for topic in CONTEXT:
        wide.log.append(topic, 0, [message(topic.name), Message(b"mark", BY_NAME["watermark"].HEADER + b"quiet")])
    producer = transactional(wide, "desk")
    title = wide.connection.title(Topic.DECISIONS)
    for value, ended in ((b"kept", producer.commit_transaction), (b"gone", producer.abort_transaction)):
        producer.begin_transaction()
        for partition in range(4):
            producer.produce(title, value, b"tenant/authority", partition)
        producer.flush(30)
        ended(30)
    logged(wide, len(CONTEXT) + 4)
    expect_sound(wide, len(CONTEXT) + 4)
    wide.log.append(Topic.DECISIONS, 2, [message("later")])
    wide.log.append(Topic.KEYS, 0, [Message(b"key", None)])
    logged(wide, 2)
    expect_sound(wide, len(CONTEXT) + 6)


def test_a_cluster_that_shows_less_than_the_log_has_read_is_not_logged(stand: Stand, tmp_path: Path) -> None:
    with pytest.raises(Behind, match=r"placet\.decisions/0 ends at 0, the provenance log has read to 3"):
        KafkaSource(stand.connection, LOGGED, {(int(Topic.DECISIONS), 0): 3})


def test_decisions_that_were_deleted_before_they_were_logged_are_not_passed_over(stand: Stand) -> None:
    for text in ("one", "two", "three"):
        stand.log.append(Topic.DECISIONS, 0, [message(text)])
    title = stand.connection.title(Topic.DECISIONS)
    admin = AdminClient({"bootstrap.servers": stand.connection.bootstrap})
    [deleted] = admin.delete_records([TopicPartition(title, 0, 2)]).values()
    deleted.result(30)
    with pytest.raises(Corrupted, match=r"begins at 2, the provenance log has read to 1: what lay between is gone"):
        KafkaSource(stand.connection, LOGGED, {(int(Topic.DECISIONS), 0): 1})
    KafkaSource(stand.connection, LOGGED, {(int(Topic.DECISIONS), 0): 2}).close()
