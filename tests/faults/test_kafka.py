"""On a real broker: stories in process, and real workers killed, stopped, doubled, kept waiting and robbed of their disk."""

import os
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest
from confluent_kafka import ConsumerGroupState, Producer
from confluent_kafka.admin import AdminClient

from broker import Broker
from placet.drivers.clock import SystemClock
from placet.drivers.kafka import Connection, KafkaJournal, KafkaLog
from placet.drivers.kafka.topics import apply_topics
from placet.faces.auditor import audit
from placet.model.topics import Topic
from tests.faults import tally, town
from tests.faults.errands import Errands
from tests.faults.journals import on_kafka
from tests.faults.processes import PATIENCE_S, Victim, dying
from tests.faults.script import POINTS, Way
from tests.faults.story import Story
from tests.faults.tally import Ending
from tests.faults.victim import Spec

SEEDS = int(os.environ.get("PLACET_FAULT_SEEDS", "200" if os.environ.get("CI") == "true" else "40")) // 40
CALLS = {"assigned": 60, "restore": 2, "catch_up": 1, "rewind": 1, "commit": 5, "entropy": 3}
CALL = 60
COUNT = 8
HANGS = {"transaction.timeout.ms": 4_000, "message.timeout.ms": 3_000, "socket.timeout.ms": 4_000}


class Site:
    """Topics nobody else has, a folder with the keys, and errands that go on whatever becomes of the workers."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.connection = Connection(bootstrap, prefix=f"{uuid.uuid4().hex[:10]}.")
        apply_topics(self.connection, partitions=2)
        self.data = folder / "data"
        town.lay_keys(self.data)
        self.folder = folder
        self.spec = Spec(str(self.data), bootstrap, self.connection.prefix)
        self.log = KafkaLog(self.connection)
        self.errands = Errands(self.log, SystemClock())
        self._number = 0
        self.victims: list[Victim] = []

    def victim(self, spec: Spec | None = None) -> Victim:
        said = self.folder / f"said-{len(self.victims)}"
        self.victims.append(Victim(spec or self.spec, said))
        return self.victims[-1]

    def more(self) -> None:
        """Ask for more to be done."""
        self.errands.take(range(self._number + 1, self._number + 1 + COUNT))
        self._number += COUNT

    def until(self, holds: Callable[[], bool]) -> None:
        """Go on with the errands until something holds."""
        late = monotonic() + PATIENCE_S
        while not holds():
            self.errands.step()
            if monotonic() > late:
                raise AssertionError(f"{self.errands}: {self.victims[-1].stacks()}")

    def finish(self) -> None:
        """Go on until every errand is done."""
        self.until(lambda: not self.errands.step())

    def clean(self, faults: dict[tuple[str, Way], int]) -> None:
        """Hold that the auditor finds nothing, and that nothing is left."""
        ending = Ending(0)
        ending.faults.update(faults)
        ending.hold(audit(self.log, town.KEY_FILE, town.KEK, drained=True))
        tally.add(ending)
        assert ending.violations == []


@pytest.fixture
def site(broker: Broker, tmp_path: Path) -> Iterator[Site]:
    made = Site(broker.bootstrap, tmp_path)
    yield made
    made.log.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_dies_nothing_is_lost_and_nothing_happens_twice(broker: Broker, seed: int) -> None:
    story = Story(seed, on_kafka(broker.bootstrap))
    try:
        ending = story.tell()
    finally:
        story.handle.close()
    tally.add(ending)
    assert ending.violations == [], f"seed {seed}"


@pytest.mark.slow
@pytest.mark.parametrize("way", [Way.BEFORE, Way.AFTER])
def test_killed_at_every_call_and_begun_again_nothing_is_lost_or_done_twice(site: Site, way: Way) -> None:
    for point in POINTS:
        site.more()
        with site.victim(dying(site.spec, point, way.name, CALLS.get(point, CALL))) as victim:
            site.until(victim.ended)
            victim.wait(-9)
    with site.victim() as victim:
        site.finish()
        victim.stop()
    site.clean({(point, way): 1 for point in POINTS})


@pytest.mark.slow
def test_a_worker_stopped_past_its_session_wakes_up_to_nothing_of_its_own(site: Site) -> None:
    site.more()
    spec = dying(replace(site.spec, slot="a", signal=int(signal.SIGSTOP)), "commit", "BEFORE", 4)
    with site.victim(spec) as first:
        site.until(first.has_stopped)
        with site.victim(replace(site.spec, slot="b")) as second:
            site.finish()
            first.go_on()
            site.more()
            site.finish()
            first.stop()
            site.more()
            site.finish()
            second.stop()
    site.clean({("commit", Way.BEFORE): 1})


@pytest.mark.slow
def test_of_two_workers_on_one_slot_one_is_fenced_and_nothing_is_decided_twice(site: Site) -> None:
    """On two machines, that is: on one, the folder of the slot has an owner, and the second is turned away."""
    elsewhere = site.folder / "elsewhere"
    town.lay_keys(elsewhere)
    site.more()
    with site.victim() as first:
        site.finish()
        with site.victim() as twin:
            twin.wait(1)
            assert "another process has this slot's folder open" in twin.said()
        with site.victim(replace(site.spec, data=str(elsewhere))) as second:
            site.until(second.up)
            site.more()
            site.finish()
            second.stop()
        site.more()
        site.finish()
        first.stop()
    site.clean({("slot", Way.BEFORE): 1})


@pytest.mark.slow
def test_a_transaction_held_open_above_what_is_stable_is_waited_out_and_never_read(site: Site) -> None:
    site.more()
    with site.victim(dying(site.spec, "commit", "AFTER", 4)) as victim:
        site.until(victim.ended)
        victim.wait(-9)
    hanging = Producer(site.connection.transactor("hanging") | HANGS)
    hanging.init_transactions(30)
    hanging.begin_transaction()
    for partition in (0, 1):
        for topic in (Topic.DECISIONS, Topic.DESK, Topic.CASES):
            hanging.produce(site.connection.title(topic), b"never", bytes(8), partition)
    hanging.flush(30)
    with site.victim() as victim:
        site.more()
        site.finish()
        victim.stop()
    site.clean({("restore", Way.BEFORE): 1})


@pytest.mark.slow
def test_a_worker_whose_disk_is_wiped_reads_everything_from_the_topics(site: Site) -> None:
    site.more()
    with site.victim(dying(site.spec, "commit", "AFTER", 6)) as victim:
        site.until(victim.ended)
        victim.wait(-9)
    (warm,) = site.data.glob("warm-*")
    shutil.rmtree(warm)
    with site.victim() as victim:
        site.more()
        site.finish()
        victim.stop()
    site.clean({("disk", Way.BEFORE): 1})


def test_a_worker_that_ends_while_a_rebalance_waits_to_be_served_ends(broker: Broker) -> None:
    """Else whoever answers `Unsure` by beginning anew never begins (librdkafka issue 4884)."""
    connection = Connection(broker.bootstrap, prefix=f"{uuid.uuid4().hex[:10]}.")
    apply_topics(connection, partitions=1)
    journal = KafkaJournal(connection, "a")
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    group = connection.prefix + connection.group
    late = monotonic() + PATIENCE_S
    while admin.describe_consumer_groups([group])[group].result(30).state is not ConsumerGroupState.STABLE:
        assert monotonic() < late
    closing = Thread(target=journal.close, daemon=True)
    closing.start()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
