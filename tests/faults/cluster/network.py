"""Faults of the network: apart, slow, half open, and frames that arrive long after everybody gave them up."""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from confluent_kafka import Producer
from confluent_kafka.admin import PartitionMetadata

from placet.drivers.kafka.reader import Reader
from placet.model.topics import Topic
from tests.faults.cluster import wire
from tests.faults.cluster.cast import PARTITIONS
from tests.faults.cluster.rules import Act, Rule, Way
from tests.faults.cluster.site import Site

LATE_S = 6.0
"""Longer than a client waits for an answer (4 s), so that it asks again on another connection."""
HANGS = {"transaction.timeout.ms": 8_000, "message.timeout.ms": 6_000, "socket.timeout.ms": 8_000}


@contextmanager
def apart(site: Site) -> Iterator[None]:
    """F8: a worker that reaches nobody, an executor that is heard and hears nothing, a broker that follows nobody."""
    lay = site.proxy.lay
    worker, node = site.draw.choice(site.workers), site.draw.choice(_followers(site))
    cut_off = [lay(Rule(Act.HOLD, way, client=worker.name)) for way in Way]
    deaf = lay(Rule(Act.HOLD, Way.ANSWERED, client=site.draw.choice((site.shop, site.other)).name))
    lone = lay(Rule(Act.HOLD, client=f"broker-{node}-fetcher"))
    yield
    site.until(lambda: _out_of_sync(site), "no replica fell behind")
    site.prove("replicas out of sync", _out_of_sync(site))
    site.proxy.lift(*cut_off, deaf, lone)
    site.prove("frames of the worker held", sum(rule.count for rule in cut_off))
    site.prove("answers an executor did not hear", deaf.count)


def _out_of_sync(site: Site) -> int:
    return sum(len(part.replicas) - len(part.isrs) for part in _partitions(site))


def _followers(site: Site) -> list[int]:
    """Return the brokers that follow another in some partition: one that outlived all others may lead them all."""
    return sorted({node for part in _partitions(site) for node in part.replicas if node != part.leader})


def _partitions(site: Site) -> list[PartitionMetadata]:
    topics = site.admin.list_topics(timeout=20).topics
    found = [topic for title, topic in topics.items() if title.startswith(site.prefix)]
    return [part for topic in found for part in topic.partitions.values()]


@contextmanager
def slow(site: Site) -> Iterator[None]:
    """F10: everything of one worker takes 150 ms each way, the other is reset each second, an executor is half open."""
    slowed, reset = site.draw.sample(site.workers, 2)
    rules = [site.proxy.lay(Rule(Act.DELAY, way, client=slowed.name, ms=150)) for way in Way]
    deaf = site.proxy.lay(Rule(Act.HOLD, Way.ANSWERED, client=site.draw.choice((site.shop, site.other)).name))
    stop, cuts = Event(), [0]

    def cut() -> None:
        while not stop.wait(1.0):
            cuts[0] += site.proxy.cut(reset.name)

    thread = Thread(target=cut)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        site.proxy.lift(*rules, deaf)
    site.prove("frames slowed", sum(rule.count for rule in rules))
    site.prove("connections reset", cuts[0])
    site.prove("answers an executor did not hear", deaf.count)


@contextmanager
def hanging(site: Site) -> Iterator[None]:
    """F11: a transaction is begun over all decisions and never ended; readers wait, and what it wrote is never read."""
    producer = Producer(site.connection.transactor("hanging") | HANGS | {"client.id": "hanging"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for partition in range(PARTITIONS):
        for topic in (Topic.DECISIONS, Topic.DESK, Topic.CASES):
            producer.produce(site.connection.title(topic), b"never", bytes(8), partition)
    producer.flush(30)
    site.proxy.cut("hanging")
    reader = Reader(site.connection)
    try:
        held = sum(
            reader.stable_end(Topic.DECISIONS, partition) < reader.bounds(Topic.DECISIONS, partition)[1]
            for partition in range(PARTITIONS)
        )
    finally:
        reader.close()
    yield
    site.prove("partitions held by it", held)
    producer.purge()
    del producer


@contextmanager
def late_end(site: Site) -> Iterator[None]:
    """F9: a commit that was given up and repeated arrives in the middle of the next transaction; then the worker is killed."""
    victim = site.draw.choice(site.workers)
    late = _late(site, {wire.END_TXN}, victim.name, commits=True)
    site.until(late.bit.is_set, "no commit was asked for")
    ended = site.proxy.ended[victim.name, True]
    # The client asks again by itself, and goes on with the same epoch: that is the hole of the old protocol.
    site.until(lambda: site.proxy.ended[victim.name, True] > ended or not victim.running(), "it was not asked again")
    # Its coordinator knows of the next transaction by now: the positions go last, to another.
    held = site.proxy.lay(Rule(Act.HOLD, apis={wire.TXN_OFFSET_COMMIT}, client=victim.name))
    site.until(held.bit.is_set, "no transaction was begun")
    # While its coordinator still takes partitions down it would be told to come again (CONCURRENT_TRANSACTIONS).
    site.load_for(1.0)
    answers = _answers(site, victim.name)
    site.proxy.lift(late)
    site.until(lambda: _answers(site, victim.name) - answers, "the commit did not arrive")
    victim.kill()
    yield
    site.proxy.lift(held)
    victim.start()
    site.prove("EndTxns held past their time", late.count)
    site.prove("EndTxns answered long after", (_answers(site, victim.name) - answers).total())
    for code, count in (_answers(site, victim.name) - answers).items():
        # Without an error it was taken for the next transaction: the hole itself.
        site.proof[f"answered with error {code}"] = count


def _answers(site: Site, client: str) -> Counter[int]:
    """Count the answers to a client's EndTxns by error code."""
    return Counter(
        {code: n for (who, api, code), n in list(site.proxy.seen.items()) if (who, api) == (client, wire.END_TXN)}
    )


@contextmanager
def late_end_goes_on(site: Site) -> Iterator[None]:
    """F9: as above, and the worker goes on, knowing nothing; some commits arrive twice as well."""
    victim = site.draw.choice(site.workers)
    twice = site.proxy.lay(Rule(Act.REPEAT, apis={wire.END_TXN}, client=victim.name, most=3))
    site.until(lambda: twice.count >= 3, "no commit was asked for")
    site.proxy.lift(twice)
    late = _late(site, {wire.END_TXN}, victim.name, commits=True)
    site.until(late.bit.is_set, "no commit was asked for")
    yield
    site.proxy.lift(late)
    site.prove("EndTxns brought twice", twice.count)
    site.prove("EndTxns held past their time", late.count)


@contextmanager
def late_writes(site: Site) -> Iterator[None]:
    """F9: records, and partitions of a transaction, that arrive after their transaction was given up."""
    victim = site.draw.choice(site.workers)
    rules = [_late(site, {api}, victim.name) for api in (wire.PRODUCE, wire.ADD_PARTITIONS_TO_TXN)]
    site.until(lambda: any(rule.bit.is_set() for rule in rules), "nothing was written")
    yield
    site.proxy.lift(*rules)
    site.prove("Produce and AddPartitionsToTxn held past their time", sum(rule.count for rule in rules))


def _late(site: Site, apis: Collection[int], client: str, commits: bool | None = None) -> Rule:
    return site.proxy.lay(Rule(Act.HOLD, apis=apis, client=client, most=1, late=True, commits=commits))
